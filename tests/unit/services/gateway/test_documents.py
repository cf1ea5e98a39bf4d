"""Documents and manifest of a finished trajectory."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from html.parser import HTMLParser

import httpx
from PIL import Image

from services.gateway.documents.material import Material, gather
from services.gateway.documents.zip import archive
from services.gateway.manifest import manifest_bytes
from shared.contracts.trajectories import Trajectory, Usage
from tests.unit.services.gateway.gateway_app import NOW, World, png


async def finished(world: World, client: httpx.AsyncClient) -> Trajectory:
    answer = await client.post(
        "/v1/trajectories", json={"prompt": "a <script>alert(1)</script> *seed*"}
    )
    return world.finish(str(answer.json()["id"]))


class Outline(HTMLParser):
    """Collects what a page holds."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in {"src", "href"}]


async def test_the_page_is_self_contained_and_runs_nothing(world: World) -> None:
    async with world.client() as client:
        trajectory = await finished(world, client)
        answer = await client.get(f"/v1/trajectories/{trajectory.id}/document?format=html")
    outline = Outline()
    outline.feed(answer.text)
    assert "script" not in outline.tags
    assert len(outline.sources) == 6  # each step's picture, and both attempts
    assert all(source.startswith("data:image/png;base64,") for source in outline.sources)
    assert "The sun is low." in answer.text
    assert "sandbox" in answer.headers["content-security-policy"]


async def test_large_attempts_are_shown_small(world: World) -> None:
    noise = io.BytesIO()
    Image.effect_noise((1024, 768), 90).convert("RGB").save(noise, "PNG")
    ref = world.images.put("large", noise.getvalue(), width_px=1024, height_px=768)
    async with world.client() as client:
        trajectory = await finished(world, client)
    url = Material(trajectory, {"large": noise.getvalue()}).thumbnail_url(ref)
    shown = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))
    assert (shown.format, shown.size) == ("JPEG", (320, 240))


async def test_markdown_stands_alone_and_escapes_what_it_quotes(world: World) -> None:
    async with world.client() as client:
        trajectory = await finished(world, client)
        text = (await client.get(f"/v1/trajectories/{trajectory.id}/document?format=md")).text
    assert text.startswith("# a \\<script\\>alert(1)\\</script\\> \\*seed\\*\n")
    assert text.count("](data:image/png;base64,") == 2
    assert "A \\*seed\\* in the \\<earth\\>" in text


async def test_json_holds_the_parts_in_order_with_their_pictures(world: World) -> None:
    async with world.client() as client:
        trajectory = await finished(world, client)
        answer = await client.get(f"/v1/trajectories/{trajectory.id}/document?format=json")
    parts = answer.json()["parts"]
    assert [part["type"] for part in parts] == ["text", "image", "text", "image"]
    assert parts[1]["data_url"] != parts[3]["data_url"]


async def test_the_zip_holds_everything_and_is_reproducible(world: World) -> None:
    async with world.client() as client:
        trajectory = await finished(world, client)
        answer = await client.get(f"/v1/trajectories/{trajectory.id}/document?format=zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        names = set(file.namelist())
        second_picture = file.read("images/step-02.png")
        record = json.loads(file.read("trajectory.json"))
    assert {"index.html", "document.md", "manifest.json", "images/step-01.png"} <= names
    assert "images/attempts/step-01-attempt-01.png" in names
    assert second_picture == png(64, 64, "red")
    assert record["id"] == trajectory.id
    material = gather(trajectory, world.images.get, attempts=True)
    assert archive(material) == answer.content


async def test_the_manifest_depends_on_neither_ids_nor_times_nor_call_counts(
    world: World,
) -> None:
    async with world.client() as client:
        first, second = await finished(world, client), await finished(world, client)
        answer = await client.get(f"/v1/trajectories/{first.id}/manifest")
    other = second.model_copy(
        update={"created_at": NOW, "usage": Usage(discarded_calls=3), "trace": {"a": "b"}}
    )
    assert answer.content == manifest_bytes(first) == manifest_bytes(other)
    assert first.id not in answer.text
    manifest = answer.json()
    assert manifest["request"]["seed"] == 4711
    assert [a["seed"] for s in manifest["steps"] for a in s["attempts"]] == [1, 2, 11, 12]
    assert all(a["image"]["sha256"] for s in manifest["steps"] for a in s["attempts"])


async def test_the_manifest_changes_with_what_was_drawn(world: World) -> None:
    async with world.client() as client:
        trajectory = await finished(world, client)
    shorter = trajectory.model_copy(update={"steps": trajectory.steps[:1]})
    assert manifest_bytes(shorter) != manifest_bytes(trajectory)
