"""Watches: the newest value, and waiting for a change."""

import trio
from trio.testing import wait_all_tasks_blocked

from supervisor import Life, Watch


async def test_the_value_is_there_from_the_beginning(autojump_clock):
    watch = Watch("w", "a")
    assert (watch.version, watch.value) == (0, "a")
    assert await watch.changed(-1) == (0, "a")


async def test_changed_waits_for_a_newer_version_and_sees_only_the_newest(autojump_clock):
    watch = Watch("w", 0)
    seen = []

    async def wait():
        seen.append(await watch.changed(0))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        assert seen == []
        watch.set(1)
        watch.set(2)
    assert seen == [(2, 2)]


async def test_an_equal_value_is_a_change_too(autojump_clock):
    watch = Watch("w", 0)
    watch.set(0)
    assert await watch.changed(0) == (1, 0)


async def test_changes_begin_with_the_value_now(autojump_clock):
    watch = Watch("w", 0)
    seen = []

    async def follow():
        async for value in watch.changes():
            seen.append(value)
            if value == 9:
                return

    async with trio.open_nursery() as nursery:
        nursery.start_soon(follow)
        await wait_all_tasks_blocked()
        for value in (1, 9):
            watch.set(value)
            await wait_all_tasks_blocked()
    assert seen == [0, 1, 9]


async def test_changes_of_a_life_end_when_it_is_asked_to_stop(autojump_clock):
    watch = Watch("w", 0)
    life = Life("test/follower")
    seen = []

    async def follow():
        async for value in watch.changes(life):
            seen.append(value)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(follow)
        nursery.start_soon(follow)
        await wait_all_tasks_blocked()
        watch.set(1)
        await wait_all_tasks_blocked()
        life.stopping.set()
    assert seen == [0, 0, 1, 1]


async def test_statistics(autojump_clock):
    watch = Watch("w", 0)
    watch.set(1)
    assert (watch.statistics().kind, watch.statistics().handled) == ("watch", 1)
