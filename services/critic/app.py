"""Builds and wires the critic service: ``uvicorn --factory services.critic.app:make_app``."""

from __future__ import annotations

from fastapi import FastAPI

from services.critic.routes import critic_router
from services.critic.service import CriticOptions, CriticService
from services.critic.settings import CriticSettings
from shared.http.agent_app import make_agent_app
from shared.llm.agents import late_engine, model_version
from shared.prompts.pack import load_pack
from shared.stores.s3_images import S3ImageStore

TITLE = "Interleave critic"


def make_app() -> FastAPI:
    """The service as the environment describes it."""
    settings = CriticSettings()
    engine = late_engine(settings)
    store = S3ImageStore(settings.storage)
    options = CriticOptions(
        reasks=settings.reasks,
        reask_temperature=settings.reask_temperature,
        model_version=model_version(settings),
    )
    service = CriticService(engine, load_pack(settings.pack), store=store, options=options)
    router = critic_router(service)
    return make_agent_app(TITLE, router, engine=engine, store=store, settings=settings)
