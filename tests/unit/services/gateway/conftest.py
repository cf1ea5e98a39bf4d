"""A gateway in memory for each test."""

from __future__ import annotations

import pytest

from tests.unit.services.gateway.gateway_app import World


@pytest.fixture
def world() -> World:
    """Fresh stores, two generators, a planner that agrees."""
    return World()
