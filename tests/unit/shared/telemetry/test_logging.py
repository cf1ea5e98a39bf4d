"""Log lines: one JSON object each, with secrets masked."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from shared.telemetry.logging import configure_logging


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logging(service="test", stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_an_event_is_one_json_line_with_bound_context(lines: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(trajectory_id="trj_1"):
        structlog.get_logger("x").info("picture_drawn", seconds=1.5)
    line = json.loads(lines.getvalue())
    assert line["event"] == "picture_drawn"
    assert (line["trajectory_id"], line["service"], line["seconds"]) == ("trj_1", "test", 1.5)


def test_secret_values_are_masked(lines: io.StringIO) -> None:
    structlog.get_logger("x").info("asked", prompt="a private wish", api_key="il_123")
    assert "private" not in lines.getvalue()
    assert "il_123" not in lines.getvalue()


def test_library_lines_take_the_same_form(lines: io.StringIO) -> None:
    logging.getLogger("some.library").warning("disk at %d", 90)
    assert json.loads(lines.getvalue())["event"] == "disk at 90"
