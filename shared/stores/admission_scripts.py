"""Lua that lets waiting trajectories in, in fair order between API keys.

Stride scheduling: every key with something waiting has a *pass*, and the lowest pass goes
next; being let in adds 1/weight to it. A lane's *clock* is the pass of whoever went last; a
key that begins to wait starts there. So of the keys that wait already, each is let in at most
once before a newcomer's first trajectory. A key at its own limit is stepped over and falls no
further behind than the clock, so that it cannot catch up at once later.

Source: C. A. Waldspurger and W. E. Weihl, "Stride Scheduling" (1995), for pass and stride.
"""

from __future__ import annotations

ADMIT = """
-- Let in what there is room for; gives the ids.
-- KEYS: active, admitted
-- ARGV: prefix of names, time of the save that this stands for, most in flight, most to let in,
--       every how many turns the batch lane comes first
local prefix = ARGV[1]
local terms = prefix .. 'terms'

local function let_in(lane, key, id, pass, weight)
  local ring, waiting = prefix .. 'ring:' .. lane, prefix .. 'waiting:' .. lane .. ':' .. key
  local clock_name = prefix .. 'clock:' .. lane
  local clock = math.max(tonumber(redis.call('GET', clock_name) or '0'), pass)
  local after = string.format('%.17g', pass + 1 / weight)
  redis.call('SET', clock_name, string.format('%.17g', clock))
  redis.call('HSET', prefix .. 'passes:' .. lane, key, after)
  redis.call('ZREM', waiting, id)
  if redis.call('ZCARD', waiting) == 0 then redis.call('ZREM', ring, key)
  else redis.call('ZADD', ring, after, key) end
  redis.call('SADD', KEYS[2], id)
  redis.call('SADD', prefix .. 'admitted:' .. key, id)
  redis.call('ZADD', KEYS[1], ARGV[2], id)
  return clock
end

local function next_of(lane)
  local ring = prefix .. 'ring:' .. lane
  local keys = redis.call('ZRANGE', ring, 0, -1, 'WITHSCORES')
  local stepped_over = {}
  for at = 1, #keys, 2 do
    local key, pass = keys[at], tonumber(keys[at + 1])
    local id = redis.call('ZRANGE', prefix .. 'waiting:' .. lane .. ':' .. key, 0, 0)[1]
    local weight, limit = string.match(redis.call('HGET', terms, key) or '1:', '^(%d+):(%d*)$')
    local held = redis.call('SCARD', prefix .. 'admitted:' .. key)
    if not id then
      redis.call('ZREM', ring, key)
    elseif limit == '' or held < tonumber(limit) then
      local clock = let_in(lane, key, id, pass, tonumber(weight))
      for _, other in ipairs(stepped_over) do
        redis.call('ZADD', ring, 'GT', string.format('%.17g', clock), other)
      end
      return id
    else
      stepped_over[#stepped_over + 1] = key
    end
  end
end

local admitted = {}
while #admitted < tonumber(ARGV[4]) do
  if redis.call('SCARD', KEYS[2]) >= tonumber(ARGV[3]) then break end
  local turn = tonumber(redis.call('GET', prefix .. 'turns') or '0') + 1
  local first, second = 'interactive', 'batch'
  if turn % tonumber(ARGV[5]) == 0 then first, second = second, first end
  local id = next_of(first) or next_of(second)
  if not id then break end
  redis.call('SET', prefix .. 'turns', turn)
  admitted[#admitted + 1] = id
end
return admitted
"""
