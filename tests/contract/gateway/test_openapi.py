"""The public API as a document: it changes only on purpose.

``UPDATE_SNAPSHOTS=1`` writes the new document.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from services.gateway.app import build_app
from tests.unit.services.gateway.gateway_app import World

SNAPSHOT = Path(__file__).parent / "openapi.json"


def document() -> dict[str, object]:
    world = World()
    return build_app(world.settings, world.open_parts).openapi()


def test_the_openapi_document_is_the_agreed_one() -> None:
    text = json.dumps(document(), indent=1, sort_keys=True) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(text)
    assert text == SNAPSHOT.read_text()


def test_every_operation_is_described_and_asks_for_a_key() -> None:
    paths = document()["paths"]
    assert isinstance(paths, dict)
    for path, operations in paths.items():
        for operation in operations.values():
            assert operation.get("description"), path
            if path.startswith("/v1/"):
                assert operation.get("security"), path
