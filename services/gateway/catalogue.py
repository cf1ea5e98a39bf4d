"""Which generators can be asked for, and what each can do, as they say themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import anyio

from services.gateway.ports import GeneratorDescriber
from shared.contracts.generation import GeneratorInfo
from shared.contracts.problems import FieldProblem
from shared.errors import InvalidRequestError, ServiceUnavailableError, UpstreamError

FRESH_S = 30.0
_ASK_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class _Known:
    info: GeneratorInfo
    asked_at: float


class GeneratorCatalogue:
    """Descriptions of generators, asked again when older than ``FRESH_S``.

    When a generator does not answer, what it said last still counts: what it can do does not
    change while it is away.
    """

    def __init__(
        self,
        generators: Mapping[str, GeneratorDescriber],
        *,
        default: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._generators = generators
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self.default = default

    @property
    def names(self) -> list[str]:
        """All that can be asked for."""
        return list(self._generators)

    async def describe(self, name: str) -> GeneratorInfo:
        """What generator ``name`` can do.

        Raises:
            InvalidRequestError: there is no such generator; names those that exist.
            ServiceUnavailableError: it has not answered yet.
        """
        if name not in self._generators:
            detail = f"There is no generator `{name}`; there are: {', '.join(self.names)}."
            field = FieldProblem(pointer="/generator", detail=detail)
            raise InvalidRequestError(detail, errors=(field,))
        known = self._known.get(name)
        if known is None or self._clock() - known.asked_at > FRESH_S:
            known = await self._ask(name) or known
        if known is None:
            raise ServiceUnavailableError(f"The generator `{name}` does not answer.")
        return known.info

    async def describe_all(self) -> dict[str, GeneratorInfo | None]:
        """Every generator; None for one that has never answered."""
        found: dict[str, GeneratorInfo | None] = dict.fromkeys(self.names)

        async def describe_one(name: str) -> None:
            try:
                found[name] = await self.describe(name)
            except ServiceUnavailableError:
                return

        async with anyio.create_task_group() as group:
            for name in self.names:
                group.start_soon(describe_one, name)
        return found

    async def _ask(self, name: str) -> _Known | None:
        try:
            with anyio.fail_after(_ASK_TIMEOUT_S):
                info = await self._generators[name].info()
        except (UpstreamError, TimeoutError):
            return None
        self._known[name] = _Known(info, self._clock())
        return self._known[name]
