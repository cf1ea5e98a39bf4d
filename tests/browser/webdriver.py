"""A small WebDriver client: only what the page tests need, over plain HTTP."""

from __future__ import annotations

import base64
import shutil
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.servers import free_ports

OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--hide-scrollbars", "--force-color-profile=srgb", "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def available() -> bool:
    """Whether a browser and its driver are installed."""
    return shutil.which("chromedriver") is not None and shutil.which("chromium") is not None


@dataclass(frozen=True, slots=True)
class Browser:
    """One window."""

    http: httpx.Client
    session: str

    def open(self, url: str) -> None:
        """Go there and wait until it is loaded."""
        self._post("url", url=url)

    def resize(self, width: int, height: int) -> None:
        """Give the window this size."""
        self._post("window/rect", width=width, height=height)

    def run(self, script: str, *arguments: object) -> Any:  # noqa: ANN401 - whatever JS gives
        """What the script returns."""
        return self._post("execute/sync", script=script, args=list(arguments))

    def until(self, script: str, *, timeout_s: float = 10.0) -> Any:  # noqa: ANN401
        """What the script returns once that is true."""
        give_up_at = time.monotonic() + timeout_s
        while not (found := self.run(script)):
            if time.monotonic() > give_up_at:
                message = f"never true: {script}\n{self.run('return document.body.innerText')}"
                raise TimeoutError(message)
            time.sleep(0.05)
        return found

    def type(self, selector: str, text: str) -> None:
        """Type into an element, as a person would."""
        self._post(f"element/{self._find(selector)}/value", text=text)

    def click(self, selector: str) -> None:
        """Click an element, as a person would."""
        self._post(f"element/{self._find(selector)}/click")

    def scheme(self, name: str) -> None:
        """Prefer ``light`` or ``dark``."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        command = {"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}}
        self.http.post(f"/session/{self.session}/goog/cdp/execute", json=command)

    def screenshot(self, path: Path) -> None:
        """Save what the window shows."""
        path.write_bytes(base64.b64decode(self._get("screenshot")))

    def _find(self, selector: str) -> str:
        return self._post("element", using="css selector", value=selector)[_ELEMENT]

    def _post(self, path: str, **body: object) -> Any:  # noqa: ANN401
        return _value(self.http.post(f"/session/{self.session}/{path}", json=body))

    def _get(self, path: str) -> Any:  # noqa: ANN401
        return _value(self.http.get(f"/session/{self.session}/{path}"))


@contextmanager
def browser() -> Generator[Browser]:
    """A headless Chromium for the length of the block."""
    (port,) = free_ports(1)
    command = [str(shutil.which("chromedriver")), f"--port={port}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as driver:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                _wait(lambda: client.get("/status").status_code == 200)
                options = {"goog:chromeOptions": {"args": OPTIONS}}
                made = client.post("/session", json={"capabilities": {"alwaysMatch": options}})
                session = str(_value(made)["sessionId"])
                yield Browser(client, session)
                client.delete(f"/session/{session}")
        finally:
            driver.terminate()


def _wait(ready: Callable[[], bool], *, timeout_s: float = 20.0) -> None:
    give_up_at = time.monotonic() + timeout_s
    while time.monotonic() < give_up_at:
        try:
            if ready():
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    message = "chromedriver did not start"
    raise TimeoutError(message)


def _value(answer: httpx.Response) -> Any:  # noqa: ANN401
    value = answer.json()["value"]
    if isinstance(value, dict) and "error" in value:
        raise AssertionError(value["message"])
    return value
