from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from services.trainer.benchmarks.folder import (
    ResultsFolder,
    ResultsFolderError,
    write_atomically,
)
from services.trainer.benchmarks.records import Item, Produced, ProducedPart
from services.trainer.benchmarks.run import FAILED_HERE, Progress, Runner, still_to_run
from shared.errors import ServiceRejectedError, ServiceUnavailableError
from tests.unit.services.trainer.benchmarks.conftest import Failing, Make

ITEMS = [Item(str(n), f"prompt {n}", "g") for n in range(6)]


class Scripted:
    """A producer that fails for some ids; counts how many it serves at a time."""

    def __init__(self, failing: dict[str, Exception] | None = None) -> None:
        self.failing = failing or {}
        self.keys: list[str] = []
        self.seen: list[str] = []
        self.most = 0
        self._now = 0

    async def produce(self, item: Item, folder: ResultsFolder, *, key: str) -> Produced:
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(0)
        self._now -= 1
        self.seen.append(item.id)
        self.keys.append(key)
        if item.id in self.failing:
            raise self.failing[item.id]
        part = ProducedPart(type="text", step=1, text="hello")
        return Produced(item_id=item.id, status="succeeded", parts=(part,), generator_calls=3)


async def test_items_run_a_bounded_number_at_a_time(folder: ResultsFolder) -> None:
    producer = Scripted()
    reports: list[Progress] = []
    runner = Runner(producer, folder, name="r", concurrency=2, on_progress=reports.append)
    progress = await runner.run(ITEMS)
    assert producer.most == 2
    assert (progress.done, progress.failed, progress.remaining) == (6, 0, 0)
    assert reports[0].remaining_s is None, "nothing is guessed before an item has ended"
    assert reports[2].remaining_calls == pytest.approx(12)
    assert reports[2].remaining_cost(0.5) == pytest.approx(6)


async def test_a_run_goes_on_where_it_stopped(folder: ResultsFolder) -> None:
    down = Scripted({"3": ServiceUnavailableError("down")})
    with pytest.raises(ServiceUnavailableError):
        await Runner(down, folder, name="r", concurrency=1).run(ITEMS)
    up = Scripted()
    progress = await Runner(up, folder, name="r", concurrency=1).run(ITEMS)
    assert up.seen == ["3", "4", "5"]
    assert progress.kept == 3
    assert up.keys[0] == down.keys[3], "the service is asked for the same trajectory again"


async def test_a_refused_item_is_kept_as_failed_and_not_repeated(folder: ResultsFolder) -> None:
    first = Scripted({"2": ServiceRejectedError("no")})
    progress = await Runner(first, folder, name="r").run(ITEMS)
    assert progress.failed == 1
    kept = folder.load("2")
    assert kept is not None
    assert (kept.status, kept.delivered) == (FAILED_HERE, False)
    again = Scripted()
    await Runner(again, folder, name="r").run(ITEMS)
    assert again.seen == []


async def test_failed_items_are_tried_again_when_asked_under_a_new_key(
    folder: ResultsFolder,
) -> None:
    first = Scripted({"2": ServiceRejectedError("no")})
    await Runner(first, folder, name="r", concurrency=1).run(ITEMS)
    again = Scripted()
    await Runner(again, folder, name="r", retry_failed=True).run(ITEMS)
    assert again.seen == ["2"]
    assert again.keys[0] != first.keys[2]


def test_only_what_has_no_result_is_still_to_run(
    folder: ResultsFolder, make: Make, nothing: Failing
) -> None:
    make(ITEMS[0])
    nothing(ITEMS[1])
    assert still_to_run(ITEMS[:3], folder) == [ITEMS[2]]
    assert still_to_run(ITEMS[:3], folder, retry_failed=True) == ITEMS[1:3]


def test_another_run_is_not_mixed_into_a_folder(folder: ResultsFolder) -> None:
    folder.claim({"profile": "default", "seed": 0})
    folder.claim({"profile": "default", "seed": 0})
    with pytest.raises(ResultsFolderError, match="another profile"):
        folder.claim({"profile": "paper", "seed": 0})


@pytest.mark.parametrize("item_id", ["../../up", "a/b", "..", "ü", "a b"])
def test_any_id_stays_inside_the_folder(folder: ResultsFolder, item_id: str) -> None:
    path = folder.item(item_id).resolve()
    assert path.parent == (folder.root / "items").resolve()


def test_a_failed_write_leaves_the_old_file_and_says_what_to_do(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("old")
    with pytest.raises(ResultsFolderError, match="run the same command again"):
        write_atomically(blocked / "below", b"new")
    assert blocked.read_text() == "old"


def test_a_damaged_result_is_named(folder: ResultsFolder) -> None:
    write_atomically(folder.item("1") / "result.json", b"{")
    with pytest.raises(ResultsFolderError, match=r"result\.json"):
        folder.load("1")
