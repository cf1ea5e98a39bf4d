"""The result as one self-contained page: pictures inside, no scripts, good on paper too."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from services.gateway.documents.material import Material
from shared.contracts.trajectories import Attempt, Status, StepState, StepStatus

_STATUS_WORDS = {
    Status.SUCCEEDED: "Complete",
    Status.PARTIALLY_SUCCEEDED: "Partly complete",
    Status.FAILED: "Failed",
    Status.CANCELLED: "Cancelled",
    Status.EXPIRED: "Out of time",
}


def html(material: Material) -> str:
    """The page; attempts and verdicts are there, folded away."""
    trajectory = material.trajectory
    return _template().render(
        material=material,
        trajectory=trajectory,
        request=trajectory.request,
        status=_STATUS_WORDS.get(trajectory.status, "In progress"),
        calls=trajectory.usage.generator_calls,
        history=_history,
        kept=StepStatus.KEPT,
        failed=StepStatus.FAILED,
    )


def _history(step: StepState) -> list[Attempt]:
    """The attempts worth telling about: all that were drawn or refused for this step."""
    told = (a for a in step.attempts if not a.speculative)
    return [a for a in told if a.image is not None or a.problem is not None]


@cache
def _template() -> Template:
    # Everything in a page comes from callers or models, so all of it is escaped.
    loader = PackageLoader("services.gateway", "documents")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    environment.trim_blocks = environment.lstrip_blocks = True
    return environment.get_template("document.html.jinja")
