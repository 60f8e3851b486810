"""Do withdrawals, adjustments and columns given back agree with the ledger? As `Drift`s.

`db.ledger_check` asks this with its own questions, of the whole file only. What was carried here
from an earlier file has its rows there: times tell the two apart, because a file has all rows from
its opening on, and none from before.
"""

from typing import Final

_MOVED: Final = """
    WITH expected AS (
        SELECT 'withdrawal ' AS kind, id AS ref, user_id, -amount_micros AS amount
        FROM withdrawals, meta WHERE requested_at_ms >= opened_at_ms
        UNION ALL
        SELECT 'withdrawal ', id, user_id, amount_micros FROM withdrawals, meta
        WHERE status = 'rejected' AND decided_at_ms >= opened_at_ms
        UNION ALL
        SELECT 'adjustment ', reference, user_id, amount_micros FROM adjustments, meta
        WHERE created_at_ms >= opened_at_ms
    ), pairs AS (
        SELECT * FROM expected
        UNION ALL
        SELECT kind, ref, iif(kind = 'adjustment ', 1, 2), -amount FROM expected
    ), both AS (
        SELECT kind, ref, user_id, amount, 1 AS expected, 0 AS found FROM pairs
        UNION ALL
        SELECT lower(ref_type) || ' ', ref_id, user_id, amount, 0, 1 FROM transaction_ledger
        WHERE ref_type = 'WITHDRAWAL' OR (ref_type = 'ADJUSTMENT' AND amount <> 0)
    )
    SELECT kind || ref || ': rows of ' || b.amount || ' on '
               || ifnull(u.wallet_address, 'account ' || b.user_id),
           sum(expected), sum(found)
    FROM both AS b LEFT JOIN users AS u ON u.id = b.user_id
    GROUP BY kind, ref, b.user_id, b.amount HAVING sum(expected) <> sum(found)
"""
"""The note of a rebuild is an ADJUSTMENT row of nothing; it has no other side."""

_DESTINATION: Final = """
    SELECT 'withdrawal ' || w.id || ': destination', 1, 0
    FROM transaction_ledger AS l JOIN withdrawals AS w ON w.id = l.ref_id
    WHERE l.ref_type = 'WITHDRAWAL' AND l.user_id = w.user_id AND l.amount < 0
      AND l.metadata ->> 'destination' <> w.destination
"""
"""What an operator is told to pay to is what was asked for: the ledger's row can't be edited."""

_COVER_THEN: Final = """
    WITH taken AS MATERIALIZED (
        SELECT rowid AS at_row, created_at_ms AS at_ms, balance_after FROM transaction_ledger
        WHERE user_id = 1 AND amount < 0 AND ref_type IN ('WITHDRAWAL', 'ADJUSTMENT')
    ), moment AS (
        SELECT resolved_at_ms AS at_ms, 1 AS turn, -sum(payout_if_won_micros) AS owed,
               NULL AS at_row, NULL AS balance_after
        FROM bets WHERE resolved_at_ms IS NOT NULL AND EXISTS (SELECT 1 FROM taken) GROUP BY 1
        UNION ALL
        SELECT at_ms, 2, 0, at_row, balance_after FROM taken
        UNION ALL
        SELECT placed_at_ms, 3, sum(payout_if_won_micros), NULL, NULL
        FROM bets WHERE holds_cell AND EXISTS (SELECT 1 FROM taken) GROUP BY 1
    ), standing AS (
        SELECT at_row, balance_after, sum(owed) OVER (ORDER BY at_ms, turn) AS owed FROM moment
    )
    SELECT 'house after row ' || at_row, owed, balance_after FROM standing
    WHERE balance_after < owed
"""
"""What was taken from the house left it enough for all bets that were open then. Bets that were
placed or ended in that very millisecond are left out: which came first can't be told by now."""

_GIVEN_BACK: Final = """
    SELECT 'column ' || c.start_s || '_' || c.column_s || '_' || c.rule || ': order to give back',
           c.void_reason IS 'operator', v.start_s IS NOT NULL
    FROM columns AS c LEFT JOIN column_voids AS v USING (start_s)
    WHERE (c.void_reason IS 'operator') <> (v.start_s IS NOT NULL)
    UNION ALL
    SELECT 'bet ' || b.id || ': placed after its column was given back', v.created_at_ms,
           b.placed_at_ms
    FROM column_voids AS v JOIN bets AS b ON b.column_start_s = v.start_s
    WHERE b.holds_cell AND b.placed_at_ms > v.created_at_ms
"""

TRANSFER_QUESTIONS: Final = (
    ("booking", _MOVED),
    ("booking", _DESTINATION),
    ("cover", _COVER_THEN),
    ("verdict", _GIVEN_BACK),
)
"""Each with the kind of drift that an answer is."""
