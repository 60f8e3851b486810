"""An archived week comes back whole and checked, or not at all."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from db.archive_week import NoRoom
from db.file_lock import FileLock, Locked
from db.week_restore import NotThatWeek, RestoredWeek, restore_week
from protocols.ports import WorkStopped
from tests.support.archives import FIRST, ArchivedVenue, archived_venue
from tests.support.killed import killed_everywhere
from tests.support.objects import Watcher


@pytest.fixture
def venue() -> Iterator[ArchivedVenue]:
    """Whose one closed week is in the archive only."""
    with archived_venue(closed=1) as venue:
        venue.run()
        for file in venue.money.glob(f"{FIRST}*"):
            file.unlink()
        yield venue


def restore(venue: ArchivedVenue, work: Watcher | None = None) -> RestoredWeek:
    return restore_week(venue.data, FIRST, venue.store, probe=venue.room, work=work or Watcher())


def restored(venue: ArchivedVenue) -> list[str]:
    folder = venue.money / "restored"
    return sorted(file.name for file in folder.glob("*")) if folder.exists() else []


def test_it_is_the_week_that_was_archived(venue: ArchivedVenue) -> None:
    back = restore(venue)
    kept = venue.archive().record.rows()[FIRST]
    assert back.file == venue.money / "restored" / FIRST
    assert (back.bytes, back.stored_bytes) == (kept.bytes, kept.compressed_bytes)
    assert (back.already, back.bets) == (False, 4)
    assert restored(venue) == [".lock", FIRST]


def test_a_second_time_there_is_nothing_to_do(venue: ArchivedVenue) -> None:
    restore(venue)
    assert restore(venue).already


def test_without_room_nothing_is_fetched(venue: ArchivedVenue) -> None:
    venue.room.free_bytes = 1_000
    with pytest.raises(NoRoom):
        restore(venue)
    assert FIRST not in restored(venue)


@pytest.mark.parametrize("at_bytes", [0, 1, 5_000])
def test_one_that_is_told_to_stop_leaves_nothing(venue: ArchivedVenue, at_bytes: int) -> None:
    with pytest.raises(WorkStopped):
        restore(venue, Watcher(stop_at_bytes=at_bytes))
    assert restored(venue) == [".lock"]


def test_two_at_once_do_not_meet(venue: ArchivedVenue) -> None:
    (venue.money / "restored").mkdir()
    with FileLock(venue.money / "restored" / ".lock").held(), pytest.raises(Locked):
        restore(venue)


def test_the_hash_on_record_must_be_found_again(venue: ArchivedVenue) -> None:
    record = venue.archive().record
    kept = record.rows()[FIRST]
    for wrong in ({"sha256": "0" * 64}, {"compressed_sha256": "0" * 64}):
        record.save(attrs.evolve(kept, **wrong))  # type: ignore[arg-type]
        with pytest.raises(NotThatWeek, match="not what was put there"):
            restore(venue)
    assert FIRST not in restored(venue)


@pytest.mark.slow
def test_a_kill_at_any_place_leaves_it_whole_or_absent(venue: ArchivedVenue) -> None:
    kept = venue.data.with_name("pristine")
    venue.data.rename(kept)

    def prepare() -> Path:
        shutil.rmtree(venue.data, ignore_errors=True)
        shutil.copytree(kept, venue.data)
        return venue.data

    came = 0
    for _ in killed_everywhere(lambda: restore(venue), prepare):
        is_back = FIRST in restored(venue)
        came += is_back
        assert restore(venue).already is is_back
        assert restored(venue) == [".lock", FIRST]
    assert came >= 1
