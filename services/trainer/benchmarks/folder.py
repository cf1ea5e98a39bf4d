"""The folder of a run: what each item gave, kept so that a run can be taken up again.

    run.json              what was run; another run is not mixed in
    items/<id>/result.json, <step>.png
    judge/                cached answers of the judge
    scores.jsonl, report.{md,json,csv}, ...

A result is written beside its final name and moved there: a cut or a full disk leaves either
the old state or the new one. Not here: what is in a report (``report``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from pydantic import ValidationError

from services.trainer.benchmarks.records import Item, Produced


class ResultsFolderError(RuntimeError):
    """The folder cannot be used; the message says why and what to do."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        ResultsFolderError: The disk is full or the folder is not writable.
    """
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        message = f"cannot write {path}: {error.strerror}; make room and run the same command again"
        raise ResultsFolderError(message) from error


class ResultsFolder:
    """Reads and writes the results of one run."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def item(self, item_id: str) -> Path:
        """The folder of an item; any id gives one safe name."""
        return self.root / "items" / quote(item_id, safe="").replace(".", "%2E")

    def claim(self, run: Mapping[str, object]) -> None:
        """Say what is run here.

        Raises:
            ResultsFolderError: Another run's results are here already.
        """
        path = self.root / "run.json"
        if path.exists():
            kept = json.loads(path.read_text("utf-8"))
            changed = sorted(key for key in {*kept, *run} if kept.get(key) != run.get(key))
            if changed:
                raise ResultsFolderError(
                    f"{self.root} holds a run with another {', '.join(changed)}; "
                    "choose another folder, or the same options"
                )
            return
        write_atomically(path, json.dumps(dict(run), indent=2).encode())

    def run(self) -> dict[str, object]:
        """What is run here; empty for a folder of results from elsewhere."""
        path = self.root / "run.json"
        return json.loads(path.read_text("utf-8")) if path.exists() else {}

    def save(self, produced: Produced) -> None:
        """Keep an item's result; its pictures lie in the item's folder already."""
        path = self.item(produced.item_id) / "result.json"
        write_atomically(path, produced.model_dump_json(indent=2).encode())

    def load(self, item_id: str) -> Produced | None:
        """An item's result, None where there is none.

        Raises:
            ResultsFolderError: The file is no result.
        """
        path = self.item(item_id) / "result.json"
        if not path.exists():
            return None
        try:
            return Produced.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise ResultsFolderError(f"{path} is no result; delete it to redo the item") from error

    def results(self, items: Iterable[Item]) -> Iterator[tuple[Item, Produced | None]]:
        """Every item with its result, if any."""
        for item in items:
            yield item, self.load(item.id)

    def picture(self, produced: Produced, file: str) -> Path | None:
        """Where a picture lies, None when the file is gone."""
        path = self.item(produced.item_id) / Path(file).name
        return path if path.is_file() else None

    def pictures(self, produced: Produced) -> tuple[Path, ...]:
        """The pictures that exist, in order."""
        found = (self.picture(produced, file) for file in produced.files)
        return tuple(path for path in found if path is not None)
