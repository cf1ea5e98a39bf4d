"""``TrajectoryStore`` on Redis (or Valkey): every save is one Lua script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, cast

from shared.contracts.admission import Lane, Ticket
from shared.contracts.events import HAPPENING, Happening, PublicEvent
from shared.contracts.trajectories import Status, Trajectory
from shared.contracts.webhooks import Delivery
from shared.errors import NotFoundError, VersionConflictError
from shared.stores import redis_keys as keys
from shared.stores.admission_scripts import ADMIT
from shared.stores.redis_errors import store_errors
from shared.stores.trajectories import (
    BATCH_EVERY,
    KEPT_EVENTS,
    Mail,
    Signal,
    page_of,
    parse_cursor,
    place_in_line,
    score_of,
)
from shared.stores.trajectory_scripts import DELETE, POST, SAVE

if TYPE_CHECKING:
    from redis import Redis

_CHUNK = 100


class RedisTrajectoryStore:
    """See ``shared.stores.trajectories.TrajectoryStore``; ``redis`` gives bytes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._save = redis.register_script(SAVE)
        self._post = redis.register_script(POST)
        self._delete = redis.register_script(DELETE)
        self._admit = redis.register_script(ADMIT)

    def create(self, trajectory: Trajectory, *, events: Sequence[PublicEvent]) -> Trajectory:
        """See ``TrajectoryStore.create``."""
        return self.save(trajectory, expected_version=0, events=events)

    def restore(self, trajectory: Trajectory, *, webhooks: Sequence[Delivery] = ()) -> bool:
        """See ``TrajectoryStore.restore``."""
        return self._write(trajectory, expected=0, webhooks=webhooks)

    def save(
        self,
        trajectory: Trajectory,
        *,
        expected_version: int,
        events: Sequence[PublicEvent] = (),
        webhooks: Sequence[Delivery] = (),
        acknowledged: int = 0,
    ) -> Trajectory:
        """See ``TrajectoryStore.save``."""
        saved = trajectory.model_copy(update={"version": expected_version + 1})
        written = self._write(
            saved,
            expected=expected_version,
            events=events,
            webhooks=webhooks,
            acknowledged=acknowledged,
        )
        if not written:
            raise VersionConflictError(f"Trajectory {trajectory.id} was changed meanwhile.")
        return saved

    def load(self, trajectory_id: str) -> Trajectory | None:
        """See ``TrajectoryStore.load``."""
        with store_errors():
            body = cast("bytes | None", self._redis.hget(keys.record(trajectory_id), "body"))
        return None if body is None else Trajectory.model_validate_json(body)

    def load_mail(self, trajectory_id: str) -> Mail | None:
        """See ``TrajectoryStore.load_mail``."""
        with store_errors(), self._redis.pipeline(transaction=True) as pipe:
            pipe.hget(keys.record(trajectory_id), "body")
            pipe.lrange(keys.inbox(trajectory_id), 0, -1)
            body, posted = pipe.execute()
        if body is None:
            return None
        inbox = tuple(HAPPENING.validate_json(item) for item in posted)
        return Mail(Trajectory.model_validate_json(body), inbox)

    def page(
        self, tenant: str, *, limit: int, cursor: str | None, status: Status | None = None
    ) -> tuple[list[Trajectory], str | None]:
        """See ``TrajectoryStore.page``."""
        return page_of(self._newest_first(tenant, cursor), limit=limit, status=status)

    def delete(self, trajectory_id: str) -> None:
        """See ``TrajectoryStore.delete``."""
        trajectory = self.load(trajectory_id)
        if trajectory is None:
            return
        indexes = (keys.ACTIVE, keys.DEADLINES, keys.INBOXES, keys.owned(trajectory.tenant))
        own = (keys.record, keys.events, keys.pending, keys.inbox, keys.executions, keys.resends)
        with store_errors():
            self._delete([*indexes, *(key(trajectory_id) for key in own)], [trajectory_id])

    def post(self, trajectory_id: str, happening: Happening) -> None:
        """See ``TrajectoryStore.post``."""
        names = [keys.record(trajectory_id), keys.inbox(trajectory_id), keys.INBOXES]
        with store_errors():
            posted = self._post(names, [trajectory_id, HAPPENING.dump_json(happening)])
        if not posted:
            raise NotFoundError(f"There is no trajectory {trajectory_id}.")

    def signals(self, commands: Sequence[tuple[str, str]]) -> list[Signal]:
        """See ``TrajectoryStore.signals``."""
        with store_errors(), self._redis.pipeline(transaction=False) as pipe:
            for trajectory_id, command_id in commands:
                pipe.sismember(keys.pending(trajectory_id), command_id)
                pipe.exists(keys.inbox(trajectory_id))
            answers = [bool(answer) for answer in pipe.execute()]
        pairs = zip(answers[::2], answers[1::2], strict=True)
        return [Signal(wanted=wanted, mail=mail) for wanted, mail in pairs]

    def active(self, *, saved_before: datetime) -> Iterator[str]:
        """See ``TrajectoryStore.active``."""
        last = score_of(saved_before) - 1
        with store_errors():
            ids = cast("list[bytes]", self._redis.zrangebyscore(keys.ACTIVE, "-inf", last))
        yield from (trajectory_id.decode() for trajectory_id in ids)

    def due_deadlines(self, now: datetime) -> list[str]:
        """See ``TrajectoryStore.due_deadlines``."""
        with store_errors():
            found = self._redis.zrangebyscore(keys.DEADLINES, "-inf", score_of(now))
        return [trajectory_id.decode() for trajectory_id in cast("list[bytes]", found)]

    def with_mail(self) -> list[str]:
        """See ``TrajectoryStore.with_mail``."""
        with store_errors():
            found = cast("set[bytes]", self._redis.smembers(keys.INBOXES))
        return sorted(trajectory_id.decode() for trajectory_id in found)

    def intact(self) -> bool:
        """See ``TrajectoryStore.intact``."""
        with store_errors():
            return bool(self._redis.exists(keys.EPOCH))

    def mark_intact(self) -> None:
        """See ``TrajectoryStore.mark_intact``."""
        with store_errors():
            self._redis.set(keys.EPOCH, "1")

    def admit(self, *, now: datetime, most_in_flight: int, limit: int = 100) -> list[str]:
        """See ``TrajectoryStore.admit``."""
        names = [keys.ACTIVE, keys.admission("admitted")]
        arguments = [keys.ADMISSION, score_of(now), most_in_flight, limit, BATCH_EVERY]
        with store_errors():
            found = cast("list[bytes]", self._admit(names, arguments))
        return [trajectory_id.decode() for trajectory_id in found]

    def waiting(self, key: str) -> int:
        """See ``TrajectoryStore.waiting``."""
        with store_errors(), self._redis.pipeline(transaction=False) as pipe:
            for lane in Lane:
                pipe.zcard(keys.admission("waiting", lane, key))
            return sum(cast("list[int]", pipe.execute()))

    def _write(
        self,
        trajectory: Trajectory,
        *,
        expected: int,
        events: Sequence[PublicEvent] = (),
        webhooks: Sequence[Delivery] = (),
        acknowledged: int = 0,
    ) -> bool:
        arguments: list[str | int] = [
            trajectory.id,
            expected,
            trajectory.version,
            trajectory.model_dump_json(),
            score_of(trajectory.created_at),
            score_of(trajectory.updated_at) if trajectory.pending else "",
            _deadline(trajectory),
            acknowledged,
            KEPT_EVENTS,
            trajectory.sequence,
            *_place_in_line(trajectory),
            len(trajectory.pending),
            *(command.id for command in trajectory.pending),
            len(events),
        ]
        for event in events:
            arguments += [f"{event.sequence}-0", event.model_dump_json()]
        arguments.append(len(webhooks))
        for each in webhooks:
            due = score_of(each.created_at)
            log = "" if each.endpoint is None else keys.endpoint_deliveries(each.endpoint)
            arguments += [keys.delivery(each.id), each.id, each.model_dump_json(), due, log]
            arguments += [keys.outbox(each.trajectory_id, each.endpoint), each.sequence]
        with store_errors():
            return bool(self._save(_keys_of(trajectory), arguments))

    def _newest_first(
        self, tenant: str, cursor: str | None
    ) -> Iterator[tuple[int, str, Trajectory | None]]:
        start = parse_cursor(cursor) if cursor else None
        highest = "+inf" if start is None else start[0]
        offset = 0
        while True:
            with store_errors():
                found = self._redis.zrevrangebyscore(
                    keys.owned(tenant), highest, "-inf", offset, _CHUNK, withscores=True
                )
            pairs = [(int(score), member.decode()) for member, score in cast("list", found)]
            wanted = [pair for pair in pairs if start is None or pair < start]
            yield from self._with_records(wanted)
            if len(pairs) < _CHUNK:
                return
            offset += _CHUNK

    def _with_records(
        self, pairs: Sequence[tuple[int, str]]
    ) -> Iterator[tuple[int, str, Trajectory | None]]:
        with store_errors(), self._redis.pipeline(transaction=False) as pipe:
            for _, trajectory_id in pairs:
                pipe.hget(keys.record(trajectory_id), "body")
            bodies = cast("list[bytes | None]", pipe.execute())
        for (score, trajectory_id), body in zip(pairs, bodies, strict=True):
            record = None if body is None else Trajectory.model_validate_json(body)
            yield score, trajectory_id, record


def _keys_of(trajectory: Trajectory) -> list[str]:
    """KEYS of ``SAVE``."""
    return [
        keys.record(trajectory.id),
        keys.events(trajectory.id),
        keys.pending(trajectory.id),
        keys.inbox(trajectory.id),
        keys.ACTIVE,
        keys.DEADLINES,
        keys.INBOXES,
        keys.owned(trajectory.tenant),
        keys.DUE,
        keys.deliveries(trajectory.tenant),
        *_admission_keys(trajectory.ticket),
        keys.UNDELIVERED,
        keys.LOGS,
    ]


def _admission_keys(ticket: Ticket | None) -> list[str]:
    lane, key = ("", "") if ticket is None else (ticket.lane, ticket.key)
    return [
        keys.admission("admitted"),
        keys.admission("admitted", key),
        keys.admission("waiting", lane, key),
        keys.admission("ring", lane),
        keys.admission("passes", lane),
        keys.admission("clock", lane),
        keys.admission("terms"),
    ]


def _place_in_line(trajectory: Trajectory) -> tuple[str, str, str]:
    """What ``SAVE`` does about admission, for which API key, on what terms."""
    ticket = trajectory.ticket
    if ticket is None:
        return "", "", ""
    terms = f"{ticket.weight}:{ticket.max_in_flight or ''}"
    return place_in_line(trajectory), ticket.key, terms


def _deadline(trajectory: Trajectory) -> str | int:
    if trajectory.deadline_at is None or trajectory.status.final:
        return ""
    return score_of(trajectory.deadline_at)
