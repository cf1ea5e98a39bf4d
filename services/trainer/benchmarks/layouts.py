"""Output in each benchmark's own layout, so that its own scripts can score it.

An item that was not run is left out; one that failed is written as far as it came. Not here:
our own scoring.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from services.trainer.benchmarks.folder import ResultsFolder, write_atomically
from services.trainer.benchmarks.opening import conversation
from services.trainer.benchmarks.pictures import write_as
from services.trainer.benchmarks.records import Item, Produced
from services.trainer.benchmarks.scoring import last_picture

Results = Iterable[tuple[Item, Produced | None]]


def write_ueval(results: Results, folder: ResultsFolder, target: Path) -> int:
    """``ueval.json``: a list of id, text_answer and image_answer (paths beside the file)."""
    entries: list[dict[str, object]] = []
    for item, produced in _run(results):
        paths: list[str] = []
        for number, path in enumerate(folder.pictures(produced), start=1):
            name = f"pictures/{item.id}_{number}.png"
            write_as(path, target / name)
            paths.append(name)
        text = "\n\n".join(produced.texts)
        entries.append({"id": item.id, "text_answer": text, "image_answer": paths})
    _write_json(target / "ueval.json", entries)
    return len(entries)


def write_wise(results: Results, folder: ResultsFolder, target: Path) -> int:
    """``<prompt_id>.png``: the last picture of each item."""
    return sum(
        _last_picture(folder, produced, target / f"{item.id}.png")
        for item, produced in _run(results)
    )


def write_rise(results: Results, folder: ResultsFolder, target: Path) -> int:
    """``images/<category>/<index>.png``: the last picture of each item."""
    return sum(
        _last_picture(folder, produced, target / "images" / item.group / f"{item.id}.png")
        for item, produced in _run(results)
    )


def write_comm(results: Results, folder: ResultsFolder, target: Path) -> int:
    """``<id>_taskN/results.json``, drawn pictures beside it, given ones in ``origin``."""
    count = 0
    for item, produced in _run(results):
        home = target / item.id
        _write_json(home / "results.json", _comm_entry(item, produced, folder, home))
        count += 1
    return count


def _comm_entry(
    item: Item, produced: Produced, folder: ResultsFolder, home: Path
) -> dict[str, object]:
    given = [f"input_{number}.jpg" for number in range(1, len(item.images) + 1)]
    for path, name in zip(item.images, given, strict=True):
        write_as(path, home / "origin" / name)
    drawn: list[str] = []
    for step in produced.steps:
        path = folder.picture(produced, step.file) if step.file else None
        if path is not None:
            drawn.append(f"predict_{step.step_number}.jpg")
            write_as(path, home / drawn[-1])
    return {
        "model_input": item.prompt.replace("<image>", "<IMAGE>"),
        "model_output": " ".join(_comm_steps(produced, folder)),
        "input_image_list": given,
        "output_gt_image_list": list(_comm_truth(item, home / "origin")),
        "prediction_image_list": drawn,
    }


def _comm_truth(item: Item, origin: Path) -> Iterator[str]:
    """The document's own pictures, numbered by step; those not in the local copy are left out."""
    truth, first = item.fields.get("ground_truth"), item.fields.get("first_step")
    paths: tuple[object, ...] = truth if isinstance(truth, tuple) else ()
    for number, path in enumerate(paths, start=first if isinstance(first, int) else 1):
        if isinstance(path, Path):
            write_as(path, origin / f"output_gt_{number}.jpg")
            yield f"output_gt_{number}.jpg"


def _comm_steps(produced: Produced, folder: ResultsFolder) -> Iterator[str]:
    for step in produced.steps:
        shown = step.file is not None and folder.picture(produced, step.file) is not None
        mark = " <IMAGE>" if shown else ""
        yield f"({step.step_number}) {step.text}{mark}"


def write_opening(
    results: Results, folder: ResultsFolder, target: Path, *, model: str = "interleave"
) -> int:
    """``<model>_output/<uid>.json`` and ``<uid>-o-<k>.jpg``, k from 0."""
    home = target / f"{model}_output"
    count = 0
    for item, produced in _run(results):
        _write_json(home / f"{item.id}.json", _opening_entry(item, produced, folder, home))
        count += 1
    return count


def _opening_entry(
    item: Item, produced: Produced, folder: ResultsFolder, home: Path
) -> dict[str, object]:
    given = item.fields.get("row")
    row: dict[str, object] = dict(given) if isinstance(given, dict) else {}
    output: list[dict[str, str | None]] = []
    for step in produced.steps:
        path = folder.picture(produced, step.file) if step.file else None
        name = None if path is None else f"{item.id}-o-{len(output)}.jpg"
        if path is not None and name is not None:
            write_as(path, home / name)
        output.append({"text": step.text, "image": name})
    asked = list(conversation(row, "input"))
    row["conversations"] = [{"input": asked}, {"output": output}]
    return row


LAYOUTS: dict[str, Callable[[Results, ResultsFolder, Path], int]] = {
    "ueval": write_ueval,
    "wise": write_wise,
    "rise": write_rise,
    "comm": write_comm,
    "opening": write_opening,
}
"""Writer by benchmark; each gives the number of answers written."""


def _run(results: Results) -> Iterator[tuple[Item, Produced]]:
    return ((item, produced) for item, produced in results if produced is not None)


def _last_picture(folder: ResultsFolder, produced: Produced, target: Path) -> bool:
    picture = last_picture(produced, folder.pictures(produced))
    if picture is not None:
        write_as(picture, target)
    return picture is not None


def _write_json(path: Path, content: object) -> None:
    write_atomically(path, json.dumps(content, indent=2, ensure_ascii=False).encode())
