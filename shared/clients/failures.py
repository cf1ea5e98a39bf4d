"""What can go wrong when a model service is called, as errors of our own tree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

import httpx

from shared.errors import (
    BadReplyError,
    InterleaveError,
    ServiceRejectedError,
    ServiceTimeoutError,
    ServiceUnavailableError,
    UpstreamError,
)

MAX_REPLY_CHARACTERS: Final = 4 * 1024 * 1024
_BUSY: Final = 429
_TIMED_OUT: Final = frozenset({408, 504})
_FIRST_SERVER_ERROR: Final = 500


class CallCancelledError(InterleaveError):
    """The caller's ``cancelled`` became true; the connection is closed."""

    code = "call_cancelled"
    title = "The call was cancelled"
    status = 499


def answer_error(service: str, status: int, body: bytes) -> UpstreamError:
    """The error for an answer that is not 200."""
    problem = _problem(body)
    said = str(problem.get("detail", ""))[:500]
    detail = f"The {service} answered {status}: {said}".rstrip(": ")
    if status in _TIMED_OUT:
        return ServiceTimeoutError(detail)
    if problem.get("code") == ServiceRejectedError.code:
        # What the service itself calls was refused for good: repeating is no use here either.
        return ServiceRejectedError(detail)
    if status == _BUSY or status >= _FIRST_SERVER_ERROR:
        return ServiceUnavailableError(detail)
    return ServiceRejectedError(detail)


def connection_error(service: str, error: Exception) -> UpstreamError:
    """The error for a connection that failed or broke."""
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return ServiceUnavailableError(f"The {service} cannot be reached.")
    if isinstance(error, httpx.TimeoutException):
        return ServiceTimeoutError(f"The {service} stayed silent too long.")
    if isinstance(error, httpx.DecodingError | httpx.LocalProtocolError):
        return BadReplyError(f"The {service} gave an answer that cannot be decoded.")
    return ServiceUnavailableError(
        f"The connection to the {service} failed ({type(error).__name__})."
    )


def bad_reply(service: str, reason: str) -> BadReplyError:
    """The error for an answer that is not the contract's."""
    return BadReplyError(f"The {service} gave an unusable answer: {reason}")


def check_size(service: str, characters: int) -> None:
    """Refuse an answer without end."""
    if characters > MAX_REPLY_CHARACTERS:
        raise bad_reply(service, f"more than {MAX_REPLY_CHARACTERS} characters.")


def _problem(body: bytes) -> Mapping[str, object]:
    try:
        problem = json.loads(body)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}
