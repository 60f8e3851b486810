"""Bounds that are not settings, each with its reason, and how they relate."""

from typing import Final

NONCE_TTL_S: Final = 90
"""Kept three times as long as a signature lives, so that no clock skew brings a nonce back."""
SIGNATURE_AGE_MAX_S: Final = 30
SIGNATURE_AHEAD_MAX_S: Final = 5
SIGN_IN_NONCE_TTL_S: Final = 300
SESSION_TTL_S: Final = 24 * 3600

MONEY_COMMANDS_WAITING_MAX: Final = 10_000
"""Some three seconds of bets at the rate we mean to sustain; more would only age in the queue."""
BATCH_COMMANDS_MAX: Final = 1_000
BATCH_LINGER_MAX_MS: Final = 100

BODY_BYTES_MAX: Final = 16 * 1024
QUOTE_LIVE_MS: Final = 3_000
"""A named quote is honoured this long after it was published."""
QUOTE_REPLACED_LIVE_MS: Final = 2_000
"""... and this long after a newer one replaced it."""
QUOTE_GRACE_RATE_BPS: Final = 9_800
"""... and only while the cell's current rate is at least 98 % of the quoted one: otherwise the
grace is a free option for whoever has the faster feed. At 85 % he is paid 116 % of what he stakes,
measured on the recorded day (docs/decisions/0008-grace-of-a-quote.md)."""

JUDGE_WITHOUT_TICK_AFTER_MS: Final = 10_000
"""With no later tick a column is judged this long after its end."""
VOID_UNJUDGED_AFTER_MS: Final = 60_000
"""A column not judged this long after its end is void: a bet never waits for ever."""

FEED_DEGRADED_AFTER_MS: Final = 3_000
FEED_CRITICAL_AFTER_MS: Final = 10_000
FEED_STEADY_MS: Final = 30_000
FEED_SKEW_MAX_MS: Final = 2_000

assert SIGNATURE_AGE_MAX_S + SIGNATURE_AHEAD_MAX_S < NONCE_TTL_S, "a live signature's nonce is kept"
assert BATCH_COMMANDS_MAX <= MONEY_COMMANDS_WAITING_MAX, "a full batch must fit in the mailbox"
assert QUOTE_REPLACED_LIVE_MS <= QUOTE_LIVE_MS
assert FEED_DEGRADED_AFTER_MS < FEED_CRITICAL_AFTER_MS <= JUDGE_WITHOUT_TICK_AFTER_MS
