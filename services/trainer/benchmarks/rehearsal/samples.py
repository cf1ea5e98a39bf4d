"""Small copies of the judged benchmarks in their own layouts, about Sketchbook's world.

The field names and files are those of the public repositories and hub data sets; the contents
are held-out Sketchbook requests, so that the small models have something to do. Not here: the
benchmarks' loaders.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

from services.trainer.benchmarks.folder import write_atomically
from services.trainer.benchmarks.pictures import png, write_as
from services.trainer.benchmarks.rise import CATEGORIES
from services.trainer.benchmarks.ueval import OPEN_TASKS, TASKS
from services.trainer.sketchbook import wording
from services.trainer.sketchbook.captions import sentence
from services.trainer.sketchbook.renderer import render
from services.trainer.sketchbook.requests import SketchRequest, Use, execute, sample_request
from services.trainer.sketchbook.wording import Split
from services.trainer.sketchbook.world import Scene

SEED = 7
_WISE_IDS = {
    "": {"cultural_common_sense": (1, 2), "spatio-temporal_reasoning": (401, 568),
         "natural_science": (701, 801, 901)},
    "_verified": {"cultural_common_sense": (1, 2), "spatio-temporal_reasoning": (401, 521),
                  "natural_science": (641, 761, 881)},
}  # fmt: skip
"""Ids in every domain, by the ending and stem of the file."""
_RISE_USES = {
    "temporal_reasoning": Use.CONTINUATION,
    "causal_reasoning": Use.CONTINUATION,
    "spatial_reasoning": Use.MANIPULATION,
    "logical_reasoning": Use.MANIPULATION,
}
_TRIES = 500


@dataclass(frozen=True, slots=True)
class Sample:
    """A request with the scenes that carrying out its plan gives."""

    request: SketchRequest
    scenes: tuple[Scene, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """What the plan says of each step."""
        return tuple(step.instruction or step.auxiliary_text or "" for step in self.request.plan)


def write_samples(root: Path, *, count: int = 1) -> None:
    """Write a folder for each benchmark, with so many items for each group.

    Raises:
        ResultsFolderError: The folder cannot be written.
    """
    _ueval(root / "UEval", count)
    _wise(root / "WISE")
    _rise(root / "RISEBench", count)
    _comm(root / "CoMM", count)
    _opening(root / "OpenING", count)


def drawn(name: str, use: Use, *, implicit: bool, given: int, steps: int | None = None) -> Sample:
    """A request of its own for each name, with so many pictures given and steps to make."""
    rng = Random(f"{SEED}/{name}")
    for _ in range(_TRIES):
        request = sample_request(rng, Split.HELDOUT, use=use, implicit=implicit)
        fits = len(request.images) == given and request.implicit == implicit
        if fits and request.prompts and steps in (None, len(request.prompts)):
            return Sample(request, tuple(execute(request.prompts, request.source)))
    raise LookupError(f"no request of {use} with {given} pictures and {steps} steps")


def _ueval(root: Path, count: int) -> None:
    rows = [_ueval_row(task, number, count) for task in TASKS for number in range(count)]
    # The hub's data set is a Parquet file; the package comes with the extra `train`.
    arrow: Any = importlib.import_module("pyarrow")
    parquet: Any = importlib.import_module("pyarrow.parquet")
    path = root / "data" / "test-00000-of-00001.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(arrow.Table.from_pylist(rows), path)


def _ueval_row(task: str, number: int, count: int) -> dict[str, object]:
    sample = drawn(f"ueval/{task}/{number}", Use.GUIDANCE, implicit=number % 2 == 1, given=0)
    text = sample.request.text.rstrip("?.! ") + " both visually and textually?"
    items = [item for _, item in sample.scenes[-1].items]
    mentioned = dict.fromkeys(item.kind for item in items if item.kind != "glyph")
    return {
        "id": str(TASKS.index(task) * count + number + 1),
        "prompt": text,
        "task": task,
        "question_type": "open" if task in OPEN_TASKS else "closed",
        "text_ref": " ".join(sample.texts),
        "image_ref": [f"{task}_{number}_{at}.png" for at, _ in enumerate(sample.scenes)],
        "text_rubrics": [f"The text mentions {kind}." for kind in mentioned],
        "image_rubrics": [
            f"There are at least {len(sample.scenes)} pictures.",
            f"Every picture shows {wording.background_phrase(sample.scenes[0].background)}.",
            f"The last picture shows: {sentence(sample.scenes[-1])}",
        ],
    }


def _wise(root: Path) -> None:
    for ending, files in _WISE_IDS.items():
        home = root / ("data_verified" if ending else "WISE_legacy/data")
        everything: list[dict[str, object]] = []
        for stem, numbers in files.items():
            rows = [_wise_row(number, stem) for number in numbers]
            _write_json(home / f"{stem}{ending}.json", rows)
            everything += rows
        if ending:
            _write_json(home / "merge.json", everything)


def _wise_row(number: int, category: str) -> dict[str, object]:
    sample = drawn(f"wise/{number}", Use.GUIDANCE, implicit=True, given=0)
    return {
        "Prompt": sample.request.text,
        "Explanation": sentence(sample.scenes[-1]),
        "Category": category.replace("_", " "),
        "Subcategory": "Sketchbook",
        "prompt_id": number,
    }


def _rise(root: Path, count: int) -> None:
    rows = [
        _rise_row(root, category, number)
        for category in CATEGORIES
        for number in range(1, count + 1)
    ]
    _write_json(root / "datav2_total_w_subtask.json", rows)


def _rise_row(root: Path, category: str, number: int) -> dict[str, object]:
    name = f"{category}_images/{number}"
    sample = drawn(name, _RISE_USES[category], implicit=True, given=1, steps=1)
    _draw(sample.request.images[0], root / "data" / f"{name}.png")
    row: dict[str, object] = {
        "index": f"{category}_{number}",
        "category": category,
        "subtask": "Sketchbook",
        "instruction": " ".join(sample.request.text.replace("<image>", " ").split()),
        "image": f"{name}.png",
        "reference": sentence(sample.scenes[-1]),
        "reference_img": None,
        "reference_txt": None,
        "consistency_free": None,
        "reasoning_img": None,
        "reasoning_wo_ins": None,
    }
    if category == "spatial_reasoning":
        _draw(sample.scenes[-1], root / "data" / f"{name}_ref.png")
        return row | {"reference": None, "reference_img": f"{name}_ref.png"}
    if category == "logical_reasoning":
        return row | {"reference": None, "reference_txt": row["reference"]}
    return row


def _comm(root: Path, count: int) -> None:
    # Saved by torch, as the public files are.
    torch: Any = importlib.import_module("torch")
    root.mkdir(parents=True, exist_ok=True)
    documents = [_document(root, number) for number in range(1, count + 1)]
    torch.save(documents, root / "test_data.pth")


def _document(root: Path, number: int) -> dict[str, object]:
    sample = drawn(f"comm/{number}", Use.GUIDANCE, implicit=False, given=0, steps=4)
    steps: list[list[dict[str, object]]] = []
    for at, (text, scene) in enumerate(zip(sample.texts, sample.scenes, strict=True), start=1):
        name = f"{number}/{at}.jpg"
        _draw(scene, root / "images" / name)
        steps.append([
            {"type": "text", "content": text},
            {"type": "image", "image_path": name, "url": None},
        ])  # fmt: skip
    title = sample.request.text.rstrip("?.! ")
    return {"data_id": f"sketch_{number}", "title": title, "summary_info": [], "step_info": steps}


def _opening(root: Path, count: int) -> None:
    rows = [json.dumps(row) for number in range(1, count + 1) for row in _tasks(root, number)]
    write_atomically(root / "test_data.jsonl", ("\n".join(rows) + "\n").encode())


def _tasks(root: Path, number: int) -> Iterator[dict[str, object]]:
    named = {
        ("3", "Multimodal Content Completion", "Storybook Completion"): (Use.CONTINUATION, 1),
        ("1", "Multimodal Report Generation", "Story Creation"): (Use.NARRATIVE, 0),
        ("5", "Interactive Image Editing", "Step by Step Editing"): (Use.MANIPULATION, 1),
        ("8", "Tutorial Generation", "Drawing Tutorial"): (Use.GUIDANCE, 0),
    }
    for (meta, meta_name, subtask), (use, given) in named.items():
        sample = drawn(f"opening/{meta}/{number}", use, implicit=False, given=given)
        picture = f"./images/{subtask}/{number}-i-1.jpg" if given else None
        if picture:
            _draw(sample.request.images[0], root / picture)
        asked = {"image": picture, "text": f"<BEGIN> {sample.request.text}"}
        wanted = [
            {"image": f"./images/{subtask}/{number}-o-{at}.jpg", "text": text}
            for at, text in enumerate(sample.texts, start=1)
        ]
        yield {
            "total_uid": f"{int(meta):02d}01{number:03d}",
            "meta_task_id": meta,
            "meta_task_name": meta_name,
            "subtask_id": "1",
            "subtask_name": subtask,
            "data_id": str(number),
            "conversations": [{"input": [asked]}, {"output": wanted}],
        }


def _draw(scene: Scene, path: Path) -> None:
    """Save a scene's picture in the format that the name says."""
    original = path.with_suffix(".png")
    write_atomically(original, png(Image.fromarray(render(scene))))
    if path != original:
        write_as(original, path)
        original.unlink()


def _write_json(path: Path, content: object) -> None:
    write_atomically(path, json.dumps(content, indent=2).encode())
