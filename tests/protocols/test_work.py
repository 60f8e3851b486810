"""Work that is followed: what it said last, and that it ends when told."""

import pytest

from protocols.ports import WorkStopped
from protocols.work import FollowedWork


def test_who_follows_reads_how_far_it_is() -> None:
    work = FollowedWork()
    work.step(3, 10)
    assert (work.done_bytes, work.total_bytes) == (3, 10)


def test_told_to_end_it_ends_at_its_next_step() -> None:
    work = FollowedWork()
    work.told = True
    with pytest.raises(WorkStopped):
        work.step(3, 10)
