-- Counts the run that begins, unless it was the last one counted.
--
-- KEYS   the view's account of runs: a hash of `started` and `generation`
-- ARGV   when the run began
-- returns the run's generation, from 1

if redis.call('HGET', KEYS[1], 'started') == ARGV[1] then
  return tonumber(redis.call('HGET', KEYS[1], 'generation'))
end
redis.call('HSET', KEYS[1], 'started', ARGV[1])
return redis.call('HINCRBY', KEYS[1], 'generation', 1)
