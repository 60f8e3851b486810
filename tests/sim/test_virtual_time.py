"""The clock of a run: no real time passes, and no moment is missed or overrun."""

import trio

from simulation.virtual_time import VirtualClock


def test_time_stands_still_while_something_can_go_on() -> None:
    async def turns() -> float:
        for _ in range(10):
            await trio.lowlevel.checkpoint()
        return trio.current_time()

    assert trio.run(turns, clock=VirtualClock()) == 0


def test_each_moment_is_met_exactly_and_in_order() -> None:
    met: list[tuple[float, float]] = []

    async def wait(until: float) -> None:
        await trio.sleep_until(until)
        met.append((until, trio.current_time()))

    async def all_wait() -> None:
        async with trio.open_nursery() as nursery:
            for until in (0.3, 0.1, 1e-9, 86_400.000_001, 0.1 + 0.2):
                nursery.start_soon(wait, until)

    trio.run(all_wait, clock=VirtualClock())
    assert met == [(at, at) for at in sorted(at for at, _ in met)]
    assert len(met) == 5


def test_now_and_then_something_is_done_while_nothing_else_goes_on() -> None:
    done: list[float] = []

    async def long() -> None:
        for turn in range(100):
            await trio.sleep_until(7 * (turn + 1))

    clock = VirtualClock(every_s=100, housekeeping=lambda: done.append(clock.current_time()))
    trio.run(long, clock=clock)
    assert done == [105, 210, 315, 420, 525, 630]


def test_a_deadline_that_has_passed_does_not_turn_time_back() -> None:
    async def late() -> float:
        await trio.sleep_until(5)
        with trio.move_on_at(2):
            await trio.sleep_forever()
        return trio.current_time()

    assert trio.run(late, clock=VirtualClock()) == 5
