"""A GRPO run whose replies are recited instead of sampled, drawn and judged by real services.

``... DATA OUT STEPS RANKS GENERATOR JUDGE ENDPOINT BUCKET``, the last four where they are. However
the replies are divided among ranks, each is the same one, so the losses must be too.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from pydantic import SecretStr
from rich.console import Console
from trl import GRPOTrainer

from services.trainer.grpo.cli import Drawing
from services.trainer.grpo.replicas import Replicas
from services.trainer.grpo.settings import load_preset
from services.trainer.grpo.training import GrpoRun, train
from services.trainer.sft.presets import Preset
from shared.llm.openai_chat import OpenAISettings
from shared.settings import StorageSettings

_PROMPTS = _GROUP = 2
_REPLIES = (
    '<answer>{"previous_step_success": true, "refine_prompt": "a hen"}</answer>',
    '<answer>{"previous_step_success": false, "refine_prompt": "add a hen"}</answer>',
)


class Recites(GRPOTrainer):
    """Gives the first and the second reply in turn, whatever is asked."""

    def _generate_single_turn(
        self,
        prompt_ids: Sequence[Sequence[int]],
        *_: Any,  # noqa: ANN401 - the base's signature
        **__: Any,  # noqa: ANN401
    ) -> tuple[list[list[int]], None]:
        processor: Any = self.processing_class
        tokenizer = processor.tokenizer
        ends = [tokenizer.eos_token_id]
        known = [tokenizer(text, add_special_tokens=False)["input_ids"] + ends for text in _REPLIES]
        return [known[place % _GROUP] for place in range(len(prompt_ids))], None


def main(data: Path, out: Path, steps: int, ranks: int, places: list[str]) -> None:
    """Train so many steps."""
    generator, judge, endpoint, bucket = places
    changes: dict[str, object] = {
        "prompts": _PROMPTS,
        "group": _GROUP,
        "batch_per_device": _PROMPTS * _GROUP // ranks,
        "held_out_rows": 3,
        "held_out_steps": steps,
        "kl": 0.01,
    }
    settings = load_preset(Preset.SKETCHBOOK, changes)
    storage = StorageSettings(
        endpoint=endpoint,
        access_key=os.environ["INTERLEAVE_S3_ACCESS_KEY"],
        secret_key=SecretStr(os.environ["INTERLEAVE_S3_SECRET_KEY"]),
        bucket=bucket,
    )
    drawing = Drawing(
        None, (generator,), storage, 1, Path("models"), OpenAISettings(judge, "judge")
    )
    assessor = drawing.assessor(settings, Replicas((generator,), storage))
    run = GrpoRun(settings, data, out, steps=steps, ranks=ranks)
    train(run, assessor, Console(), loop=Recites)


if __name__ == "__main__":
    typer.run(main)
