"""Request and answer bodies of the OpenAI-shaped doors.

Only what can be honoured is accepted; any other field of those APIs is refused by name.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

from services.gateway.schemas import MAX_SEED, Body, Prompt, Whole

MAX_PICTURES = 4
SIZE = r"^(auto|[0-9]{2,4}x[0-9]{2,4})$"
Size = Annotated[str, Field(pattern=SIZE, examples=["1024x1024"])]
Model = Annotated[
    str | None,
    Field(max_length=100, description="A generator of GET /v1/models; the default one if missing."),
]


class ImagesBody(Body):
    """One or more pictures of the same prompt, each judged and redrawn if needed."""

    prompt: Prompt
    model: Model = None
    n: Annotated[Whole, Field(ge=1, le=MAX_PICTURES)] = 1
    size: Size = "auto"
    response_format: Literal["b64_json", "url"] = "b64_json"
    output_format: Literal["png"] = "png"
    seed: Annotated[Whole | None, Field(ge=0, le=MAX_SEED)] = None
    user: Annotated[str | None, Field(max_length=512)] = None


class TextPart(Body):
    """Text in a message."""

    type: Literal["text"] = "text"
    text: str


class ImageUrl(Body):
    """A data URL, an https URL or a file id."""

    url: str
    detail: Literal["auto", "low", "high"] = "auto"


class ImagePart(Body):
    """An image in a message."""

    type: Literal["image_url"] = "image_url"
    image_url: ImageUrl


MessagePart = Annotated[TextPart | ImagePart, Field(discriminator="type")]


class Message(Body):
    """A message of the conversation."""

    role: Literal["user", "assistant"]
    content: str | Annotated[list[MessagePart], Field(min_length=1, max_length=200)]


class StreamOptions(Body):
    """Accepted for compatibility."""

    include_usage: StrictBool = False


class ChatBody(Body):
    """A conversation to be answered with text and pictures in turn."""

    messages: Annotated[list[Message], Field(min_length=1, max_length=100)]
    model: Model = None
    stream: StrictBool = False
    stream_options: StreamOptions | None = None
    n: Literal[1] = 1
    seed: Annotated[Whole | None, Field(ge=0, le=MAX_SEED)] = None
    user: Annotated[str | None, Field(max_length=512)] = None

    @model_validator(mode="after")
    def _the_user_speaks_last(self) -> ChatBody:
        if self.messages[-1].role != "user":
            raise ValueError("the last message must be the user's")
        return self


class Answer(BaseModel):
    """Part of an answer."""

    model_config = ConfigDict(frozen=True)


class PictureData(Answer):
    """A picture, inside the answer or by address."""

    b64_json: str | None = None
    url: str | None = None
    revised_prompt: str | None = None


class ImagesAnswer(Answer):
    """The pictures; `trajectories` are their ids here."""

    created: int
    data: list[PictureData]
    trajectories: list[str]


class AssistantMessage(Answer):
    """Text and pictures in reading order."""

    role: Literal["assistant"] = "assistant"
    content: list[MessagePart]


class Choice(Answer):
    """The one answer."""

    index: int = 0
    message: AssistantMessage
    finish_reason: Literal["stop", "length"]


class ChatAnswer(Answer):
    """The whole answer; `id` is the trajectory's."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]


class Delta(Answer):
    """What was added."""

    role: Literal["assistant"] | None = None
    content: list[MessagePart] | None = None


class ChunkChoice(Answer):
    """The one answer as it grows."""

    index: int = 0
    delta: Delta
    finish_reason: Literal["stop", "length"] | None = None


class ChatChunk(Answer):
    """An event of a streamed answer."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]


class ModelCard(Answer):
    """A generator, as a model."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "interleave"


class ModelList(Answer):
    """Every generator, as a list of models."""

    object: Literal["list"] = "list"
    data: list[ModelCard]
