from __future__ import annotations

import json

from services.trainer.data import formats
from services.trainer.data.critic_rows import cut
from services.trainer.data.filters import Thresholds
from services.trainer.data.planner_rows import PlannerRow
from services.trainer.data.verl_reward import compute_score, compute_scores
from shared.prompts.pack import load_pack
from shared.prompts.planner import parse_plan
from tests.unit.services.trainer.data.trajectories import (
    FIRST,
    PROMPT,
    SCORES,
    SECOND,
    TRAJECTORY,
)

PACK = load_pack("sketchbook")
ROW = cut([TRAJECTORY], {"p": PROMPT}, SCORES, Thresholds(balance=False)).rl[0]
IMAGES = ["images/white.png", "images/1.png"]
ASKED = "Plan: draw a hen\nUsed: draw a hen"


def test_trl_gets_bare_image_parts_and_a_completion() -> None:
    question = formats.critic_question(ROW, PACK)
    row = formats.trl_row(question, ROW.reply, IMAGES, **formats.critic_facts(ROW))

    assert row["prompt"] == [
        {"role": "system", "content": [{"type": "text", "text": "Judge."}]},
        {
            "role": "user",
            "content": [{"type": "image"}, {"type": "image"}, {"type": "text", "text": ASKED}],
        },
    ]
    answer = [{"type": "text", "text": ROW.reply}]
    assert row["completion"] == [{"role": "assistant", "content": answer}]
    assert (row["images"], row["truth"], row["first"], row["semantics"]) == (
        IMAGES, False, True, 4,
    )  # fmt: skip


def test_sharegpt_has_marks_in_the_text_and_the_system_apart() -> None:
    question = formats.critic_question(ROW, PACK)

    assert formats.sharegpt_row(question, "yes", IMAGES) == {
        "conversations": [
            {"from": "human", "value": f"<image><image>{ASKED}"},
            {"from": "gpt", "value": "yes"},
        ],
        "images": IMAGES,
        "system": "Judge.",
    }


def test_easyr1_and_verl_rows_carry_what_the_rewards_need() -> None:
    question, facts = formats.critic_question(ROW, PACK), formats.critic_facts(ROW)
    easy, verl = (make(question, IMAGES, facts) for make in (formats.easyr1_row, formats.verl_row))

    assert str(easy["problem"]).count("<image>") == len(IMAGES)
    assert easy["answer"] == facts
    assert verl["reward_model"] == {"style": "rule", "ground_truth": facts}
    assert verl["images"] == [{"image": image} for image in IMAGES]


def test_the_exported_reward_is_the_released_form() -> None:
    facts = formats.critic_facts(ROW)  # truth false, marks 4 and 4

    right = compute_score("", ROW.reply, facts)
    redrawn = compute_score("", ROW.reply, json.dumps(facts), {"new_marks": (10, 10)})

    # 0.5 + 0.5 (0.2 + 0.6 x 0.5 + 0.2 x 0.5); then S = Q = (6 / 10 + 1) / 2 = 0.8
    assert round(right, 6) == 0.8
    assert round(redrawn, 6) == 0.92
    assert compute_score("", "rubbish", facts) == 0.2  # 0.5 (0 + 0.3 + 0.1)


def test_easyr1_takes_the_same_reward_for_a_batch_with_its_parts() -> None:
    facts = formats.critic_facts(ROW)
    asked = [{"response": each, "ground_truth": facts} for each in (ROW.reply, "rubbish")]

    right, rubbish = compute_scores(asked)

    assert right == {"overall": compute_score("", ROW.reply, facts), "format": 1, "accuracy": 1}
    assert rubbish == {"overall": compute_score("", "rubbish", facts), "format": 0, "accuracy": 0}


def test_planner_rows_put_pictures_where_their_marks_are() -> None:
    row = PlannerRow("i", "p", "c", "cut", "So: <image> go on", ("a.png",), (SECOND.plan,), "1.")

    question = formats.structured(formats.planner_question(row, PACK))
    steps = parse_plan(row.reply)

    assert question[1]["content"] == [
        {"type": "text", "text": "So: "},
        {"type": "image"},
        {"type": "text", "text": " go on"},
    ]
    assert steps == (SECOND.plan,)


def test_reflection_shows_failed_attempts_and_plain_sequences_do_not() -> None:
    names = {f"images/{n}.png": f"{n}.png" for n in ("1_1", "1_2", "2_1")}
    kinds = {
        reflection: [
            (part.get("kind"), part.get("text") or part.get("image"))
            for part in formats.sequence("Show.", (), (FIRST,), names, reflection=reflection)
        ]
        for reflection in (False, True)
    }

    assert kinds[False] == [(None, "Show."), ("step", "A hen."), ("picture", "1_2.png")]
    assert kinds[True] == [
        (None, "Show."),
        ("step", "A hen."),
        ("prompt", "draw a hen"),
        ("attempt", "1_1.png"),
        ("reflection", "two hens. Not accepted."),
        ("prompt", "draw one hen"),
        ("attempt", "1_2.png"),
        ("reflection", "fine. Accepted."),
    ]
