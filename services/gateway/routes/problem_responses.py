"""How the API document tells of errors: every one is a problem document."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, Field

from services.gateway.routes.links import describe_links
from shared.contracts.problems import FieldProblem
from shared.http.problems import MEDIA_TYPE, TYPE_PREFIX

_REF = "#/components/schemas/"
_MEANINGS = {
    400: "Not a request that can be told apart from the next.",
    401: "No valid API key.",
    403: "The API key lacks the scope.",
    404: "There is no such thing, or it is somebody else's.",
    409: "Not possible in the present state.",
    413: "The body or an image is too large.",
    414: "The address is too long.",
    415: "Not a PNG, JPEG or WebP image.",
    422: "The request is not valid; `errors` says where.",
    429: "Too many requests; `Retry-After` says when to come back.",
    431: "Too many or too long headers.",
    503: "A service or store behind the API is away; `Retry-After` says when to come back.",
}
_NO_RESULT = {
    502: "It ended without a result; `detail` says why.",
    504: "It has not ended in time; `detail` says where it can be seen.",
}


class ProblemDocument(BaseModel):
    """Problem details (RFC 9457); `code` and `type` are stable."""

    type: str = Field(examples=[TYPE_PREFIX + "invalid_request"])
    title: str
    status: int
    detail: str
    code: str
    instance: str | None = Field(None, examples=["urn:interleave:request:5f0c"])
    errors: list[FieldProblem] | None = None


def describe_problems(app: FastAPI) -> None:
    """Put the problem answers into every operation of the app's API document."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            schema = ProblemDocument.model_json_schema(ref_template=_REF + "{model}")
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas |= schema.pop("$defs", {})
            schemas["ProblemDocument"] = schema
            for path, operations in document["paths"].items():
                if path.startswith("/v1/"):
                    for operation in operations.values():
                        operation["responses"] |= _responses(_MEANINGS)
                        if "openai" in operation["tags"]:
                            operation["responses"] |= _responses(_NO_RESULT)
            describe_links(document)
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
        return app.openapi_schema or {}

    app.openapi = openapi  # the way FastAPI's documentation gives for changing its document


def _responses(meanings: dict[int, str]) -> dict[str, dict[str, Any]]:
    content = {MEDIA_TYPE: {"schema": {"$ref": _REF + "ProblemDocument"}}}
    return {
        str(status): {"description": meaning, "content": content}
        for status, meaning in meanings.items()
    }
