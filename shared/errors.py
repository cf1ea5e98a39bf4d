"""Every error that crosses a border, in one tree.

    InterleaveError
    ├── RequestError             the caller must change something           (4xx, final)
    │   ├── InvalidRequestError      422
    │   ├── UnauthenticatedError     401
    │   ├── ForbiddenError           403
    │   ├── NotFoundError            404
    │   ├── ConflictError            409
    │   ├── TooLargeError            413
    │   ├── UnsupportedMediaError    415
    │   ├── OutOfScopeError          422
    │   └── RateLimitedError         429  (retryable)
    ├── UpstreamError            a service behind us
    │   ├── ServiceUnavailableError  503  (retryable)
    │   ├── ServiceTimeoutError      504  (retryable)
    │   ├── ServiceRejectedError     502
    │   ├── BadReplyError            502  (retryable)
    │   ├── PlanUnusableError        502
    │   └── PictureRefusedError      502
    ├── StoreError
    │   ├── StoreUnavailableError    503  (retryable)
    │   ├── VersionConflictError     409  (retryable)
    │   └── ObjectMissingError       500  (retryable)
    └── InternalError            500

``retryable`` alone decides whether anything is tried again.
"""

from __future__ import annotations

from typing import ClassVar

from shared.contracts.problems import FieldProblem, Problem


class InterleaveError(Exception):
    """Base of all errors; ``detail`` says what happened and what to do."""

    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Something went wrong on our side"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str = "", *, errors: tuple[FieldProblem, ...] = ()) -> None:
        """Keep the detail (by default the class's title) and the field problems."""
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = errors

    def problem(self) -> Problem:
        """The error as problem details."""
        return Problem(
            code=self.code,
            title=self.title,
            detail=self.detail,
            status=self.status,
            errors=self.errors,
        )


class RequestError(InterleaveError):
    """The caller must change something."""

    code = "bad_request"
    title = "The request cannot be served"
    status = 400


class InvalidRequestError(RequestError):
    """A field is missing, malformed or out of range."""

    code = "invalid_request"
    title = "The request is not valid"
    status = 422


class UnauthenticatedError(RequestError):
    """No API key, or one that is unknown, expired or revoked."""

    code = "unauthenticated"
    title = "A valid API key is needed"
    status = 401


class ForbiddenError(RequestError):
    """The API key lacks the scope."""

    code = "forbidden"
    title = "This API key may not do that"
    status = 403


class NotFoundError(RequestError):
    """No such thing, or not the caller's."""

    code = "not_found"
    title = "Not found"
    status = 404


class ConflictError(RequestError):
    """The thing is not in a state where this can be done."""

    code = "conflict"
    title = "Not possible in the present state"
    status = 409


class TooLargeError(RequestError):
    """The body, an image or a list is larger than allowed."""

    code = "too_large"
    title = "Too large"
    status = 413


class UnsupportedMediaError(RequestError):
    """Not an image of a kind that is accepted."""

    code = "unsupported_media"
    title = "Only PNG, JPEG and WebP images are accepted"
    status = 415


class OutOfScopeError(RequestError):
    """The loaded model pack cannot draw what was asked."""

    code = "out_of_scope"
    title = "The loaded models do not know this"
    status = 422


class RateLimitedError(RequestError):
    """Too many requests for this key."""

    code = "rate_limited"
    title = "Too many requests"
    status = 429
    retryable = True


class UpstreamError(InterleaveError):
    """A service behind us did not do its part."""

    code = "upstream_error"
    title = "A model service failed"
    status = 502


class ServiceUnavailableError(UpstreamError):
    """The service cannot be reached, or says it cannot work now."""

    code = "service_unavailable"
    title = "A model service is unavailable"
    status = 503
    retryable = True


class ServiceTimeoutError(UpstreamError):
    """The service did not answer in time."""

    code = "service_timeout"
    title = "A model service did not answer in time"
    status = 504
    retryable = True


class ServiceRejectedError(UpstreamError):
    """The service says the call itself is wrong; repeating it would not help."""

    code = "service_rejected"
    title = "A model service rejected the call"


class BadReplyError(UpstreamError):
    """The service answered with something that is not its contract."""

    code = "bad_reply"
    title = "A model service gave an unusable answer"
    retryable = True


class PlanUnusableError(UpstreamError):
    """The planner wrote no valid plan, even when asked again."""

    code = "plan_unusable"
    title = "No usable plan was written"


class PictureRefusedError(UpstreamError):
    """The generator refuses to draw this."""

    code = "picture_refused"
    title = "The generator refused to draw this"


class StoreError(InterleaveError):
    """Trouble with saved state or objects."""

    code = "store_error"
    title = "Storage failed"


class StoreUnavailableError(StoreError):
    """The state store or the object store cannot be reached."""

    code = "store_unavailable"
    title = "Storage is unavailable"
    status = 503
    retryable = True


class VersionConflictError(StoreError):
    """Somebody saved a newer version meanwhile."""

    code = "version_conflict"
    title = "Changed meanwhile"
    status = 409
    retryable = True


class ObjectMissingError(StoreError):
    """An object that should exist is not there, or not what its hash says."""

    code = "object_missing"
    title = "A stored object is missing or damaged"
    retryable = True


class InternalError(InterleaveError):
    """A defect of ours."""
