"""Judges as real chat servers on the loopback, each broken in a known way.

What they answer can be changed while they run. Not here: judges without a network (``judges``).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_GOOD = {
    "success": 8, "restraint": 7, "naturalness": 9, "artifacts": 8,
    "consistency": 2, "realism": 1, "aesthetics": 1, "correct": 1, "score": 4,
    "criteria_met": True,
}  # fmt: skip
"""Marks under the names that every benchmark asks for."""
_LONGEST_SILENCE_S = 60.0
_TRICKLE_PAUSE_S = 0.05


class Manner(StrEnum):
    """How a judge behaves."""

    GOOD = "good"
    WITHOUT_JSON = "without JSON"
    BEYOND_THE_SCALE = "beyond the scale"
    HALF_A_CHARACTER = "half a character"
    """Good marks behind a surrogate without its other half, which no file can hold."""
    DEEP = "deep"
    """Braces within braces, deeper than a reader's stack."""
    ODD_PIECES = "odd pieces"
    """Pieces of text that are numbers."""
    DEEP_EVENT = "deep event"
    NO_CHAT = "no chat"
    """A page of HTML."""
    FAILING = "failing"
    """Status 500."""
    REFUSING = "refusing"
    """Status 401."""
    BROKEN_OFF = "broken off"
    SILENT = "silent"
    TRICKLING = "trickling"
    """Always one more comment, never an answer."""


@dataclass(slots=True)
class JudgeServer:
    """Counts its questions; from number ``good_for`` on it behaves as ``manner`` says."""

    manner: Manner = Manner.GOOD
    good_for: int = 0
    questions: int = 0
    url: str = ""
    closing: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next_manner(self) -> Manner:
        """How the next question is answered."""
        with self._lock:
            self.questions += 1
            return Manner.GOOD if self.questions <= self.good_for else self.manner


class _Handler(BaseHTTPRequestHandler):
    judge: JudgeServer

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        manner = self.judge.next_manner()
        try:
            _ANSWERS.get(manner, _Handler.text)(self, manner)
        except (BrokenPipeError, ConnectionResetError):
            return

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def text(self, manner: Manner) -> None:
        self.begin(200, "text/event-stream")
        self.piece(json.dumps(_TEXTS[manner]))
        self.wfile.write(b"data: [DONE]\n\n")

    def piece(self, content: str) -> None:
        # The content is put in as it is, quotes and all: it need not be a text.
        choice = f'{{"index": 0, "delta": {{"content": {content}}}, "finish_reason": null}}'
        self.wfile.write(f'data: {{"choices": [{choice}]}}\n\n'.encode())
        self.wfile.flush()

    def begin(self, status: int, media_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Connection", "close")
        self.end_headers()

    def status(self, manner: Manner) -> None:
        self.begin(500 if manner is Manner.FAILING else 401, "text/plain")
        self.wfile.write(b"no")

    def page(self, _manner: Manner) -> None:
        self.begin(200, "text/html")
        self.wfile.write(b"<html><body>Welcome to nginx!</body></html>")

    def odd_pieces(self, _manner: Manner) -> None:
        self.begin(200, "text/event-stream")
        self.piece("7")
        self.wfile.write(b"data: [DONE]\n\n")

    def deep_event(self, _manner: Manner) -> None:
        self.begin(200, "text/event-stream")
        self.wfile.write(b"data: " + b"[" * 100_000 + b"\n\n")

    def broken_off(self, _manner: Manner) -> None:
        self.begin(200, "text/event-stream")
        self.piece('"{\\"success\\": 8,"')

    def silent(self, _manner: Manner) -> None:
        self.judge.closing.wait(_LONGEST_SILENCE_S)

    def trickling(self, _manner: Manner) -> None:
        self.begin(200, "text/event-stream")
        while not self.judge.closing.wait(_TRICKLE_PAUSE_S):
            self.wfile.write(b": still thinking\n\n")
            self.wfile.flush()


_TEXTS = {
    Manner.GOOD: f"My marks: {json.dumps(_GOOD)}",
    Manner.WITHOUT_JSON: "A lovely picture {success: very",
    Manner.BEYOND_THE_SCALE: json.dumps(dict.fromkeys(_GOOD, 99)),
    Manner.HALF_A_CHARACTER: f"\ud83d {json.dumps(_GOOD)}",
    Manner.DEEP: '{"a":' * 20_000,
}
_ANSWERS: dict[Manner, Callable[[_Handler, Manner], None]] = {
    Manner.ODD_PIECES: _Handler.odd_pieces,
    Manner.DEEP_EVENT: _Handler.deep_event,
    Manner.NO_CHAT: _Handler.page,
    Manner.FAILING: _Handler.status,
    Manner.REFUSING: _Handler.status,
    Manner.BROKEN_OFF: _Handler.broken_off,
    Manner.SILENT: _Handler.silent,
    Manner.TRICKLING: _Handler.trickling,
}


@contextmanager
def judging(manner: Manner = Manner.GOOD, *, good_for: int = 0) -> Generator[JudgeServer]:
    """A judge that listens for the length of the block."""
    judge = JudgeServer(manner, good_for)
    handler = type("Handler", (_Handler,), {"judge": judge})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        judge.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield judge
        finally:
            judge.closing.set()
            server.shutdown()
