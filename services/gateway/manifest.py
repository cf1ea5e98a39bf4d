"""The manifest: all that reproduces a trajectory, as canonical JSON.

The same request, seed and versions give the same bytes. So nothing in it may depend on when,
where or under which id it ran: no ids, times, keys, call counts, speculation or tokens, and of
an early verdict only what it decided.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from shared.contracts.images import ImageRef
from shared.contracts.trajectories import (
    Attempt,
    ForkOrigin,
    StepState,
    Trajectory,
    TrajectoryRequest,
)
from shared.contracts.verdicts import Verdict

FORMAT = "interleave-manifest-1"
Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


def manifest_bytes(trajectory: Trajectory) -> bytes:
    """The manifest of ``trajectory`` as canonical UTF-8 JSON, keys sorted."""
    return _canonical(_manifest(trajectory))


def manifest_sha256(manifest: bytes) -> str:
    """Its fingerprint: equal for equal results."""
    return hashlib.sha256(manifest).hexdigest()


def product_version() -> str:
    """The installed version of this product."""
    try:
        return version("interleave")
    except PackageNotFoundError:
        return "0"


def _manifest(trajectory: Trajectory) -> dict[str, Json]:
    return {
        "format": FORMAT,
        "version": product_version(),
        "status": trajectory.status.value,
        "request": _request(trajectory.request),
        "forked_from": _origin(trajectory.forked_from),
        "planner": {"model": trajectory.planner_model, "version": trajectory.planner_version},
        "plan_revision": trajectory.plan_revision,
        "plan": [step.plan.model_dump(mode="json") for step in trajectory.steps],
        "steps": [_step(step) for step in trajectory.steps],
        "problem": trajectory.problem.code if trajectory.problem else None,
    }


def kept_sha256(trajectory: Trajectory, steps: Sequence[StepState]) -> str:
    """Fingerprint of what a fork keeps of ``trajectory``: its request and these steps."""
    kept: dict[str, Json] = {
        "request": _request(trajectory.request),
        "plan": [step.plan.model_dump(mode="json") for step in steps],
        "steps": [_step(step) for step in steps],
    }
    return hashlib.sha256(_canonical(kept)).hexdigest()


def _origin(origin: ForkOrigin | None) -> dict[str, Json] | None:
    if origin is None:
        return None
    return {
        "step": origin.step,
        "kept_steps": origin.kept_steps,
        "replanned": origin.replanned,
        "sha256": origin.sha256,
    }


def _canonical(document: dict[str, Json]) -> bytes:
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode() + b"\n"


def _request(request: TrajectoryRequest) -> dict[str, Json]:
    return {
        "prompt": request.prompt,
        "images": [_image(ref) for ref in request.images],
        "generator": request.generator,
        "profile": request.profile,
        "settings": request.settings.model_dump(mode="json"),
        "max_steps": request.max_steps,
        "steps": request.steps,
        "width": request.width_px,
        "height": request.height_px,
        "seed": request.seed,
        "max_generator_calls": request.max_generator_calls,
    }


def _step(step: StepState) -> dict[str, Json]:
    # What was drawn ahead and thrown away depends on timing, not on the request.
    attempts = [_attempt(attempt) for attempt in step.attempts if not attempt.speculative]
    return {
        "step_number": step.plan.step_number,
        "status": step.status.value,
        "chosen": step.chosen,
        "attempts": list[Json](attempts),
    }


def _attempt(attempt: Attempt) -> dict[str, Json]:
    return {
        "number": attempt.number,
        "prompt": attempt.prompt,
        "seed": attempt.seed,
        "sources": [ref.sha256 for ref in attempt.sources],
        "image": _image(attempt.image) if attempt.image else None,
        "verdict": _verdict(attempt.verdict) if attempt.verdict else None,
        "problem": attempt.problem.code if attempt.problem else None,
        "model": attempt.model,
        "model_version": attempt.model_version,
    }


def _image(ref: ImageRef) -> dict[str, Json]:
    return {"sha256": ref.sha256, "width": ref.width_px, "height": ref.height_px}


def _verdict(verdict: Verdict) -> dict[str, Json]:
    model: dict[str, Json] = {"model": verdict.model, "model_version": verdict.model_version}
    # A success may have been cut early: how much text came before the cut is chance.
    if verdict.success:
        return {"success": True, **model}
    return {
        "success": False,
        **model,
        "reasoning": verdict.reasoning,
        "refine_prompt": verdict.refine_prompt,
    }
