"""Outboxes: what a slow client loses first, and when it is cut off."""

import trio

from actors.gateway.outbox import QUEUE_CHARACTERS_MAX, QUEUE_MAX, TOO_SLOW, Close, Outbox
from protocols.client_socket import Channel


async def drained(outbox: Outbox) -> list[str | Close]:
    """All that is waiting, up to a close."""
    found: list[str | Close] = []
    with trio.move_on_after(0):
        while not found or not isinstance(found[-1], Close):
            found.append(await outbox.next())
    return found


async def test_what_must_arrive_comes_in_order_before_what_may_be_lost() -> None:
    outbox = Outbox()
    outbox.put_latest(Channel.PRICE, "price 1")
    outbox.put("reply 1")
    outbox.put("reply 2")
    assert await drained(outbox) == ["reply 1", "reply 2", "price 1"]


async def test_of_each_channel_only_the_newest_waits() -> None:
    outbox = Outbox()
    for number in range(3):
        outbox.put_latest(Channel.PRICE, f"price {number}")
        outbox.put_latest(Channel.GRID, f"grid {number}")
    assert await drained(outbox) == ["price 2", "grid 2"]


async def test_no_channel_starves_another() -> None:
    outbox = Outbox()
    outbox.put_latest(Channel.PRICE, "price 1")
    outbox.put_latest(Channel.GRID, "grid 1")
    assert await outbox.next() == "price 1"
    outbox.put_latest(Channel.PRICE, "price 2")
    assert await drained(outbox) == ["grid 1", "price 2"]


async def test_a_channel_that_is_forgotten_sends_nothing() -> None:
    outbox = Outbox()
    outbox.put_latest(Channel.PRICE, "price")
    outbox.forget(Channel.PRICE)
    assert await drained(outbox) == []


async def test_what_is_queued_is_sent_before_the_close_and_nothing_after() -> None:
    outbox = Outbox()
    outbox.put("reply")
    outbox.put_latest(Channel.PRICE, "price")
    outbox.close(Close(1001, "draining"))
    outbox.close(Close(1008, "another"))
    outbox.put("too late")
    outbox.put_latest(Channel.PRICE, "too late")
    assert await drained(outbox) == ["reply", Close(1001, "draining")]


async def test_a_queue_that_is_full_cuts_the_client_off() -> None:
    outbox = Outbox()
    for number in range(QUEUE_MAX):
        outbox.put(f"event {number}")
    assert outbox.closing is None
    outbox.put("one more")
    assert outbox.closing == TOO_SLOW
    assert await drained(outbox) == [TOO_SLOW]


async def test_long_frames_that_are_not_read_cut_the_client_off() -> None:
    """1,024 snapshots of 480 open bets are 170 MB, and one client may have a hundred sockets."""
    frames = 4
    outbox, snapshot = Outbox(), "x" * (QUEUE_CHARACTERS_MAX // frames)
    for _ in range(10 * frames):  # one that is read as fast as it is asked for may go on
        outbox.put(snapshot)
        assert await outbox.next() == snapshot
    for _ in range(frames):
        outbox.put(snapshot)
    assert outbox.closing is None
    outbox.put("one more")
    assert await drained(outbox) == [TOO_SLOW]


async def test_one_frame_may_be_as_long_as_it_is() -> None:
    outbox, snapshot = Outbox(), "x" * (QUEUE_CHARACTERS_MAX + 1)
    outbox.put(snapshot)
    assert await outbox.next() == snapshot
    assert outbox.closing is None


async def test_a_sender_that_waits_is_woken(autojump_clock: trio.testing.MockClock) -> None:
    outbox = Outbox()
    async with trio.open_nursery() as nursery:
        found: list[str | Close] = []

        async def send() -> None:
            found.append(await outbox.next())

        nursery.start_soon(send)
        await trio.testing.wait_all_tasks_blocked()
        outbox.put("reply")
    assert found == ["reply"]
