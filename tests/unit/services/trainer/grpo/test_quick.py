from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import Qwen3VLForConditionalGeneration

from services.trainer.grpo.quick import QuickTrainer, as_patches, with_advantage
from services.trainer.grpo.rollouts import Choosing, Prompt, answers
from services.trainer.sft.models import Start, load_model
from services.trainer.sft.processor import PictureProcessor
from services.trainer.sketchbook.agents.model import patches
from services.trainer.sketchbook.renderer import render
from services.trainer.sketchbook.world import Background, Scene

_ENDS = frozenset({-1})
_TEXTS = ("Plan: add a red ball\nUsed: add a red ball", "Plan: make it night\nUsed: night")


@pytest.fixture(scope="module")
def loaded() -> tuple[Qwen3VLForConditionalGeneration, PictureProcessor]:
    """The committed critic."""
    model, processor = load_model(Start("models/sketchbook/critic"))
    return model.eval(), processor


def _inputs(processor: PictureProcessor) -> dict[str, Any]:
    untyped: Any = processor
    pictures = [render(Scene(Background(name, "day"))) for name in ("meadow", "beach")]
    mark = "<|vision_start|><|image_pad|><|vision_end|>"
    texts = [f"<|im_start|>user\n{mark}{mark}{text}<|im_end|>\n" for text in _TEXTS]
    return dict(
        untyped(
            text=texts, images=[pictures, pictures[::-1]], padding=True, padding_side="left",
            return_tensors="pt", add_special_tokens=False,
        )
    )  # fmt: skip


def _prompts(inputs: dict[str, Any]) -> list[Prompt]:
    patched = as_patches(inputs["pixel_values"]).split(2)
    masks = inputs["attention_mask"].bool()
    return [
        Prompt(ids[mask].tolist(), seen)
        for ids, mask, seen in zip(inputs["input_ids"], masks, patched, strict=True)
    ]


def test_answers_are_those_of_the_general_loop(
    loaded: tuple[Qwen3VLForConditionalGeneration, PictureProcessor],
) -> None:
    model, processor = loaded
    inputs = _inputs(processor)

    made = answers(model, _prompts(inputs), Choosing(24, _ENDS), copies=2)

    with torch.no_grad():
        general_model: Any = model
        whole = general_model.generate(
            **inputs, max_new_tokens=24, min_new_tokens=24, do_sample=False
        )
    general = whole[:, inputs["input_ids"].shape[1] :].tolist()
    end = processor.tokenizer.eos_token_id
    for row, reply in enumerate(general):
        until = reply.index(end) if end in reply else len(reply)
        assert made[2 * row][:until] == reply[:until]
        assert made[2 * row] == made[2 * row + 1]


def test_an_answer_ends_with_its_end_mark_while_others_go_on(
    loaded: tuple[Qwen3VLForConditionalGeneration, PictureProcessor],
) -> None:
    model, processor = loaded
    prompts = _prompts(_inputs(processor))
    first = answers(model, prompts, Choosing(12, _ENDS))
    end = first[0][3]

    made = answers(model, prompts, Choosing(12, frozenset({end})))

    assert made[0] == first[0][: first[0].index(end) + 1]
    assert made[1][: len(first[1])] == first[1][: len(made[1])]


def test_warm_answers_differ_and_can_be_repeated(
    loaded: tuple[Qwen3VLForConditionalGeneration, PictureProcessor],
) -> None:
    model, processor = loaded
    prompts = _prompts(_inputs(processor))

    def warm() -> list[list[int]]:
        noise = torch.Generator().manual_seed(3)
        return answers(model, prompts, Choosing(16, _ENDS, 2.0, noise), copies=4)

    found = warm()
    assert len({tuple(each) for each in found[:4]}) > 1
    assert found == warm()


def test_processor_rows_are_the_worlds_patches() -> None:
    _, processor = load_model(Start("models/sketchbook/critic"))
    picture = render(Scene(Background("sea", "night")))

    seen = processor.image_processor([picture], return_tensors="pt")["pixel_values"]

    assert torch.allclose(as_patches(seen), patches(picture[None]), atol=1e-5)


def test_log_probabilities_are_those_of_the_stock_model(
    loaded: tuple[Qwen3VLForConditionalGeneration, PictureProcessor],
) -> None:
    model, processor = loaded
    inputs = _inputs(processor)
    keep = 4
    given = {name: inputs[name] for name in ("pixel_values", "image_grid_thw", "mm_token_type_ids")}

    self = SimpleNamespace(temperature=1.0)
    with torch.no_grad():
        logs, spread, _ = QuickTrainer._get_per_token_logps_and_entropies(
            self,  # type: ignore[arg-type]
            model, inputs["input_ids"], inputs["attention_mask"], keep, compute_entropy=True,
            **given,
        )  # fmt: skip
        stock = model(**inputs).logits[:, -keep - 1 : -1].log_softmax(-1)

    wanted = stock.gather(-1, inputs["input_ids"][:, -keep:, None])[..., 0]
    assert torch.allclose(logs, wanted, atol=1e-4)
    assert spread is not None
    assert torch.allclose(spread, -(stock.exp() * stock).sum(-1), atol=1e-4)


def _batch(advantages: list[float]) -> dict[str, Any]:
    n = len(advantages)
    rows = torch.arange(n)[:, None]
    return {
        "prompt_ids": rows + torch.arange(5),
        "prompt_mask": torch.tensor([[0, 0, 1, 1, 1]] * (n - 1) + [[1] * 5]),
        "completion_ids": rows + torch.arange(4),
        "completion_mask": torch.tensor([[1, 1, 0, 0]] * (n - 1) + [[1] * 4]),
        "advantages": torch.tensor(advantages),
        "mm_token_type_ids": torch.zeros(n, 9, dtype=torch.int),
        "pixel_values": torch.arange(n * 2).repeat_interleave(64)[:, None].float(),
        "image_grid_thw": torch.tensor([[1, 8, 8]] * 2 * n),
        "num_images": [2] * n,
        "num_items_in_batch": 7,
    }


def test_only_replies_with_an_advantage_are_learned_from_and_padding_goes() -> None:
    taught, share = with_advantage(_batch([0.0, 1.5, -1.5, 0.0]))

    assert share == pytest.approx(0.5)
    assert taught["advantages"].tolist() == [1.5, -1.5]
    assert taught["prompt_ids"].tolist() == [[3, 4, 5], [4, 5, 6]]
    assert taught["completion_ids"].tolist() == [[1, 2], [2, 3]]
    assert taught["pixel_values"][::64, 0].tolist() == [2, 3, 4, 5]
    assert taught["num_images"] == [2, 2]
    assert taught["mm_token_type_ids"].shape == (2, 5)
    assert taught["num_items_in_batch"] == 7


def test_a_batch_that_teaches_nothing_still_has_a_loss_of_nothing() -> None:
    taught, share = with_advantage(_batch([0.0, 0.0]))

    assert taught["advantages"].tolist() == [0.0]
    assert share == pytest.approx(0.5)
