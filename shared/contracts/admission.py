"""How a trajectory waits for its turn: whose it is, in which lane, with what share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.contracts.wire import Wire


class Lane(StrEnum):
    """How urgent a request is."""

    INTERACTIVE = "interactive"
    """Somebody waits for it."""
    BATCH = "batch"
    """Nobody does: it takes what interactive work leaves, and every eighth turn."""


class Ticket(Wire):
    """A place in line. Terms are those of the newest ticket of a key."""

    key: str
    """Id of the API key: turns go round between keys."""
    lane: Lane = Lane.INTERACTIVE
    weight: Annotated[int, Field(ge=1, le=100)] = 1
    """Turns of this key for each turn of a key with weight 1."""
    max_in_flight: Annotated[int, Field(ge=1)] | None = None
    """More of this key's trajectories than this wait; None: no limit of its own."""
