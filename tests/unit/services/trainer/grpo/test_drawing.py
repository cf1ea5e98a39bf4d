from __future__ import annotations

import pytest

from services.trainer.grpo.drawing import DrawOrder, ServiceDrawer
from shared.clients.transport import CallTimeouts, never_cancelled
from shared.contracts.generation import GenerateTask, Picture
from shared.errors import ServiceUnavailableError
from tests.fakes.drawers import png
from tests.fakes.image_store import MemoryImageStore
from tests.fakes.model_server import Behaviour, serving

TIMEOUTS = CallTimeouts(connect_s=5, silence_s=30, total_s=30)
ORDER = DrawOrder("a hen", png(1), 32, 32, 7)


def _works(store: MemoryImageStore) -> Behaviour:
    drawn = store.put("drawn", png(9), width_px=32, height_px=32)
    return Behaviour(lines=(Picture(image=drawn).model_dump_json(),))


def test_the_source_goes_through_the_store_and_the_picture_comes_back() -> None:
    store = MemoryImageStore()
    works = _works(store)
    with serving(works) as url:
        drawn = ServiceDrawer([url], store, TIMEOUTS).draw(ORDER, never_cancelled)

    task = GenerateTask.model_validate_json(works.bodies[0])
    assert drawn == png(9)
    assert store.get(task.references[0]) == ORDER.source
    assert (task.prompt, task.seed, task.width_px) == ("a hen", 7, 32)


def test_a_replica_that_is_down_is_passed_over() -> None:
    store = MemoryImageStore()
    works, down = _works(store), Behaviour(status=503, lines=("{}",))
    with serving(works) as good, serving(down) as bad:
        drawer = ServiceDrawer([bad, good], store, TIMEOUTS)
        found = [drawer.draw(ORDER, never_cancelled) for _ in range(4)]

    assert found == [png(9)] * 4
    assert len(down.bodies) <= 1  # asked once, then left alone
    assert len(works.bodies) == 4


def test_no_replica_at_all_is_told() -> None:
    down = Behaviour(status=503, lines=("{}",))
    with serving(down) as one, pytest.raises(ServiceUnavailableError):
        ServiceDrawer([one, one], MemoryImageStore(), TIMEOUTS).draw(ORDER, never_cancelled)


def test_orders_are_told_apart_by_everything_that_matters() -> None:
    other = [
        DrawOrder("a cat", png(1), 32, 32, 7),
        DrawOrder("a hen", None, 32, 32, 7),
        DrawOrder("a hen", png(2), 32, 32, 7),
        DrawOrder("a hen", png(1), 32, 32, 8),
    ]

    assert len({ORDER.name, *(order.name for order in other)}) == 5
