"""Rows as the training engines read them: TRL, ShareGPT (LLaMA-Factory), EasyR1, verl.

Pure: rows and names of pictures in, JSON objects out. Not here: files (``datasets``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.trainer.benchmarks.records import IMAGE_MARK
from services.trainer.data.critic_rows import CriticRow
from services.trainer.data.planner_rows import PlannerRow
from services.trainer.data.records import StepRecord
from shared.llm.engine import ChatMessage, TextPart
from shared.prompts.pack import PromptPack
from shared.prompts.rendering import render_plan_messages, render_verdict_messages

Json = dict[str, object]


def critic_question(row: CriticRow, pack: PromptPack) -> list[ChatMessage]:
    """What the critic is asked, its two pictures left blank."""
    return render_verdict_messages(pack, row.plan_prompt, row.used_prompt, before=b"", after=b"")


def planner_question(row: PlannerRow, pack: PromptPack) -> list[ChatMessage]:
    """What the planner is asked, its pictures left blank."""
    return render_plan_messages(pack, row.text, [b""] * len(row.images))


def structured(messages: Sequence[ChatMessage]) -> list[Json]:
    """Messages with bare image parts, as TRL and chat templates take them."""
    return [
        {
            "role": message.role,
            "content": [
                {"type": "text", "text": part.text}
                if isinstance(part, TextPart)
                else {"type": "image"}
                for part in message.parts
            ],
        }
        for message in messages
    ]


def flat(message: ChatMessage) -> str:
    """A message as one text with a mark for each picture."""
    return "".join(p.text if isinstance(p, TextPart) else IMAGE_MARK for p in message.parts)


def trl_row(
    messages: Sequence[ChatMessage], reply: str, images: Sequence[str], **more: object
) -> Json:
    """Prompt and completion with pictures, as TRL's SFT takes them; GRPO passes over the reply."""
    answer = [{"role": "assistant", "content": [{"type": "text", "text": reply}]}]
    return {
        "prompt": structured(messages),
        "completion": answer,
        "images": list(images),
        **more,
    }


def critic_facts(row: CriticRow) -> Json:
    """What the rewards need to know of a row."""
    return {
        "id": row.id,
        "category": row.category,
        "attempt": row.attempt,
        "first": row.before is None,
        "plan_prompt": row.plan_prompt,
        "used_prompt": row.used_prompt,
        "truth": row.truth,
        "semantics": row.score.semantics,
        "quality": row.score.quality,
    }


def sharegpt_row(messages: Sequence[ChatMessage], reply: str, images: Sequence[str]) -> Json:
    """A conversation in ShareGPT's form; marks stand where pictures belong."""
    said = {"user": "human", "assistant": "gpt", "system": "system"}
    turns: list[Json] = [{"from": said[m.role], "value": flat(m)} for m in messages]
    row: Json = {
        "conversations": [
            *(turn for turn in turns if turn["from"] != "system"),
            {"from": "gpt", "value": reply},
        ],
        "images": list(images),
    }
    systems = [turn["value"] for turn in turns if turn["from"] == "system"]
    return {**row, "system": systems[0]} if systems else row


def sharegpt_entry(name: str) -> Json:
    """What LLaMA-Factory's ``dataset_info.json`` says of a ShareGPT file."""
    columns = {"messages": "conversations", "images": "images", "system": "system"}
    return {name: {"file_name": "sharegpt.json", "formatting": "sharegpt", "columns": columns}}


def easyr1_row(messages: Sequence[ChatMessage], images: Sequence[str], facts: Json) -> Json:
    """A row of EasyR1: problem with marks, answer for the rewards, pictures."""
    return {
        "problem": "\n".join(flat(message) for message in messages),
        "answer": facts,
        "images": list(images),
    }


def verl_row(messages: Sequence[ChatMessage], images: Sequence[str], facts: Json) -> Json:
    """A row of verl's RL data."""
    return {
        "data_source": "interleave-critic",
        "prompt": [{"role": m.role, "content": flat(m)} for m in messages],
        "images": [{"image": image} for image in images],
        "ability": "judging",
        "reward_model": {"style": "rule", "ground_truth": facts},
        "extra_info": {"id": facts["id"]},
    }


def sequence(
    text: str,
    given: Sequence[str],
    steps: Sequence[StepRecord],
    names: Mapping[str, str],
    *,
    reflection: bool,
) -> list[Json]:
    """A trajectory as one interleaved sequence for unified models.

    With reflection, failed attempts stand in it with what the critic said of them and the prompt
    that was tried next; without it only what counts in the end.
    """
    parts: list[Json] = [{"type": "text", "role": "user", "text": text}]
    for file in given:
        parts.append({"type": "image", "role": "user", "image": names[file]})
    for step in steps:
        parts.append(_said(step.plan.text, "step"))
        if reflection:
            parts += _attempts(step, names)
        elif step.file is not None:
            parts.append(_shown(names[step.file], "picture"))
    return parts


def _attempts(step: StepRecord, names: Mapping[str, str]) -> list[Json]:
    """Every attempt up to the one that counts, that one last."""
    parts: list[Json] = []
    for attempt in step.attempts:
        if attempt.file is None:
            continue
        parts.append(_said(attempt.prompt, "prompt"))
        parts.append(_shown(names[attempt.file], "attempt"))
        if attempt.verdict is not None:
            said = f"{attempt.reasoning} {'Accepted.' if attempt.verdict else 'Not accepted.'}"
            parts.append(_said(said.strip(), "reflection"))
    return parts


def _said(text: str, kind: str) -> Json:
    return {"type": "text", "role": "assistant", "kind": kind, "text": text}


def _shown(image: str, kind: str) -> Json:
    return {"type": "image", "role": "assistant", "kind": kind, "image": image}
