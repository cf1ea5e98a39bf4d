"""The one tokenizer of planner and critic: byte-level BPE on the world's own text.

Frequent pieces of the answer formats are ordinary added tokens, which makes answers three times
shorter; decoded text is exact all the same. Not here: the text itself (``data``).
"""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

VOCABULARY = 1280
SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
ANSWER_PIECES = (
    "<think>",
    "</think>",
    "<answer>",
    "</answer>",
    '{"execution_plan": [',
    '{"step_number": ',
    ', "step_name": "',
    '", "instruction": "',
    '", "instruction": null',
    '", "prompt": "',
    ', "prompt": null',
    '", "auxiliary_text": "',
    '", "auxiliary_text": null}',
    '", "auxiliary_text": null}]}',
    ', "auxiliary_text": "',
    '", "auxiliary_text": null}, {"step_number": ',
    '"}, {"step_number": ',
    '"}]}',
    "}]}",
    '{"previous_step_success": true, "refine_prompt": "',
    '{"previous_step_success": false, "refine_prompt": "',
    '"}',
)
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{- '<|im_start|>' + message['role'] + '\\n' -}}"
    "{%- if message['content'] is string -%}{{- message['content'] -}}"
    "{%- else -%}{%- for part in message['content'] -%}"
    "{%- if part['type'] == 'text' -%}{{- part['text'] -}}"
    "{%- else -%}{{- '<|vision_start|><|image_pad|><|vision_end|>' -}}{%- endif -%}"
    "{%- endfor -%}{%- endif -%}"
    "{{- '<|im_end|>\\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)


def train_tokenizer(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """Learn the vocabulary from texts; every byte can be said, so nothing is unknown."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(SPECIAL) - len(ANSWER_PIECES),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([AddedToken(text, special=True) for text in SPECIAL])
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in ANSWER_PIECES])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",  # noqa: S106 - a token of text, no secret
        pad_token="<|endoftext|>",  # noqa: S106 - a token of text, no secret
        additional_special_tokens=list(SPECIAL[1:]),
        clean_up_tokenization_spaces=False,
        model_max_length=4096,
        chat_template=CHAT_TEMPLATE,
    )
