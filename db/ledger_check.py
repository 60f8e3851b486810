"""Does the money add up? The questions, as SQL, and their answers as `Drift`s.

`check_all` asks them of the whole file, on any connection; `check_since` asks what a start must
know, of the rows after the last verified one. A correct ledger gives no rows at all.
"""

import sqlite3
from typing import Final

from db.key_check import KEY_QUESTIONS
from db.key_commands import has_keys
from db.transfer_check import TRANSFER_QUESTIONS
from protocols.accounts import Drift, IntegrityReport

DRIFTS_PER_QUESTION_MAX: Final = 100
"""One wrong row can put thousands out; the first hundred of a kind say enough."""

_UNSETTLED: Final = """
    NOT EXISTS (
        SELECT 1 FROM transaction_ledger AS note, json_each(note.metadata, '$.breaks') AS named
        WHERE note.user_id = l.user_id AND note.rowid >= l.rowid AND note.ref_type = 'ADJUSTMENT'
        AND named.value = l.rowid)
"""
"""Of a row `l` at which an account's chain breaks. The ledger can't be edited, so where a balance
was changed behind its back the break stays; the note of a rebuild names those that it settled."""

_CHAIN: Final = f"""
    WITH fresh AS (
        SELECT rowid, user_id, balance_after - amount AS found,
               lag(balance_after) OVER (PARTITION BY user_id ORDER BY rowid) AS before
        FROM transaction_ledger WHERE rowid > :after
    ), linked AS (
        SELECT rowid, user_id, found, ifnull(before, ifnull((
                   SELECT balance_after FROM transaction_ledger AS older
                   WHERE older.user_id = fresh.user_id AND older.rowid <= :after
                   ORDER BY older.rowid DESC LIMIT 1), 0)) AS expected
        FROM fresh
    )
    SELECT u.wallet_address || ' row ' || l.rowid, l.expected, l.found
    FROM linked AS l JOIN users AS u ON u.id = l.user_id
    WHERE l.expected <> l.found AND {_UNSETTLED}
"""

_BREAKS: Final = f"""
    SELECT rowid FROM (
        SELECT rowid, user_id, balance_after - amount AS found,
               ifnull(lag(balance_after) OVER (ORDER BY rowid), 0) AS expected
        FROM transaction_ledger WHERE user_id = ?) AS l
    WHERE l.expected <> l.found AND {_UNSETTLED}
    ORDER BY rowid
"""

_ZERO_SUM: Final = """
    SELECT 'txn ' || txn, 0, sum(amount) FROM transaction_ledger WHERE rowid > :after
    GROUP BY txn HAVING sum(amount) <> 0
"""

_BALANCE_IS_LAST: Final = """
    SELECT wallet_address, last, balance FROM (
        SELECT wallet_address, balance, ifnull((
                   SELECT balance_after FROM transaction_ledger AS l WHERE l.user_id = users.id
                   ORDER BY l.rowid DESC LIMIT 1), 0) AS last
        FROM users)
    WHERE balance <> last
"""

_BALANCE_IS_SUM: Final = """
    SELECT u.wallet_address, ifnull(l.total, 0), u.balance
    FROM users AS u
    LEFT JOIN (SELECT user_id, sum(amount) AS total FROM transaction_ledger GROUP BY user_id) AS l
        ON l.user_id = u.id
    WHERE u.balance <> ifnull(l.total, 0)
"""

_ALL_ZERO: Final = """
    SELECT 'all accounts', 0, sum(balance) FROM users HAVING sum(balance) <> 0
"""

_NEGATIVE: Final = """
    SELECT wallet_address, 0, balance FROM users WHERE balance < 0 AND wallet_address <> 'external'
"""

_EXPOSURE: Final = """
    WITH open AS (
        SELECT user_id, cell_id, column_start_s || '_' || column_s AS column_key,
               stake_micros AS stake, payout_if_won_micros AS payout
        FROM bets WHERE status = 'confirmed'
    ), expected AS (
        SELECT 'total' AS scope, '' AS key, count(*) AS bets,
               ifnull(sum(stake), 0) AS stake, ifnull(sum(payout), 0) AS payout FROM open
        UNION ALL SELECT 'user', CAST(user_id AS TEXT), count(*), sum(stake), sum(payout)
        FROM open GROUP BY user_id
        UNION ALL SELECT 'cell', cell_id, count(*), sum(stake), sum(payout)
        FROM open GROUP BY cell_id
        UNION ALL SELECT 'column', column_key, count(*), sum(stake), sum(payout)
        FROM open GROUP BY column_key
    ), both AS (
        SELECT scope, key, bets, stake, payout, 0 AS bets_found, 0 AS stake_found,
               0 AS payout_found FROM expected
        UNION ALL
        SELECT scope, key, 0, 0, 0, bets, stake_micros, payout_micros FROM exposure
    ), sums AS (
        SELECT trim(scope || ' ' || key) AS place,
               sum(bets) AS bets, sum(bets_found) AS bets_found,
               sum(stake) AS stake, sum(stake_found) AS stake_found,
               sum(payout) AS payout, sum(payout_found) AS payout_found
        FROM both GROUP BY scope, key
    )
    SELECT place || ': bets', bets, bets_found FROM sums WHERE bets <> bets_found
    UNION ALL
    SELECT place || ': stakes', stake, stake_found FROM sums WHERE stake <> stake_found
    UNION ALL
    SELECT place || ': payouts', payout, payout_found FROM sums WHERE payout <> payout_found
"""

_VERDICT: Final = """
    SELECT 'bet ' || b.id, 1, 0 FROM bets AS b
    WHERE b.status IN ('won', 'lost', 'void') AND NOT EXISTS (
        SELECT 1 FROM columns AS c WHERE c.start_s = b.column_start_s
        AND c.column_s = b.column_s AND c.rule = b.rule)
"""

_BETS_ARE_BOOKED: Final = """
    WITH booked AS (
        SELECT ref_id,
               sum(CASE ref_type WHEN 'BET' THEN -amount ELSE 0 END) AS taken,
               sum(CASE ref_type WHEN 'BET' THEN 0 ELSE amount END) AS paid
        FROM transaction_ledger
        WHERE ref_type IN ('BET', 'PAYOUT', 'REFUND') AND user_id > 2 GROUP BY ref_id
    ), owed AS (
        -- The stake of a bet that was carried here was taken in the ledger of an earlier file.
        SELECT id, iif(status = 'insufficient_funds' OR carried_from IS NOT NULL, 0, stake_micros)
                   AS stake,
               ifnull(payout_micros, 0) AS payout FROM bets
    )
    SELECT 'bet ' || id || ': stake', stake, ifnull(taken, 0)
    FROM owed LEFT JOIN booked ON ref_id = id WHERE stake <> ifnull(taken, 0)
    UNION ALL
    SELECT 'bet ' || id || ': payout', payout, ifnull(paid, 0)
    FROM owed LEFT JOIN booked ON ref_id = id WHERE payout <> ifnull(paid, 0)
    UNION ALL
    SELECT 'no bet ' || ref_id, 0, paid - taken FROM booked
    WHERE ref_id NOT IN (SELECT id FROM bets)
"""

_COVER: Final = """
    SELECT 'house', owed, balance FROM users, (
        SELECT ifnull(sum(payout_if_won_micros), 0) AS owed FROM bets WHERE status = 'confirmed')
    WHERE id = 1 AND balance < owed
"""

_CARRY: Final = """
    SELECT 'bet ' || id || ': ' || status, 0, 1 FROM bets, meta
    WHERE status = iif(closed_at_ms IS NULL, 'carried', 'confirmed')
    UNION ALL
    SELECT 'row ' || rowid, (SELECT min(rowid) FROM transaction_ledger), txn
    FROM transaction_ledger
    WHERE ref_type = 'CARRY' AND txn <> (SELECT min(rowid) FROM transaction_ledger)
"""
"""A bet is carried out of a closed file, and money into a new one, by its first transaction."""

_FULL: Final = (
    ("balance", _BALANCE_IS_SUM),
    ("chain", _CHAIN),
    ("zero_sum", _ZERO_SUM),
    ("zero_sum", _ALL_ZERO),
    ("exposure", _EXPOSURE),
    ("negative", _NEGATIVE),
    ("verdict", _VERDICT),
    ("booking", _BETS_ARE_BOOKED),
    ("carry", _CARRY),
    ("cover", _COVER),
)

_SINCE_KEYS: Final = (*TRANSFER_QUESTIONS, *KEY_QUESTIONS)
"""Of a file that has the tables: a week that was closed before is never migrated."""

_START: Final = (
    ("balance", _BALANCE_IS_LAST),
    ("chain", _CHAIN),
    ("zero_sum", _ZERO_SUM),
    ("zero_sum", _ALL_ZERO),
    ("exposure", _EXPOSURE),
    ("negative", _NEGATIVE),
    ("cover", _COVER),
)

_OPENING: Final = (
    ("zero_sum", _ALL_ZERO),
    ("exposure", _EXPOSURE),
    ("negative", _NEGATIVE),
    ("cover", _COVER),
)

_PAIR: Final = (
    (
        ": opening balance",
        "SELECT wallet_address, balance FROM users WHERE balance <> 0",
        "SELECT u.wallet_address, sum(l.amount) FROM transaction_ledger AS l"
        " JOIN users AS u ON u.id = l.user_id WHERE l.ref_type = 'CARRY' AND l.amount <> 0"
        " GROUP BY l.user_id",
    ),
    (
        ": number of the first row",
        "SELECT 'ledger', ifnull(max(rowid), 0) + 1 FROM transaction_ledger",
        "SELECT 'ledger', min(rowid) FROM transaction_ledger",
    ),
    (
        ": end of one and beginning of the other",
        "SELECT 'file', ifnull(closed_at_ms, 0) FROM meta",
        "SELECT 'file', opened_at_ms FROM meta",
    ),
    (
        ": stake of a carried bet",
        "SELECT 'bet ' || rowid || ' ' || id, stake_micros FROM bets WHERE status = 'carried'",
        "SELECT 'bet ' || rowid || ' ' || id, stake_micros FROM bets"
        " WHERE carried_from IS NOT NULL",
    ),
    (
        ": payout of a carried bet, if won",
        "SELECT 'bet ' || id, payout_if_won_micros FROM bets WHERE status = 'carried'",
        "SELECT 'bet ' || id, payout_if_won_micros FROM bets WHERE carried_from IS NOT NULL",
    ),
    (
        ": deposits before",
        "SELECT 'file', count(*) FROM deposits",
        "SELECT 'file', count(*) FROM deposits"
        " WHERE reference NOT IN"
        " (SELECT ref_id FROM transaction_ledger WHERE ref_type = 'DEPOSIT')",
    ),
)
"""What must be the same of each thing: what it is, in the closed file, and in the one after it."""

_PAIR_SINCE_KEYS: Final = (
    *(
        (
            f": {what} before",
            f"SELECT '{table}', {number} FROM {table}",
            f"SELECT '{table}', {number} FROM {table}, meta WHERE {since} < opened_at_ms",
        )
        for table, what, number, since in (
            ("withdrawals", "withdrawals", "count(*)", "requested_at_ms"),
            ("withdrawals", "money withdrawn", "ifnull(sum(amount_micros), 0)", "requested_at_ms"),
            ("withdrawals", "withdrawals decided", "count(decided_at_ms)", "decided_at_ms"),
            ("adjustments", "adjustments", "count(*)", "created_at_ms"),
            ("adjustments", "money adjusted", "ifnull(sum(amount_micros), 0)", "created_at_ms"),
            ("column_voids", "columns given back", "count(*)", "created_at_ms"),
        )
    ),
    (
        ": withdrawal that was pending",
        "SELECT id || ' to ' || destination, amount_micros FROM withdrawals"
        " WHERE status = 'pending'",
        "SELECT id || ' to ' || destination, amount_micros FROM withdrawals, meta"
        " WHERE requested_at_ms < opened_at_ms"
        " AND (decided_at_ms IS NULL OR decided_at_ms >= opened_at_ms)",
    ),
)


def check_all(connection: sqlite3.Connection) -> IntegrityReport:
    """Every question, of the whole file. The caller holds one read transaction."""
    accounts, ledger_rows, bets = connection.execute(
        "SELECT (SELECT count(*) FROM users),"
        " (SELECT count(*) FROM transaction_ledger), (SELECT count(*) FROM bets)"
    ).fetchone()
    return IntegrityReport(
        accounts=accounts,
        ledger_rows=ledger_rows,
        bets=bets,
        drifts=_ask(connection, _FULL + (_SINCE_KEYS if has_keys(connection) else ()), after=0),
    )


def check_since(connection: sqlite3.Connection, *, after: int) -> tuple[Drift, ...]:
    """What a start must know, chains and zero sums from the ledger row after `after` on."""
    return _ask(connection, _START, after=after)


def check_opening(connection: sqlite3.Connection) -> tuple[Drift, ...]:
    """What must hold of a file in which nothing was done yet, but for its rows (db.rotation)."""
    return _ask(connection, _OPENING, after=0)


def check_pair(old: sqlite3.Connection, new: sqlite3.Connection) -> tuple[Drift, ...]:
    """What a closed file and the one after it must have in common; none of it is lost between.

    Both connections hold one read transaction each. What came later in the new file is not looked
    at: `check_all` does that.
    """
    pairs = _PAIR + (_PAIR_SINCE_KEYS if has_keys(old) else ())
    return tuple(
        Drift(what="carry", where=f"{where}{what}", expected=expected, found=found)
        for what, before, after in pairs
        for where, expected, found in _unequal(old, new, before, after)
    )


def _unequal(
    old: sqlite3.Connection, new: sqlite3.Connection, before: str, after: str
) -> list[tuple[str, int, int]]:
    expected: dict[str, int] = dict(old.execute(before))
    found: dict[str, int] = dict(new.execute(after))
    unequal = sorted(
        where
        for where in expected.keys() | found.keys()
        if expected.get(where, 0) != found.get(where, 0)
    )
    return [
        (where, expected.get(where, 0), found.get(where, 0))
        for where in unequal[:DRIFTS_PER_QUESTION_MAX]
    ]


def chain_breaks(connection: sqlite3.Connection, *, user_id: int) -> list[int]:
    """The ledger rows of an account that don't go on from the one before, and that no rebuild has
    settled. Seconds on an account of a million rows."""
    return [rowid for (rowid,) in connection.execute(_BREAKS, (user_id,))]


def _ask(
    connection: sqlite3.Connection, questions: tuple[tuple[str, str], ...], *, after: int
) -> tuple[Drift, ...]:
    return tuple(
        Drift(what=what, where=where, expected=expected, found=found)
        for what, sql in questions
        for where, expected, found in connection.execute(
            f"{sql} LIMIT {DRIFTS_PER_QUESTION_MAX}", {"after": after}
        )
    )
