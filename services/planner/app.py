"""Builds and wires the planner service: ``uvicorn --factory services.planner.app:make_app``."""

from __future__ import annotations

from fastapi import FastAPI

from services.planner.routes import planner_router
from services.planner.service import PlannerOptions, PlannerService
from services.planner.settings import PlannerSettings, ReaskStyle
from shared.http.agent_app import make_agent_app
from shared.llm.agents import late_engine, model_version
from shared.prompts.pack import load_pack
from shared.stores.s3_images import S3ImageStore

TITLE = "Interleave planner"


def make_app() -> FastAPI:
    """The service as the environment describes it."""
    settings = PlannerSettings()
    engine = late_engine(settings)
    store = S3ImageStore(settings.storage)
    options = PlannerOptions(
        reasks=settings.reasks,
        explains=settings.reask_style is ReaskStyle.EXPLAIN,
        reask_temperature=settings.reask_temperature,
        max_images=settings.max_images,
        model_version=model_version(settings),
    )
    service = PlannerService(engine, load_pack(settings.pack), store=store, options=options)
    router = planner_router(service)
    return make_agent_app(TITLE, router, engine=engine, store=store, settings=settings)
