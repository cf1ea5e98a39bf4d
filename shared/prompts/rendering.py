"""Puts packs, requests and pictures together into messages.

Not here: what comes back (``planner``, ``critic``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from shared.errors import InvalidRequestError
from shared.llm.engine import ChatMessage, ImagePart, Part, TextPart
from shared.prompts.pack import PromptPack, filled

IMAGE_MARK = "<image>"
_SLOT = re.compile(r"(\{\w+\})")


class ImageMarksError(InvalidRequestError):
    """The text has another number of ``<image>`` marks than there are images."""


def check_image_marks(prompt: str, image_count: int) -> None:
    """Return if every mark has its image; no marks at all are right as well.

    Raises:
        ImageMarksError: The numbers differ.
    """
    marks = prompt.count(IMAGE_MARK)
    if marks not in {0, image_count}:
        raise ImageMarksError(
            f"the prompt has {marks} {IMAGE_MARK} mark{'s' if marks != 1 else ''} but "
            f"{image_count} image{'s' if image_count != 1 else ''} came with it; give one mark "
            "per image, in order, or none (then the images stand before the text)"
        )


def render_plan_messages(
    pack: PromptPack, prompt: str, images: Sequence[bytes], *, steps: int | None = None
) -> list[ChatMessage]:
    """The conversation that asks for a plan; ``images`` are PNG files.

    Raises:
        ImageMarksError: Marks and images do not match.
    """
    check_image_marks(prompt, len(images))
    words = pack.planner
    note = filled(words.steps_note, {"steps": str(steps)}) if steps is not None else ""
    text = filled(words.user, {"prompt": prompt, "steps_note": note})
    if IMAGE_MARK not in prompt:
        text = IMAGE_MARK * len(images) + text
    return _conversation(
        words.guidance_system if images else words.narrative_system, _with_images(text, images)
    )


def render_verdict_messages(
    pack: PromptPack, plan_prompt: str, used_prompt: str, *, before: bytes, after: bytes
) -> list[ChatMessage]:
    """The conversation that asks for a verdict; ``before`` and ``after`` are PNG files."""
    values: dict[str, Part] = {
        "{before}": ImagePart(before),
        "{after}": ImagePart(after),
        "{plan_prompt}": TextPart(plan_prompt),
        "{used_prompt}": TextPart(used_prompt),
    }
    return _conversation(pack.critic.system, _joined(_slots(pack.critic.user, values)))


def _conversation(system: str, parts: Sequence[Part]) -> list[ChatMessage]:
    user = ChatMessage("user", tuple(parts))
    return [ChatMessage("system", (TextPart(system),)), user] if system else [user]


def _with_images(text: str, images: Sequence[bytes]) -> list[Part]:
    pieces = text.split(IMAGE_MARK)
    parts: list[Part] = []
    for number, piece in enumerate(pieces):
        if piece:
            parts.append(TextPart(piece))
        if number < len(images):
            parts.append(ImagePart(images[number]))
    return parts


def _slots(template: str, values: Mapping[str, Part]) -> Iterator[Part]:
    for piece in _SLOT.split(template):
        if piece:
            yield values.get(piece, TextPart(piece))


def _joined(parts: Iterator[Part]) -> list[Part]:
    """Neighbouring texts become one part."""
    joined: list[Part] = []
    for part in parts:
        if joined and isinstance(part, TextPart) and isinstance(joined[-1], TextPart):
            joined[-1] = TextPart(joined[-1].text + part.text)
        else:
            joined.append(part)
    return joined
