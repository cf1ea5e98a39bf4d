"""Leases: who carries out a command right now, and how often it has been begun.

A lease that is not renewed ends by itself, so a killed worker gives its commands free. The
number of executions tells a command that kills its workers from one that had bad luck.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from shared.contracts.trajectories import Trajectory
from shared.stores import redis_keys as keys
from shared.stores.redis_errors import store_errors

if TYPE_CHECKING:
    from redis import Redis

_COUNTS_KEPT_S = 7 * 24 * 3600

_ACQUIRE = """
-- Take the lease if nobody has it; count the execution; forget that it was re-sent; read on.
-- KEYS: lease, executions, resends, record
-- ARGV: token, ttl in ms, command id, how long to keep counts
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return {} end
redis.call('HDEL', KEYS[3], ARGV[3])
local count = redis.call('HINCRBY', KEYS[2], ARGV[3], 1)
redis.call('EXPIRE', KEYS[2], ARGV[4])
local deaths = tonumber(redis.call('HGET', KEYS[2], ARGV[3] .. ':deaths') or '0')
return {count, redis.call('HGET', KEYS[4], 'body'), deaths}
"""
_RENEW = """
-- A lease that ran out while the server was away is taken back, unless somebody else has it.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_RELEASE = """
-- KEYS: lease, executions   ARGV: token, command id, '1' not to count this execution
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[3] == '1' then redis.call('HINCRBY', KEYS[2], ARGV[2], -1) end
return redis.call('DEL', KEYS[1])
"""
_RESEND = """
-- Whether a command without a lease may be sent again now; the pause doubles each time.
-- KEYS: lease, resends   ARGV: command id, now in s, first pause in s, longest pause in s, keep
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local times, pause_ends = 0, 0
local known = redis.call('HGET', KEYS[2], ARGV[1])
if known then
  local colon = string.find(known, ':')
  times = tonumber(string.sub(known, 1, colon - 1))
  pause_ends = tonumber(string.sub(known, colon + 1))
end
local now = tonumber(ARGV[2])
if now < pause_ends then return 0 end
local pause = math.min(tonumber(ARGV[3]) * 2 ^ times, tonumber(ARGV[4]))
redis.call('HSET', KEYS[2], ARGV[1], (times + 1) .. ':' .. string.format('%.3f', now + pause))
redis.call('EXPIRE', KEYS[2], ARGV[5])
return 1
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """A held lease."""

    token: str
    execution: int
    """How often this command has been begun, this time too."""
    trajectory: Trajectory | None
    """The record as it was when the lease was taken, read in the same step."""
    deaths: int = 0
    """How often a process that did nothing else ended with it."""


class Leases(Protocol):
    """Synchronous and thread safe; raises ``StoreUnavailableError`` like every store."""

    def acquire(self, trajectory_id: str, command_id: str, *, ttl_s: float) -> Lease | None:
        """Take the lease and count the execution; None if somebody has it."""
        ...

    def renew(self, trajectory_id: str, command_id: str, *, token: str, ttl_s: float) -> bool:
        """Prolong a lease, or take it back; False if somebody else has it."""
        ...

    def release(
        self, trajectory_id: str, command_id: str, *, token: str, counts: bool = True
    ) -> None:
        """Give the lease free if it is still ours.

        ``counts`` False takes the execution back: it was handed over, not ended by itself.
        """
        ...

    def note_death(self, trajectory_id: str, command_id: str) -> None:
        """Count that the process which carried out this command, and nothing else, ended."""
        ...

    def alive(self, trajectory_id: str, command_ids: Sequence[str]) -> set[str]:
        """Which of these commands are being carried out."""
        ...

    def may_resend(
        self, trajectory_id: str, command_id: str, *, now_s: float, pause_s: float
    ) -> bool:
        """Whether to send a command again: nobody runs it, and the last time is long enough ago.

        The pause starts with ``pause_s`` and doubles with every time until the command is
        taken up, so that a long queue is not flooded with copies.
        """
        ...


class RedisLeases:
    """``Leases`` on Redis."""

    longest_pause_s = 300.0

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._acquire = redis.register_script(_ACQUIRE)
        self._renew = redis.register_script(_RENEW)
        self._release = redis.register_script(_RELEASE)
        self._resend = redis.register_script(_RESEND)

    def acquire(self, trajectory_id: str, command_id: str, *, ttl_s: float) -> Lease | None:
        """See ``Leases.acquire``."""
        token = secrets.token_hex(8)
        names = [
            keys.lease(trajectory_id, command_id),
            keys.executions(trajectory_id),
            keys.resends(trajectory_id),
            keys.record(trajectory_id),
        ]
        arguments = [token, round(ttl_s * 1000), command_id, _COUNTS_KEPT_S]
        with store_errors():
            taken = cast("list[int | bytes | None]", self._acquire(names, arguments))
        if not taken:
            return None
        count, body, deaths = cast("tuple[int, bytes | None, int]", tuple(taken))
        record = None if body is None else Trajectory.model_validate_json(body)
        return Lease(token, count, record, deaths)

    def renew(self, trajectory_id: str, command_id: str, *, token: str, ttl_s: float) -> bool:
        """See ``Leases.renew``."""
        name = keys.lease(trajectory_id, command_id)
        with store_errors():
            return bool(self._renew([name], [token, round(ttl_s * 1000)]))

    def release(
        self, trajectory_id: str, command_id: str, *, token: str, counts: bool = True
    ) -> None:
        """See ``Leases.release``."""
        names = [keys.lease(trajectory_id, command_id), keys.executions(trajectory_id)]
        with store_errors():
            self._release(names, [token, command_id, "0" if counts else "1"])

    def note_death(self, trajectory_id: str, command_id: str) -> None:
        """See ``Leases.note_death``."""
        name = keys.executions(trajectory_id)
        with store_errors(), self._redis.pipeline(transaction=True) as pipe:
            pipe.hincrby(name, f"{command_id}:deaths", 1)
            pipe.expire(name, _COUNTS_KEPT_S)
            pipe.execute()

    def alive(self, trajectory_id: str, command_ids: Sequence[str]) -> set[str]:
        """See ``Leases.alive``."""
        with store_errors(), self._redis.pipeline(transaction=False) as pipe:
            for command_id in command_ids:
                pipe.exists(keys.lease(trajectory_id, command_id))
            answers = pipe.execute()
        return {name for name, alive in zip(command_ids, answers, strict=True) if alive}

    def may_resend(
        self, trajectory_id: str, command_id: str, *, now_s: float, pause_s: float
    ) -> bool:
        """See ``Leases.may_resend``."""
        names = [keys.lease(trajectory_id, command_id), keys.resends(trajectory_id)]
        arguments = [command_id, now_s, pause_s, self.longest_pause_s, _COUNTS_KEPT_S]
        with store_errors():
            return bool(self._resend(names, arguments))
