"""Named settings of the loop: what ``profile`` in a request stands for.

Source of ``paper``: InterleaveThinker's released code (T = 3, seed 1000 x step index on every
retry, last image as reference, critic asked on the last attempt too, last picture kept).
"""

from __future__ import annotations

from enum import StrEnum

from shared.contracts.wire import Wire


class OnExhausted(StrEnum):
    """What happens when no attempt of a step was accepted."""

    KEEP_LAST = "keep_last"
    KEEP_BEST = "keep_best"
    FAIL = "fail"


class References(StrEnum):
    """Which earlier pictures an edit is given."""

    LAST = "last"
    ALL = "all"
    FIRST_AND_LAST = "first_and_last"


class SeedRule(StrEnum):
    """How an attempt's seed is made."""

    PER_ATTEMPT = "per_attempt"
    PAPER = "paper"


class Approval(StrEnum):
    """Whether the plan waits for the caller's consent."""

    NONE = "none"
    PLAN = "plan"


class Speculation(StrEnum):
    """Whether the next step may be drawn while the critic still judges this one."""

    AUTO = "auto"
    OFF = "off"


class Profile(Wire):
    """Settings that a request may override one by one."""

    max_attempts: int
    on_exhausted: OnExhausted
    seed_rule: SeedRule
    references: References = References.LAST
    speculation: Speculation = Speculation.AUTO
    critic: bool = True
    """False: no critic at all, the first picture is taken."""
    critic_on_last_attempt: bool = True
    early_verdict: bool = True


PROFILES: dict[str, Profile] = {
    "default": Profile(
        max_attempts=3, on_exhausted=OnExhausted.KEEP_BEST, seed_rule=SeedRule.PER_ATTEMPT
    ),
    "paper": Profile(
        max_attempts=3,
        on_exhausted=OnExhausted.KEEP_LAST,
        seed_rule=SeedRule.PAPER,
        speculation=Speculation.OFF,
        early_verdict=False,
    ),
    "fast": Profile(
        max_attempts=1,
        on_exhausted=OnExhausted.KEEP_LAST,
        seed_rule=SeedRule.PER_ATTEMPT,
        critic=False,
    ),
    "strict": Profile(
        max_attempts=5, on_exhausted=OnExhausted.FAIL, seed_rule=SeedRule.PER_ATTEMPT
    ),
}
