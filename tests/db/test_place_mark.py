"""The mark that keeps two venues from taking each other's backups for their own."""

from pathlib import Path

import pytest

from db.place_mark import MARK_KEY, hold_mark, mark_of
from domain.backups import HOUR_MS
from protocols.backup import BackupFailed
from tests.support.backups import WEEK_MS, Place, Watched
from tests.support.ledgers import ALICE, AT_MS, STAKE, deposit


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(data=tmp_path / "data", store=tmp_path / "store")
    place.fund()
    return place


def another(tmp_path: Path, store: Path) -> Place:
    """A venue that was opened a minute later."""
    other = Place(data=tmp_path / "other", store=store)
    other.apply(deposit(ALICE, STAKE), at_ms=AT_MS + 60_000)
    return other


def test_the_first_backup_leaves_the_mark_and_the_next_ones_find_it(place: Place) -> None:
    place.take(at_ms=AT_MS)
    assert (place.store / MARK_KEY).read_text() == mark_of(place.folder)
    place.take(at_ms=AT_MS + HOUR_MS)
    assert len(place.listed()) == 2


def test_another_venue_is_refused_and_has_left_nothing(place: Place, tmp_path: Path) -> None:
    place.take(at_ms=AT_MS)
    other = another(tmp_path, place.store)
    with pytest.raises(BackupFailed, match="backups of another venue"):
        other.take(at_ms=AT_MS + HOUR_MS)
    with pytest.raises(BackupFailed, match="name a place of its own"):
        other.backups.newest()
    assert len(place.listed()) == 1


def test_a_venue_stays_the_same_over_its_weeks(place: Place) -> None:
    before = mark_of(place.folder)
    place.apply(deposit(ALICE, STAKE), at_ms=AT_MS + 3 * WEEK_MS)
    assert mark_of(place.folder) == before


def test_a_mark_that_can_t_be_read_is_another_s(place: Place) -> None:
    place.take(at_ms=AT_MS)
    (place.store / MARK_KEY).write_bytes(bytes([255]) * 10_000)
    with pytest.raises(BackupFailed, match="another venue"):
        hold_mark(place.objects, mark_of(place.folder), work=Watched())
