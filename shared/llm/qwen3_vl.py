"""Chat engine in this process: any Qwen3-VL folder or hub name, tiny or full size.

Needs no torchvision: pictures are prepared by the PIL image processor, the same one the tiny
models were trained with. One model, one thread; calls wait for each other. Not here: the loop
that makes tokens (``decoding``).
"""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import AsyncGenerator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image, UnidentifiedImageError
from transformers import AutoTokenizer, PreTrainedTokenizerBase, Qwen3VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from shared.errors import ServiceRejectedError, ServiceUnavailableError
from shared.llm.decoding import Prompt, Sampling, decode
from shared.llm.engine import ChatMessage, TextPart

_IMAGE_MARK = "<|image_pad|>"


@dataclass(frozen=True, slots=True)
class _Failed:
    error: Exception


class _Ended:
    """The answer is complete."""


_Piece = str | _Failed | _Ended


class Qwen3VLEngine:
    """A loaded model; load it once per process."""

    def __init__(self, model: str, *, device: str = "auto", dtype: str = "auto") -> None:
        """Load the model.

        Args:
            model: A folder or hub name.
            device: ``auto`` takes CUDA when there is one.
            dtype: A torch dtype's name; ``auto`` is bfloat16 on CUDA and float32 on a CPU.
        """
        self._name = model
        self._device = _device(device)
        self._model = Qwen3VLForConditionalGeneration.from_pretrained(
            model, dtype=_dtype(dtype, self._device)
        )
        self._model.eval()
        torch.nn.Module.to(self._model, self._device)
        self._tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(model)
        self._images = Qwen2VLImageProcessorPil.from_pretrained(model)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="qwen3-vl")

    @property
    def model(self) -> str:
        """The folder or hub name it was loaded from."""
        return self._name

    async def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
    ) -> AsyncGenerator[str]:
        """See ``ChatEngine.stream``; stops within one token when closed."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[_Piece] = asyncio.Queue()
        stop = threading.Event()
        sampling = Sampling(max_tokens=max_tokens, temperature=temperature, seed=seed)

        def work() -> None:
            for piece in self._answer(messages, sampling, stop):
                loop.call_soon_threadsafe(queue.put_nowait, piece)

        try:
            loop.run_in_executor(self._thread, work)
            while not isinstance(piece := await queue.get(), _Ended):
                if isinstance(piece, _Failed):
                    raise piece.error
                yield piece
        finally:
            stop.set()

    async def health(self) -> None:
        """See ``ChatEngine.health``; a loaded model is healthy."""
        if self._thread._shutdown:
            raise ServiceUnavailableError("the engine is closed")

    async def aclose(self) -> None:
        """Take no more calls."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _answer(
        self, messages: Sequence[ChatMessage], sampling: Sampling, stop: threading.Event
    ) -> Iterator[_Piece]:
        try:
            if not stop.is_set():
                yield from decode(
                    self._model, self._tokenizer, self._prompt(messages), sampling, stop=stop
                )
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to the one who waits
            yield _Failed(error)
        else:
            yield _Ended()

    def _prompt(self, messages: Sequence[ChatMessage]) -> Prompt:
        spoken: list[Any] = [self._spoken(message) for message in messages]
        text = self._tokenizer.apply_chat_template(
            spoken, tokenize=False, add_generation_prompt=True,
        )  # fmt: skip
        pictures = [_opened(png) for message in messages for png in message.images]
        if not pictures:
            return self._tokenized(str(text), None, None)
        seen = self._images(pictures, return_tensors="pt")
        grids = seen["image_grid_thw"]
        merged = self._images.merge_size**2
        pieces = str(text).split(_IMAGE_MARK)
        if len(pieces) != len(pictures) + 1:
            raise ServiceRejectedError("the model's chat template lost an image")
        marks = [_IMAGE_MARK * (int(grid.prod()) // merged) for grid in grids]
        text = "".join(p + m for p, m in zip(pieces, [*marks, ""], strict=True))
        return self._tokenized(text, seen["pixel_values"], grids)

    def _tokenized(
        self, text: str, pixels: torch.Tensor | None, grids: torch.Tensor | None
    ) -> Prompt:
        ids = self._tokenizer(text, return_tensors="pt", add_special_tokens=False)["input_ids"]
        kinds = (ids == self._model.config.image_token_id).int()
        return Prompt(
            ids.to(self._device),
            kinds.to(self._device),
            pixels.to(self._device) if pixels is not None else None,
            grids.to(self._device) if grids is not None else None,
        )

    def _spoken(self, message: ChatMessage) -> dict[str, object]:
        """The message as chat templates take it; nobody can write control tokens."""
        content = [
            {"type": "text", "text": self._harmless(part.text)}
            if isinstance(part, TextPart)
            else {"type": "image"}
            for part in message.parts
        ]
        return {"role": message.role, "content": content}

    def _harmless(self, text: str) -> str:
        for special in self._tokenizer.all_special_tokens:
            text = text.replace(special, "")
        return text


def _opened(png: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(png)).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError) as error:
        raise ServiceRejectedError("an image cannot be read") from error


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


def _dtype(name: str, device: torch.device) -> torch.dtype:
    if name == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    found = getattr(torch, name, None)
    if isinstance(found, torch.dtype):
        return found
    raise ValueError(f"unknown dtype {name!r}")
