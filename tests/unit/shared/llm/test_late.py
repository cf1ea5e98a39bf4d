"""An engine that is not there yet, or never will be."""

from __future__ import annotations

import pytest

from shared.errors import ServiceUnavailableError
from shared.llm.engine import ChatMessage, TextPart
from shared.llm.late import LateEngine
from tests.fakes.chat_engines import Says, dies_in_setup

HELLO = [ChatMessage("user", (TextPart("hello"),))]


async def test_it_is_unavailable_until_loaded_and_then_speaks() -> None:
    engine = LateEngine(lambda: Says(("hi there",)), name="fake")
    with pytest.raises(ServiceUnavailableError):
        engine.stream(HELLO, max_tokens=1, temperature=0, seed=0)
    with pytest.raises(ServiceUnavailableError):
        await engine.health()
    await engine.load()
    await engine.health()
    pieces = engine.stream(HELLO, max_tokens=1, temperature=0, seed=0)
    assert "".join([piece async for piece in pieces]) == "hi there"
    await engine.aclose()


async def test_a_failed_load_ends_its_life_without_raising() -> None:
    engine = LateEngine(dies_in_setup, name="fake")
    await engine.load()
    assert not engine.alive
    await engine.aclose()
