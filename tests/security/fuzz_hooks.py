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
_ONE_OF = frozenset({"prompt", "steps", "replan"})
_WANTED: dict[str, Any] = {
    "generator": "sketchbook",
    "model": "sketchbook",
    "prompt": "a seed",
    "images": [],
    "messages": [{"role": "user", "content": "a seed"}],
    "file": PNG,
    "image": [PNG],
    "image[]": [PNG],
    "step": 1,
    "size": "64x64",
    "width": 64,
    "height": 64,
}
"""What a caller who knows the service would put into these fields."""
_KEPT_FROM = frozenset({"delete"})


@schemathesis.hook
def map_case(_context: schemathesis.HookContext, case: schemathesis.Case) -> schemathesis.Case:
    """Put in what there is, for every other case that keeps to the document."""
    meta = case.meta
    if meta is None or meta.generation.mode is not schemathesis.GenerationMode.POSITIVE:
        return case
    if case.method.lower() not in _KEPT_FROM:
        found = case.path_parameters or {}
        case.path_parameters = {name: _real(name, value) for name, value in found.items()}
    if isinstance(case.body, dict) and case.body:
        case.body = _body(cast("dict[str, Any]", case.body))
    return case


def _body(fields: dict[str, Any]) -> dict[str, Any]:
    drawn = zlib.crc32(repr(fields).encode())
    if drawn % 2:
        return fields
    if "step" in fields:
        fields = {name: fields[name] for name in fields if name not in _ONE_OF}
    wanted = {name: value for name, value in _WANTED.items() if name in fields}
    if isinstance(fields.get("steps"), list):
        wanted["steps"] = [{"step_number": 1, "prompt": "draw a seed"}]
    if "approval" in fields and drawn // 2 % 2:
        wanted["approval"] = "plan"
    return fields | wanted


def _real(name: str, value: object) -> object:
    drawn = zlib.crc32(repr(value).encode())
    known = _IDS.get(name, [])
    return known[drawn // 2 % len(known)] if known and drawn % 2 else value
