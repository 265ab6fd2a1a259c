-- Sets rows whose version wins, all in one step. The rule is Version::against in online/version.rs.
--
-- KEYS   one per entity
-- ARGV   ttl of rows in ms or '', ttl of tombstones in ms, then per entity:
--          event time, epoch, row time, replaces, n, and n names and values in turn
--        replaces: '' nothing known | 'n' .. first epoch of the generation, no row | 'r' .. row time of the old row
--                  | 'g' .. first epoch of the generation: whatever it has stored, or an earlier one of the same event time
--        n: -1 for a deletion
-- returns how many rows were set; the others were refused as older
--
-- Numbers are compared as decimal text: Lua's floats take neighbours beyond 2^53 for equals.

local function below(a, b)
  if a == b then return false end
  local a_negative, b_negative = string.byte(a) == 45, string.byte(b) == 45
  if a_negative ~= b_negative then return a_negative end
  if a_negative then a, b = b, a end
  if #a ~= #b then return #a < #b end
  return a < b
end

local CHUNK = 4000 -- values handed to one command; unpack has a limit near 8,000

local function call_chunked(command, key, values, from, to)
  while from <= to do
    local last = math.min(from + CHUNK - 1, to)
    redis.call(command, key, unpack(values, from, last))
    from = last + 1
  end
end

local row_ttl, tombstone_ttl = ARGV[1], ARGV[2]
local i, written = 3, 0

for k = 1, #KEYS do
  local key = KEYS[k]
  local event_time, epoch, row_time, replaces = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local n = tonumber(ARGV[i + 4])
  local first = i + 5
  local last = first + 2 * math.max(n, 0) - 1
  i = last + 1

  local stored = redis.call('HMGET', key, '__event_time', '__epoch', '__row_time', '__deleted')
  local stored_time, stored_epoch, deleted = stored[1], stored[2] or '0', stored[4]
  local wins = true
  if stored_time then
    local older, epoch_older = below(event_time, stored_time), below(epoch, stored_epoch)
    wins = not older and (event_time ~= stored_time or not epoch_older)
    if not wins and not epoch_older then
      local kind, known = string.sub(replaces, 1, 1), string.sub(replaces, 2)
      if kind == 'r' and not deleted then
        wins = known == (stored[3] or stored_time)
      elseif kind == 'g' then
        local is_replayed = not deleted and event_time == (stored[3] or stored_time)
        wins = is_replayed or not below(stored_epoch, known)
      elseif kind == 'n' and deleted then
        wins = not below(stored_epoch, known)
      end
    end
    if older then event_time = stored_time end
  end

  if wins then
    written = written + 1
    if n < 0 then
      redis.call('DEL', key)
      redis.call('HSET', key, '__event_time', event_time, '__epoch', epoch, '__deleted', '1')
      redis.call('PEXPIRE', key, tombstone_ttl)
    else
      local expected = n + 2
      if row_time ~= event_time then
        expected = expected + 1
        redis.call('HSET', key, '__event_time', event_time, '__epoch', epoch, '__row_time', row_time)
      else
        redis.call('HSET', key, '__event_time', event_time, '__epoch', epoch)
      end
      call_chunked('HSET', key, ARGV, first, last)
      if redis.call('HLEN', key) ~= expected then
        local keep = { __event_time = true, __epoch = true, __row_time = row_time ~= event_time }
        for f = first, last, 2 do keep[ARGV[f]] = true end
        local gone = {}
        for _, name in ipairs(redis.call('HKEYS', key)) do
          if not keep[name] then gone[#gone + 1] = name end
        end
        call_chunked('HDEL', key, gone, 1, #gone)
      end
      if row_ttl ~= '' then
        redis.call('PEXPIRE', key, row_ttl)
      else
        redis.call('PERSIST', key)
      end
    end
  end
end

return written
