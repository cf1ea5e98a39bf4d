"""Errors as problem details (RFC 9457): one handler set for every HTTP service.

What an error *is* lives in ``shared.errors``; here it only gets its HTTP form.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from shared.contracts.problems import FieldProblem, Problem
from shared.errors import InterleaveError, InternalError, InvalidRequestError

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:interleave:problem:"
_MAX_FIELD_PROBLEMS = 50
_DISCRIMINATORS = frozenset({"body", "query", "path", "header"})

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


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A response that carries ``problem`` under its own status."""
    return JSONResponse(
        problem_body(problem),
        status_code=problem.status,
        headers=dict(headers or {}),
        media_type=MEDIA_TYPE,
    )


def json_pointer(location: tuple[int | str, ...]) -> str:
    """A pydantic error location as a JSON pointer, e.g. ``/images/0``."""
    parts = location[1:] if location and location[0] in _DISCRIMINATORS else location
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def install_problem_handlers(app: FastAPI) -> None:
    """Make ``app`` answer every error as a problem document."""
    app.add_exception_handler(InterleaveError, _answer_own_error)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(Exception, _answer_defect)


def _headers_of(error: InterleaveError) -> dict[str, str]:
    headers: dict[str, str] = dict(getattr(error, "headers", {}))
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="interleave"')
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.setdefault("Retry-After", "5")
    return headers


async def _answer_own_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, InterleaveError)  # noqa: S101 - registered for this type only
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.warning("request_failed", code=error.code)
    return problem_response(error.problem(), _headers_of(error))


async def _answer_validation_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type only
    fields = tuple(
        FieldProblem(pointer=json_pointer(tuple(item["loc"])), detail=str(item["msg"]))
        for item in error.errors()[:_MAX_FIELD_PROBLEMS]
    )
    first = f"{fields[0].pointer or '/'}: {fields[0].detail}" if fields else ""
    return problem_response(InvalidRequestError(first, errors=fields).problem())


async def _answer_http_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type only
    phrase = HTTPStatus(error.status_code).phrase
    problem = Problem(
        code=phrase.lower().replace(" ", "_").replace("-", "_"),
        title=phrase,
        detail=str(error.detail),
        status=error.status_code,
    )
    return problem_response(problem, error.headers)


async def _answer_defect(request: Request, error: Exception) -> JSONResponse:
    _log.error("request_crashed", path=request.url.path, exc_info=error)
    return problem_response(InternalError().problem())
