"""From one week's file to the next: what is carried over, and what any failure on the way costs."""

import os
import re
import resource
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import attrs
import pytest

from db import rotation
from db.migrate import migrate
from db.partition import ManifestBroken
from db.rotation import RotationFailed, Turn, build_file, close_file, fold_log, parts
from db.sqlite_connection import open_reader, open_writer
from db.sqlite_ledger_reader import SqliteLedgerReader
from db.ulid import UlidMaker
from db.weekly_ledger import RETRY_MS, WeeklyLedger
from domain.caps import HouseCaps
from domain.refusals import Code, Refusal
from domain.self_limits import DAY_MS
from protocols.account_commands import DecideWithdrawal, KeyGrant
from protocols.money import (
    BetConfirmed,
    BetRefused,
    LedgerCommand,
    MoneyOutcome,
    OpenAccount,
    RebuildBalance,
    Rotate,
)
from supervisor.chance import SeededChance
from tests.support.ledgers import (
    ALICE,
    BOB,
    STAKE,
    adjust,
    decide,
    deposit,
    give_back,
    order,
    withdraw,
)
from tests.support.quick_folder import quick_folder
from tests.support.steps import count, stepping
from tests.support.weeks import (
    AHEAD_S,
    FIRST,
    REVOKED,
    SECOND,
    SIGNING,
    SUNDAY_MS,
    check_weeks,
    files_of,
    fill,
    in_week,
    standing,
)


def reopen(money: Path, *, seed: int = 1) -> WeeklyLedger:
    return WeeklyLedger.open(money, at_ms=in_week(0), caps=HouseCaps(), chance=SeededChance(seed))


@pytest.fixture(scope="module")
def week() -> Iterator[Path]:
    """The folder of a full first week, closed: to be copied."""
    with quick_folder() as folder:
        ledger = reopen(folder)
        fill(ledger)
        ledger.close()
        yield folder


@pytest.fixture
def money(week: Path) -> Iterator[Path]:
    """A copy of it."""
    with copy_of(week) as copied:
        yield copied


@contextmanager
def copy_of(week: Path) -> Iterator[Path]:
    with quick_folder() as folder:
        shutil.copytree(week, folder, dirs_exist_ok=True)
        yield folder


@pytest.fixture
def ledger(money: Path) -> Iterator[WeeklyLedger]:
    with closing(reopen(money)) as ledger:
        yield ledger


def build(money: Path) -> None:
    turn = Turn(old=money / FIRST, new=money / SECOND, at_ms=SUNDAY_MS)
    build_file(turn, ulids=UlidMaker(SeededChance(2)))


# --- what becomes of each table -----------------------------------------------------------------


@pytest.fixture
def schema() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        migrate(connection)
        yield connection


def test_every_table_has_its_part(schema: sqlite3.Connection) -> None:
    """A new table: say in rotation.sql what becomes of it at the end of a week."""
    tables = schema.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    assert sorted(part.table for part in parts()) == sorted(name for (name,) in tables)


@pytest.mark.parametrize("part", parts(), ids=lambda part: part.table)
def test_every_column_has_its_place(schema: sqlite3.Connection, part: rotation.Part) -> None:
    """A new column: a statement that names columns must name it, too."""
    found = schema.execute("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0", (part.table,))
    columns = {name for (name,) in found}
    statement = re.match(rf"INSERT INTO {part.table}\s*(?:\(([^)]*)\))?", part.statement)
    assert statement is not None
    if statement[1] is None:
        assert f"SELECT * FROM old.{part.table}" in part.statement
    else:
        named = {name.strip() for name in statement[1].split(",")}
        defaults = {"metadata"} if part.table == "transaction_ledger" else set()
        assert named == columns - defaults


def test_the_new_file_has_the_schema_of_the_old_one(money: Path) -> None:
    build(money)
    sql = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"
    schemas = []
    for name in (FIRST, SECOND):
        with closing(open_reader(money / name)) as connection:
            schemas.append(connection.execute(sql).fetchall())
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert schemas[0] == schemas[1]


def test_what_must_last_is_as_it_was(money: Path, ledger: WeeklyLedger) -> None:
    before = standing(money)
    ledger.apply([Rotate()], at_ms=SUNDAY_MS)
    assert ledger.partition() == SECOND
    assert standing(money) == before
    check_weeks(money)


@pytest.mark.parametrize("key", [SIGNING, REVOKED], ids=["signing", "revoked"])
def test_a_key_that_was_used_before_is_refused_in_the_next_week_too(
    ledger: WeeklyLedger, key: KeyGrant
) -> None:
    opened = ledger.apply([OpenAccount(wallet=ALICE, key=key)], at_ms=SUNDAY_MS)[0]
    assert ledger.partition() == SECOND
    assert isinstance(opened, Refusal)
    assert (opened.code, opened.details) == (Code.BAD_REQUEST, {"field": "resources"})


def test_keys_and_limits_hold_on_in_the_next_week(ledger: WeeklyLedger) -> None:
    signing, revoked, above = (
        order(20, start_s=AHEAD_S, wallet=BOB, key_id=SIGNING.key_id),
        order(21, start_s=AHEAD_S, wallet=BOB, key_id=REVOKED.key_id),
        order(22, start_s=AHEAD_S, wallet=BOB, stake=2 * STAKE),
    )
    taken, *refused = ledger.apply([signing, revoked, above], at_ms=SUNDAY_MS)
    assert ledger.partition() == SECOND
    assert isinstance(taken, BetConfirmed)
    assert [said(outcome) for outcome in refused] == [Code.UNAUTHORIZED, Code.LIMIT_REACHED]


def test_what_was_staked_and_lost_on_a_day_counts_on_in_a_file_that_is_begun_within_it(
    money: Path, ledger: WeeklyLedger
) -> None:
    (money / SECOND).mkdir()  # so that the week can't be begun at midnight
    first = order(20, start_s=AHEAD_S, wallet=BOB, stake=2 * STAKE, key_id=SIGNING.key_id)
    assert isinstance(ledger.apply([first], at_ms=SUNDAY_MS)[0], BetConfirmed)
    assert ledger.partition() == FIRST
    (money / SECOND).rmdir()
    second = order(21, start_s=AHEAD_S, wallet=BOB)
    (refused,) = ledger.apply([second], at_ms=SUNDAY_MS + RETRY_MS)
    assert ledger.partition() == SECOND
    assert isinstance(refused, BetRefused)
    assert refused.refusal.details == {
        "limit": "loss_day",
        "max_micros": 2 * STAKE,
        "lost_micros": 2 * STAKE,
    }
    with closing(open_reader(money / SECOND)) as connection:
        key = SqliteLedgerReader(connection).session_key(SIGNING.key_id)
    assert key is not None
    assert (key.day, key.day_stake_micros) == (SUNDAY_MS // DAY_MS, 2 * STAKE)
    ledger.recover()
    check_weeks(money)


def said(outcome: MoneyOutcome) -> Code:
    assert isinstance(outcome, BetRefused)
    return outcome.refusal.code


def test_each_balance_is_carried_by_one_row_of_one_transaction(
    money: Path, ledger: WeeklyLedger
) -> None:
    ledger.apply([Rotate()], at_ms=SUNDAY_MS)
    with closing(open_reader(money / FIRST)) as old, closing(open_reader(money / SECOND)) as new:
        (last,) = old.execute("SELECT max(rowid) FROM transaction_ledger").fetchone()
        balances = old.execute(
            "SELECT id, balance FROM users WHERE balance <> 0 OR id <= 2 ORDER BY id"
        ).fetchall()
        rows = new.execute(
            "SELECT rowid, id, txn, user_id, amount, balance_after, ref_type, ref_id, metadata,"
            " created_at_ms FROM transaction_ledger ORDER BY rowid"
        ).fetchall()
    assert len(balances) == 5, "house, external, Alice, Bob, the frozen one; not the empty one"
    assert [(row[3], row[4]) for row in rows] == balances
    assert [row[0] for row in rows] == list(range(last + 1, last + 6))
    assert sum(row[4] for row in rows) == 0
    for row in rows:
        assert row[4] == row[5]
        assert (row[2], *row[6:]) == (last + 1, "CARRY", FIRST, "{}", SUNDAY_MS)


def test_the_ids_of_carried_balances_are_ulids_in_order(money: Path, ledger: WeeklyLedger) -> None:
    placed = ledger.apply([order(20, start_s=AHEAD_S)], at_ms=SUNDAY_MS)
    assert isinstance(placed[0], BetConfirmed)
    with closing(open_reader(money / SECOND)) as new:
        sql = "SELECT id FROM transaction_ledger ORDER BY rowid"
        ids = [found for (found,) in new.execute(sql)]
    assert all(re.fullmatch("[0-7][0-9A-HJKMNP-TV-Z]{25}", found) for found in ids)
    assert ids == sorted(set(ids))


def test_a_ledger_without_any_money_goes_on(tmp_path: Path) -> None:
    with closing(reopen(tmp_path)) as ledger:
        for n in range(1, 4):
            ledger.apply([Rotate()], at_ms=in_week(n))
        ledger.recover()
        check_weeks(tmp_path)
        with closing(open_reader(ledger.path)) as connection:
            rows = connection.execute("SELECT rowid, amount FROM transaction_ledger").fetchall()
    assert rows == [(5, 0), (6, 0)], "house and external, in each file but the first"


# --- a new file is checked before it counts ----------------------------------------------------


@pytest.mark.parametrize(
    ("table", "instead", "seen"),
    [
        ("users", "INSERT INTO users SELECT * FROM old.users WHERE id <> 4", "accounts"),
        ("users", "INSERT INTO users SELECT id, wallet_address, balance + (id = 3), version,"
         " frozen, created_at_ms FROM old.users", "accounts that are as they were"),
        ("users", "INSERT INTO users SELECT id, wallet_address, balance, version, 0,"
         " created_at_ms FROM old.users", "accounts that are as they were"),
        ("transaction_ledger", ("WHERE balance <> 0 OR id <= 2", "WHERE id <> 4"), "rows"),
        ("transaction_ledger", ("balance, balance,", "balance, balance + 1,"), "rows that carry"),
        ("transaction_ledger", ("'CARRY'", "'DEPOSIT'"), "rows that carry"),
        ("transaction_ledger", (":last_rowid + 1", ":last_rowid"), "number of the first row"),
        ("transaction_ledger", ("WHERE balance <> 0 OR id <= 2",
         "JOIN (SELECT 1 UNION SELECT 2) WHERE balance <> 0"), "UNIQUE"),
        ("deposits", "INSERT INTO deposits SELECT * FROM old.deposits LIMIT 2", "deposits"),
        ("withdrawals", "", "withdrawals that are as they were"),
        ("withdrawals", ("SELECT *", "SELECT id, user_id, nonce, amount_micros + 1, destination,"
         " signed_at_s, signature, status, requested_at_ms, decided_at_ms, decided_by, reference,"
         " reason"), "withdrawals that are as they were"),
        ("adjustments", ("old.adjustments", "old.adjustments LIMIT 1"), "adjustments that are"),
        ("session_keys", ("old.session_keys", "old.session_keys LIMIT 1"), "session keys"),
        ("session_keys", "INSERT INTO session_keys SELECT id, user_id, session_id, public_key,"
         " bet_max_micros, day_max_micros, created_at_ms, expires_at_ms, NULL, day,"
         " day_stake_micros FROM old.session_keys", "session keys that are revoked"),
        ("session_keys", "INSERT INTO session_keys SELECT id, user_id, session_id, public_key,"
         " bet_max_micros, day_max_micros, created_at_ms, expires_at_ms, revoked_at_ms, day, 0"
         " FROM old.session_keys", "stakes of session keys"),
        ("account_limits", ("old.account_limits", "old.account_limits LIMIT 0"),
         "account_limits that are"),
        ("bets", ("carried_from, :old_name), key_id", "carried_from, :old_name), NULL"),
         "open bets that are as they were"),
        ("column_voids", ("old.column_voids", "old.column_voids LIMIT 1"), "column_voids that are"),
        ("bets", ("WHERE status", "WHERE user_id = 3 AND status"), "open bets"),
        ("bets", ("micros,\n       reward_bps,", "micros,\n       reward_bps + 10000,"),
         "payouts of open bets"),
        ("bets", ("SELECT rowid, id, user_id, nonce", "SELECT rowid, id, user_id, nonce || '-'"),
         "open bets that are as they were"),
        ("exposure", "INSERT INTO exposure SELECT * FROM old.exposure WHERE scope <> 'user'",
         "exposure"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_what_the_old_one_was_is_never_made_current(
    money: Path,
    ledger: WeeklyLedger,
    monkeypatch: pytest.MonkeyPatch,
    table: str,
    instead: str | tuple[str, str],
    seen: str,
) -> None:
    """Each part of rotation.sql in turn does something else than it should."""
    real = parts()
    before = standing(money)
    monkeypatch.setattr(
        rotation, "parts", lambda: [wrong(p, instead) if p.table == table else p for p in real]
    )
    placed = ledger.apply([order(20, start_s=AHEAD_S)], at_ms=SUNDAY_MS)
    assert isinstance(placed[0], BetConfirmed), "betting goes on in the old file"
    assert ledger.partition() == FIRST
    assert seen in ledger.rotation_failure()
    assert files_of(money) == [FIRST]
    check_weeks(money)

    monkeypatch.undo()
    ledger.apply([Rotate()], at_ms=SUNDAY_MS + RETRY_MS)
    assert (ledger.partition(), ledger.rotation_failure()) == (SECOND, "")
    check_weeks(money)
    assert len(standing(money)) == len(before)


def wrong(part: rotation.Part, instead: str | tuple[str, str]) -> rotation.Part:
    if isinstance(instead, str):
        return attrs.evolve(part, statement=instead)
    assert instead[0] in part.statement
    return attrs.evolve(part, statement=part.statement.replace(*instead))


def test_money_that_does_not_add_up_is_not_carried_over(money: Path, ledger: WeeklyLedger) -> None:
    with closing(sqlite3.connect(money / FIRST)) as connection, connection:
        connection.execute("UPDATE users SET balance = balance + 7 WHERE id = 3")
    ledger.apply([Rotate()], at_ms=SUNDAY_MS)
    assert ledger.partition() == FIRST
    assert "zero_sum: all accounts: expected 0, found 7" in ledger.rotation_failure()
    rebuild = RebuildBalance(wallet=ALICE, by="ann", why="drift")
    ledger.apply([rebuild, Rotate()], at_ms=SUNDAY_MS + 1)
    ledger.apply([Rotate()], at_ms=SUNDAY_MS + RETRY_MS)
    assert ledger.partition() == SECOND
    check_weeks(money)


# --- a step that fails --------------------------------------------------------------------------


class Outage(OSError):
    """The disk does not."""


def fail_once(at: int) -> Callable[[int, str], None]:
    def act(number: int, _what: str) -> None:
        if number == at:
            raise Outage(f"step {at}")

    return act


def fail_from(at: int) -> Callable[[int, str], None]:
    def act(number: int, what: str) -> None:
        if number >= at and what != "ROLLBACK":  # which asks nothing of the disk
            raise sqlite3.OperationalError(f"disk I/O error at step {number}")

    return act


@pytest.mark.slow
@pytest.mark.parametrize("fault", [fail_once, fail_from], ids=["once", "from then on"])
def test_a_failure_at_any_step_leaves_the_rotation_not_begun_or_done(
    week: Path, fault: Callable[[int], Callable[[int, str], None]]
) -> None:
    bet = order(20, start_s=AHEAD_S)
    with copy_of(week) as money, closing(reopen(money)) as ledger, stepping(count) as steps:
        ledger.apply([bet], at_ms=SUNDAY_MS)
    assert len(steps) > 100
    ends: set[tuple[str, bool]] = set()
    for at in range(1, len(steps) + 1):
        with copy_of(week) as money, closing(reopen(money)) as ledger:
            before = standing(money)
            with stepping(fault(at)):
                outcome = apply_or_none(ledger, bet)
            ends.add((ledger.partition(), outcome is not None))
            assert files_of(money)[-1] == ledger.partition() or outcome is None, steps[at - 1]
            if outcome is None:
                assert standing(money) == before, "raised, so nothing was written"
                again = ledger.apply([bet], at_ms=SUNDAY_MS + 1)[0]
                assert isinstance(again, BetConfirmed)
            ledger.apply([Rotate()], at_ms=SUNDAY_MS + 2 * RETRY_MS)
            ledger.recover()
            assert (ledger.partition(), ledger.rotation_failure()) == (SECOND, ""), steps[at - 1]
            check_weeks(money)
    assert (FIRST, True) in ends, "the batch was applied to the old file"
    assert {name for name, _ in ends} == {FIRST, SECOND}, "... or to the new one"


def apply_or_none(ledger: WeeklyLedger, bet: object) -> MoneyOutcome | None:
    """None if it raised: allowed where it can't be known which file is current."""
    try:
        return ledger.apply([bet], at_ms=SUNDAY_MS)[0]  # type: ignore[list-item]
    except (OSError, sqlite3.Error):
        return None


def test_a_disk_without_room_for_the_new_file_stops_nothing(
    money: Path, ledger: WeeklyLedger
) -> None:
    """A real limit of the kernel: no file may grow beyond 80 KiB, and the new one needs 100."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (80 * 1024, before[1]))
    try:
        outcome = ledger.apply([order(20, start_s=AHEAD_S)], at_ms=SUNDAY_MS)[0]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert isinstance(outcome, BetConfirmed)
    assert ledger.partition() == FIRST
    assert "could not be begun" in ledger.rotation_failure()
    assert files_of(money) == [FIRST]
    check_weeks(money)


def test_a_failed_rotation_is_tried_again_a_minute_later_and_no_sooner(
    money: Path, ledger: WeeklyLedger
) -> None:
    (money / SECOND).mkdir()
    failures = []
    for after_ms in (0, 1, RETRY_MS - 1, RETRY_MS, RETRY_MS + 1):
        ledger.apply([Rotate()], at_ms=SUNDAY_MS + after_ms)
        failures.append(ledger.rotation_failure())
    assert [bool(failure) for failure in failures] == [True] * 5
    assert len(set(failures)) == 2, "each attempt says when it was"
    (money / SECOND).rmdir()
    ledger.apply([Rotate()], at_ms=SUNDAY_MS + 2 * RETRY_MS - 1)
    assert ledger.partition() == FIRST
    ledger.apply([Rotate()], at_ms=SUNDAY_MS + 2 * RETRY_MS)
    assert (ledger.partition(), ledger.rotation_failure()) == (SECOND, "")


# --- what an attempt leaves ---------------------------------------------------------------------


def test_what_an_attempt_left_is_cleared_away_at_the_next_start(money: Path) -> None:
    build(money)
    for leftover in (f"{SECOND}-wal", f"{SECOND}-shm", "2026-02-15.db"):
        (money / leftover).write_bytes(b"half a page")
    with closing(reopen(money)) as ledger:
        assert [path.name for path in money.glob("2026-02-08*")] == []
        ledger.apply([Rotate()], at_ms=SUNDAY_MS)
        ledger.recover()
    check_weeks(money)


def test_a_log_without_its_file_is_not_taken_for_that_of_the_new_one(money: Path) -> None:
    (money / f"{SECOND}-wal").write_bytes(bytes(4096))
    (money / f"{SECOND}-journal").write_bytes(bytes(4096))
    with closing(reopen(money)) as ledger:
        ledger.apply([Rotate()], at_ms=SUNDAY_MS)
        assert ledger.partition() == SECOND
    check_weeks(money)


def pay_what_waits(ledger: WeeklyLedger) -> DecideWithdrawal:
    with closing(open_reader(ledger.path)) as connection:
        sql = "SELECT id FROM withdrawals WHERE status = 'pending'"
        (withdrawal_id,) = connection.execute(sql).fetchone()
    return decide(withdrawal_id, paid=True)


@pytest.mark.parametrize(
    "command",
    [
        lambda _: order(20, start_s=AHEAD_S),
        lambda _: deposit(ALICE, 5),
        lambda _: withdraw(5),
        lambda _: adjust(5),
        lambda _: give_back(AHEAD_S + 100),
        pay_what_waits,
    ],
    ids=["a bet", "a deposit", "a withdrawal", "an adjustment", "a column given back", "a payment"],
)
@pytest.mark.parametrize("at_once", [True, False], ids=["first of all", "later"])
def test_a_later_file_with_money_of_its_own_stops_the_start(
    money: Path, command: Callable[[WeeklyLedger], LedgerCommand], at_once: bool
) -> None:
    """Somebody has put an old manifest back: what came since must not be taken for an attempt."""
    manifest = (money / "manifest.json").read_bytes()
    with closing(reopen(money)) as ledger:
        if not at_once:
            ledger.apply([Rotate()], at_ms=SUNDAY_MS)
        ledger.apply([command(ledger)], at_ms=SUNDAY_MS + (not at_once))
    (money / "manifest.json").write_bytes(manifest)
    with pytest.raises(ManifestBroken, match="later than"):
        reopen(money)
    assert (money / SECOND).is_file()


# --- closing ------------------------------------------------------------------------------------


@pytest.fixture
def turned(money: Path, ledger: WeeklyLedger) -> Path:
    """The closed file."""
    ledger.apply([Rotate()], at_ms=SUNDAY_MS)
    ledger.recover()
    return money / FIRST


def test_a_closed_file_is_one_plain_file_without_open_bets(turned: Path) -> None:
    assert [path.name for path in turned.parent.glob(f"{FIRST}*")] == [FIRST]
    with closing(open_reader(turned)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        closed = connection.execute("SELECT opened_at_ms, closed_at_ms FROM meta").fetchone()
        sql = "SELECT status, count(*) FROM bets GROUP BY status ORDER BY status"
        statuses = dict(connection.execute(sql).fetchall())
        exposure = connection.execute("SELECT * FROM exposure").fetchall()
    assert closed == (in_week(0), SUNDAY_MS)
    assert statuses["carried"] == 4
    assert "confirmed" not in statuses
    assert exposure == [("total", "", 0, 0, 0)]


def test_a_closed_file_is_never_written_again(turned: Path) -> None:
    content = turned.read_bytes()
    close_file(turned, at_ms=SUNDAY_MS + 5)
    assert fold_log(turned)
    (turned.parent / "manifest.json").write_text(f'{{"current": "{FIRST}"}}')
    (turned.parent / SECOND).unlink()
    with pytest.raises(ManifestBroken, match="closed"):
        reopen(turned.parent)
    assert turned.read_bytes() == content
    assert os.listdir(turned.parent).count(f"{FIRST}-wal") == 0


def test_the_log_is_folded_a_minute_later_so_that_betting_waits_less(
    money: Path, ledger: WeeklyLedger
) -> None:
    with closing(open_reader(money / FIRST)) as reader:  # as a venue has
        reader.execute("SELECT count(*) FROM users").fetchone()
        ledger.apply([Rotate()], at_ms=SUNDAY_MS)
        ledger.apply([Rotate()], at_ms=SUNDAY_MS + RETRY_MS - 1)
        assert (money / f"{FIRST}-wal").stat().st_size > 0
        ledger.apply([Rotate()], at_ms=SUNDAY_MS + RETRY_MS)
        assert (money / f"{FIRST}-wal").stat().st_size == 0, "though somebody reads it"
    ledger.apply([Rotate()], at_ms=SUNDAY_MS + 2 * RETRY_MS)
    assert [path.name for path in money.glob(f"{FIRST}*")] == [FIRST]
    assert ledger.rotation_failure() == ""


def test_the_log_is_folded_when_the_ledger_is_closed_too(money: Path) -> None:
    ledger = reopen(money)
    with closing(open_reader(money / FIRST)) as reader:  # as a venue has, and closes first
        reader.execute("SELECT count(*) FROM users").fetchone()
        ledger.apply([Rotate()], at_ms=SUNDAY_MS)
    assert (money / f"{FIRST}-wal").stat().st_size > 0
    ledger.close()
    assert [path.name for path in money.glob(f"{FIRST}*")] == [FIRST]


def test_a_file_that_cannot_be_closed_is_reported_and_closed_later(
    money: Path, ledger: WeeklyLedger
) -> None:
    with closing(open_writer(money / FIRST)) as other:
        other.execute("BEGIN IMMEDIATE")  # as no venue does
        outcome = ledger.apply([order(20, start_s=AHEAD_S)], at_ms=SUNDAY_MS)[0]
        assert isinstance(outcome, BetConfirmed)
        assert ledger.partition() == SECOND
        assert f"{FIRST} could not be closed" in ledger.rotation_failure()
        ledger.apply([Rotate()], at_ms=in_week(2))
        assert ledger.partition() == SECOND, "no third file before the first is closed"
        other.execute("ROLLBACK")
    ledger.apply([Rotate()], at_ms=in_week(2) + RETRY_MS)
    assert ledger.rotation_failure() == ""
    ledger.recover()
    check_weeks(money)


def test_the_closing_that_a_crash_left_is_finished_at_the_next_start(
    money: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched, closing(reopen(money)) as ledger:
        patched.setattr("db.weekly_ledger.close_file", lambda *_, **__: None)
        ledger.apply([order(20, start_s=AHEAD_S)], at_ms=SUNDAY_MS)
    with closing(reopen(money, seed=2)) as ledger:
        ledger.recover()
        check_weeks(money)
        with closing(open_reader(money / FIRST)) as connection:
            sql = "SELECT closed_at_ms FROM meta"
            assert connection.execute(sql).fetchone() == (SUNDAY_MS,)


def test_a_failed_check_says_what_and_by_how_much(money: Path) -> None:
    with closing(sqlite3.connect(money / FIRST)) as connection, connection:
        connection.execute("UPDATE exposure SET bets = 9 WHERE scope = 'total'")
    with pytest.raises(RotationFailed, match="exposure: total: bets: expected 4, found 9"):
        build(money)
