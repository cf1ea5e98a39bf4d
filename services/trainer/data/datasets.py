"""Writes the data sets: rows as JSON lines beside an ``images`` folder.

A data set is built in a folder of its own and put in place whole, so a cut leaves the old one.
Rows of a share of the prompts, chosen by their ids, are held out. Not here: how a row looks
(``formats``).
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from services.trainer.benchmarks.folder import ResultsFolderError
from services.trainer.data import formats
from services.trainer.data.critic_rows import CriticRow
from services.trainer.data.folder import DataFolder
from services.trainer.data.planner_rows import PlannerRow
from services.trainer.data.records import PromptRecord, TrajectoryRecord
from shared.prompts.pack import PromptPack

if TYPE_CHECKING:
    from collections.abc import Generator

TRAIN, HELD_OUT = "train", "heldout"
_WHOLE = 2**32


@dataclass(slots=True)
class Pictures:
    """Puts the data folder's pictures into a data set; each once, under a flat name."""

    folder: DataFolder
    target: Path
    _names: dict[str, str] = field(default_factory=dict[str, str])

    def name(self, file: str) -> str:
        """The picture's name in the data set, relative to its folder."""
        if file not in self._names:
            flat = "images/" + file.removeprefix("images/").replace("/", "_")
            _link(self.folder.path(file), self.target / flat)
            self._names[file] = flat
        return self._names[file]

    def white(self, like: str) -> str:
        """A white canvas of another picture's size."""
        with Image.open(self.folder.path(like)) as image:
            size = image.size
        flat = f"images/white_{size[0]}x{size[1]}.png"
        if flat not in self._names:
            file = io.BytesIO()
            Image.new("RGB", size, "white").save(file, "PNG")
            (self.target / flat).write_bytes(file.getvalue())
            self._names[flat] = flat
        return flat


def held_out(prompt_id: str, share: float) -> bool:
    """Whether a prompt's rows are kept from training."""
    digest = hashlib.sha256(f"heldout:{prompt_id}".encode()).digest()
    return int.from_bytes(digest[:4], "big") < share * _WHOLE


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes data sets into ``datasets/`` of a data folder."""

    folder: DataFolder
    pack: PromptPack
    share_held_out: float = 0.1

    def critic_sft(self, rows: Sequence[CriticRow]) -> Path:
        """Verdicts to imitate: TRL and ShareGPT."""
        with self._data_set("critic-sft") as (target, pictures):
            lines = [(row.prompt_id, self._critic(row, pictures)) for row in rows]
            self._write(target, lines)
            _sharegpt(target, "critic-sft", [
                formats.sharegpt_row(
                    formats.critic_question(row, self.pack), row.reply,
                    self._pair(row, pictures),
                )
                for row in rows if not held_out(row.prompt_id, self.share_held_out)
            ])  # fmt: skip
        return self.folder.root / "datasets" / "critic-sft"

    def critic_rl(self, rows: Sequence[CriticRow]) -> Path:
        """Pictures to judge with what the rewards need: TRL, EasyR1 and verl."""
        with self._data_set("critic-rl") as (target, pictures):
            lines = [(row.prompt_id, self._critic(row, pictures)) for row in rows]
            self._write(target, lines)
            kept = [row for row in rows if not held_out(row.prompt_id, self.share_held_out)]
            for name, make in (("easyr1", formats.easyr1_row), ("verl", formats.verl_row)):
                _lines(target / f"{name}.jsonl", [
                    make(
                        formats.critic_question(row, self.pack), self._pair(row, pictures),
                        formats.critic_facts(row),
                    )
                    for row in kept
                ])  # fmt: skip
            shutil.copy(Path(__file__).with_name("verl_reward.py"), target / "compute_score.py")
        return self.folder.root / "datasets" / "critic-rl"

    def planner_sft(self, rows: Sequence[PlannerRow]) -> Path:
        """Plans to imitate: TRL and ShareGPT."""
        with self._data_set("planner-sft") as (target, pictures):
            lines: list[tuple[str, formats.Json]] = []
            shared: list[formats.Json] = []
            for row in rows:
                question = formats.planner_question(row, self.pack)
                images = [pictures.name(file) for file in row.images]
                facts = {"id": row.id, "category": row.category, "source": row.source}
                lines.append((row.prompt_id, formats.trl_row(question, row.reply, images, **facts)))
                if not held_out(row.prompt_id, self.share_held_out):
                    shared.append(formats.sharegpt_row(question, row.reply, images))
            self._write(target, lines)
            _sharegpt(target, "planner-sft", shared)
        return self.folder.root / "datasets" / "planner-sft"

    def sequences(self, pairs: Iterable[tuple[TrajectoryRecord, PromptRecord]]) -> Path:
        """Interleaved sequences for unified models, with and without reflection."""
        with self._data_set("sequences") as (target, pictures):
            plain: list[formats.Json] = []
            reflecting: list[formats.Json] = []
            for trajectory, prompt in pairs:
                files = [a.file for s in trajectory.steps for a in s.attempts if a.file]
                names = {file: pictures.name(file) for file in (*prompt.images, *files)}
                for rows, reflection in ((plain, False), (reflecting, True)):
                    parts = formats.sequence(
                        prompt.text, prompt.images, trajectory.steps, names, reflection=reflection
                    )
                    rows.append({"id": trajectory.id, "sequence": parts})
            _lines(target / "plain.jsonl", plain)
            _lines(target / "reflection.jsonl", reflecting)
        return self.folder.root / "datasets" / "sequences"

    def _critic(self, row: CriticRow, pictures: Pictures) -> formats.Json:
        question = formats.critic_question(row, self.pack)
        facts = formats.critic_facts(row)
        return formats.trl_row(question, row.reply, self._pair(row, pictures), **facts)

    def _pair(self, row: CriticRow, pictures: Pictures) -> list[str]:
        before = pictures.white(row.after) if row.before is None else pictures.name(row.before)
        return [before, pictures.name(row.after)]

    def _write(self, target: Path, rows: Sequence[tuple[str, formats.Json]]) -> None:
        kept: dict[str, list[formats.Json]] = {TRAIN: [], HELD_OUT: []}
        for prompt_id, row in rows:
            kept[HELD_OUT if held_out(prompt_id, self.share_held_out) else TRAIN].append(row)
        for name, lines in kept.items():
            _lines(target / f"{name}.jsonl", lines)

    @contextmanager
    def _data_set(self, name: str) -> Generator[tuple[Path, Pictures]]:
        """A new folder that takes the old one's place when all went well."""
        place = self.folder.root / "datasets" / name
        part = place.with_name(f".{name}.part")
        try:
            shutil.rmtree(part, ignore_errors=True)
            (part / "images").mkdir(parents=True)
            yield part, Pictures(self.folder, part)
            shutil.rmtree(place, ignore_errors=True)
            part.replace(place)
        except OSError as error:
            message = f"cannot write {place}: {error.strerror}; make room and run it again"
            raise ResultsFolderError(message) from error


def _link(source: Path, target: Path) -> None:
    """The same file under another name; a copy where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _lines(path: Path, rows: Iterable[formats.Json]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _sharegpt(target: Path, name: str, rows: Sequence[formats.Json]) -> None:
    """The conversations, and what LLaMA-Factory needs to know of them."""
    _json(target / "sharegpt.json", rows)
    _json(target / "dataset_info.json", formats.sharegpt_entry(name))


def _json(path: Path, rows: formats.Json | Sequence[formats.Json]) -> None:
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1), "utf-8")
