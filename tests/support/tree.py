"""What the supervisor says of a venue's actors."""

from collections.abc import Iterator

import trio

from supervisor import ChildStatus, State, SupervisorStatus
from tests.support.crash import Crasher
from tests.support.venue import Venue


def actors_of(venue: Venue) -> Iterator[ChildStatus]:
    """Every actor, wherever it stands in the tree."""
    levels: list[ChildStatus | SupervisorStatus] = [venue.supervisor.status()]
    while levels:
        level = levels.pop()
        if isinstance(level, SupervisorStatus):
            levels += level.children
        else:
            yield level


def restarts_of(venue: Venue, path: str) -> int:
    """How often the actor at `path` was started again."""
    return sum(actor.restarts_total for actor in actors_of(venue) if actor.path == path)


async def wait_back(venue: Venue, crasher: Crasher) -> None:
    """Until the crash, if there was one, is reported and every actor runs again."""
    with trio.fail_after(60):
        while crasher.crashed and not crash_reported(venue):  # noqa: ASYNC110
            await trio.sleep(0.1)
        await wait_running(venue)


async def wait_running(venue: Venue) -> None:
    """Until every actor runs that has something to do."""
    well = (State.RUNNING, State.IGNORED)
    with trio.fail_after(60):
        while any(actor.state not in well for actor in actors_of(venue)):  # noqa: ASYNC110
            await trio.sleep(0.1)


def crash_reported(venue: Venue) -> bool:
    """Did an actor end by a crash on purpose?"""
    return any("CrashOnPurpose" in report.stack for report in venue.exits)
