"""What the fuzzer is told: real ids for most of its calls, so that it gets past "not found".

Loaded by schemathesis (``SCHEMATHESIS_HOOKS``); the ids come in ``FUZZ_IDS``.
"""

from __future__ import annotations

import json
import os
import zlib
from typing import Any, cast

import schemathesis
from hypothesis import strategies
from schemathesis.transport.serialization import Binary

from tests.security.belongings import picture

PNG = picture("fuzz")
_BROKEN = (PNG[:40], b"", b"\xff\xd8\xff\xe0", b"RIFF\x10\0\0\0WEBPVP8 ")
for kind in ("image/png", "image/jpeg", "image/webp"):
    schemathesis.openapi.media_type(kind, strategies.sampled_from([PNG, *_BROKEN]))
_IDS: dict[str, list[str]] = json.loads(os.environ.get("FUZZ_IDS", "{}"))
_PROMPT = {"prompt": "a seed"}
_GOOD: dict[str, dict[str, Any]] = {
    ":fork": {"step": 1},
    "/plan": {"steps": [{"step_number": 1, "prompt": "draw a seed"}]},
    "/chat/completions": {"messages": [{"role": "user", "content": "a seed"}]},
    "/images/edits": {**_PROMPT, "image": [Binary(PNG)]},
    "/images/generations": _PROMPT,
    "/uploads": {"file": Binary(PNG)},
    "/trajectories": _PROMPT,
    "/webhook-endpoints": {"url": "https://hooks.example.com/a"},
}
_WANTED: dict[str, Any] = {
    "generator": "sketchbook",
    "model": "sketchbook",
    "prompt": "a seed",
    "images": [],
    "messages": [{"role": "user", "content": "a seed"}],
    "file": Binary(PNG),
    "image": [Binary(PNG)],
    "image[]": [Binary(PNG)],
    "size": "64x64",
    "width": 64,
    "height": 64,
}
"""What a caller who knows the service would put into these fields."""
_KEPT_FROM = frozenset({"delete"})


@schemathesis.hook
def map_case(_context: schemathesis.HookContext, case: schemathesis.Case) -> schemathesis.Case:
    """Put in what there is, for most cases that keep to the document."""
    meta = case.meta
    positive = schemathesis.GenerationMode.POSITIVE
    if meta is None or any(part.mode is not positive for part in meta.components.values()):
        return case
    # Along links the ids are real already, and whether they are found is what is checked.
    if case.method.lower() not in _KEPT_FROM and meta.phase.name.value != "stateful":
        found = case.path_parameters or {}
        kinds = {name: _kind(name, case.operation.path) for name in found}
        case.path_parameters = {name: _real(kinds[name], value) for name, value in found.items()}
    # What coverage makes is a systematic walk along each field; it is left as it is.
    if isinstance(case.body, dict) and case.body and meta.phase.name.value != "coverage":
        case.body = _body(cast("dict[str, Any]", case.body), case.operation.path)
    return case


def _body(fields: dict[str, Any], path: str) -> dict[str, Any]:
    """A third stays as it is, a third gets names of what there is, a third is sure to be good."""
    drawn = zlib.crc32(repr(fields).encode())
    match drawn % 3:
        case 0:
            return fields
        case 1:
            wanted = {name: value for name, value in _WANTED.items() if name in fields}
            if "approval" in fields and drawn // 3 % 2:
                wanted["approval"] = "plan"
            return fields | wanted
        case _:
            return next((good for end, good in _GOOD.items() if path.endswith(end)), fields)


def _kind(name: str, path: str) -> str:
    """Plans are edited and approved, and trajectories cancelled, where they wait for it."""
    return next(
        (ending for ending in ("/plan", ":approve", ":cancel") if path.endswith(ending)), name
    )


def _real(kind: str, value: object) -> object:
    drawn = zlib.crc32(repr(value).encode())
    known = _IDS.get(kind, [])
    return known[drawn // 4 % len(known)] if known and drawn % 4 else value
