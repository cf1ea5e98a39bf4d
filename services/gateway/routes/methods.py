"""What may be done at an address: the ``Allow`` header of an answer 405.

The framework names the methods of one route only; an address of ours has a route per method.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute

from shared.contracts.problems import Problem
from shared.http.problems import problem_response


def name_methods(app: FastAPI, routes: Sequence[APIRoute]) -> None:
    """Have ``app`` answer 405 with every method that ``routes`` have at the address."""

    async def answer(request: Request, _error: Exception) -> Response:
        fitting = (route for route in routes if route.path_regex.match(request.url.path))
        allowed = ", ".join(sorted({method for route in fitting for method in route.methods or ()}))
        problem = Problem(
            code="method_not_allowed",
            title=HTTPStatus.METHOD_NOT_ALLOWED.phrase,
            detail=f"Here you can: {allowed or 'GET'}.",
            status=HTTPStatus.METHOD_NOT_ALLOWED,
        )
        instance = str(request.scope.get("request_id", ""))
        return problem_response(problem, instance=instance, headers={"Allow": allowed or "GET"})

    app.add_exception_handler(HTTPStatus.METHOD_NOT_ALLOWED, answer)
