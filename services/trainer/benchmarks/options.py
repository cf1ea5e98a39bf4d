"""The command line's options that every benchmark has, and what they stand for together.

Not here: the commands (``cli``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from services.trainer.benchmarks.asking import RunOptions
from services.trainer.benchmarks.connection import Connection, checked_address
from services.trainer.benchmarks.judge import ANSWER_LIMIT_S, Judge
from services.trainer.benchmarks.records import System
from shared.llm.engine import ChatEngine
from shared.llm.openai_chat import OpenAIChatEngine, OpenAISettings

Data = Annotated[Path, typer.Option(help="Local copy of the benchmark: a file or a folder.")]
Hub = Annotated[
    str | None, typer.Option(help="Download this hub data set into --data first (needs network).")
]
Out = Annotated[Path, typer.Option(help="Folder of the run; the same folder goes on with it.")]
Server = Annotated[str, typer.Option(help="Address of the service.")]
ApiKey = Annotated[
    str, typer.Option(envvar="INTERLEAVE_API_KEY", show_envvar=True, help="Its API key.")
]
SystemOption = Annotated[System, typer.Option("--system", help="What answers.")]
ProfileName = Annotated[str, typer.Option(help="Profile of the full system.")]
Generator = Annotated[str | None, typer.Option(help="Which generator; see GET /v1/generators.")]
MaxAttempts = Annotated[int | None, typer.Option(min=1, max=10, help="Attempts a step.")]
Side = Annotated[int | None, typer.Option(min=16, help="Width and height of pictures, pixels.")]
Seed = Annotated[int, typer.Option(min=0, help="Items' seeds are derived from it.")]
Concurrency = Annotated[int, typer.Option(min=1, help="Items at a time.")]
ItemTimeout = Annotated[float, typer.Option(help="Seconds one item may take.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Only so many items, always the same.")]
RetryFailed = Annotated[bool, typer.Option(help="Run items again that gave nothing.")]
RunItems = Annotated[bool, typer.Option("--run/--no-run", help="Or score what is there.")]
Price = Annotated[float, typer.Option(min=0, help="Cost of one generator call, any currency.")]
Against = Annotated[
    list[Path] | None, typer.Option(help="Folders of other scored runs to compare with.")
]
JudgeUrl = Annotated[
    str | None,
    typer.Option(help="OpenAI-compatible judge, as http://host:8000/v1 [not scored]."),
]
JudgeModel = Annotated[str, typer.Option(help="Name of the judge's model.")]
JudgeKey = Annotated[
    str, typer.Option(envvar="INTERLEAVE_JUDGE_KEY", show_envvar=True, help="Its API key.")
]
JudgeConcurrency = Annotated[int, typer.Option(min=1, help="Questions at a time.")]
JudgeTimeout = Annotated[float, typer.Option(min=0.1, help="Seconds one answer may take.")]
JudgePrice = Annotated[float, typer.Option(min=0, help="Cost of one question, any currency.")]

DEFAULT_SERVER = "http://127.0.0.1:8080"
DEFAULT_TIMEOUT_S = 3600.0
GIVE_UP_AFTER = 30
"""Questions in a row without an answer after which a judge counts as gone."""


@dataclass(frozen=True, slots=True)
class RunChoices:
    """How items are run; None instead of it means that nothing is run."""

    connection: Connection
    options: RunOptions
    price_per_call: float


@dataclass(frozen=True, slots=True)
class JudgeChoices:
    """Who judges."""

    url: str
    model: str
    key: str
    concurrency: int
    price_per_question: float
    limit_s: float = ANSWER_LIMIT_S

    def __post_init__(self) -> None:
        """Check the address; raises ``BenchmarkDataError``."""
        checked_address(self.url, "--judge-url")

    def judge(self, engine: ChatEngine, cache: Path) -> Judge:
        """The judge, its answers kept in the folder ``cache``."""
        return Judge(
            engine,
            cache=cache,
            concurrency=self.concurrency,
            limit_s=self.limit_s,
            give_up_after=GIVE_UP_AFTER,
        )

    def engine(self) -> OpenAIChatEngine:
        """A connection to the judge."""
        return OpenAIChatEngine(OpenAISettings(self.url, self.model, self.key))
