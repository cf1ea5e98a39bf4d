"""The five requests, and the page that shows them together."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from services.launcher.demo import demo_jobs, write_overview
from services.launcher.run import Outcome
from services.launcher.views import ImageView, RequestView, StepView, TrajectoryView

IMAGE = ImageView(id="pic_1", url="/v1/files/pic_1", sha256="0" * 64)


def test_there_is_one_request_of_each_kind_with_its_pictures() -> None:
    jobs = demo_jobs(Path("out"))
    kinds = ["narrative", "guidance", "manipulation", "annotation", "continuation"]
    assert [job.name for job in jobs] == kinds
    for job in jobs:
        assert job.order.prompt.count("<image>") == len(job.order.images)
        for path in job.order.images:
            with Image.open(path) as picture:
                assert picture.size == (128, 128)


def finished(prompt: str, *, given: int, steps: tuple[StepView, ...]) -> TrajectoryView:
    return TrajectoryView(
        id="trj_1",
        status="succeeded",
        final=True,
        sequence=9,
        request=RequestView(prompt=prompt, images=(IMAGE,) * given),
        steps=steps,
    )


def test_the_page_shows_pictures_with_their_texts_and_how_they_came_to_be(tmp_path: Path) -> None:
    narrative, _, _, annotation, _ = demo_jobs(tmp_path)
    drawn = StepView(step_number=1, text="A <boat>.", status="accepted", chosen=2, image=IMAGE)
    kept = StepView(step_number=2, text="Night.", status="kept", chosen=3, image=IMAGE)
    told = StepView(step_number=1, text="A beach by day.", status="text")
    outcomes = [
        Outcome(narrative, finished("x", given=0, steps=(drawn, kept))),
        Outcome(annotation, finished("x", given=1, steps=(told,))),
    ]
    write_overview(outcomes, tmp_path / "index.html")
    page = (tmp_path / "index.html").read_text()
    assert 'src="1-narrative/images/step-01.png"' in page
    assert "A &lt;boat&gt;. <small>accepted at attempt 2</small>" in page
    assert "not accepted; the best attempt is shown" in page
    assert 'src="4-annotation/images/input-01.png" alt="A beach by day."' in page
    assert ">given<" not in page
