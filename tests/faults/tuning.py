"""Other settings for some processes, as long as a scenario needs them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from tests.faults.scenarios.load import until
from tests.faults.world import World

_READY_S = 60.0


@asynccontextmanager
async def tuned(
    world: World, settings: Mapping[str, str], names: Sequence[str]
) -> AsyncGenerator[None]:
    """These processes run with these variables besides, for the length of the block."""
    before = {name: world.crew[name].spec for name in names}
    for name, spec in before.items():
        prefix = "GATEWAY_" if name == "gateway" else "ORCHESTRATOR_"
        own = {key: value for key, value in settings.items() if key.startswith(prefix)}
        world.crew[name].spec = replace(spec, environment={**spec.environment, **own})
    await _restart(world, names)
    try:
        yield
    finally:
        for name, spec in before.items():
            world.crew[name].spec = spec
        await _restart(world, names)


async def _restart(world: World, names: Sequence[str]) -> None:
    """Kill them; whoever tends the crew starts them again."""
    for name in names:
        member = world.crew[name]
        starts = member.starts
        member.kill()
        await until(lambda member=member, starts=starts: member.starts > starts, within_s=_READY_S)
    for name in names:
        ready = world.crew[name].spec.ready
        for _ in range(int(_READY_S)):
            if await asyncio.to_thread(ready):
                break
            await asyncio.sleep(0.2)
