"""The Qwen3-VL processor without torchvision: texts and pictures, no videos.

The stock one needs a video processor, which needs torchvision. Pictures are prepared by the PIL
image processor that serving uses, as the two backends' resizing differs slightly. Not here: the
model (``models``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, ProcessorMixin, Qwen3VLProcessor
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil


class PictureProcessor(Qwen3VLProcessor):
    """Everything of the stock processor that pictures need."""

    def __init__(
        self,
        image_processor: Any = None,  # noqa: ANN401 - an untyped library's parts
        tokenizer: Any = None,  # noqa: ANN401
        chat_template: str | None = None,
    ) -> None:
        for name in ("image", "video", "vision_start", "vision_end"):
            mark = {"image": "<|image_pad|>", "video": "<|video_pad|>"}.get(name, f"<|{name}|>")
            setattr(self, f"{name}_token", mark)
            setattr(self, f"{name}_token_id", tokenizer.convert_tokens_to_ids(mark))
        ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)

    def save_pretrained(
        self,
        save_directory: str | Path,
        push_to_hub: bool = False,  # noqa: ARG002, FBT001, FBT002 - the base's signature
        **_: Any,  # noqa: ANN401
    ) -> list[str]:
        """Write the parts as ``load_processor`` and the engines read them."""
        self.tokenizer.save_pretrained(save_directory)
        self.image_processor.save_pretrained(save_directory)
        return []


def load_processor(model: str) -> PictureProcessor:
    """The processor of a folder or hub name; prompts are padded on the left."""
    tokenizer = AutoTokenizer.from_pretrained(model, padding_side="left")
    images = Qwen2VLImageProcessorPil.from_pretrained(model)
    return PictureProcessor(images, tokenizer, chat_template=tokenizer.chat_template)
