"""One week's money file, read as it is on disk, by a connection that can't write."""

import json
import sqlite3
from pathlib import Path
from typing import Any, Final, NamedTuple

HOUSE: Final = 1
EXTERNAL: Final = 2
OPEN: Final = "confirmed"
BROKE: Final = "insufficient_funds"
CARRIED: Final = "carried"
ENDS: Final = ("won", "lost", "void")


class Entry(NamedTuple):
    """A row of the ledger."""

    rowid: int
    txn: int
    user_id: int
    amount: int
    balance_after: int
    ref_type: str
    ref_id: str
    created_at_ms: int


class Bet(NamedTuple):
    """A row of the bets."""

    rowid: int
    id: str
    user_id: int
    nonce: str
    column_start_s: int
    column_s: int
    lo_cents: int
    hi_cents: int
    rule: str
    stake_micros: int
    reward_bps: int
    quote_n: int
    status: str
    payout_micros: int | None
    placed_at_ms: int
    resolved_at_ms: int | None
    carried_from: str | None
    key_id: str | None

    @property
    def cell_id(self) -> str:
        return f"{self.column_start_s}_{self.lo_cents}_{self.hi_cents}"

    @property
    def pays_micros(self) -> int:
        """If it is won; the remainder stays with the house."""
        return self.stake_micros * self.reward_bps // 10_000

    def terms(self) -> tuple[object, ...]:
        """What never changes once it is accepted, in whatever file it is."""
        return (*self[1:12], self.placed_at_ms, self.key_id)


class Account(NamedTuple):
    """A row of the users."""

    id: int
    wallet: str
    balance: int
    version: int
    frozen: int


class Key(NamedTuple):
    """A session key; all but its end is as it was authorised."""

    id: str
    user_id: int
    session_id: str
    bet_max_micros: int
    day_max_micros: int
    expires_at_ms: int
    revoked_at_ms: int | None


class Limits(NamedTuple):
    """Limits that a trader has set himself."""

    user_id: int
    stake_max: int | None
    loss_day_max: int | None
    paused_until_ms: int
    next_stake_max: int | None
    next_stake_at_ms: int | None
    next_loss_day_max: int | None
    next_loss_day_at_ms: int | None


class Withdrawal(NamedTuple):
    """A withdrawal, a trader's or the bankroll's."""

    id: str
    user_id: int
    nonce: str
    """The bankroll's: the operator's reference."""
    amount_micros: int
    destination: str
    signed_at_s: int | None
    signature: str | None
    requested_at_ms: int
    status: str
    decided_at_ms: int | None = None
    reference: str | None = None
    """Of the payment outside."""

    def asked(self) -> tuple[object, ...]:
        """What never changes, whatever is decided."""
        return self[:8]


class Given(NamedTuple):
    """A deposit or an adjustment, which happen once per reference."""

    rowid: int
    reference: str
    user_id: int
    amount_micros: int


class News(NamedTuple):
    """What is new in a file, and what it says now where that is short."""

    entries: list[Entry]
    bets: list[Bet]
    ended: list[Bet]
    """Of the bets that were open when last looked at: those that are not any more."""
    open_bets: int
    accounts: list[Account]
    exposure: dict[tuple[str, str], tuple[int, int, int]]
    deposits: list[Given]
    adjustments: list[Given]
    withdrawals: list[Withdrawal]
    keys: list[Key]
    limits: list[Limits]
    verdicts: list[tuple[int, int, int, str, str | None, int]]
    """`(rowid, start_s, column_s, rule, void_reason, judged_at_ms)`."""
    voids: list[int]
    """Columns that an operator has ordered to be given back."""
    held: bool
    override: str
    """Of the breaker, as an operator has ordered it."""
    high_ms: int


_BETS: Final = f"SELECT {', '.join(Bet._fields)} FROM bets"
_OPEN: Final = f"SELECT id FROM bets WHERE status = '{OPEN}'"
_ENTRIES: Final = f"SELECT {', '.join(Entry._fields)} FROM transaction_ledger"
_ACCOUNTS: Final = "SELECT id, wallet_address, balance, version, frozen FROM users ORDER BY id"
_KEYS: Final = f"SELECT {', '.join(Key._fields)} FROM session_keys ORDER BY rowid"
_LIMITS: Final = (
    "SELECT user_id, stake_max_micros, loss_day_max_micros, paused_until_ms,"
    " next_stake_max_micros, next_stake_at_ms, next_loss_day_max_micros, next_loss_day_at_ms"
    " FROM account_limits ORDER BY user_id"
)
_GIVEN: Final = "SELECT rowid, reference, user_id, amount_micros FROM"
_WITHDRAWALS: Final = f"SELECT {', '.join(Withdrawal._fields)} FROM withdrawals ORDER BY rowid"
_VERDICTS: Final = (
    "SELECT rowid, start_s, column_s, rule, void_reason, judged_at_ms FROM columns"
    " WHERE rowid > ? ORDER BY rowid"
)


_HEADS: Final = """
    SELECT (SELECT ifnull(max(rowid), 0) FROM transaction_ledger),
           (SELECT ifnull(max(rowid), 0) FROM bets),
           (SELECT ifnull(max(rowid), 0) FROM columns),
           (SELECT ifnull(max(rowid), 0) FROM deposits),
           (SELECT ifnull(max(rowid), 0) FROM adjustments),
           held, override, high_ms FROM meta
"""
"""How far each table goes: one statement, which says what need not be asked for."""


class LedgerFile:
    """Open until closed; remembers up to where it was read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = sqlite3.connect(
            f"file:{path}?mode=ro", uri=True, isolation_level=None, cached_statements=64
        )
        self.last_entry = self.last_bet = self.last_verdict = 0
        self.last_deposit = self.last_adjustment = 0

    def close(self) -> None:
        self._connection.close()

    def rows(self, sql: str, *values: object) -> list[Any]:
        """All rows of a query."""
        return self._connection.execute(sql, values).fetchall()

    def value(self, sql: str, *values: object) -> Any:
        """The one value of a query."""
        return self._connection.execute(sql, values).fetchone()[0]

    def go_on_from(self, other: "LedgerFile") -> None:
        """It is the same file in another place: what was read there is not new here."""
        self.last_entry, self.last_bet = other.last_entry, other.last_bet
        self.last_verdict = other.last_verdict
        self.last_deposit, self.last_adjustment = other.last_deposit, other.last_adjustment

    def all_bets(self) -> list[Bet]:
        return [Bet(*row) for row in self.rows(f"{_BETS} ORDER BY rowid")]

    def accounts(self) -> list[Account]:
        return [Account(*row) for row in self.rows(_ACCOUNTS)]

    def news(self, open_ids: list[str]) -> News:
        """What came since the last look; `open_ids`: the bets that were open then."""
        self._connection.execute("BEGIN")  # one lock for all, and all of one moment
        try:
            return self._news(open_ids)
        finally:
            self._connection.execute("COMMIT")

    def _news(self, open_ids: list[str]) -> News:
        entry, bet, verdict, deposit, adjustment, *meta = self.rows(_HEADS)[0]
        held, override, high_ms = meta
        open_now = {id_ for (id_,) in self.rows(_OPEN)}
        found = News(
            entries=self._entries() if entry > self.last_entry else [],
            bets=self._bets() if bet > self.last_bet else [],
            ended=self._ended([id_ for id_ in open_ids if id_ not in open_now]),
            open_bets=len(open_now),
            accounts=self.accounts(),
            exposure=self.exposure(),
            deposits=self._given("deposits", self.last_deposit)
            if deposit > self.last_deposit
            else [],
            adjustments=self._given("adjustments", self.last_adjustment)
            if adjustment > self.last_adjustment
            else [],
            withdrawals=[Withdrawal(*row) for row in self.rows(_WITHDRAWALS)],
            keys=[Key(*row) for row in self.rows(_KEYS)],
            limits=[Limits(*row) for row in self.rows(_LIMITS)],
            verdicts=self.rows(_VERDICTS, self.last_verdict) if verdict > self.last_verdict else [],
            voids=[start_s for (start_s,) in self.rows("SELECT start_s FROM column_voids")],
            held=bool(held),
            override=override,
            high_ms=high_ms,
        )
        self._mark(found)
        return found

    def exposure(self) -> dict[tuple[str, str], tuple[int, int, int]]:
        """The running totals as stored: bets, stakes and payouts."""
        sql = "SELECT scope, key, bets, stake_micros, payout_micros FROM exposure"
        return {
            (scope, key): (bets, stake, pays) for scope, key, bets, stake, pays in self.rows(sql)
        }

    def _entries(self) -> list[Entry]:
        sql = f"{_ENTRIES} WHERE rowid > ? ORDER BY rowid"
        return [Entry(*row) for row in self.rows(sql, self.last_entry)]

    def _bets(self) -> list[Bet]:
        sql = f"{_BETS} WHERE rowid > ? ORDER BY rowid"
        return [Bet(*row) for row in self.rows(sql, self.last_bet)]

    def _ended(self, ids: list[str]) -> list[Bet]:
        if not ids:
            return []
        sql = f"{_BETS} WHERE id IN (SELECT value FROM json_each(?)) ORDER BY rowid"
        return [Bet(*row) for row in self.rows(sql, json.dumps(ids))]

    def _given(self, table: str, after: int) -> list[Given]:
        sql = f"{_GIVEN} {table} WHERE rowid > ? ORDER BY rowid"
        return [Given(*row) for row in self.rows(sql, after)]

    def _mark(self, news: News) -> None:
        if news.entries:
            self.last_entry = news.entries[-1].rowid
        if news.bets:
            self.last_bet = news.bets[-1].rowid
        if news.verdicts:
            self.last_verdict = news.verdicts[-1][0]
        if news.deposits:
            self.last_deposit = news.deposits[-1].rowid
        if news.adjustments:
            self.last_adjustment = news.adjustments[-1].rowid
