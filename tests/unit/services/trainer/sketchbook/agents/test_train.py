"""Stages that go on from a finished agent's folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import Qwen3VLForConditionalGeneration

from services.trainer.sketchbook.agents.corpus import tokenizer_for
from services.trainer.sketchbook.agents.curriculum import STAGES
from services.trainer.sketchbook.agents.tokenizer import train_tokenizer
from services.trainer.sketchbook.agents.train import start


@pytest.mark.parametrize("name", ["early", "both"])
def test_a_stage_goes_on_from_a_finished_agents_weights_and_words(
    tmp_path: Path, name: str
) -> None:
    stage = STAGES[name]
    assert stage.start is not None

    run = start(stage, runs=tmp_path, seed=1)

    finished = Qwen3VLForConditionalGeneration.from_pretrained(stage.start, dtype=torch.float32)
    own = run.model.state_dict()
    assert all(torch.equal(own[key], kept) for key, kept in finished.state_dict().items())
    assert len(run.tokenizer) == finished.config.text_config.vocab_size


def test_runs_with_another_tokenizer_are_refused(tmp_path: Path) -> None:
    train_tokenizer(["only a few words of something else"]).save_pretrained(tmp_path / "tokenizer")

    with pytest.raises(ValueError, match="take another folder of runs"):
        tokenizer_for(tmp_path, STAGES["both"].start)
