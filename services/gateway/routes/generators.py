"""What can be asked for, and what a request would take."""

from __future__ import annotations

import anyio
from fastapi import APIRouter

from services.gateway.estimates import Estimate, estimate
from services.gateway.routes.access import KeyedRoute, PartsOf, Reader
from services.gateway.schemas import TrajectoryBody
from services.gateway.views import GeneratorList, GeneratorView, ProfileView
from shared.contracts.profiles import PROFILES

router = APIRouter(prefix="/v1", tags=["generators"], route_class=KeyedRoute)


@router.get("/generators")
async def list_generators(parts: PartsOf, _key: Reader) -> GeneratorList:
    """Every generator with its sizes and abilities, and every profile with its settings."""
    found = await parts.catalogue.describe_all()
    return GeneratorList(
        data=[
            GeneratorView(
                name=name,
                available=info is not None,
                default=name == parts.catalogue.default,
                info=info,
            )
            for name, info in found.items()
        ],
        profiles=[ProfileView(name=name, settings=value) for name, value in PROFILES.items()],
    )


@router.post("/trajectories:estimate")
async def estimate_trajectory(body: TrajectoryBody, parts: PartsOf, _key: Reader) -> Estimate:
    """Calls and seconds to expect; nothing is started, no image is fetched."""
    name = body.generator or parts.catalogue.default
    info = await parts.catalogue.describe(name)
    return await anyio.to_thread.run_sync(
        lambda: estimate(body, name, info, durations=parts.durations)
    )
