"""Every message three times and in another order: copies of what workers were given."""

from __future__ import annotations

import random
import re
import threading
import time
import uuid

from redis import Redis

from shared.queue import Queue

_POPPED = re.compile(rb"\*2\r\n\$\d+\r\n([a-z]+)\r\n\$\d+\r\n(\{.*?\})\r\n(?=\*|$|:|\+)", re.DOTALL)
_TAG = re.compile(rb'("delivery_tag": ?")([0-9a-f-]{36})"')
_MOST_LATE_S = 2.0
_SHUFFLE = """
math.randomseed(tonumber(ARGV[1]))
for _, key in ipairs(KEYS) do
  local all = redis.call('LRANGE', key, 0, -1)
  for i = #all, 2, -1 do
    local j = math.random(i)
    all[i], all[j] = all[j], all[i]
  end
  if #all > 1 then
    redis.call('DEL', key)
    redis.call('RPUSH', key, unpack(all))
  end
end
return 1
"""


class Messages:
    """Notes popped messages while ``tripling`` and sends each twice more, at random times."""

    def __init__(self) -> None:
        self.tripling = False
        self.copies = 0
        self._due: list[tuple[float, bytes, bytes]] = []
        self._ours: set[bytes] = set()
        self._rng = random.Random(0)
        self._lock = threading.Lock()

    def begin(self, seed: int) -> None:
        """Copy from now on."""
        self._rng = random.Random(seed)
        self.tripling = True

    def popped(self, data: bytes) -> None:
        """A worker's connection brought these bytes."""
        if not self.tripling:
            return
        for queue, payload in _POPPED.findall(data):
            found = _TAG.search(payload)
            if found is None or found[2] in self._ours:
                continue
            with self._lock:
                self._copy(queue, payload)
                self._copy(queue, payload)

    def send_due(self, client: Redis) -> None:
        """Send the copies whose time has come, and shuffle what waits."""
        now = time.monotonic()
        with self._lock:
            due = [each for each in self._due if each[0] <= now]
            self._due = [each for each in self._due if each[0] > now]
        for _, queue, payload in due:
            client.lpush(queue.decode(), payload)
        self.copies += len(due)
        names = [queue.value for queue in Queue]
        client.eval(_SHUFFLE, len(names), *names, str(self._rng.getrandbits(30)))

    @property
    def waiting(self) -> int:
        """Copies that are still to be sent."""
        return len(self._due)

    def _copy(self, queue: bytes, payload: bytes) -> None:
        tag = str(uuid.UUID(int=self._rng.getrandbits(128), version=4)).encode()
        self._ours.add(tag)
        copy = _TAG.sub(rb"\g<1>" + tag + b'"', payload)
        self._due.append((time.monotonic() + self._rng.uniform(0, _MOST_LATE_S), queue, copy))
