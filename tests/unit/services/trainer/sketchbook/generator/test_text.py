"""The generator's tokenizer."""

from pathlib import Path
from random import Random

import pytest
from transformers import Qwen2Tokenizer

from services.trainer.sketchbook.generator.text import (
    as_people_write,
    fit_tokenizer,
    sentences,
    token_rows,
)


@pytest.fixture(scope="module")
def tokenizer() -> Qwen2Tokenizer:
    return fit_tokenizer(sentences(count=2000, seed=3))


def test_rows_equal_what_the_pipeline_makes_of_a_prompt(tokenizer: Qwen2Tokenizer) -> None:
    prompt = "add a red house in the top row, far left"
    chat = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}],
        tokenize=False, add_generation_prompt=True, enable_thinking=False,
    )  # fmt: skip
    piped = tokenizer(chat, padding="max_length", truncation=True, max_length=40)["input_ids"]
    assert token_rows(tokenizer, [prompt], length=40)[0].tolist() == piped


def test_a_saved_tokenizer_reads_the_same(tokenizer: Qwen2Tokenizer, tmp_path: Path) -> None:
    tokenizer.save_pretrained(tmp_path)
    again = Qwen2Tokenizer.from_pretrained(tmp_path)
    prompt = "Paint the young tree, überall – 7 times."
    assert again(prompt)["input_ids"] == tokenizer(prompt)["input_ids"]
    assert again.decode(again(prompt)["input_ids"]) == prompt


def test_common_words_are_single_tokens(tokenizer: Qwen2Tokenizer) -> None:
    words = "put a red house in the upper row, far left"
    assert len(tokenizer(words)["input_ids"]) == 11


def test_prompts_sometimes_start_with_a_capital_or_end_in_a_full_stop() -> None:
    rng = Random(0)
    written = {as_people_write("remove the cow", rng) for _ in range(60)}
    assert written == {"remove the cow", "Remove the cow", "remove the cow.", "Remove the cow."}
