"""What an unsuccessful answer of the service means for a run.

Not here: asking again (``service``).
"""

from __future__ import annotations

import httpx

_TRY_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_NOT_ALLOWED = frozenset({401, 403})
_NO_SUCH_ADDRESS = frozenset({404, 405})
TRAJECTORIES = "/v1/trajectories"


def may_pass(reply: httpx.Response) -> bool:
    """Whether the same request may succeed later."""
    return reply.status_code in _TRY_AGAIN


def why_no_item_can_run(reply: httpx.Response, path: str) -> str:
    """Why not even another item could be run; empty when one could."""
    if reply.status_code in _NOT_ALLOWED:
        return f"{detail(reply).rstrip('.')}: give another API key"
    if path == TRAJECTORIES and reply.status_code in _NO_SUCH_ADDRESS:
        return f"{reply.url} answers {reply.status_code}: give the address of a gateway"
    return ""


def detail(reply: httpx.Response) -> str:
    """What the answer says went wrong."""
    try:
        body = reply.json()
    except ValueError:
        return reply.reason_phrase
    found = body.get("detail") or body.get("title") if isinstance(body, dict) else None
    return str(found or reply.reason_phrase)


def asked_pause_s(reply: httpx.Response) -> float | None:
    """How long the answer asks to wait."""
    asked = reply.headers.get("Retry-After", "")
    return float(asked) if asked.isdigit() else None
