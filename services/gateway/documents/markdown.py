"""The result as Markdown: text and pictures in reading order."""

from __future__ import annotations

import re
from collections.abc import Callable

from services.gateway.documents.material import Material, input_name, step_name
from shared.contracts.images import ImageRef
from shared.contracts.trajectories import StepState, StepStatus

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")
_LINE_START = re.compile(r"^(\s*)([-+>]|\d+[.)])", re.MULTILINE)


def markdown(material: Material, *, embed: bool) -> str:
    """The document; pictures as ``data:`` URLs, or as the file names used in the zip.

    Args:
        material: what to show.
        embed: whether the text must stand alone.
    """
    request = material.trajectory.request
    blocks = [f"# {_text(material.title)}"]
    for index, ref in enumerate(request.images):
        target = _target(material, ref, input_name(index), embed=embed)
        blocks.append(f"![Given picture {index + 1}]({target})")
    for step in material.trajectory.steps:
        blocks += _step(material, step, embed=embed)
    if material.trajectory.problem is not None:
        blocks.append(f"> {_text(material.trajectory.problem.detail)}")
    return "\n\n".join(blocks) + "\n"


def _step(material: Material, step: StepState, *, embed: bool) -> list[str]:
    name = f": {_text(step.plan.step_name)}" if step.plan.step_name else ""
    blocks = [f"## {step.plan.step_number}{name}"]
    if step.plan.text:
        blocks.append(_text(step.plan.text))
    if step.image is not None:
        target = _target(material, step.image, step_name(step), embed=embed)
        blocks.append(f"![Step {step.plan.step_number}]({target})")
    if step.status is StepStatus.KEPT:
        blocks.append("*No attempt was accepted; the best one is shown.*")
    return blocks


def _target(material: Material, ref: ImageRef, name: str, *, embed: bool) -> str:
    return material.data_url(ref) if embed else name


def _text(text: str) -> str:
    """Callers' and models' words as words: nothing in them becomes markup."""
    escape: Callable[[re.Match[str]], str] = lambda m: f"{m[1]}\\{m[2]}"  # noqa: E731
    return _LINE_START.sub(escape, _SPECIAL.sub(r"\\\1", text.strip()))
