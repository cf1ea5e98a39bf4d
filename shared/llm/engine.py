"""What a chat engine is: messages of text and images in, text out as it is written.

Not here: the engines themselves (``openai_chat``, ``qwen3_vl``) and what is said to them
(``shared.prompts``).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class TextPart:
    """A piece of text."""

    text: str


@dataclass(frozen=True, slots=True)
class ImagePart:
    """An image as the bytes of a PNG file."""

    png: bytes


Part = TextPart | ImagePart


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message; its parts are read in order."""

    role: Literal["system", "user", "assistant"]
    parts: tuple[Part, ...]

    @property
    def images(self) -> tuple[bytes, ...]:
        """The images of the message, in order."""
        return tuple(part.png for part in self.parts if isinstance(part, ImagePart))


class ChatEngine(Protocol):
    """A model that continues a conversation."""

    @property
    def model(self) -> str:
        """Name of the model that answers."""
        ...

    def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
    ) -> AsyncGenerator[str]:
        """The answer piece by piece.

        Closing the generator (``aclose``, or cancelling the task that iterates) stops the model.

        Raises:
            ServiceUnavailableError: The model cannot be reached or is overloaded.
            ServiceTimeoutError: It did not answer in time.
            ServiceRejectedError: It refuses this conversation (too long, too many images).
            BadReplyError: It answered outside its protocol.
        """
        ...

    async def health(self) -> None:
        """Return if the model can answer.

        Raises:
            ServiceUnavailableError: It cannot.
        """
        ...

    async def aclose(self) -> None:
        """Free what the engine holds."""
        ...
