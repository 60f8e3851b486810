"""Bringing a backup back: the money is that of the backup then, or what it was, never between."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import attrs
import pytest

from db import migrate
from db import restore as restoring
from db.backup import read_record
from db.data_folder import DataFolder, FolderInUse, NoDataFolder, StampBroken, StampMismatch
from db.partition import ManifestBroken, current_file, file_name
from db.restore import (
    NOTE,
    QUOTE_NUMBERS_SKIPPED,
    CannotSwap,
    NoSuchBackup,
    Restored,
    choose_backup,
    exchange,
    restore,
)
from domain.backups import HOUR_MS, record_key
from domain.refusals import Code
from protocols.account_commands import RevokeKeys
from protocols.backup import BackupFailed, record_to_json
from protocols.money import (
    AccountOpened,
    BetConfirmed,
    BetRefused,
    OpenAccount,
    QuoteNumbersReserved,
    ReserveQuoteNumbers,
    Rotate,
)
from protocols.ports import ObjectStoreFailed, WorkStopped
from tests.support.backups import WEEK_MS, Place, Room, Watched
from tests.support.killed import killed_everywhere
from tests.support.ledgers import ALICE, AT_MS, STAKE, deposit, grant, order, settle
from tests.support.quick_folder import quick_folder

PARTITION = file_name(AT_MS)
THEN = 99 * STAKE
"""What Alice has in the backup: a hundred stakes less the one that is on a cell."""
NOW = 149 * STAKE
LATER_MS = AT_MS + HOUR_MS
NOW_MS = AT_MS + 10 * WEEK_MS
STEPS = ["fetch", "unpack", "check", "put in place"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return a_past(tmp_path)


def a_past(root: Path) -> Place:
    """A backup with an open bet, and fifty stakes that came after it."""
    place = Place(data=root / "data", store=root / "store")
    place.fund()
    place.apply(order(0))
    place.take()
    place.apply(deposit(ALICE, 50 * STAKE))
    assert place.balance() == NOW
    return place


def bring_back(place: Place, key: str | None = None, work: Watched | None = None) -> Restored:
    return restore(
        place.data,
        choose_backup(place.objects, key, now_ms=NOW_MS).key,
        objects=place.objects,
        probe=place.probe,
        at_ms=LATER_MS,
        work=work or Watched(),
        recorded=nullcontext,
    )


def money_files(folder: Path) -> dict[str, bytes]:
    """What is in the money folder, but for what a reader leaves."""
    files = [each for each in folder.rglob("*") if each.is_file()]
    return {each.name: each.read_bytes() for each in files if not each.name.endswith("-shm")}


# --- what is brought back ---------------------------------------------------------------------


def test_a_destroyed_folder_is_made_anew(place: Place) -> None:
    shutil.rmtree(place.data)
    work = Watched()
    restored = bring_back(place, work=work)
    assert work.steps == STEPS
    assert DataFolder.existing(place.data).chain_id == 31337
    assert place.balance() == THEN
    assert place.integrity().clean
    assert (restored.aside, restored.weeks_here, restored.weeks_elsewhere) == (None, (), ())
    assert restored.report.bets == 1
    assert not place.work_files()


def test_the_venue_goes_on_with_it(place: Place) -> None:
    shutil.rmtree(place.data)
    bring_back(place)
    place.apply(deposit(ALICE, STAKE), order(1), at_ms=LATER_MS)
    assert place.balance() == THEN
    assert place.integrity().clean


def test_betting_is_held_until_what_is_lost_was_put_right(place: Place) -> None:
    """What was paid out since is whole again in the balances."""
    shutil.rmtree(place.data)
    bring_back(place)
    with place.ledger(at_ms=LATER_MS) as ledger:
        operators = ledger.recover().operators
    assert (operators.held, operators.held_by) == (True, "tapgrid restore")


def test_a_key_that_was_revoked_after_the_backup_signs_nothing_any_more(tmp_path: Path) -> None:
    """The backup can't know; so all keys end, and whoever had one signs in anew."""
    place = Place(data=tmp_path / "data", store=tmp_path / "store")
    place.fund()
    revoked, other = (grant(number, session_id=f"session-{number}") for number in (1, 2))
    place.apply(*(OpenAccount(wallet=ALICE, key=key) for key in (revoked, other)))
    place.apply(order(0, key_id=revoked.key_id))
    place.take()
    place.apply(RevokeKeys(wallet=ALICE, session_id="session-1"))
    bring_back(place)
    for at_ms in (AT_MS, LATER_MS):
        for key in (revoked, other):
            (outcome,) = place.apply(order(1, key_id=key.key_id), at_ms=at_ms)
            assert isinstance(outcome, BetRefused)
            assert outcome.refusal.code is Code.UNAUTHORIZED
    new = grant(3)
    opened, placed = place.apply(
        OpenAccount(wallet=ALICE, key=new), order(1, key_id=new.key_id), at_ms=LATER_MS
    )
    assert isinstance(opened, AccountOpened)
    assert isinstance(placed, BetConfirmed)
    assert place.integrity().clean


def test_the_money_that_was_there_is_put_aside_whole(place: Place) -> None:
    before = money_files(place.data / "money")
    restored = bring_back(place)
    assert place.balance() == THEN
    assert restored.aside is not None
    assert restored.aside.name == "money.before-restore-20260202T033940Z"
    assert money_files(restored.aside) == before
    assert {each.name for each in place.data.glob("money*")} == {"money", restored.aside.name}


def test_it_can_be_taken_back(place: Place) -> None:
    """As the runbook says: the folder put aside is a money folder like any other."""
    restored = bring_back(place)
    assert restored.aside is not None
    shutil.rmtree(place.data / "money")
    restored.aside.rename(place.data / "money")
    assert place.balance() == NOW


def test_what_never_came_to_the_file_from_the_log_is_put_aside_too(place: Place) -> None:
    money = place.data / "money"
    with place.ledger() as ledger:
        ledger.apply([deposit(ALICE, STAKE)], at_ms=AT_MS)
        shutil.copytree(money, place.data / "as-a-kill-leaves-it")
    shutil.rmtree(money)
    (place.data / "as-a-kill-leaves-it").rename(money)
    restored = bring_back(place)
    assert restored.aside is not None
    shutil.rmtree(money)
    restored.aside.rename(money)
    assert place.balance() == NOW + STAKE


def test_the_newest_is_brought_back_unless_one_is_named(place: Place) -> None:
    [first] = [each.key for each in place.listed()]
    place.take(at_ms=LATER_MS)
    assert bring_back(place).record.taken_at_ms == LATER_MS
    assert place.balance() == NOW
    assert bring_back(place, first).key == first
    assert place.balance() == THEN


def test_quote_numbers_of_the_lost_hours_are_not_used_again(place: Place) -> None:
    def reserve() -> int:
        [outcome] = place.apply(ReserveQuoteNumbers(count=1000))
        assert isinstance(outcome, QuoteNumbersReserved)
        return outcome.first

    place.take(at_ms=LATER_MS)
    given_out = reserve()
    bring_back(place)
    assert reserve() == given_out + QUOTE_NUMBERS_SKIPPED


def test_it_says_in_the_folder_where_the_money_came_from(place: Place) -> None:
    restored = bring_back(place)
    note = json.loads((place.data / "money" / NOTE).read_text())
    assert note == {
        "key": restored.key,
        "restored": "20260202T033940Z",
        "taken_at_ms": restored.record.taken_at_ms,
    }


def with_one_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the code is a later one."""
    later = migrate.Migration(number=9999, name="9999_later.sql", sql="CREATE TABLE later (a);")
    known = [*migrate.migrations(), later]
    monkeypatch.setattr(migrate, "migrations", lambda: known)


def test_a_backup_by_earlier_code_is_brought_up_to_date(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_one_more(monkeypatch)
    bring_back(place)
    with closing(sqlite3.connect(place.data / "money" / PARTITION)) as connection:
        assert connection.execute("SELECT count(*) FROM later").fetchone() == (0,)
    assert place.balance() == THEN


def test_a_backup_by_later_code_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as later:
        with_one_more(later)
        place.apply(deposit(ALICE, STAKE))
        newest = place.take(at_ms=LATER_MS)
    with pytest.raises(BackupFailed, match="migration 9999"):
        bring_back(place, newest.key)


# --- closed weeks -----------------------------------------------------------------------------


@attrs.frozen
class Weeks:
    """Money of two weeks, and a backup of the second."""

    place: Place
    first: str = PARTITION
    second: str = file_name(AT_MS + WEEK_MS)


@pytest.fixture
def weeks(tmp_path: Path) -> Weeks:
    place = a_past(tmp_path)
    place.apply(Rotate(), at_ms=AT_MS + WEEK_MS)
    place.take(at_ms=AT_MS + WEEK_MS)
    place.apply(deposit(ALICE, STAKE), at_ms=AT_MS + WEEK_MS)
    return Weeks(place)


def test_closed_weeks_that_are_here_stay_here(weeks: Weeks) -> None:
    place = weeks.place
    before = (place.data / "money" / weeks.first).read_bytes()
    restored = bring_back(place)
    assert (restored.weeks_here, restored.weeks_elsewhere) == ((weeks.first,), ())
    assert (place.data / "money" / weeks.first).read_bytes() == before
    assert restored.aside is not None
    assert (restored.aside / weeks.first).read_bytes() == before


def test_one_that_was_not_ended_yet_is_ended_by_the_next_start(weeks: Weeks) -> None:
    """And not in the folder that is put aside, where it is to stay as it was."""
    place = weeks.place
    first = place.data / "money" / weeks.first
    with closing(sqlite3.connect(first)) as connection, connection:
        connection.execute("UPDATE meta SET closed_at_ms = NULL")
        connection.execute("UPDATE bets SET status = 'confirmed' WHERE status = 'carried'")
    restored = bring_back(place)
    assert restored.weeks_here == (weeks.first,)
    place.apply(deposit(ALICE, STAKE), at_ms=AT_MS + WEEK_MS)
    assert restored.aside is not None
    assert (ended(first), ended(restored.aside / weeks.first)) == (True, False)


def ended(file: Path) -> bool:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT closed_at_ms FROM meta").fetchone()[0] is not None


def test_one_that_is_not_here_is_named(weeks: Weeks) -> None:
    shutil.rmtree(weeks.place.data)
    restored = bring_back(weeks.place)
    assert (restored.weeks_here, restored.weeks_elsewhere) == ((), (weeks.first,))
    assert weeks.place.integrity().clean


def test_another_file_of_that_name_is_not_taken_for_it(weeks: Weeks) -> None:
    file = weeks.place.data / "money" / weeks.first
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE meta SET closed_at_ms = closed_at_ms + 1")
    assert bring_back(weeks.place).weeks_elsewhere == (weeks.first,)


def test_a_week_that_never_ended_is_not_taken_for_the_one_that_did(place: Place) -> None:
    """An earlier backup was brought back first: a bet that was lost since leaves no ledger row."""
    place.apply(order(1, bet_id="lost"))
    earlier = place.take(at_ms=AT_MS + 1_000)
    place.apply(settle(lost=[0, 1]), at_ms=AT_MS + 60_000)
    place.apply(Rotate(), at_ms=AT_MS + WEEK_MS)
    place.take(at_ms=AT_MS + WEEK_MS)
    bring_back(place, earlier.key)
    restored = bring_back(place)
    assert (restored.weeks_here, restored.weeks_elsewhere) == ((), (PARTITION,))
    assert {each.name for each in (place.data / "money").glob(f"{PARTITION}*")} == set()


def test_one_that_is_damaged_is_not_taken_over(weeks: Weeks) -> None:
    (weeks.place.data / "money" / weeks.first).write_bytes(b"no database" * 1000)
    restored = bring_back(weeks.place)
    assert restored.weeks_elsewhere == (weeks.first,)
    assert not (weeks.place.data / "money" / weeks.first).exists()


def test_an_earlier_week_is_brought_back_and_ends_at_the_next_start(weeks: Weeks) -> None:
    place = weeks.place
    earliest = place.listed()[0]
    assert earliest.partition == weeks.first
    restored = bring_back(place, earliest.key)
    assert {each.name for each in (place.data / "money").glob("*.db")} == {weeks.first}
    assert restored.weeks_here == ()
    place.apply(deposit(ALICE, STAKE), at_ms=AT_MS + WEEK_MS)
    current = current_file(place.data / "money")
    assert current is not None
    assert current.name == weeks.second
    assert place.balance() == THEN + STAKE
    assert place.integrity().clean


def test_a_backup_of_a_time_still_to_come_is_taken_only_if_it_is_named(place: Place) -> None:
    ahead = place.take(at_ms=NOW_MS + HOUR_MS)
    with pytest.raises(NoSuchBackup, match="still to come: name the one"):
        choose_backup(place.objects, None, now_ms=NOW_MS)
    assert choose_backup(place.objects, ahead.key, now_ms=NOW_MS).key == ahead.key


# --- what is refused, and leaves everything as it was -----------------------------------------


def test_there_must_be_such_a_backup(place: Place) -> None:
    with pytest.raises(NoSuchBackup, match="no complete backup backups/x"):
        choose_backup(place.objects, "backups/x", now_ms=NOW_MS)
    [only] = place.listed()
    (place.store / record_key(only.key)).unlink()
    with pytest.raises(NoSuchBackup, match="there is no complete backup in"):
        choose_backup(place.objects, None, now_ms=NOW_MS)


def turned_bit(place: Place) -> None:
    stored = place.store / place.listed()[0].key
    content = bytearray(stored.read_bytes())
    content[len(content) // 2] ^= 1
    stored.write_bytes(content)


def other_content(place: Place) -> None:
    rewrite_record(place, plain_sha256="0" * 64)


def other_rows(place: Place) -> None:
    rewrite_record(place, ledger_rowid=1)


def other_manifest(place: Place) -> None:
    rewrite_record(place, manifest='{"current": "2020-01-05.db"}')


def too_little_room(place: Place) -> None:
    place.probe = Room(free_bytes=1000)


def rewrite_record(place: Place, **changes: Any) -> None:
    key = place.listed()[0].key
    record = attrs.evolve(read_record(place.objects, key, work=Watched()), **changes)
    (place.store / record_key(key)).write_bytes(record_to_json(record))


@pytest.mark.parametrize(
    "fault", [turned_bit, other_content, other_rows, other_manifest, too_little_room]
)
def test_a_backup_that_is_not_good_is_not_brought_back(
    place: Place, fault: Callable[[Place], None]
) -> None:
    fault(place)
    before = money_files(place.data / "money")
    with pytest.raises(BackupFailed):
        bring_back(place)
    assert money_files(place.data / "money") == before
    assert [each.name for each in place.data.glob("money*")] == ["money"]
    assert not place.work_files()


@pytest.mark.parametrize("step", STEPS)
def test_one_that_is_stopped_changes_nothing(place: Place, step: str) -> None:
    work = Watched(stop_in=step)
    before = money_files(place.data / "money")
    try:
        bring_back(place, work=work)
    except WorkStopped:
        assert money_files(place.data / "money") == before
        assert [each.name for each in place.data.glob("money*")] == ["money"]
    else:
        assert step == "put in place", "too late to be stopped: there is nothing more to wait for"
    assert not place.work_files()


def test_a_store_that_fails_changes_nothing(place: Place) -> None:
    key = place.listed()[0].key
    shutil.rmtree(place.store)
    place.store.touch()
    with pytest.raises(ObjectStoreFailed):
        restore(
            place.data,
            key,
            objects=place.objects,
            probe=place.probe,
            at_ms=LATER_MS,
            work=Watched(),
            recorded=nullcontext,
        )
    assert place.balance() == NOW


def test_the_venue_must_be_stopped(place: Place) -> None:
    with place.folder.lock(), pytest.raises(FolderInUse):
        bring_back(place)
    assert place.balance() == NOW


def test_paper_never_becomes_money(place: Place) -> None:
    stamp = place.data / "venue.json"
    stamp.write_text(json.dumps({"mode": "production", "chain_id": 8453}))
    with pytest.raises(StampMismatch):
        bring_back(place)
    stamp.unlink()
    with pytest.raises(StampBroken):
        bring_back(place)
    assert current_file(place.data / "money") is not None


def test_a_file_in_the_way_is_no_data_folder(place: Place) -> None:
    shutil.rmtree(place.data)
    place.data.touch()
    with pytest.raises(NoDataFolder):
        bring_back(place)


def test_a_file_system_that_cannot_swap_keeps_the_old_money(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(one: Path, other: Path) -> None:
        raise CannotSwap

    monkeypatch.setattr(restoring, "exchange", refuse)
    with pytest.raises(CannotSwap):
        bring_back(place)
    assert place.balance() == NOW
    assert [each.name for each in place.data.glob("money*")] == ["money"]


def test_two_folders_change_names(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    (one / "first").touch()
    exchange(one, other)
    assert [each.name for each in other.iterdir()] == ["first"]
    with pytest.raises(FileNotFoundError):
        exchange(one, tmp_path / "none")


# --- killed at any point ----------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("destroyed", [False, True])
def test_killed_anywhere_it_leaves_the_old_money_or_the_new(destroyed: bool) -> None:
    with quick_folder() as root:
        template = a_past(root / "template")
        made = 0

        def prepare() -> Path:
            nonlocal made
            made += 1
            shutil.copytree(template.data.parent, root / f"{made}")
            if destroyed:
                shutil.rmtree(root / f"{made}" / "data")
            return root / f"{made}"

        def call() -> None:
            bring_back(Place(data=root / f"{made}" / "data", store=root / f"{made}" / "store"))

        seen: list[int | None] = []
        for folder in killed_everywhere(call, prepare):
            place = Place(data=folder / "data", store=folder / "store")
            seen.append(balance_left(place))
            bring_back(place)
            assert place.balance() == THEN
            assert place.integrity().clean
            assert not place.work_files()
            ever_there = {None if destroyed else NOW, seen[-1]} - {None}
            assert balances_aside(place) == ever_there, "what stood there, and nothing else"
            shutil.rmtree(folder)
    old = None if destroyed else NOW
    assert seen == sorted(seen, key=lambda balance: balance == THEN), "first old, then new"
    assert {*seen} == {old, THEN}


def test_money_of_a_restore_in_the_same_second_is_put_aside_too(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its note says the same time as that of the restore which was killed after it."""
    shutil.rmtree(place.data)
    bring_back(place)
    place.apply(deposit(ALICE, 50 * STAKE))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(restoring, "_put_aside", killed)
        with pytest.raises(KeyboardInterrupt):
            bring_back(place)
    bring_back(place)
    assert balances_aside(place) == {THEN, THEN + 50 * STAKE}


def balance_left(place: Place) -> int | None:
    """Alice's money as the next start would find it; None where it would begin anew."""
    try:
        if current_file(place.data / "money") is None:
            return None
    except ManifestBroken:
        pytest.fail("neither the old money nor the new")
    assert place.integrity().clean
    return place.balance()


def balances_aside(place: Place) -> set[int]:
    """Alice's money in each folder that was put aside, under its right name."""
    assert not [*place.data.glob("money.incoming-*")]
    found: set[int] = set()
    for aside in place.data.glob("money.before-restore-*"):
        file = current_file(aside)
        assert file is not None
        with closing(sqlite3.connect(file)) as connection:
            sql = "SELECT balance FROM users WHERE wallet_address = ?"
            found.add(connection.execute(sql, (ALICE,)).fetchone()[0])
    return found
