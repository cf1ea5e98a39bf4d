"""Draws with generator services: many replicas, the least busy first, a failing one left alone.

Not here: marking what was drawn (``assessing``), starting services (``replicas``).
"""

from __future__ import annotations

import hashlib
import io
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from PIL import Image

from shared.clients.generator import GeneratorClient
from shared.clients.transport import CallTimeouts
from shared.contracts.generation import GenerateTask, Picture, PictureRefused
from shared.contracts.images import ImageRef
from shared.errors import BadReplyError, InterleaveError, ServiceUnavailableError
from shared.stores.images import ImageStore

_REST_S = 20.0
"""How long a replica is left alone after a failure."""

Cancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class DrawOrder:
    """A picture to draw: an edit of ``source`` (a PNG file), or from the prompt alone."""

    prompt: str
    source: bytes | None
    width_px: int
    height_px: int
    seed: int

    @property
    def name(self) -> str:
        """The same for the same order: it need not be drawn twice."""
        digest = hashlib.sha256(self.source or b"")
        digest.update(f"{self.prompt}\n{self.width_px}x{self.height_px} {self.seed}".encode())
        return digest.hexdigest()[:32]


class Drawer(Protocol):
    """Whoever draws."""

    def draw(self, order: DrawOrder, cancelled: Cancelled) -> bytes:
        """A PNG file; blocks.

        Raises:
            InterleaveError: There is no picture.
        """
        ...


@dataclass(slots=True)
class _Replica:
    url: str
    client: GeneratorClient
    busy: int = 0
    rests_until_s: float = 0.0


@dataclass(slots=True)
class ServiceDrawer:
    """Generator services that read and write one object store."""

    urls: Sequence[str]
    store: ImageStore
    timeouts: CallTimeouts
    _replicas: list[_Replica] = field(default_factory=list[_Replica], init=False)
    _sources: dict[str, ImageRef] = field(default_factory=dict[str, ImageRef], init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        """Make a client for each replica; nothing is sent yet."""
        self._replicas = [
            _Replica(url, GeneratorClient(url, timeouts=self.timeouts)) for url in self.urls
        ]

    def draw(self, order: DrawOrder, cancelled: Cancelled) -> bytes:
        """See ``Drawer``; what one replica cannot do for now, the next is asked for."""
        task = self._task(order)
        failure: InterleaveError = ServiceUnavailableError("there is no generator")
        for _ in self._replicas:
            replica = self._taken()
            try:
                reply = replica.client.draw(task, cancelled)
            except InterleaveError as error:
                if not error.retryable:
                    raise
                failure = error
                replica.rests_until_s = time.monotonic() + _REST_S
            else:
                return self._fetched(reply)
            finally:
                with self._lock:
                    replica.busy -= 1
        raise failure

    def _taken(self) -> _Replica:
        """The least busy replica among those that do not rest, or that rest the shortest."""
        now_s = time.monotonic()
        with self._lock:
            best = min(self._replicas, key=lambda r: (max(0.0, r.rests_until_s - now_s), r.busy))
            best.busy += 1
            return best

    def _fetched(self, reply: Picture | PictureRefused) -> bytes:
        if isinstance(reply, PictureRefused):
            raise BadReplyError(f"refused: {reply.code}")
        return self.store.get(reply.image)

    def _task(self, order: DrawOrder) -> GenerateTask:
        references = () if order.source is None else (self._stored(order.source),)
        return GenerateTask(
            trajectory_id="training",
            prompt=order.prompt,
            references=references,
            width_px=order.width_px,
            height_px=order.height_px,
            seed=order.seed,
            output_key=f"training/drawn/{order.name}.png",
        )

    def _stored(self, png: bytes) -> ImageRef:
        """The source in the object store; put there once."""
        name = hashlib.sha256(png).hexdigest()
        known = self._sources.get(name)
        if known is None:
            with Image.open(io.BytesIO(png)) as image:
                width, height = image.size
            known = self.store.put(
                f"training/sources/{name}.png", png, width_px=width, height_px=height
            )
            self._sources[name] = known
        return known
