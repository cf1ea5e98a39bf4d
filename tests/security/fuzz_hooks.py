"""What the fuzzer is told: real ids for half of its calls, so that it gets past "not found".

Loaded by schemathesis (``SCHEMATHESIS_HOOKS``); the ids come in ``FUZZ_IDS``.
"""

from __future__ import annotations

import json
import os
import zlib
from typing import Any, cast

import schemathesis
from hypothesis import strategies

from tests.security.belongings import picture

PNG = picture("fuzz")
_BROKEN = (PNG[:40], b"", b"\xff\xd8\xff\xe0", b"RIFF\x10\0\0\0WEBPVP8 ")
for kind in ("image/png", "image/jpeg", "image/webp"):
    schemathesis.openapi.media_type(kind, strategies.sampled_from([PNG, *_BROKEN]))
_IDS: dict[str, list[str]] = json.loads(os.environ.get("FUZZ_IDS", "{}"))
_KEPT_FROM = frozenset({"delete"})


@schemathesis.hook
def map_path_parameters(
    context: schemathesis.HookContext, path_parameters: dict[str, Any] | None
) -> dict[str, Any] | None:
    """Put a real id where one is wanted, for every other value that was made up."""
    operation = context.operation
    if not path_parameters or operation is None or operation.method.lower() in _KEPT_FROM:
        return path_parameters
    return {name: _real(name, value) for name, value in path_parameters.items()}


@schemathesis.hook
def map_body(context: schemathesis.HookContext, body: Any) -> Any:  # noqa: ANN401
    """Ask for what there is, for every other body that was made up."""
    drawn = zlib.crc32(repr(body).encode())
    if not isinstance(body, dict) or not body or drawn % 2:
        return body
    fields = cast("dict[str, Any]", body)
    return {name: _wanted(name, value, drawn) for name, value in fields.items()}


def _wanted(name: str, value: object, drawn: int) -> object:
    if name in {"generator", "model"}:
        return "sketchbook"
    if name in {"file", "image", "image[]"}:
        return PNG if name == "file" or not isinstance(value, list) else [PNG]
    if name == "images" and isinstance(value, list):
        return []
    return ["", "a seed"][drawn // 2 % 2] or value if name == "prompt" else value


def _real(name: str, value: object) -> object:
    drawn = zlib.crc32(repr(value).encode())
    known = _IDS.get(name, [])
    return known[drawn // 2 % len(known)] if known and drawn % 2 else value
