"""A planner and a generator that answer the gateway's questions over real HTTP."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from shared.contracts.generation import GeneratorInfo
from shared.contracts.plans import PlanCheckResult

INFO = GeneratorInfo(
    name="sketchbook",
    model="sketchbook",
    default_width_px=64,
    default_height_px=64,
    min_side_px=64,
    max_side_px=64,
    side_multiple_px=16,
    default_steps=4,
)


@dataclass(slots=True)
class Answers:
    """What the services say; can be changed while they run."""

    check: PlanCheckResult


@contextmanager
def model_services(answers: Answers) -> Generator[str]:
    """The base URL at which both services answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(INFO.model_dump_json() if self.path == "/v1/info" else "{}")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self._answer(answers.check.model_dump_json())

        def _answer(self, text: str) -> None:
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
