"""Whole requests of the Sketchbook world, with a plan to learn and a goal to reach."""

from __future__ import annotations

from random import Random

from services.trainer.sketchbook.requests import (
    annotation,
    continuation,
    guidance,
    manipulation,
    narrative,
)
from services.trainer.sketchbook.requests.model import (
    IMAGE_MARK,
    PlannedStep,
    SketchRequest,
    Use,
)
from services.trainer.sketchbook.settling import execute
from services.trainer.sketchbook.wording import Split

__all__ = ["IMAGE_MARK", "PlannedStep", "SketchRequest", "Use", "execute", "sample_request"]

_FORMS = {
    Use.NARRATIVE: narrative.FORMS,
    Use.GUIDANCE: guidance.FORMS,
    Use.MANIPULATION: manipulation.FORMS,
    Use.ANNOTATION: annotation.FORMS,
    Use.CONTINUATION: continuation.FORMS,
}
_USE_SHARES = {
    Use.NARRATIVE: 0.3,
    Use.GUIDANCE: 0.22,
    Use.MANIPULATION: 0.18,
    Use.ANNOTATION: 0.1,
    Use.CONTINUATION: 0.2,
}
_IMPLICIT_SHARE = 0.22


def sample_request(
    rng: Random, split: Split, *, use: Use | None = None, implicit: bool | None = None
) -> SketchRequest:
    """One request; annotation is never implicit.

    Args:
        rng: Where all chance comes from.
        split: Training or held-out wordings.
        use: Only this use; by default a mix of all.
        implicit: Only requests that must (not) be puzzled out; by default about a fifth.
    """
    if use is None:
        shares = {u: s for u, s in _USE_SHARES.items() if not (implicit and u is Use.ANNOTATION)}
        (use,) = rng.choices(tuple(shares), tuple(shares.values()))
    if implicit is None:
        implicit = rng.random() < _IMPLICIT_SHARE
    forms, weights = zip(*_FORMS[use], strict=True)
    (form,) = rng.choices(forms, weights)
    return form(rng, split, implicit=implicit)
