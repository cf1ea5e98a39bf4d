"""The five requests of ``interleave demo``, and the page that shows their results together."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from pathlib import Path

from services.launcher.api import Order
from services.launcher.run import Job, Outcome
from services.launcher.views import StepView, TrajectoryView
from services.launcher.write_out import input_file, step_file

EXAMPLES = Path(__file__).parent / "examples"
SEED = 7

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Interleave: five requests</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
 body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
        color: #222; background: #fbfaf7; }}
 section {{ margin: 2.5rem 0; }}
 h2 {{ margin: 0 0 .2rem; font-size: 1.1rem; text-transform: capitalize; }}
 .row {{ display: flex; flex-wrap: wrap; gap: 1rem; margin-top: .8rem; }}
 figure {{ margin: 0; width: 192px; }}
 img {{ width: 192px; border-radius: 8px; box-shadow: 0 1px 4px #0003; }}
 figcaption {{ font-size: .85rem; color: #555; }}
 small {{ display: block; color: #986; }}
 .given img {{ outline: 3px solid #bbb; outline-offset: 2px; }}
</style>
<h1>Five requests, planned, drawn and judged</h1>
{sections}
</html>
"""


def demo_jobs(out: Path) -> list[Job]:
    """One job of each kind: narrative, guidance, manipulation, annotation, continuation."""
    orders = {
        "narrative": Order("Tell the story of a boat from morning to night in four pictures."),
        "guidance": Order("How do I draw a village step by step?"),
        "manipulation": Order(
            "Look at this picture: <image> Let the hen and the green house change places.",
            images=_given("manipulation", 1),
        ),
        "annotation": Order(
            "Describe each picture in one sentence: <image> <image> <image>",
            images=_given("annotation", 3),
        ),
        "continuation": Order(
            "This is how it begins: <image> Show the rest as the flower grows.",
            images=_given("continuation", 1),
        ),
    }
    return [
        Job(name, _seeded(order), folder=out / f"{index}-{name}")
        for index, (name, order) in enumerate(orders.items(), start=1)
    ]


def _given(kind: str, count: int) -> tuple[Path, ...]:
    return tuple(EXAMPLES / f"{kind}-{number}.png" for number in range(1, count + 1))


def _seeded(order: Order) -> Order:
    return Order(order.prompt, images=order.images, seed=SEED)


def write_overview(outcomes: Sequence[Outcome], file: Path) -> None:
    """One page with all results side by side."""
    sections = "\n".join(_section(outcome, file.parent) for outcome in outcomes)
    file.write_text(_PAGE.format(sections=sections), encoding="utf-8")


def _section(outcome: Outcome, out: Path) -> str:
    job = outcome.job
    folder = str(job.folder.relative_to(out))
    figures = "".join(_figures(outcome.trajectory, folder))
    request = " ".join(job.order.prompt.replace("<image>", "").split())
    return (
        f'<section><h2><a href="{folder}/index.html">{html.escape(job.name)}</a></h2>\n'
        f"<p>{html.escape(request)}</p>\n"
        f'<div class="row">{figures}</div></section>'
    )


def _figures(trajectory: TrajectoryView, folder: str) -> Iterator[str]:
    """The pictures in order; texts about given pictures stand under these."""
    given = [f"{folder}/{input_file(n)}" for n, _ in enumerate(trajectory.request.images, start=1)]
    steps = trajectory.steps
    if given and len(steps) == len(given) and not any(step.image for step in steps):
        for path, step in zip(given, steps, strict=True):
            yield _figure(path, step.text, given=True)
        return
    for path in given:
        yield _figure(path, "given", given=True)
    for step in steps:
        path = f"{folder}/{step_file(step.step_number)}" if step.image else None
        yield _figure(path, step.text, note=_note(step))


def _note(step: StepView) -> str:
    """How the picture came to be, where that is worth telling."""
    if step.status == "kept":
        return "not accepted; the best attempt is shown"
    return f"accepted at attempt {step.chosen}" if (step.chosen or 1) > 1 else ""


def _figure(image: str | None, text: str, *, given: bool = False, note: str = "") -> str:
    picture = f'<img src="{image}" alt="{html.escape(text)}">' if image else ""
    kind = ' class="given"' if given else ""
    remark = f"<small>{html.escape(note)}</small>" if note else ""
    caption = f"<figcaption>{html.escape(text)} {remark}</figcaption>"
    return f"<figure{kind}>{picture}{caption}</figure>"
