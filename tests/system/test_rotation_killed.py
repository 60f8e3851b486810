"""kill -9 at each step of a rotation, and at each step of the start that follows.

Each time a process of its own dies there for good; then the folder is opened as any start opens it.
The week has either not ended or ended whole: zero drift in every file, nothing lost, and the
rotation completes.
"""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from db.weekly_ledger import WeeklyLedger
from domain.caps import HouseCaps
from protocols.money import BetConfirmed, BetOrder, BetRefused, Rotate
from supervisor.chance import SeededChance
from tests.support.ledgers import order
from tests.support.quick_folder import quick_folder
from tests.support.steps import Act, count, stepping
from tests.support.weeks import (
    AHEAD_S,
    FIRST,
    SECOND,
    SUNDAY_MS,
    check_weeks,
    files_of,
    fill,
    in_week,
    standing,
)

pytestmark = [pytest.mark.slow, pytest.mark.system]


def reopen(money: Path, *, seed: int = 1) -> WeeklyLedger:
    return WeeklyLedger.open(money, at_ms=in_week(0), caps=HouseCaps(), chance=SeededChance(seed))


@pytest.fixture(scope="module")
def week() -> Iterator[Path]:
    """The folder of a full first week, closed: to be copied."""
    with quick_folder() as folder:
        with closing(reopen(folder)) as ledger:
            fill(ledger)
        yield folder


@contextmanager
def copy_of(folder: Path) -> Iterator[Path]:
    with quick_folder() as copied:
        shutil.copytree(folder, copied, dirs_exist_ok=True)
        yield copied


def kill_at(at: int) -> Act:
    def act(number: int, _what: str) -> None:
        if number == at:
            os.kill(os.getpid(), signal.SIGKILL)

    return act


def in_a_process(work: Callable[[], None]) -> bool:
    """Do it in a process of its own; was that killed?"""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def turn(money: Path, bet: BetOrder, act: Act) -> list[str]:
    """The first batch of the new week, in which the rotation happens."""
    ledger = reopen(money)
    with stepping(act) as steps:
        ledger.apply([bet], at_ms=SUNDAY_MS)
    return steps


def start(money: Path, act: Act) -> list[str]:
    """A start of the venue as far as money is concerned, and the first command after it."""
    with stepping(act) as steps:
        ledger = reopen(money, seed=2)
        ledger.recover()
        ledger.apply([Rotate()], at_ms=SUNDAY_MS + 1)
        ledger.close()
    return steps


def steps_of(folder: Path, work: Callable[[Path], list[str]]) -> list[str]:
    with copy_of(folder) as money:
        return work(money)


def check_whole(money: Path, before: object, bet: BetOrder, *, where: str) -> None:
    """After the kill: a start, and the same bet again as its trader would send it."""
    with closing(reopen(money, seed=3)) as ledger:
        ledger.recover()
        (outcome,) = ledger.apply([bet], at_ms=SUNDAY_MS + 1)
        if isinstance(outcome, BetRefused):
            found = outcome.refusal.details["bet"]
            assert found == {"bet_id": bet.bet.bet_id, "status": "confirmed"}, where
        else:
            assert isinstance(outcome, BetConfirmed), where
        ledger.recover()
        assert (ledger.partition(), ledger.rotation_failure()) == (SECOND, ""), where
        after = standing(money)
    check_weeks(money)
    assert files_of(money) == [FIRST, SECOND], where
    assert lasting(after) == lasting(before), where


def lasting(facts: object) -> object:
    """But for what the one bet has changed."""
    assert isinstance(facts, dict)
    return [
        [row for row in rows if "bet-of-sunday" not in row]
        for sql, rows in facts.items()
        if "FROM bets" in sql or "FROM deposits" in sql or "FROM meta" in sql
    ]


def test_kill_9_at_each_step_of_a_rotation_loses_nothing(
    week: Path, say: Callable[[str], None]
) -> None:
    bet = order(20, start_s=AHEAD_S, bet_id="bet-of-sunday", nonce="n-sunday")
    steps = steps_of(week, lambda money: turn(money, bet, count))
    before, turned = standing(week), 0
    for at in range(1, len(steps) + 1):
        with copy_of(week) as money:
            assert in_a_process(lambda: turn(money, bet, kill_at(at)) and None)  # noqa: B023
            turned += files_of(money)[-1] == SECOND
            check_whole(money, before, bet, where=f"step {at}: {steps[at - 1]}")
    say(f"killed at each of {len(steps)} steps; the week had turned at {turned} of them")
    assert 0 < turned < len(steps)


def test_kill_9_at_each_step_of_the_start_after_loses_nothing(
    week: Path, say: Callable[[str], None]
) -> None:
    """After a kill with the attempt half built, and after one before the old file was closed."""
    bet = order(20, start_s=AHEAD_S, bet_id="bet-of-sunday", nonce="n-sunday")
    steps = steps_of(week, lambda money: turn(money, bet, count))
    before, kills = standing(week), 0
    half_built = steps.index("COMMIT") - 1
    unclosed = next(n for n, what in enumerate(steps) if what.startswith("UPDATE bets")) + 1
    for first in (half_built, unclosed):
        with copy_of(week) as broken:
            assert in_a_process(lambda: turn(broken, bet, kill_at(first)) and None)  # noqa: B023
            second = steps_of(broken, lambda money: start(money, count))
            for at in range(1, len(second) + 1):
                with copy_of(broken) as money:
                    assert in_a_process(lambda: start(money, kill_at(at)) and None)  # noqa: B023
                    where = f"step {at} of the start: {second[at - 1]}"
                    check_whole(money, before, bet, where=where)
            kills += len(second)
    say(f"killed at each of {kills} steps of two starts")
