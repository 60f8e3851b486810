"""The whole of a money file once more, in plain SQL, and against what was known of it."""

from typing import Final

from simulation.oracle.books import Books
from simulation.oracle.ledger_file import LedgerFile

NOTHING_MAY_BE_IN: Final = {
    "ledger_not_zero": "SELECT sum(amount) FROM transaction_ledger HAVING sum(amount) <> 0",
    "transaction_not_zero": """
        SELECT txn, sum(amount) FROM transaction_ledger GROUP BY txn
        HAVING sum(amount) <> 0 OR min(rowid) <> txn
    """,
    "balance_not_ledger": """
        SELECT u.id, u.balance, t.total FROM users AS u LEFT JOIN (
            SELECT user_id, sum(amount) AS total FROM transaction_ledger GROUP BY user_id
        ) AS t ON t.user_id = u.id WHERE u.balance <> ifnull(t.total, 0)
    """,
    "balance_chain_broken": """
        SELECT * FROM (
            SELECT rowid, user_id, balance_after - amount AS before, lag(balance_after, 1, 0)
                OVER (PARTITION BY user_id ORDER BY rowid) AS known FROM transaction_ledger
        ) WHERE before <> known
    """,
    "balance_below_zero": """
        SELECT rowid, user_id, balance_after FROM transaction_ledger
        WHERE balance_after < 0 AND user_id <> 2
    """,
    "stake_not_taken": """
        SELECT b.id, count(t.rowid) FROM bets AS b LEFT JOIN transaction_ledger AS t
            ON t.ref_id = b.id AND t.ref_type = 'BET' AND +t.user_id = b.user_id
            AND t.amount = -b.stake_micros
        WHERE b.status <> 'insufficient_funds' AND b.carried_from IS NULL
        GROUP BY b.id HAVING count(t.rowid) <> 1
    """,
    "credit_wrong": """
        SELECT b.id, b.status, b.payout_micros, sum(t.amount), count(t.rowid) FROM bets AS b
        LEFT JOIN transaction_ledger AS t
            ON t.ref_id = b.id AND t.ref_type IN ('PAYOUT', 'REFUND') AND +t.user_id = b.user_id
        GROUP BY b.id
        HAVING ifnull(sum(t.amount), 0) <> CASE b.status
                WHEN 'won' THEN b.stake_micros * b.reward_bps / 10000
                WHEN 'void' THEN b.stake_micros ELSE 0 END
            OR ifnull(b.payout_micros, 0) <> ifnull(sum(t.amount), 0) OR count(t.rowid) > 1
    """,
    "exposure_wrong": """
        SELECT e.bets, e.stake_micros, e.payout_micros, o.bets, o.stake, o.pays
        FROM exposure AS e, (
            SELECT count(*) AS bets, ifnull(sum(stake_micros), 0) AS stake,
                   ifnull(sum(stake_micros * reward_bps / 10000), 0) AS pays
            FROM bets WHERE status = 'confirmed') AS o
        WHERE e.scope = 'total'
          AND (e.bets, e.stake_micros, e.payout_micros) <> (o.bets, o.stake, o.pays)
    """,
    "nonce_used_twice": """
        SELECT user_id, nonce, count(*) FROM bets GROUP BY user_id, nonce HAVING count(*) > 1
    """,
    "cell_taken_twice": """
        SELECT user_id, cell_id, count(*) FROM bets WHERE status <> 'insufficient_funds'
        GROUP BY user_id, cell_id HAVING count(*) > 1
    """,
    "house_cannot_pay": """
        SELECT u.balance, e.payout_micros FROM users AS u, exposure AS e
        WHERE u.id = 1 AND e.scope = 'total' AND u.balance < e.payout_micros
    """,
}
"""By the invariant that a row would break. `+t.user_id`: the index over accounts is no help, since
each has many rows; SQLite makes itself one over `ref_id`."""


def recheck(file: LedgerFile, books: Books) -> None:
    """Find what is wrong in the file as a whole, and what of the known is not in it any more."""
    for what, sql in NOTHING_MAY_BE_IN.items():
        rows = file.rows(f"{sql} LIMIT 3")
        if rows:
            books.found(what, rows)
    _nothing_lost(file, books)


def _nothing_lost(file: LedgerFile, books: Books) -> None:
    count = file.value("SELECT count(*) FROM transaction_ledger WHERE rowid <= ?", file.last_entry)
    if count != books.entries:
        books.found("entries_lost", f"{count} of {books.entries} up to {file.last_entry}")
    there = {bet.id: bet for bet in file.all_bets()}
    for bet in there.values():
        known = books.bets.get(bet.id)
        if known is None or (known.terms(), *_end(known)) != (bet.terms(), *_end(bet)):
            books.found("bet_changed", f"{known} -> {bet}")
    for bet_id in books.open:
        if bet_id not in there:
            books.found("bet_lost", books.open[bet_id])
    for account in file.accounts():
        if books.balances[account.id] != account.balance:
            books.found("balance_not_ledger", f"{account}: {books.balances[account.id]}")


def _end(bet: object) -> tuple[object, ...]:
    return tuple(getattr(bet, name) for name in ("status", "payout_micros", "resolved_at_ms"))
