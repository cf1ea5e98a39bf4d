"""The studio page in a real browser, on a gateway with in-memory parts."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn

from services.gateway.app import build_app
from tests.browser.webdriver import Browser, available, browser
from tests.unit.services.gateway.gateway_app import World

pytestmark = pytest.mark.skipif(not available(), reason="needs chromium and chromedriver")
ID = "return (location.hash.match(/trj_\\w+/) || [''])[0]"


@dataclass(frozen=True, slots=True)
class Site:
    """A served gateway, what is behind it, and a key for it."""

    url: str
    world: World
    key: str


@pytest.fixture
def site() -> Generator[Site]:
    world = World()
    key = asyncio.run(world.key())
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        app = build_app(world.settings, world.open_parts)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        give_up_at = time.monotonic() + 20
        while not server.started and time.monotonic() < give_up_at:
            time.sleep(0.02)
        yield Site(f"http://127.0.0.1:{listener.getsockname()[1]}", world, key)
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def window() -> Generator[Browser]:
    with browser() as window:
        window.resize(1280, 1000)
        yield window


def keep(window: Browser, name: str) -> None:
    """Save a picture of the page where ``SCREENSHOTS`` says, for people to look at."""
    if folder := os.environ.get("SCREENSHOTS"):
        window.screenshot(Path(folder) / f"{name}.png")


def begin(window: Browser, site: Site, prompt: str) -> str:
    window.open(f"{site.url}/#key={site.key}")
    window.until("return document.querySelectorAll('#generator option').length == 2")
    window.type("#prompt", prompt)
    window.click("#submit")
    return str(window.until(ID))


def test_without_a_key_it_asks_for_one(window: Browser, site: Site) -> None:
    window.open(site.url)
    window.run("localStorage.clear()")
    window.open(f"{site.url}/?fresh")
    window.until("return document.getElementById('key-dialog').open")
    window.type("#key-input", site.key)
    window.click("#key-form .primary")
    window.until("return document.querySelectorAll('#generator option').length == 2")


def test_the_key_leaves_the_address_bar(window: Browser, site: Site) -> None:
    window.open(f"{site.url}/#key={site.key}")
    window.until("return location.hash === ''")
    keep(window, "compose")


def test_a_request_is_followed_to_its_pictures(window: Browser, site: Site) -> None:
    trajectory_id = begin(window, site, "Tell how a seed becomes a flower.")
    window.until("return document.getElementById('status').innerText == 'In line'")
    site.world.finish(trajectory_id)
    window.until("return document.querySelectorAll('.step.done').length == 2")
    loaded = "return [...document.querySelectorAll('.picture img')].filter(i => i.naturalWidth)"
    window.until(f"{loaded}.length == 2")
    window.run("scrollTo(0, 0)")
    words = window.run("return document.querySelector('.attempts').innerText")
    assert "2 attempts, 1 refused" in words
    assert "The sun is low." in words
    assert window.run("return document.querySelectorAll('b, earth, script:not([src])').length") == 0
    keep(window, "done")


def test_history_leads_back_to_earlier_trajectories(window: Browser, site: Site) -> None:
    first = begin(window, site, "the first one")
    site.world.finish(first)
    begin(window, site, "the second one")
    window.until("return document.querySelectorAll('#history-list li').length == 2")
    window.click("#history-list li:last-child a")
    window.until("return document.getElementById('trajectory-title').innerText == 'the first one'")
    assert window.run(ID) == first


def test_a_refusal_is_shown_beside_the_request(window: Browser, site: Site) -> None:
    window.open(f"{site.url}/#key={site.key}")
    window.until("return document.querySelectorAll('#generator option').length == 2")
    window.type("#prompt", "two marks <image> <image>")
    window.click("#submit")
    error = window.until("return document.getElementById('form-error').innerText")
    assert "<image>" in error


def test_nothing_overflows_on_a_phone_in_the_dark(window: Browser, site: Site) -> None:
    window.resize(500, 900)
    window.scheme("dark")
    trajectory_id = begin(window, site, "a long request " * 12)
    site.world.finish(trajectory_id)
    window.until("return document.querySelectorAll('.step.done').length == 2")
    keep(window, "phone")
    wide = window.run("return document.documentElement.scrollWidth - innerWidth")
    window.resize(1280, 1000)
    window.scheme("light")
    assert wide <= 0


def test_the_document_page_shows_its_pictures_and_nothing_else(
    window: Browser, site: Site, tmp_path: Path
) -> None:
    trajectory_id = begin(window, site, "a seed")
    site.world.finish(trajectory_id)
    window.until("return document.querySelectorAll('.step.done').length == 2")
    path = f"/v1/trajectories/{trajectory_id}/document"
    text = window.run(f"const r = new XMLHttpRequest(); r.open('GET', '{path}', false);"
        "r.setRequestHeader('Authorization', 'Bearer ' + localStorage['interleave.key']);"
        "r.send(); return r.responseText")  # fmt: skip
    page = tmp_path / "index.html"
    page.write_text(str(text), encoding="utf-8")
    window.open(page.as_uri())
    shown = "return [...document.querySelectorAll('section > figure img')]"
    assert window.run(f"{shown}.filter(i => i.naturalWidth == 64).length") == 2
    window.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    keep(window, "document")
