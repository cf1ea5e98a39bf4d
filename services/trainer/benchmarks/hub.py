"""Downloading a benchmark's data from the hub, whole or not at all.

Not here: reading it (``loading``).
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Protocol

from services.trainer.benchmarks.folder import write_atomically
from services.trainer.benchmarks.records import BenchmarkDataError

_WHOLE = "SOURCE"
"""Written last: names the data set that the folder holds all of."""


class Hub(Protocol):
    """The part of ``huggingface_hub`` that is used."""

    def dataset_info(self, repo_id: str) -> object:
        """Raise if the data set cannot be reached."""
        ...

    def snapshot_download(self, repo_id: str, *, repo_type: str, local_dir: Path) -> str:
        """Download all of it; goes on with what is there."""
        ...


def from_hub(dataset: str, target: Path, hub: Hub | None = None) -> Path:
    """Download a data set into a folder, unless it is there already.

    Raises:
        BenchmarkDataError: The package is missing or the download failed.
        ResultsFolderError: The folder cannot be written.
    """
    mark = target / _WHOLE
    if mark.exists() and mark.read_text("utf-8") == dataset:
        return target
    client = _hub() if hub is None else hub
    try:
        # Asked first: without a network the download would take what is there for the whole.
        client.dataset_info(dataset)
        client.snapshot_download(dataset, repo_type="dataset", local_dir=target)
    except Exception as error:  # the hub's client raises its HTTP library's own errors
        raise BenchmarkDataError(
            f"cannot download {dataset}: {error}; get a local copy and give its path"
        ) from error
    write_atomically(mark, dataset.encode())
    return target


def _hub() -> Hub:
    try:
        return importlib.import_module("huggingface_hub")  # type: ignore[return-value]
    except ImportError as error:
        raise BenchmarkDataError("loading from the hub needs huggingface_hub") from error
