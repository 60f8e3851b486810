"""The checks of a running venue: of the file that is current, and only if it is there."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import attrs
import pytest

from db.ledger_checks import FolderLedgerChecks
from db.partition import name_current
from protocols.auditing import LedgerUncheckable
from protocols.ports import WorkStopped
from tests.support.ledgers import ALICE, START_S, Venue, open_venue, order, settle
from tests.support.quick_folder import quick_folder


@attrs.define
class Steps:
    """Counts how often it is asked, and stops at the last one that is allowed."""

    allowed: int = 1_000_000
    taken: int = 0

    def step(self, done_bytes: int, total_bytes: int) -> None:
        self.taken += 1
        if self.taken > self.allowed:
            raise WorkStopped


@pytest.fixture
def money() -> Iterator[Path]:
    with quick_folder() as folder:
        yield folder


def ledger_in(money: Path, name: str) -> Venue:
    venue = open_venue(money / name)
    name_current(money, money / name)
    venue.fund("house", 1_000_000_000)
    venue.fund(ALICE, 1_000_000_000)
    return venue


def many_bets(venue: Venue, count: int) -> None:
    venue.apply(*[order(n % 1_000, start_s=START_S + 5 * (n // 1_000)) for n in range(count)])


def test_clean_money_is_found_clean(money: Path) -> None:
    with closing(ledger_in(money, "2026-02-01.db")) as venue:
        venue.apply(order(1), order(2), settle(won=[1], lost=[2]))
        checks = FolderLedgerChecks(money)
        report, audit = checks.full(work=Steps()), checks.partial(work=Steps())
    assert (report.clean, report.bets, report.accounts) == (True, 2, 3)
    assert (audit.drifts, audit.rowid) == ((), report.ledger_rows)


def test_drift_is_found_by_both(money: Path) -> None:
    with closing(ledger_in(money, "2026-02-01.db")):
        with closing(sqlite3.connect(money / "2026-02-01.db")) as other, other:
            other.execute(
                "UPDATE users SET balance = balance + 1 WHERE wallet_address = ?", [ALICE]
            )
        checks = FolderLedgerChecks(money)
        found = checks.full(work=Steps()).drifts, checks.partial(work=Steps()).drifts
    for drifts in found:
        assert {drift.what for drift in drifts} == {"balance", "zero_sum"}


def test_the_file_that_is_current_is_checked(money: Path) -> None:
    checks = FolderLedgerChecks(money)
    with closing(ledger_in(money, "2026-02-01.db")):
        before = checks.full(work=Steps()).ledger_rows
    with closing(ledger_in(money, "2026-02-08.db")) as venue:
        many_bets(venue, 10)
        assert checks.full(work=Steps()).ledger_rows > before


def test_a_folder_without_a_ledger(money: Path) -> None:
    with pytest.raises(LedgerUncheckable, match="holds no ledger"):
        FolderLedgerChecks(money).full(work=Steps())


def test_a_file_that_is_gone_is_noticed_while_a_writer_still_holds_it(money: Path) -> None:
    checks = FolderLedgerChecks(money)
    with closing(ledger_in(money, "2026-02-01.db")):
        (money / "2026-02-01.db").unlink()
        for check in (checks.full, checks.partial):
            with pytest.raises(LedgerUncheckable, match=r"2026-02-01\.db"):
                check(work=Steps())


def test_a_folder_that_is_gone(money: Path) -> None:
    ledger_in(money, "2026-02-01.db").close()
    shutil.rmtree(money)
    with pytest.raises(LedgerUncheckable):
        FolderLedgerChecks(money).full(work=Steps())
    money.mkdir()


def test_a_file_that_is_damaged(money: Path) -> None:
    ledger_in(money, "2026-02-01.db").close()
    (money / "2026-02-01.db").write_bytes(b"no database at all" * 1_000)
    with pytest.raises(LedgerUncheckable, match="DatabaseError"):
        FolderLedgerChecks(money).full(work=Steps())


def test_a_check_ends_when_it_is_told_to(money: Path) -> None:
    with closing(ledger_in(money, "2026-02-01.db")) as venue:
        many_bets(venue, 3_000)
        checks = FolderLedgerChecks(money)
        for check in (checks.full, checks.partial):
            whole = Steps()
            check(work=whole)
            assert whole.taken >= 2
            stopped = Steps(allowed=1)
            with pytest.raises(WorkStopped):
                check(work=stopped)
            assert stopped.taken == 2, "and nothing more is asked after that"
