"""From a public request body to a ``TrajectoryRequest``: checked, images stored, defaults in.

What a generator or the loaded agents cannot honour is refused here, not ignored later. Cheap
checks come first; no image is fetched for a request that would be refused anyway.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import anyio
import structlog

from services.gateway.catalogue import GeneratorCatalogue
from services.gateway.intake import ImageIntake
from services.gateway.ports import PlanChecker
from services.gateway.schemas import TrajectoryBody
from services.gateway.sizes import check_size, fitting_size
from shared.contracts.generation import GeneratorInfo
from shared.contracts.images import ImageRef
from shared.contracts.plans import PlanCheck
from shared.contracts.problems import FieldProblem
from shared.contracts.profiles import PROFILES, Profile, References
from shared.contracts.trajectories import TrajectoryRequest, WebhookTarget
from shared.errors import InvalidRequestError, OutOfScopeError, UpstreamError
from shared.http.guard import Resolver, UrlPolicy, pin_url, system_resolver
from shared.prompts.rendering import check_image_marks

_PLAN_CHECK_TIMEOUT_S = 3.0
_SEED_BITS = 53
_log = structlog.get_logger(__name__)


def random_seed() -> int:
    """A seed for a request that brings none."""
    return secrets.randbits(_SEED_BITS)


@dataclass(frozen=True, slots=True)
class Admission:
    """Everything a request must pass before it becomes a trajectory."""

    catalogue: GeneratorCatalogue
    intake: ImageIntake
    planner: PlanChecker
    url_policy: UrlPolicy
    max_images: int
    resolver: Resolver = system_resolver
    new_seed: Callable[[], int] = random_seed

    async def admit(self, tenant: str, body: TrajectoryBody) -> TrajectoryRequest:
        """The request as it will be run.

        Raises:
            RequestError: a subclass of it, naming the field at fault where there is one.
            ServiceUnavailableError: the generator has never answered.
        """
        name = body.generator or self.catalogue.default
        self._check_images(body)
        info = await self.catalogue.describe(name)
        settings = resolve_profile(body)
        _check_abilities(body, settings, info)
        if body.webhook is not None:
            await self.check_webhook(body.webhook.url, pointer="/webhook/url")
        await self._check_plannable(body)
        images = await self.intake.resolve_all(tenant, body.images)
        width, height = _size(body, info, images)
        return TrajectoryRequest(
            prompt=body.prompt,
            images=images,
            generator=name,
            profile=body.profile,
            settings=settings,
            max_steps=body.max_steps,
            steps=body.steps,
            width_px=width,
            height_px=height,
            seed=self.new_seed() if body.seed is None else body.seed,
            approval=body.approval,
            deadline_s=body.deadline_s,
            max_generator_calls=body.max_generator_calls,
            webhook=None
            if body.webhook is None
            else WebhookTarget(url=body.webhook.url, events=tuple(body.webhook.events)),
            metadata=body.metadata,
        )

    def _check_images(self, body: TrajectoryBody) -> None:
        if len(body.images) > self.max_images:
            message = f"At most {self.max_images} images; there are {len(body.images)}."
            raise _field_error("/images", message)
        try:
            check_image_marks(body.prompt, len(body.images))
        except InvalidRequestError as error:
            raise _field_error("/prompt", error.detail) from error

    async def check_webhook(self, url: str, *, pointer: str) -> None:
        """Refuse an address that may not be visited; it is checked again at every delivery.

        Raises:
            InvalidRequestError: naming the field at ``pointer``.
        """
        try:
            await anyio.to_thread.run_sync(
                lambda: pin_url(url, self.url_policy, resolver=self.resolver)
            )
        except InvalidRequestError as error:
            raise _field_error(pointer, error.detail) from error

    async def _check_plannable(self, body: TrajectoryBody) -> None:
        """Ask the planner; while it is away the request is taken, and planned when it is back."""
        check = PlanCheck(prompt=body.prompt, image_count=len(body.images))
        try:
            with anyio.fail_after(_PLAN_CHECK_TIMEOUT_S):
                result = await self.planner.check(check)
        except (UpstreamError, TimeoutError):
            _log.warning("plan_check_skipped")
            return
        if result.ok:
            return
        kind = OutOfScopeError if result.code == OutOfScopeError.code else InvalidRequestError
        field = FieldProblem(pointer="/prompt", detail=result.detail)
        raise kind(result.detail, errors=(field,))


def resolve_profile(body: TrajectoryBody) -> Profile:
    """The named profile with the request's own settings over it."""
    overrides = {
        "max_attempts": body.max_attempts,
        "on_exhausted": body.on_exhausted,
        "references": body.references,
        "speculation": body.speculation,
    }
    given = {name: value for name, value in overrides.items() if value is not None}
    return PROFILES[body.profile].model_copy(update=given)


def _check_abilities(body: TrajectoryBody, settings: Profile, info: GeneratorInfo) -> None:
    if not body.images and not info.text_to_image:
        raise _field_error("/images", f"The generator `{info.name}` only edits: give an image.")
    if not info.edits:
        raise _field_error("/generator", f"The generator `{info.name}` cannot edit pictures.")
    if not settings.critic and settings.max_attempts > 1:
        message = f"The profile `{body.profile}` asks no critic, so it has one attempt only."
        raise _field_error("/max_attempts", message)
    if settings.references is not References.LAST and info.max_references <= 1:
        message = f"The generator `{info.name}` takes one reference image: use `last`."
        raise _field_error("/references", message)
    if body.width is not None and body.height is not None:
        check_size(body.width, body.height, info)


def _size(
    body: TrajectoryBody, info: GeneratorInfo, images: tuple[ImageRef, ...]
) -> tuple[int, int]:
    if body.width is not None and body.height is not None:
        return body.width, body.height
    if images and body.profile != "paper":
        return fitting_size(images[-1], info)
    return info.default_width_px, info.default_height_px


def _field_error(pointer: str, detail: str) -> InvalidRequestError:
    return InvalidRequestError(detail, errors=(FieldProblem(pointer=pointer, detail=detail),))
