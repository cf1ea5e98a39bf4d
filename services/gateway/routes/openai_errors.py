"""Errors of the OpenAI-shaped doors: problem documents with the ``error`` member too."""

from __future__ import annotations

import json

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from services.gateway.routes.access import Handler, KeyedRoute
from shared.contracts.problems import Problem
from shared.errors import InterleaveError
from shared.http.problems import MEDIA_TYPE, headers_of, problem_body, validation_problem


class OpenAiRoute(KeyedRoute):
    """Answers errors in a form that those clients show to their users."""

    def get_route_handler(self) -> Handler:
        """The handler, with its errors caught."""
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except InterleaveError as error:
                return _answer(request, error.problem(), headers_of(error))
            except RequestValidationError as error:
                return _answer(request, validation_problem(error.errors()))
            except ValidationError as error:
                # A form or a conversation that makes no valid request of ours.
                return _answer(request, validation_problem(error.errors()))

        return answer


def error_member(problem: Problem) -> str:
    """The ``error`` object alone, as JSON."""
    return json.dumps({"error": _error(problem)})


def _answer(request: Request, problem: Problem, headers: dict[str, str] | None = None) -> Response:
    body = problem_body(problem) | {
        "instance": f"urn:interleave:request:{request.scope.get('request_id', '')}",
        "error": _error(problem),
    }
    content = json.dumps(body).encode()
    return Response(content, problem.status, headers=headers, media_type=MEDIA_TYPE)


def _error(problem: Problem) -> dict[str, str | None]:
    kind = "invalid_request_error" if problem.status < 500 else "server_error"  # noqa: PLR2004
    pointer = problem.errors[0].pointer if problem.errors else ""
    return {
        "message": problem.detail,
        "type": kind,
        "code": problem.code,
        "param": pointer.lstrip("/").replace("/", ".") or None,
    }
