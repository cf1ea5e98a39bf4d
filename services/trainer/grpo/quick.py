"""TRL's GRPO at the pace that models of Sketchbook's size allow on a CPU.

Same loss, less work: answers come from ``rollouts``, and what cannot teach anything is not run
through the model (groups whose replies all got the same reward have no advantage, and without a
KL term no gradient). Not here: settings and data (``training``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional
from trl import GRPOTrainer

from services.trainer.grpo.rollouts import Choosing, Prompt, answers
from services.trainer.sketchbook.agents.model import GRID_PATCHES

_PATCHES = GRID_PATCHES**2
_PER_ROW = ("prompt_ids", "prompt_mask", "completion_ids", "completion_mask", "advantages")


class QuickTrainer(GRPOTrainer):
    """One process, CPU, pictures of the world's size, no KL term."""

    def _generate_single_turn(
        self,
        prompt_ids: Sequence[Sequence[int]],
        images: Any,  # noqa: ANN401, ARG002 - the base's signature
        multimodal_fields: dict[str, Any],
        num_generations: int,  # noqa: ARG002
        has_tool_images: bool = False,  # noqa: ARG002, FBT001, FBT002
    ) -> tuple[list[list[int]], None]:
        patched = as_patches(multimodal_fields["pixel_values"]).split(
            len(multimodal_fields["image_grid_thw"]) // len(prompt_ids)
        )
        copies = self.num_generations
        prompts = [Prompt(prompt_ids[at], patched[at]) for at in range(0, len(prompt_ids), copies)]
        model: Any = self.accelerator.unwrap_model(self.model_wrapped)
        was_training = model.training
        model.eval()
        choosing = Choosing(
            self.max_completion_length, frozenset(self.eos_token_ids), self.temperature
        )
        made = answers(model, prompts, choosing, copies=copies)
        model.train(was_training)
        return made, None

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Tensor:  # noqa: ANN401
        taught, share = with_advantage(inputs)
        return super()._compute_loss(model, taught) * share

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,  # noqa: ANN401
        input_ids: Tensor,
        attention_mask: Tensor,
        logits_to_keep: int,
        compute_entropy: bool = False,  # noqa: FBT001, FBT002 - the base's signature
        **seen: Any,  # noqa: ANN401
    ) -> tuple[Tensor, Tensor | None, None]:
        given = {
            name: seen[name]
            for name in ("pixel_values", "image_grid_thw", "mm_token_type_ids")
            if seen.get(name) is not None
        }
        hidden = model.model(
            input_ids=input_ids, attention_mask=attention_mask, use_cache=False, **given
        ).last_hidden_state[:, -logits_to_keep - 1 : -1]
        said = attention_mask[:, -logits_to_keep:].bool()
        logs = functional.log_softmax(model.lm_head(hidden[said]) / self.temperature, dim=-1)
        chosen = logs.gather(-1, input_ids[:, -logits_to_keep:][said][:, None])[:, 0]
        spread = -(logs.detach().exp() * logs.detach()).sum(-1) if compute_entropy else None
        empty = torch.zeros(said.shape)
        return (
            empty.masked_scatter(said, chosen),
            None if spread is None else empty.masked_scatter(said, spread),
            None,
        )


def as_patches(pixels: npt.ArrayLike) -> Tensor:
    """The image processor's rows as (pictures, 64, 768): every picture comes twice, for time."""
    rows = torch.from_numpy(np.asarray(pixels, dtype=np.float32))
    return rows.view(-1, _PATCHES, 3, 2, rows.shape[-1] // 6)[:, :, :, 0].flatten(2)


def with_advantage(inputs: dict[str, Any]) -> tuple[dict[str, Any], float]:
    """The replies that teach something without their common padding, and which share they are."""
    rows = inputs["advantages"].nonzero().flatten()
    rows = rows if len(rows) else torch.zeros(1, dtype=torch.long)
    kept = {name: inputs[name][rows] for name in _PER_ROW}
    before = kept["prompt_mask"].any(0)
    after = kept["completion_mask"].any(0)
    for name, columns in (("prompt", before), ("completion", after)):
        for kind in ("ids", "mask"):
            kept[f"{name}_{kind}"] = kept[f"{name}_{kind}"][:, columns]
    each = len(inputs["image_grid_thw"]) // len(inputs["advantages"])
    images = (rows[:, None] * each + torch.arange(each)).flatten()
    pixels = inputs["pixel_values"]
    kept["pixel_values"] = pixels.view(-1, _PATCHES, pixels.shape[-1])[images].flatten(0, 1)
    kept["image_grid_thw"] = inputs["image_grid_thw"][images]
    kept["num_images"] = [each] * len(rows)
    kinds = inputs["mm_token_type_ids"][rows]
    kept["mm_token_type_ids"] = kinds[:, torch.cat([before, after])]
    others = {name: value for name, value in inputs.items() if name not in kept}
    return {**others, **kept}, len(rows) / len(inputs["advantages"])
