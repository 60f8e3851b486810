"""A money folder with several weeks in it, written by the real ledger, and ways to lose some."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import pairwise
from pathlib import Path

import attrs

from db.ledger_check import check_all, check_pair
from db.partition import current_file, file_name
from db.sqlite_connection import open_reader
from db.weekly_ledger import WeeklyLedger
from db.weekly_reader import RESTORED, WeeklyReader
from domain.caps import HouseCaps
from domain.self_limits import LimitsAsked, MaxAsked
from protocols.account_commands import RevokeKeys, SetLimits, WithdrawalRequested, WithdrawBankroll
from protocols.market import Override
from protocols.money import (
    KeepOverride,
    LedgerCommand,
    MoneyOutcome,
    OpenAccount,
    ReserveQuoteNumbers,
    Rotate,
    SetHold,
)
from supervisor.chance import SeededChance
from tests.support.ledgers import (
    ALICE,
    AT_MS,
    BANKROLL,
    BOB,
    STAKE,
    START_S,
    adjust,
    decide,
    deposit,
    freeze,
    give_back,
    grant,
    order,
    settle,
    void,
    withdraw,
)
from tests.support.quick_folder import quick_folder

WEEK_MS = 7 * 86_400_000
FIRST, SECOND, THIRD, FOURTH = (f"2026-02-{day:02}.db" for day in (1, 8, 15, 22))
"""The weeks from that of `AT_MS` on."""


def in_week(n: int, offset_ms: int = 0) -> int:
    """A moment of the `n`-th week; 0 is that of `AT_MS`."""
    return AT_MS + n * WEEK_MS + offset_ms


@attrs.define
class WeeklyVenue:
    """A ledger that begins new weeks, and a reader of all of them."""

    money: Path
    ledger: WeeklyLedger
    reader: WeeklyReader

    def apply(self, *commands: LedgerCommand, at_ms: int = AT_MS) -> Sequence[MoneyOutcome]:
        return self.ledger.apply(commands, at_ms=at_ms)

    def rotate(self, n: int) -> None:
        """Begin the `n`-th week."""
        self.apply(Rotate(), at_ms=in_week(n))
        assert self.ledger.partition() == file_name(in_week(n)), self.ledger.rotation_failure()

    def archive(self, *names: str) -> None:
        """What is left here of weeks that were purged: nothing."""
        for name in names:
            (self.money / name).unlink()

    def restore(self, name: str, content: bytes) -> None:
        """A week that is back from the archive."""
        (self.money / RESTORED).mkdir(exist_ok=True)
        (self.money / RESTORED / name).write_bytes(content)


@contextmanager
def weekly_venue(*, caps: HouseCaps | None = None) -> Iterator[WeeklyVenue]:
    """In its first week, with a bankroll, and Alice with a hundred stakes."""
    with quick_folder() as money:
        ledger = WeeklyLedger.open(
            money, at_ms=AT_MS, caps=caps or HouseCaps(), chance=SeededChance(1)
        )
        funds = [deposit("house", BANKROLL), deposit(ALICE, 100 * STAKE)]
        ledger.apply(funds, at_ms=AT_MS)
        venue = WeeklyVenue(money, ledger, WeeklyReader(money))
        try:
            yield venue
        finally:
            venue.reader.close()
            venue.ledger.close()


SUNDAY_MS = (AT_MS // 86_400_000 - 1 + 7) * 86_400_000
"""The first millisecond of the second week."""
AHEAD_S = SUNDAY_MS // 1000 + 600
"""A column of the second week that can be tapped on in the first."""
FROZEN = "0x" + "f0" * 20
SIGNING = grant(1, session_id="signing", expires_at_ms=SUNDAY_MS + WEEK_MS)
REVOKED = grant(2, session_id="revoked", expires_at_ms=SUNDAY_MS + WEEK_MS)
TWO_A_DAY = LimitsAsked(loss_day_max=MaxAsked(micros=2 * STAKE))


def fill(ledger: WeeklyLedger) -> None:
    """A first week with some of everything that has to come through its end.

    A settled column, one voided before its window, open bets on one that is past and on one that
    is still to come, a bet of the last second that was refused for want of money, a frozen account,
    an empty one, session keys of which one has signed and one is revoked, limits that a trader has
    set for himself and has reached half-way, withdrawals that wait, are paid and came back,
    adjustments, columns that are given back, and what operators have set.
    """
    late_ms = SUNDAY_MS - 1_000
    ledger.apply(
        [
            *(deposit("house", BANKROLL, "bankroll"), deposit(ALICE, 100 * STAKE, "alice")),
            *(deposit(BOB, 3 * STAKE, "bob"), deposit(FROZEN, STAKE, "frozen")),
            OpenAccount(wallet="0x" + "e0" * 20),
            *(OpenAccount(wallet=BOB, key=key) for key in (SIGNING, REVOKED)),
            RevokeKeys(wallet=BOB, session_id=REVOKED.session_id),
            SetLimits(wallet=BOB, asked=TWO_A_DAY),
            *(order(1), order(2), order(1, wallet=BOB)),
        ],
        at_ms=AT_MS,
    )
    ledger.apply([freeze(FROZEN), settle(won=[1], lost=[2])], at_ms=AT_MS + 40_000)
    withdrawn = ledger.apply([withdraw(1, nonce=nonce) for nonce in "abc"], at_ms=AT_MS + 50_000)
    ids = [one.withdrawal.id for one in withdrawn if isinstance(one, WithdrawalRequested)]
    ledger.apply(
        [
            *(decide(ids[1], paid=True), decide(ids[2], paid=False)),
            WithdrawBankroll(amount_micros=1, destination="", reference="r", reason="", by="ann"),
            *(adjust(1, reference="case-1"), adjust(-1, reference="case-2")),
            *(order(3, start_s=AHEAD_S + 10, bet_id="given back"), give_back(AHEAD_S + 10)),
            give_back(AHEAD_S + 15),
        ],
        at_ms=AT_MS + 60_000,
    )
    ledger.apply(
        [
            *(order(4, start_s=START_S + 60, bet_id="past"), order(5, start_s=AHEAD_S)),
            order(6, start_s=AHEAD_S + 5, bet_id="voided"),
            void([6], start_s=AHEAD_S + 5),
            order(
                7,
                start_s=AHEAD_S,
                bet_id="ahead",
                nonce="n-ahead",
                wallet=BOB,
                key_id=SIGNING.key_id,
            ),
            order(8, start_s=AHEAD_S, bet_id="broke", nonce="n-broke", wallet=BOB, stake=9 * STAKE),
            SetHold(held=True, by="ann", why="drill"),
            KeepOverride(override=Override.CLOSE, by="bob", why="drill"),
            ReserveQuoteNumbers(count=1_000),
        ],
        at_ms=late_ms,
    )


def files_of(money: Path) -> list[str]:
    """The files of all weeks, oldest first, as the current one has them."""
    current = current_file(money)
    assert current is not None
    with closing(open_reader(current)) as connection:
        before = [name for (name,) in connection.execute("SELECT name FROM partitions ORDER BY 1")]
    return [*before, current.name]


def check_weeks(money: Path) -> None:
    """Zero drift in every file and between them, nothing beside them, nothing made of nothing."""
    names, total = files_of(money), 0
    assert sorted(path.name for path in money.glob("*.db")) == names
    with ExitStack() as stack:
        files = [stack.enter_context(closing(open_reader(money / name))) for name in names]
        for file in files:
            assert check_all(file).drifts == ()
            total += file.execute(
                "SELECT ifnull(sum(amount), 0) FROM transaction_ledger WHERE ref_type <> 'CARRY'"
            ).fetchone()[0]
        for old, new in pairwise(files):
            assert check_pair(old, new) == ()
    assert total == 0


def standing(money: Path) -> dict[str, list[tuple[object, ...]]]:
    """What the end of a week must not change, from the current file."""
    current = current_file(money)
    assert current is not None
    with closing(open_reader(current)) as connection:
        return {sql: connection.execute(sql).fetchall() for sql in _STANDING}


_STANDING = (
    "SELECT * FROM users ORDER BY id",
    "SELECT rowid, id, user_id, nonce, cell_id, column_s, rule, stake_micros, reward_bps, quote_n,"
    " placed_at_ms, key_id FROM bets WHERE status = 'confirmed' ORDER BY rowid",
    "SELECT * FROM deposits ORDER BY reference",
    "SELECT * FROM session_keys ORDER BY id",
    "SELECT * FROM account_limits ORDER BY user_id",
    "SELECT * FROM withdrawals ORDER BY id",
    "SELECT * FROM adjustments ORDER BY reference",
    "SELECT * FROM column_voids ORDER BY start_s",
    "SELECT * FROM exposure ORDER BY scope, key",
    "SELECT next_quote_n, held, held_by, held_why, override, override_by, override_why FROM meta",
)
