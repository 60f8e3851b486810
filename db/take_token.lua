-- One request against a token bucket: the arithmetic of domain/token_bucket.py, as one step of the
-- server. A bucket is kept as "UNITS AT_MS" until it is full again and can be forgotten.
-- KEYS[1] is the bucket; ARGV are tokens a minute, burst, and the venue's clock in milliseconds.
-- Answers {allowed (1 or 0), units left, at_ms}.
-- Numbers are doubles, exact up to 2^53; '%.0f' writes them out where tostring would round to
-- fourteen digits.
local UNITS_PER_TOKEN = 60000
local per_minute, burst, now_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full = burst * UNITS_PER_TOKEN
local units, at_ms = full, now_ms

local kept = redis.call('GET', KEYS[1])
if kept then
    local kept_units, kept_ms = string.match(kept, '^(%d+) (%d+)$')
    local gained = math.max(0, now_ms - kept_ms) * per_minute
    units = math.min(full, kept_units + gained)
    at_ms = math.max(now_ms, kept_ms)
end

local allowed = 0
if units >= UNITS_PER_TOKEN then
    allowed = 1
    units = units - UNITS_PER_TOKEN
end

local full_after_s = math.ceil((full - units) / (per_minute * 1000))
redis.call('SET', KEYS[1], string.format('%.0f %.0f', units, at_ms), 'EX', math.max(1, full_after_s))
return {allowed, units, at_ms}
