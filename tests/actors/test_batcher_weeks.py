"""The Batcher over the end of a week: what is shown and logged, and what a crash there costs.

Real files; the clock is stepped, as if the venue had been quiet since.
"""

from collections.abc import Iterator
from datetime import datetime

import attrs
import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict
from trio.testing import MockClock

from db.weekly_ledger import RETRY_MS
from domain.refusals import Code
from protocols.money import (
    BetRefused,
    BetStatus,
    ColumnSettled,
    Deposited,
    Rotate,
    Rotated,
)
from supervisor import StatusUnknown
from tests.actors.test_batcher import (
    EPOCH_MS,
    USD,
    Bench,
    WatchedLedger,
    confirmed,
    crash,
)
from tests.support.ledgers import START_S, deposit, order, settle
from tests.support.weeks import FIRST, SECOND, WEEK_MS, weekly_venue


@pytest.fixture
def bench() -> Iterator[Bench]:
    """In the first week, with a bankroll, and Alice with 100 USD."""
    with weekly_venue() as venue:
        made = Bench(
            file=venue.ledger.path, ledger=WatchedLedger(venue.ledger), reader=venue.reader
        )
        made.quote()
        yield made


def step_to(bench: Bench, at_ms: int) -> None:
    """It is that time now, and the market goes on."""
    bench.clock.step_ms += at_ms - bench.clock.now_ms()
    bench.quote(at_ms)


def next_week(bench: Bench, *, after_ms: int = 0) -> None:
    step_to(bench, EPOCH_MS + WEEK_MS + after_ms)


def sunday_ms() -> int:
    """The first millisecond of the second week."""
    sunday = datetime.fromisoformat(f"{SECOND.removesuffix('.db')}T00:00:00+00:00")
    return int(sunday.timestamp() * 1000)


def events(logs: list[EventDict], name: str) -> list[EventDict]:
    return [entry for entry in logs if entry["event"] == name]


async def test_a_new_week_is_shown_and_logged_with_the_time_it_took(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.worker.took_s = 0.025
    with capture_logs() as logs:
        async with bench.alive():
            confirmed(await bench.order(bench.bet()))
            assert (bench.writer.value.partition, bench.writer.value.rotations) == (FIRST, 0)
            next_week(bench)
            confirmed(await bench.order(bench.bet(start_s=START_S + WEEK_MS // 1000)))
    shown = bench.writer.value
    assert (shown.partition, shown.rotations, shown.rotation_failure) == (SECOND, 1, "")
    assert shown.last_rotation_ms == pytest.approx(25)
    (turned,) = events(logs, "week_turned")
    assert (turned["before"], turned["now"], turned["took_ms"]) == (FIRST, SECOND, 25)
    assert bench.reader.integrity().clean


async def test_a_quiet_sunday_is_told_of_by_command(
    bench: Bench, autojump_clock: MockClock
) -> None:
    async with bench.alive():
        assert await bench.order(Rotate()) == Rotated(partition=FIRST)
        next_week(bench)
        assert await bench.order(Rotate()) == Rotated(partition=SECOND)
        assert await bench.order(Rotate()) == Rotated(partition=SECOND)
    assert bench.writer.value.rotations == 1


async def test_a_week_that_cannot_begin_is_logged_once_an_attempt_and_betting_goes_on(
    bench: Bench, autojump_clock: MockClock
) -> None:
    in_the_way = bench.file.with_name(SECOND)
    in_the_way.mkdir()
    with capture_logs() as logs:
        async with bench.alive():
            for row, after_ms in enumerate((0, 100, RETRY_MS - 100, RETRY_MS + 100)):
                next_week(bench, after_ms=after_ms)
                cell_s = START_S + (WEEK_MS + after_ms) // 5_000 * 5
                confirmed(await bench.order(bench.bet(row, start_s=cell_s)))
                assert SECOND in bench.writer.value.rotation_failure
            assert bench.writer.value.partition == FIRST
            assert len(events(logs, "week_not_turned")) == 2
            assert {entry["log_level"] for entry in events(logs, "week_not_turned")} == {"error"}

            in_the_way.rmdir()
            next_week(bench, after_ms=3 * RETRY_MS)
            await bench.order(Rotate())
    assert bench.writer.value.rotation_failure == ""
    assert bench.writer.value.partition == SECOND
    assert bench.balance() == 96 * USD
    assert bench.reader.integrity().clean


@pytest.mark.parametrize("is_committed", [False, True], ids=["before COMMIT", "after COMMIT"])
async def test_what_was_in_hand_is_found_though_the_week_has_turned_since(
    bench: Bench, autojump_clock: MockClock, is_committed: bool
) -> None:
    """Bets by their nonces, deposits by their references: both are carried over."""
    broke = attrs.evolve(bench.bet(5), stake_micros=100 * USD)
    bets, topped_up = [*(bench.bet(row) for row in range(3)), broke], deposit("house", USD)
    asked = [bench.send(command) for command in (*bets, topped_up)]
    if is_committed:
        bench.ledger.after = crash
    else:
        bench.ledger.before = crash
    await bench.crash()
    assert bench.ledger.real.partition() == FIRST

    step_to(bench, sunday_ms())
    async with bench.alive():
        *outcomes, given = [await one.wait_answer() for one in asked]
    assert bench.ledger.real.partition() == SECOND
    assert isinstance(given, Deposited)
    assert given.repeated is is_committed
    placed = [bench.reader.bet(bet.bet_id) for bet in bets]
    if is_committed:
        # The broke one has ended days ago; what lives as long as a signature is tried below.
        assert outcomes[:3] == [StatusUnknown()] * 3
        assert [bet.status for bet in placed[:3] if bet] == [BetStatus.CONFIRMED] * 3
        assert bench.balance() == 97 * USD
    else:
        assert all(isinstance(one, BetRefused) for one in outcomes), "their column is long past"
        assert placed == [None] * 4
        assert bench.balance() == 100 * USD
    assert bench.reader.integrity().clean


async def test_a_refusal_of_the_last_second_is_found_in_the_first_of_the_next_week(
    bench: Bench, autojump_clock: MockClock
) -> None:
    step_to(bench, sunday_ms() - 1_000)
    spent = order(9, stake=99 * USD)
    bench.ledger.real.apply([spent], at_ms=sunday_ms() - 1_000)
    broke = attrs.evolve(bench.bet(start_s=sunday_ms() // 1000 + 20), stake_micros=5 * USD)
    asked = bench.send(broke)
    bench.ledger.after = crash
    await bench.crash()
    assert bench.ledger.real.partition() == FIRST

    step_to(bench, sunday_ms() + 500)
    async with bench.alive():
        await bench.order(deposit(broke.wallet, 100 * USD))
        assert await asked.wait_answer() == StatusUnknown()
        again = await bench.order(attrs.evolve(broke, bet_id="another"))
    assert bench.ledger.real.partition() == SECOND
    assert isinstance(again, BetRefused)
    assert again.refusal.code is Code.REPLAY_DETECTED
    assert again.refusal.details["bet"] == {
        "bet_id": broke.bet_id,
        "status": "insufficient_funds",
    }
    assert bench.balance() == 101 * USD
    assert bench.reader.integrity().clean


@pytest.mark.parametrize("is_committed", [False, True], ids=["before COMMIT", "after COMMIT"])
async def test_a_settlement_that_crashed_at_the_end_of_the_week_is_paid_once(
    bench: Bench, autojump_clock: MockClock, is_committed: bool
) -> None:
    placed = order(1)
    bench.ledger.real.apply([placed], at_ms=EPOCH_MS)
    settled = bench.send(settle(won=[1]))
    if is_committed:
        bench.ledger.after = crash
    else:
        bench.ledger.before = crash
    await bench.crash()
    next_week(bench)
    async with bench.alive():
        outcome = await settled.wait_answer()
    assert isinstance(outcome, ColumnSettled)
    assert len(outcome.resolved) == (0 if is_committed else 1)
    stored = bench.reader.bet(placed.bet.bet_id)
    assert stored is not None
    assert stored.status is BetStatus.WON
    assert bench.balance() == 101 * USD
    assert bench.reader.integrity().clean


async def test_a_life_that_ended_at_the_turn_leaves_it_to_the_next_one_to_tell(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.send(Rotate())
    bench.ledger.before = crash
    await bench.crash()
    next_week(bench)
    bench.ledger.after = crash
    await bench.crash()
    assert bench.writer.value.partition == FIRST
    with capture_logs() as logs:
        async with bench.alive():
            pass
    assert len(events(logs, "week_turned")) == 1
    assert (bench.writer.value.partition, bench.writer.value.rotations) == (SECOND, 1)
