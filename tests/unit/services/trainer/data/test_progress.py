from __future__ import annotations

import io

from rich.console import Console

from services.trainer.data.progress import Lines, Tally, shown


def test_the_time_to_come_is_this_runs_pace() -> None:
    tally = Tally("scores", 100, kept=40, done=20, failed=1, started_s=0.0)

    assert tally.line(60.0) == "scores: 60/100, 1 failed, about 2.0 min to come"


def test_a_log_has_the_beginning_and_the_end_and_a_line_now_and_then() -> None:
    written = io.StringIO()
    with shown("scores", 3, 0, Console(file=written, width=200)) as show:
        for _ in range(3):
            show.step()

    assert written.getvalue().splitlines() == ["scores: 0/3", "scores: 3/3"]


def test_lines_come_when_it_is_time() -> None:
    written = io.StringIO()
    lines = Lines(Console(file=written, width=200), pause_s=0.0)
    for word in ("one", "two"):
        lines(word)

    assert written.getvalue().splitlines() == ["one", "two"]
