"""Do session keys and limits of one's own agree with the bets and the ledger? As `Drift`s.

What a key staked and a trader lost on its newest day is kept as a sum, because the deduction has no
time to add it up; here it is added up again. Where the file was begun within that day, some of its
rows may be in the file before: then what is here can only say that the sum is too small.

`db.ledger_check` asks this with its own questions, of the whole file only.
"""

from typing import Final

_STAKED: Final = """
    WITH staked AS MATERIALIZED (
        SELECT key_id, placed_at_ms / 86400000 AS day, sum(stake_micros) AS stake FROM bets
        WHERE key_id IS NOT NULL AND status <> 'insufficient_funds' GROUP BY 1, 2
    ), counted AS (
        SELECT k.id, k.day_stake_micros AS found, ifnull(s.stake, 0) AS stake,
               k.day * 86400000 >= m.opened_at_ms OR NOT EXISTS (SELECT 1 FROM partitions)
                   AS all_is_here
        FROM meta AS m, session_keys AS k
        LEFT JOIN staked AS s ON s.key_id = k.id AND s.day = k.day
    )
    SELECT 'key ' || id || ': stakes of the day', stake, found FROM counted
    WHERE found < stake OR (found > stake AND all_is_here)
    UNION ALL
    SELECT 'key ' || k.id || ': day', s.day, k.day
    FROM staked AS s JOIN session_keys AS k ON k.id = s.key_id WHERE s.day > k.day
    UNION ALL
    SELECT 'key ' || id || ': cap of the day', day_max_micros, day_stake_micros
    FROM session_keys WHERE day_stake_micros > day_max_micros
"""

_SIGNED: Final = """
    SELECT 'bet ' || b.id || ': account of its key', b.user_id, ifnull(k.user_id, 0)
    FROM bets AS b LEFT JOIN session_keys AS k ON k.id = b.key_id
    WHERE b.key_id IS NOT NULL AND k.user_id IS NOT b.user_id
    UNION ALL
    SELECT 'bet ' || b.id || ': cap of its key', k.bet_max_micros, b.stake_micros
    FROM bets AS b JOIN session_keys AS k ON k.id = b.key_id
    WHERE b.stake_micros > k.bet_max_micros
    UNION ALL
    SELECT 'bet ' || b.id || ': end of its key',
           min(k.expires_at_ms, ifnull(k.revoked_at_ms, k.expires_at_ms)), b.placed_at_ms
    FROM bets AS b JOIN session_keys AS k ON k.id = b.key_id
    WHERE b.placed_at_ms >= k.expires_at_ms OR b.placed_at_ms > k.revoked_at_ms
"""
"""A bet may be of the very millisecond, and batch, in which its key was revoked."""

_LOST: Final = """
    WITH counted AS (
        SELECT a.user_id, a.day, a.day_lost_micros AS found, ifnull((
                   SELECT -sum(amount) FROM transaction_ledger AS l
                   WHERE l.user_id = a.user_id AND l.ref_type IN ('BET', 'PAYOUT', 'REFUND')
                     AND l.created_at_ms / 86400000 = a.day), 0) AS lost
        FROM account_limits AS a, meta AS m
        WHERE a.day * 86400000 >= m.opened_at_ms OR NOT EXISTS (SELECT 1 FROM partitions)
    )
    SELECT u.wallet_address || ': lost on the day', c.lost, c.found
    FROM counted AS c JOIN users AS u ON u.id = c.user_id WHERE c.lost <> c.found
    UNION ALL
    SELECT u.wallet_address || ': day of the newest stake', max(l.created_at_ms / 86400000), a.day
    FROM account_limits AS a JOIN users AS u ON u.id = a.user_id
    JOIN transaction_ledger AS l ON l.user_id = a.user_id
    WHERE l.ref_type IN ('BET', 'PAYOUT', 'REFUND')
    GROUP BY a.user_id HAVING max(l.created_at_ms / 86400000) > a.day
"""

KEY_QUESTIONS: Final = (
    ("key", _STAKED),
    ("key", _SIGNED),
    ("limit", _LOST),
)
"""What to ask, each with the kind of drift that an answer is."""
