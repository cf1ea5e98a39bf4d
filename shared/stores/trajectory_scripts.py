"""Lua that runs inside Redis for ``trajectories``: each script is one atomic step."""

from __future__ import annotations

SAVE = """
-- Save a version and all that goes with it, if the stored version is the expected one and
-- nothing was posted that the new state does not know of.
-- KEYS: record, events, pending, inbox, active, deadlines, inboxes, owned, due, log, and of
--       admission: admitted, admitted of the key, waiting, ring, passes, clock, terms; and of
--       webhooks: undelivered, logs
-- ARGV: id, expected, version, body, created, saved ('' when nothing is to be done),
--       deadline ('' when none counts), acknowledged, kept events, sequence,
--       place in line ('wait', 'run', 'rest' or '' for no ticket), API key, its terms,
--       n, n pending ids, n, n * (event id, event), n, n * (delivery key, id, body, due,
--       log of its endpoint or '', outbox, sequence)
if (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[2] then return 0 end
if redis.call('LLEN', KEYS[4]) ~= tonumber(ARGV[8]) then return 0 end
local id = ARGV[1]
redis.call('HSET', KEYS[1], 'version', ARGV[3], 'body', ARGV[4], 'sequence', ARGV[10])
redis.call('ZADD', KEYS[8], 'NX', ARGV[5], id)
local waits = false
if ARGV[11] == 'wait' and redis.call('SISMEMBER', KEYS[11], id) == 0 then
  waits = true
  redis.call('ZADD', KEYS[13], 'NX', ARGV[5], id)
  redis.call('HSET', KEYS[17], ARGV[12], ARGV[13])
  if not redis.call('ZSCORE', KEYS[14], ARGV[12]) then
    -- Whoever comes back is neither rewarded for having been away nor forgiven what it had.
    local had = tonumber(redis.call('HGET', KEYS[15], ARGV[12]) or '0')
    local clock = tonumber(redis.call('GET', KEYS[16]) or '0')
    redis.call('ZADD', KEYS[14], math.max(had, clock), ARGV[12])
  end
elseif ARGV[11] == 'wait' or ARGV[11] == 'run' then
  redis.call('SADD', KEYS[11], id)
  redis.call('SADD', KEYS[12], id)
  redis.call('ZREM', KEYS[13], id)
elseif ARGV[11] == 'rest' then
  redis.call('SREM', KEYS[11], id)
  redis.call('SREM', KEYS[12], id)
  redis.call('ZREM', KEYS[13], id)
end
if ARGV[6] == '' or waits then redis.call('ZREM', KEYS[5], id)
else redis.call('ZADD', KEYS[5], ARGV[6], id) end
if ARGV[7] == '' then redis.call('ZREM', KEYS[6], id)
else redis.call('ZADD', KEYS[6], ARGV[7], id) end
if ARGV[8] ~= '0' then
  redis.call('DEL', KEYS[4])
  redis.call('SREM', KEYS[7], id)
end
local at = 14
redis.call('DEL', KEYS[3])
for _ = 1, tonumber(ARGV[at]) do
  at = at + 1
  redis.call('SADD', KEYS[3], ARGV[at])
end
at = at + 1
for _ = 1, tonumber(ARGV[at]) do
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[9], ARGV[at + 1], 'event', ARGV[at + 2])
  at = at + 2
end
at = at + 1
for _ = 1, tonumber(ARGV[at]) do
  if redis.call('SET', ARGV[at + 1], ARGV[at + 3], 'NX') then
    redis.call('ZADD', KEYS[9], ARGV[at + 4], ARGV[at + 2])
    redis.call('ZADD', KEYS[10], ARGV[at + 4], ARGV[at + 2])
    if ARGV[at + 5] ~= '' then redis.call('ZADD', ARGV[at + 5], ARGV[at + 4], ARGV[at + 2]) end
    redis.call('ZADD', ARGV[at + 6], ARGV[at + 7], ARGV[at + 2])
    redis.call('ZADD', KEYS[18], ARGV[at + 4], ARGV[at + 2])
    redis.call('SADD', KEYS[19], KEYS[10])
  end
  at = at + 7
end
return 1
"""

POST = """
-- Put a happening into the inbox of a trajectory that exists.
-- KEYS: record, inbox, inboxes   ARGV: id, happening
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('RPUSH', KEYS[2], ARGV[2])
redis.call('SADD', KEYS[3], ARGV[1])
return 1
"""

DELETE = """
-- Forget a trajectory.
-- KEYS: active, deadlines, inboxes, owned, then every key of the trajectory   ARGV: id
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('SREM', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
for at = 5, #KEYS do redis.call('DEL', KEYS[at]) end
return 1
"""
