"""The generator's tokenizer: byte-level BPE fitted on the world's own sentences.

Here live its fitting and the fixed-length token rows the text encoder reads. Not here: the
sentences themselves (``language``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from random import Random

import numpy as np
from numpy.typing import NDArray
from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers, trainers
from transformers import Qwen2Tokenizer
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX

from services.trainer.sketchbook.language import Split
from services.trainer.sketchbook.samples import generator_sample

VOCABULARY = 1024
END_OF_TEXT = "<|endoftext|>"
END_OF_TURN = "<|im_end|>"
CHAT_TEMPLATE = "{% for message in messages %}{{ message.content }}" + END_OF_TURN + "{% endfor %}"
"""The pipeline wraps every prompt in the chat template; a small model needs no more than an end."""
_CAPITAL_SHARE = 0.2
_FULL_STOP_SHARE = 0.2


def as_people_write(prompt: str, rng: Random) -> str:
    """The prompt, now and then with a capital letter or a full stop."""
    if rng.random() < _CAPITAL_SHARE:
        prompt = prompt[0].upper() + prompt[1:]
    return prompt + "." if rng.random() < _FULL_STOP_SHARE else prompt


def sentences(*, count: int, seed: int) -> Iterator[str]:
    """Prompts to fit the tokenizer on, from both kinds of phrasing."""
    rng = Random(seed)
    for number in range(count):
        split = Split.TRAIN if number % 4 else Split.HELDOUT
        prompt = generator_sample(rng, split).prompt
        yield prompt if number % 2 else prompt[0].upper() + prompt[1:]


def fit_tokenizer(texts: Iterable[str]) -> Qwen2Tokenizer:
    """A tokenizer of the class the pipeline loads, with nearly every word a token."""
    draft = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), behavior="isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    draft.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])  # pyright: ignore
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - 2,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    draft.train_from_iterator(texts, trainer)
    return _from_draft(draft)


def _from_draft(draft: Tokenizer) -> Qwen2Tokenizer:
    vocabulary = draft.get_vocab()
    merges = _merges(draft)
    tokenizer = Qwen2Tokenizer(vocab=vocabulary, merges=merges, padding_side="right")
    tokenizer.add_tokens([AddedToken(END_OF_TURN, special=True)])
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def _merges(draft: Tokenizer) -> list[tuple[str, str]]:
    pairs = json.loads(draft.to_str())["model"]["merges"]
    return [(left, right) for left, right in pairs]


def token_rows(
    tokenizer: Qwen2Tokenizer, prompts: Sequence[str], *, length: int
) -> NDArray[np.int16]:
    """Prompts as the pipeline tokenizes them: one padded row each."""
    texts = [prompt + END_OF_TURN for prompt in prompts]
    encoded = tokenizer(texts, padding="max_length", truncation=True, max_length=length)
    return np.array(encoded["input_ids"], dtype=np.int16)
