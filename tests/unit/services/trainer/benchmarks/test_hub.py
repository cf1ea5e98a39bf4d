from __future__ import annotations

from pathlib import Path

import pytest

from services.trainer.benchmarks.hub import from_hub
from services.trainer.benchmarks.records import BenchmarkDataError


class FakeHub:
    """Has one file; breaks off after it when ``breaks`` is set, is away when ``away`` is."""

    def __init__(self, *, away: bool = False, breaks: bool = False) -> None:
        self.away = away
        self.breaks = breaks
        self.downloads = 0

    def dataset_info(self, repo_id: str) -> object:
        if self.away:
            raise OSError("no network")
        return repo_id

    def snapshot_download(self, repo_id: str, *, repo_type: str, local_dir: Path) -> str:
        assert (repo_id, repo_type) == ("a/b", "dataset")
        self.downloads += 1
        local_dir.mkdir(exist_ok=True)
        (local_dir / "test.json").write_text("[]")
        if self.breaks:
            raise OSError("broken off")
        return str(local_dir)


def test_a_data_set_is_downloaded_once(tmp_path: Path) -> None:
    hub = FakeHub()
    for _ in range(2):
        assert from_hub("a/b", tmp_path / "data", hub) == tmp_path / "data"
    assert hub.downloads == 1
    assert from_hub("a/b", tmp_path / "data", FakeHub(away=True)) == tmp_path / "data"


def test_a_download_that_breaks_off_is_not_taken_for_the_whole(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkDataError, match="broken off; get a local copy"):
        from_hub("a/b", tmp_path / "data", FakeHub(breaks=True))
    assert (tmp_path / "data" / "test.json").exists()
    with pytest.raises(BenchmarkDataError, match="no network"):
        from_hub("a/b", tmp_path / "data", FakeHub(away=True))
    hub = FakeHub()
    from_hub("a/b", tmp_path / "data", hub)
    assert hub.downloads == 1
