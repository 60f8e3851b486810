"""A life by itself, as a test of an actor makes one by hand."""

import pytest
import trio

from supervisor import Life


async def test_a_life_made_by_hand(autojump_clock):
    life = Life("test/actor")
    assert (life.path, life.number, life.is_ready()) == ("test/actor", 1, False)
    life.ready()
    life.ready()
    life.beat()
    assert life.is_ready()


async def test_stopping_is_set_once_and_stays(autojump_clock):
    life = Life("test/actor")
    told = []
    life.stopping.on_set(lambda: told.append(True))
    life.stopping.set()
    life.stopping.set()
    await life.stopping.wait()
    assert told == [True]
    assert life.stopping.is_set()


async def test_sleep_or_stop_sleeps(autojump_clock):
    assert await Life("test/actor").sleep_or_stop(7) is False
    assert trio.current_time() == 7


async def test_sleep_or_stop_ends_at_once_when_asked(autojump_clock):
    life = Life("test/actor")

    async def stop_later():
        await trio.sleep(2)
        life.stopping.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(stop_later)
        assert await life.sleep_or_stop(7) is True
    assert trio.current_time() == 2
    assert await life.sleep_or_stop(7) is True
    assert trio.current_time() == 2


async def test_the_task_that_is_busy_longest_is_the_one_that_counts(autojump_clock):
    life = Life("test/actor", heartbeat_s=5)
    assert life.busiest() is None, "not before it is ready"
    life.ready()
    assert life.busiest() == (None, 0)

    async def busy(seconds):
        life.beat()
        await trio.sleep(seconds)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(busy, 9, name="first")
        await trio.sleep(1)
        nursery.start_soon(busy, 9, name="second")
        await trio.sleep(1)
        task, since = life.busiest()
        assert (task.name, since) == ("first", 0)
        await trio.sleep(7.5)
        task, since = life.busiest()
        assert (task.name, since) == ("second", 1)
    assert life.busiest() is None


@pytest.mark.parametrize("heartbeat_s", [None, 5])
async def test_idle_time_is_not_busy_time(heartbeat_s, autojump_clock):
    life = Life("test/actor", heartbeat_s=heartbeat_s)
    life.ready()
    life.beat()
    with life.idle():
        await trio.sleep(3)
        assert heartbeat_s is None or life.busiest() is None
    assert heartbeat_s is None or life.busiest()[1] == 3
