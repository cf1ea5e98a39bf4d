"""What the service is asked for an item.

Not here: asking it (``service``).
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from services.trainer.benchmarks.records import IMAGE_MARK, Item, System
from shared.contracts.wire import Wire

_MEDIA_TYPES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}
_LONGEST_PROMPT = 4000
"""Characters a step's prompt may have. Source: the public API."""


class RunOptions(Wire):
    """How items are asked for; what is None is left to the service."""

    system: System = System.FULL
    profile: str = "default"
    generator: str | None = None
    max_attempts: int | None = None
    width: int | None = None
    height: int | None = None
    max_steps: int = 20
    seed: int = 0
    item_timeout_s: float = 3600.0


def item_seed(options: RunOptions, item: Item) -> int:
    """A seed of its own for each item, the same in every run with these options."""
    digest = hashlib.sha256(f"{options.seed}:{item.id}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def request_body(item: Item, options: RunOptions) -> dict[str, object]:
    """The body of ``POST /v1/trajectories``."""
    profile = options.profile if options.system is System.FULL else "fast"
    alone = options.system is System.GENERATOR
    body: dict[str, object | None] = {
        "prompt": _carrier(item) if alone else item.prompt,
        "images": [data_url(path) for path in item.images],
        "profile": profile,
        "generator": options.generator,
        "steps": None if alone else item.steps,
        "max_steps": max(options.max_steps, item.steps or 1),
        "max_attempts": options.max_attempts if options.system is System.FULL else None,
        "width": options.width,
        "height": options.height,
        "seed": item_seed(options, item),
        "approval": "plan" if alone else None,
    }
    return {name: value for name, value in body.items() if value is not None}


def estimate_body(item: Item, options: RunOptions) -> dict[str, object]:
    """The body of ``POST /v1/trajectories:estimate``; the generator alone draws a known number."""
    body = {
        name: value for name, value in request_body(item, options).items() if name != "approval"
    }
    if options.system is System.GENERATOR:
        body |= {"steps": _wanted(item), "max_steps": max(options.max_steps, _wanted(item))}
    return body


def _wanted(item: Item) -> int:
    """How many pictures the generator alone is asked for."""
    return item.steps or item.pictures


def _carrier(item: Item) -> str:
    """A request that any planner can plan; its plan is replaced before anything is drawn.

    With the item's own text a planner that cannot plan it would fail the generator, which is to
    be measured without one.
    """
    marks = " ".join([IMAGE_MARK] * len(item.images))
    return f"{marks} Continue with the next picture." if marks else "How do I draw a house?"


def generator_plan(item: Item, first: int) -> dict[str, object]:
    """The plan that hands the request to the generator as it stands, for each picture wanted.

    ``first`` is the number that the service's own plan begins with.
    """
    prompt = " ".join(item.prompt.replace(IMAGE_MARK, " ").split())
    numbers = range(first, first + _wanted(item))
    return {"steps": [{"step_number": n, "prompt": prompt[:_LONGEST_PROMPT]} for n in numbers]}


def data_url(path: Path) -> str:
    """A picture as the API takes it."""
    media_type = _MEDIA_TYPES.get(path.suffix.lower(), "image/png")
    return f"data:{media_type};base64,{base64.b64encode(path.read_bytes()).decode()}"
