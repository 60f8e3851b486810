"""Topics: each reader with its own bound and its own rule when it is full."""

from contextlib import suppress

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from supervisor import EndOfMailbox, Life, Overrun, Topic, WhenFull


async def test_every_reader_gets_every_event_in_order(autojump_clock):
    topic = Topic[int]("t")
    readers = [topic.subscribe(str(n), 5) for n in range(3)]
    for event in range(5):
        await topic.publish(event)
    for subscription in readers:
        assert [await subscription.receive() for _ in range(5)] == [0, 1, 2, 3, 4]


async def test_publishing_without_readers_is_allowed(autojump_clock):
    topic = Topic[int]("t")
    await topic.publish(1)
    topic.publish_nowait(2)
    assert topic.statistics().accepted == 2


async def test_publish_waits_for_a_full_reader_that_says_wait_and_for_no_other(autojump_clock):
    topic = Topic[int]("t")
    slow = topic.subscribe("slow", 1)
    latest = topic.subscribe("latest", 1, WhenFull.KEEP_LATEST)
    await topic.publish(1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(topic.publish, 2)
        await wait_all_tasks_blocked()
        assert await latest.receive() == 2, "it did not have to wait for the slow one"
        assert await slow.receive() == 1
    assert await slow.receive() == 2


async def test_publish_nowait_gives_to_all_or_to_none(autojump_clock):
    topic = Topic[int]("t")
    slow = topic.subscribe("slow", 1)
    other = topic.subscribe("other", 5)
    topic.publish_nowait(1)
    with pytest.raises(trio.WouldBlock):
        topic.publish_nowait(2)
    assert (other.receive_nowait(), other.receive_nowait()) == (1, None)
    assert slow.receive_nowait() == 1
    topic.publish_nowait(3)
    assert (other.receive_nowait(), slow.receive_nowait()) == (3, 3)


async def test_keep_latest_keeps_the_latest(autojump_clock):
    topic = Topic[int]("t")
    subscription = topic.subscribe("latest", 2, WhenFull.KEEP_LATEST)
    for event in range(5):
        await topic.publish(event)
    assert [await subscription.receive() for _ in range(2)] == [3, 4]
    assert subscription.statistics().dropped == 3


async def test_disconnect_tells_the_reader_after_what_it_had(autojump_clock):
    topic = Topic[int]("t")
    subscription = topic.subscribe("socket", 2, WhenFull.DISCONNECT)
    for event in range(5):
        await topic.publish(event)
    assert [await subscription.receive() for _ in range(2)] == [0, 1]
    with pytest.raises(Overrun):
        await subscription.receive()
    assert topic.statistics().refused == 1, "cut off at the first, and not offered any more"


async def test_a_waiting_disconnect_reader_is_not_cut_off_while_it_keeps_up(autojump_clock):
    topic = Topic[int]("t")
    subscription = topic.subscribe("socket", 1, WhenFull.DISCONNECT)
    for event in range(10):
        await topic.publish(event)
        assert await subscription.receive() == event


async def test_closing_unsubscribes_and_releases_a_waiting_publisher(autojump_clock):
    topic = Topic[int]("t")
    subscription = topic.subscribe("slow", 1)
    await topic.publish(1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(topic.publish, 2)
        await wait_all_tasks_blocked()
        subscription.close()
        subscription.close()
    assert await subscription.receive() == 1
    with pytest.raises(EndOfMailbox):
        await subscription.receive()
    topic.publish_nowait(3)


async def test_what_is_unread_outlives_the_life_of_a_reader(autojump_clock):
    topic = Topic[int]("t")
    subscription = topic.subscribe("actor", 5)
    with suppress(ZeroDivisionError):
        async with subscription.reader(Life("test/actor")) as reader:
            await topic.publish(1)
            await topic.publish(2)
            assert await reader.receive() == 1
            raise ZeroDivisionError
    await topic.publish(3)
    life = Life("test/actor", 2)
    async with subscription.reader(life) as reader:
        assert reader.left_in_hand() == [1]
        life.stopping.set()
        assert [event async for event in reader] == [2, 3]
    assert list(life.channels) == ["t/actor"]


async def test_a_stopping_reader_that_keeps_the_latest_drains_no_more_than_was_there(
    autojump_clock,
):
    topic = Topic[int]("t")
    subscription = topic.subscribe("actor", 2, WhenFull.KEEP_LATEST)
    life = Life("test/actor")
    async with subscription.reader(life) as reader:
        for event in (1, 2):
            topic.publish_nowait(event)
        life.stopping.set()
        topic.publish_nowait(3)
        assert [event async for event in reader] == [2]


async def test_a_reader_of_a_topic_cannot_refuse(autojump_clock):
    with pytest.raises(ValueError, match="cannot refuse"):
        Topic[int]("t").subscribe("r", 1, WhenFull.REFUSE)


async def test_the_statistics_of_a_topic_outlive_its_readers(autojump_clock):
    topic = Topic[int]("t")
    subscription = topic.subscribe("latest", 1, WhenFull.KEEP_LATEST)
    for event in range(3):
        topic.publish_nowait(event)
    assert topic.statistics().depth == 1
    subscription.close()
    statistics = topic.statistics()
    assert (statistics.dropped, statistics.depth, statistics.accepted) == (2, 0, 3)
