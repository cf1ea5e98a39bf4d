"""The public API as the launcher uses it. Following events is in ``follow``."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx
from pydantic import SecretStr, ValidationError

from services.launcher.errors import RefusedError, UnreachableError
from services.launcher.views import ProblemView, TrajectoryView

FIRST_PATIENCE_S = 5.0
"""How long the first answer may take: a wrong address should not cost a minute."""
PATIENCE_S = 60.0
"""How long a gateway may be away before the launcher gives up."""
RETRY_PAUSE_S = 0.3
_TRY_AGAIN = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Order:
    """A request as given on the command line."""

    prompt: str
    images: tuple[Path, ...] = ()
    profile: str | None = None
    steps: int | None = None
    attempts: int | None = None
    seed: int | None = None

    def body(self, upload_ids: list[str]) -> dict[str, str | int | list[str]]:
        """The JSON body of ``POST /v1/trajectories``."""
        optional = {
            "profile": self.profile,
            "steps": self.steps,
            "max_attempts": self.attempts,
            "seed": self.seed,
        }
        given = {name: value for name, value in optional.items() if value is not None}
        return {"prompt": self.prompt, "images": upload_ids, **given}


class ApiClient:
    """Calls the gateway; waits out its restarts, raises ``RefusedError`` for its refusals."""

    def __init__(
        self,
        url: str,
        key: SecretStr,
        *,
        transport: httpx.BaseTransport | None = None,
        pause_s: float = RETRY_PAUSE_S,
    ) -> None:
        """Open a connection pool to the gateway at ``url``; wait ``pause_s`` between tries."""
        self.pause_s = pause_s
        self._http = httpx.Client(
            transport=transport,
            base_url=url,
            headers={"Authorization": f"Bearer {key.get_secret_value()}"},
            timeout=30.0,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._http.close()

    @property
    def http(self) -> httpx.Client:
        """The client with the key in its headers, for streams."""
        return self._http

    def greet(self) -> None:
        """See whether anybody is there.

        Raises:
            UnreachableError: Nobody is.
        """
        self._patiently(lambda: self._http.get("/healthz"), patience_s=FIRST_PATIENCE_S)

    def create(self, order: Order) -> TrajectoryView:
        """Upload the images and submit the request; safe to repeat."""
        uploads = [self.upload(path) for path in order.images]
        body = order.body(uploads)
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        answer = self._patiently(
            lambda: self._http.post("/v1/trajectories", json=body, headers=headers)
        )
        return TrajectoryView.model_validate_json(answer.content)

    def upload(self, path: Path) -> str:
        """Upload an image; gives its id."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise RefusedError(f"Cannot read {path}: {error.strerror}.") from error
        answer = self._patiently(
            lambda: self._http.post("/v1/uploads", files={"file": (path.name, content)})
        )
        return str(answer.json()["id"])

    def trajectory(self, trajectory_id: str) -> TrajectoryView:
        """How the trajectory stands."""
        answer = self._patiently(lambda: self._http.get(f"/v1/trajectories/{trajectory_id}"))
        return TrajectoryView.model_validate_json(answer.content)

    def document(self, trajectory_id: str, form: str) -> bytes:
        """The result so far as ``html``, ``md``, ``zip`` or ``json``."""
        url = f"/v1/trajectories/{trajectory_id}/document"
        return self._patiently(lambda: self._http.get(url, params={"format": form})).content

    def file(self, url: str) -> bytes:
        """The bytes of an image."""
        return self._patiently(lambda: self._http.get(url, follow_redirects=True)).content

    def cancel(self, trajectory_id: str) -> None:
        """Stop the trajectory."""
        self._patiently(lambda: self._http.post(f"/v1/trajectories/{trajectory_id}:cancel"))

    def _patiently(
        self, call: Callable[[], httpx.Response], *, patience_s: float = PATIENCE_S
    ) -> httpx.Response:
        give_up_at = time.monotonic() + patience_s
        while True:
            answer = _answer_or_none(call)
            if answer is not None and answer.status_code not in _TRY_AGAIN:
                return checked(answer)
            if time.monotonic() > give_up_at:
                raise UnreachableError(_last_words(answer, self._http.base_url))
            time.sleep(self.pause_s)


def _answer_or_none(call: Callable[[], httpx.Response]) -> httpx.Response | None:
    try:
        return call()
    except httpx.TransportError:
        return None


def _last_words(answer: httpx.Response | None, url: httpx.URL) -> str:
    if answer is None:
        return f"Nothing answers at {url}."
    return f"{url} keeps answering {answer.status_code}: {problem_of(answer).text()}"


def checked(answer: httpx.Response) -> httpx.Response:
    """The answer, if it is a good one.

    Raises:
        RefusedError: It is a problem.
    """
    if answer.is_error:
        raise RefusedError(problem_of(answer).text())
    return answer


def problem_of(answer: httpx.Response) -> ProblemView:
    """The problem document in an answer, or its status when there is none."""
    try:
        return ProblemView.model_validate_json(answer.content)
    except ValidationError:
        return ProblemView(title=f"HTTP {answer.status_code}", detail=answer.text[:500])
