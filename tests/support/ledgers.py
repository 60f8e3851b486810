"""Ledgers to test on, and short ways to write orders and verdicts."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import count

import attrs

from db.sqlite_connection import Database
from db.sqlite_ledger import SqliteLedger
from db.sqlite_ledger_reader import SqliteLedgerReader
from domain.caps import HouseCaps
from domain.evidence import Evidence, gather
from domain.grid import Cell
from domain.refusals import Refusal
from domain.resolution import CellResult, Judgeable, Outcome, Record, Rule, VoidReason
from domain.self_limits import DAY_MS
from domain.ticks import Tick
from domain.units import MICROS_PER_USD
from protocols.account_commands import (
    Adjust,
    DecideWithdrawal,
    KeyGrant,
    RequestWithdrawal,
    SetFrozen,
    VoidColumn,
)
from protocols.money import (
    BetOrder,
    ColumnKey,
    Deposit,
    LedgerCommand,
    MoneyOutcome,
    PlaceBet,
    SettleColumn,
)
from supervisor.chance import SeededChance

ALICE = "0x" + "a1" * 20
BOB = "0x" + "b0" * 20
STAKE = MICROS_PER_USD
START_S = 1_770_000_000
AT_MS = START_S * 1000 - 20_000
BANKROLL = 10_000_000 * MICROS_PER_USD
KEY = ColumnKey(start_s=START_S, column_s=5, rule=Rule.TOUCH)

_numbers = count()


@attrs.define
class Venue:
    """A ledger with its writer and a reader."""

    ledger: SqliteLedger
    reader: SqliteLedgerReader

    def apply(self, *commands: LedgerCommand, at_ms: int = AT_MS) -> Sequence[MoneyOutcome]:
        return self.ledger.apply(commands, at_ms=at_ms)

    def one(self, command: LedgerCommand, *, at_ms: int = AT_MS) -> MoneyOutcome:
        return self.ledger.apply([command], at_ms=at_ms)[0]

    def fund(self, wallet: str, amount_micros: int) -> None:
        self.one(deposit(wallet, amount_micros))

    def balance(self, wallet: str) -> int:
        account = self.reader.account(wallet)
        return account.balance_micros if account is not None else 0

    def close(self) -> None:
        self.reader.close()
        self.ledger.close()


def open_venue(database: Database, *, caps: HouseCaps | None = None, seed: int = 1) -> Venue:
    """A ledger as a start of the venue opens it. Another life needs another seed."""
    ledger = SqliteLedger.open(database, caps=caps or HouseCaps(), chance=SeededChance(seed))
    return Venue(ledger, SqliteLedgerReader.open(database))


def deposit(wallet: str, amount_micros: int, reference: str | None = None) -> Deposit:
    """A deposit with a reference of its own."""
    return Deposit(
        wallet=wallet,
        amount_micros=amount_micros,
        reference=reference or f"deposit-{next(_numbers)}",
        by="test",
    )


def withdraw(
    amount_micros: int, *, wallet: str = ALICE, nonce: str | None = None
) -> RequestWithdrawal:
    """A signed request with a nonce of its own."""
    return RequestWithdrawal(
        wallet=wallet,
        nonce=nonce or f"nonce-{next(_numbers)}",
        amount_micros=amount_micros,
        destination="0x" + "d0" * 20,
        signed_at_s=AT_MS // 1000,
        signature="0x" + "5a" * 65,
    )


def decide(withdrawal_id: str, *, paid: bool) -> DecideWithdrawal:
    """An operator's word, for a payment with the withdrawal's id as its reference."""
    return DecideWithdrawal(
        withdrawal_id=withdrawal_id,
        paid=paid,
        reference=f"of {withdrawal_id}" if paid else "",
        reason="" if paid else "drill",
        by="ann",
    )


def adjust(amount_micros: int, *, wallet: str = ALICE, reference: str | None = None) -> Adjust:
    """An adjustment with a reference of its own."""
    return Adjust(
        wallet=wallet,
        amount_micros=amount_micros,
        reference=reference or f"case-{next(_numbers)}",
        bet_id=None,
        reason="drill",
        by="ann",
    )


def freeze(wallet: str = ALICE, *, frozen: bool = True) -> SetFrozen:
    return SetFrozen(wallet=wallet, frozen=frozen, reason="drill", by="ann")


def give_back(start_s: int = START_S) -> VoidColumn:
    """An operator's order."""
    return VoidColumn(start_s=start_s, reason="drill", by="ann")


def order(
    row: int = 0,
    *,
    wallet: str = ALICE,
    nonce: str | None = None,
    bet_id: str | None = None,
    stake: int = STAKE,
    bps: int = 20_000,
    start_s: int = START_S,
    rule: Rule = Rule.TOUCH,
    refusal: Refusal | None = None,
    key_id: str | None = None,
) -> BetOrder:
    """A judged bet on row `row` (rows are 1,000 cents high), with id and nonce of its own."""
    number = next(_numbers)
    return BetOrder(
        bet=PlaceBet(
            bet_id=bet_id or f"bet-{number}",
            wallet=wallet,
            nonce=nonce or f"nonce-{number}",
            cell=Cell(column_start_s=start_s, lo_cents=row * 1_000, hi_cents=row * 1_000 + 1_000),
            stake_micros=stake,
            key_id=key_id,
        ),
        column_s=5,
        rule=rule,
        reward_bps=bps,
        quote_n=7,
        refusal=refusal,
    )


def grant(
    number: int = 1,
    *,
    session_id: str = "session-1",
    bet_max: int = 5 * STAKE,
    day_max: int = 20 * STAKE,
    expires_at_ms: int = AT_MS + DAY_MS,
) -> KeyGrant:
    """A session key; each number has another. The ledger takes any 65 bytes for a point."""
    public_key = b"\x04" + number.to_bytes(64, "big")
    return KeyGrant(
        key_id=sha256(public_key).hexdigest()[:32],
        public_key=public_key,
        session_id=session_id,
        bet_max_micros=bet_max,
        day_max_micros=day_max,
        expires_at_ms=expires_at_ms,
    )


def record_of(start_s: int = START_S, *, price_cents: int = 1_500) -> Record:
    """A tick each second at one price, from before the window until it may be judged."""
    carry_in, *ticks = [
        Tick(
            source="test",
            trade_id=n,
            price_cents=price_cents,
            size_e8=0,
            ts_ms=start_s * 1000 + n * 1000 - 500,
            recv_ms=start_s * 1000 + n * 1000 - 500,
        )
        for n in range(9)
    ]
    return Record(
        start_ms=start_s * 1000,
        end_ms=start_s * 1000 + 5_000,
        carry_in=carry_in,
        ticks=tuple(ticks[:5]),
        after=ticks[5],
        watermark_ms=ticks[-1].ts_ms,
        read_at_ms=start_s * 1000 + 8_000,
    )


def evidence_of(start_s: int = START_S, *, void: VoidReason | None = None) -> Evidence:
    return gather(Rule.TOUCH, record_of(start_s), Judgeable(void=void))


def settle(
    *, won: Iterable[int] = (), lost: Iterable[int] = (), start_s: int = START_S
) -> SettleColumn:
    """A verdict that names the rows that won and those that lost."""
    outcomes = {**dict.fromkeys(won, Outcome.WON), **dict.fromkeys(lost, Outcome.LOST)}
    return _verdict(start_s, outcomes, None)


def void(
    rows: Iterable[int], *, start_s: int = START_S, reason: VoidReason = VoidReason.TICK_GAP
) -> SettleColumn:
    """A verdict that gives everything back."""
    return _verdict(start_s, dict.fromkeys(rows, Outcome.VOID), reason)


def _verdict(start_s: int, outcomes: dict[int, Outcome], reason: VoidReason | None) -> SettleColumn:
    return SettleColumn(
        key=attrs.evolve(KEY, start_s=start_s),
        evidence=evidence_of(start_s, void=reason),
        results={
            (row * 1_000, row * 1_000 + 1_000): CellResult(outcome=outcome)
            for row, outcome in outcomes.items()
        },
    )
