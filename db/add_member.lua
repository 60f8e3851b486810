-- A member for a set, as one step of the server: no set is ever without a time to live.
-- KEYS[1] is the set; ARGV are the member and the life of the set in seconds from now on.
-- Answers all members.
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return redis.call('SMEMBERS', KEYS[1])
