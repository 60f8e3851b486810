"""A money folder with several weeks in it, written by the real ledger, and ways to lose some."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from db.partition import file_name
from db.weekly_ledger import WeeklyLedger
from db.weekly_reader import RESTORED, WeeklyReader
from domain.caps import HouseCaps
from protocols.money import LedgerCommand, MoneyOutcome, Rotate
from supervisor.chance import SeededChance
from tests.support.ledgers import ALICE, AT_MS, BANKROLL, STAKE, deposit
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
def weekly_venue() -> Iterator[WeeklyVenue]:
    """In its first week, with a bankroll, and Alice with a hundred stakes."""
    with quick_folder() as money:
        ledger = WeeklyLedger.open(money, at_ms=AT_MS, caps=HouseCaps(), chance=SeededChance(1))
        funds = [deposit("house", BANKROLL), deposit(ALICE, 100 * STAKE)]
        ledger.apply(funds, at_ms=AT_MS)
        venue = WeeklyVenue(money, ledger, WeeklyReader(money))
        try:
            yield venue
        finally:
            venue.reader.close()
            venue.ledger.close()
