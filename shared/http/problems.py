"""Errors as problem details (RFC 9457): one handler set for every HTTP service.

What an error *is* lives in ``shared.errors``; here it only gets its HTTP form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from shared.contracts.problems import FieldProblem, Problem
from shared.errors import (
    InterleaveError,
    InternalError,
    InvalidRequestError,
    NotFoundError,
    TooLargeError,
    UnauthenticatedError,
    UnsupportedMediaError,
)

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:interleave:problem:"
_MAX_FIELD_PROBLEMS = 50
_DISCRIMINATORS = frozenset({"body", "query", "path", "header"})

_CODES = {
    error.status: error.code
    for error in (UnauthenticatedError, NotFoundError, TooLargeError, UnsupportedMediaError)
}
"""Statuses of the framework's own errors that have a code in our tree."""

_log = structlog.get_logger(__name__)


def problem_body(problem: Problem) -> dict[str, object]:
    """The JSON members of a problem document."""
    body: dict[str, object] = {
        "type": TYPE_PREFIX + problem.code,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
    }
    if problem.errors:
        body["errors"] = [error.model_dump() for error in problem.errors]
    return body


def problem_response(
    problem: Problem, *, instance: str = "", headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """A response that carries ``problem`` under its own status.

    Args:
        problem: what went wrong.
        instance: id of the request, so that a report can be matched to the logs.
        headers: sent with it.
    """
    body = problem_body(problem)
    if instance:
        body["instance"] = f"urn:interleave:request:{instance}"
    return JSONResponse(
        body, status_code=problem.status, headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


def json_pointer(location: tuple[int | str, ...]) -> str:
    """A pydantic error location as a JSON pointer, e.g. ``/images/0``."""
    parts = location[1:] if location and location[0] in _DISCRIMINATORS else location
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def validation_problem(items: Sequence[Mapping[str, Any]]) -> Problem:
    """The problem that pydantic's ``errors()`` are, with a pointer for each field."""
    fields = tuple(
        FieldProblem(pointer=json_pointer(tuple(item["loc"])), detail=str(item["msg"]))
        for item in items[:_MAX_FIELD_PROBLEMS]
    )
    first = f"{fields[0].pointer or '/'}: {fields[0].detail}" if fields else ""
    return InvalidRequestError(first, errors=fields).problem()


def add_problem_handlers(app: FastAPI) -> None:
    """Make ``app`` answer every error as a problem document."""
    app.add_exception_handler(InterleaveError, _answer_own_error)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(Exception, _answer_defect)


def headers_of(error: InterleaveError) -> dict[str, str]:
    """Headers that belong to an error: how to authenticate, when to come back."""
    headers: dict[str, str] = dict(getattr(error, "headers", {}))
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="interleave"')
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.setdefault("Retry-After", "5")
    return headers


def _instance(request: Request) -> str:
    return str(request.scope.get("request_id", ""))


async def _answer_own_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, InterleaveError)  # noqa: S101 - registered for this type only
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.warning("request_failed", code=error.code)
    return problem_response(error.problem(), instance=_instance(request), headers=headers_of(error))


async def _answer_validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type only
    problem = validation_problem(error.errors())
    return problem_response(problem, instance=_instance(request))


async def _answer_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type only
    phrase = HTTPStatus(error.status_code).phrase
    problem = Problem(
        code=_CODES.get(error.status_code) or phrase.lower().replace(" ", "_").replace("-", "_"),
        title=phrase,
        detail=str(error.detail),
        status=error.status_code,
    )
    return problem_response(problem, instance=_instance(request), headers=error.headers)


async def _answer_defect(request: Request, error: Exception) -> JSONResponse:
    _log.error("request_crashed", path=request.url.path, exc_info=error)
    return problem_response(InternalError().problem(), instance=_instance(request))
