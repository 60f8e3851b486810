"""Mailboxes: bounds, order, drain, and what survives the life of a reader."""

from contextlib import suppress

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from supervisor import (
    EndOfMailbox,
    Life,
    Mailbox,
    MailboxClosed,
    MailboxFull,
    ReaderBusy,
    WhenFull,
)
from supervisor.inbox import IN_HAND_MAX


def _life(number: int = 1) -> Life:
    return Life("test/reader", number)


async def test_messages_come_in_the_order_they_were_sent(autojump_clock):
    mailbox = Mailbox[int]("m", 3)
    seen = []

    async def send_all():
        for number in range(10):
            await mailbox.send(number)

    async with trio.open_nursery() as nursery, mailbox.reader(_life()) as reader:
        nursery.start_soon(send_all)
        for _ in range(10):
            seen.append(await reader.receive())
    assert seen == list(range(10))


async def test_a_full_mailbox_that_waits_takes_senders_in_turn(autojump_clock):
    mailbox = Mailbox[int]("m", 1)
    async with trio.open_nursery() as nursery, mailbox.reader(_life()) as reader:
        for number in range(4):
            nursery.start_soon(mailbox.send, number)
            await wait_all_tasks_blocked()
        assert mailbox.statistics().depth == 4, "waiting senders are seen"
        assert not mailbox.offer(9)
        assert [await reader.receive() for _ in range(4)] == [0, 1, 2, 3]


async def test_a_cancelled_send_is_not_sent(autojump_clock):
    mailbox = Mailbox[int]("m", 1)
    await mailbox.send(1)
    with trio.move_on_after(1):
        await mailbox.send(2)
    async with mailbox.reader(_life()) as reader:
        assert await reader.receive() == 1
        assert reader.receive_nowait() is None


async def test_a_full_mailbox_that_refuses_says_so_at_once(autojump_clock):
    mailbox = Mailbox[int]("m", 1, WhenFull.REFUSE)
    assert mailbox.offer(1)
    assert not mailbox.offer(2)
    with pytest.raises(MailboxFull):
        await mailbox.send(3)
    assert trio.current_time() == 0
    assert mailbox.statistics().refused == 2


async def test_a_closed_mailbox_can_be_read_to_its_end(autojump_clock):
    mailbox = Mailbox[int]("m", 2)
    mailbox.offer(1)
    mailbox.close()
    assert not mailbox.offer(2)
    with pytest.raises(MailboxClosed):
        await mailbox.send(3)
    async with mailbox.reader(_life()) as reader:
        assert [number async for number in reader] == [1]
        with pytest.raises(EndOfMailbox):
            await reader.receive()


async def test_closing_wakes_those_who_wait(autojump_clock):
    mailbox = Mailbox[int]("m", 1)
    mailbox.offer(1)

    async def sender():
        with pytest.raises(MailboxClosed):
            await mailbox.send(2)

    async def receiver():
        async with mailbox.reader(_life()) as reader:
            assert await reader.receive() == 1
            with pytest.raises(EndOfMailbox):
                await reader.receive()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(sender)
        await wait_all_tasks_blocked()
        mailbox.close()
        nursery.start_soon(receiver)


async def test_a_stopping_life_drains_what_had_come_and_leaves_the_rest(autojump_clock):
    mailbox = Mailbox[int]("m", 5)
    life = _life()
    async with mailbox.reader(life) as reader:
        mailbox.offer(1)
        mailbox.offer(2)
        life.stopping.set()
        mailbox.offer(3)
        assert [number async for number in reader] == [1, 2]
    async with mailbox.reader(_life(2)) as reader:
        assert await reader.receive() == 3


async def test_a_life_that_is_stopping_already_gets_what_is_there(autojump_clock):
    mailbox = Mailbox[int]("m", 5)
    mailbox.offer(1)
    life = _life()
    life.stopping.set()
    async with mailbox.reader(life) as reader:
        assert [number async for number in reader] == [1]


async def test_a_waiting_reader_wakes_when_asked_to_stop(autojump_clock):
    mailbox = Mailbox[int]("m", 5)
    life = _life()

    async def read():
        async with mailbox.reader(life) as reader:
            assert [number async for number in reader] == []

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        life.stopping.set()


async def test_a_refusing_mailbox_is_closed_from_the_request_to_stop_to_the_next_life(
    autojump_clock,
):
    mailbox = Mailbox[int]("m", 5, WhenFull.REFUSE)
    life = _life()
    async with mailbox.reader(life):
        life.stopping.set()
        assert not mailbox.offer(1)
    assert not mailbox.offer(1)
    async with mailbox.reader(_life(2)):
        assert mailbox.offer(1)


async def test_after_a_crash_messages_are_taken_for_the_next_life(autojump_clock):
    mailbox = Mailbox[int]("m", 5, WhenFull.REFUSE)
    with suppress(ZeroDivisionError):
        async with mailbox.reader(_life()):
            raise ZeroDivisionError
    assert mailbox.offer(1)


async def test_only_one_reader_at_a_time(autojump_clock):
    mailbox = Mailbox[int]("m", 5)
    async with mailbox.reader(_life()):
        with pytest.raises(ReaderBusy, match="m is already being read"):
            await mailbox.reader(_life(2)).__aenter__()


async def _crash_with(mailbox: Mailbox[int], count: int, *, settle: bool = False) -> list[int]:
    """A life takes `count` messages, after looking at what was left, and crashes."""
    left: list[int] = []
    with suppress(ZeroDivisionError):
        async with mailbox.reader(_life()) as reader:
            left = reader.left_in_hand()
            if settle:
                reader.done()
            for _ in range(count):
                await reader.receive()
            raise ZeroDivisionError
    return left


async def test_what_a_crashed_life_had_in_hand_is_shown_once_and_not_delivered(autojump_clock):
    mailbox = Mailbox[int]("m", 5)
    for number in (1, 2, 3):
        mailbox.offer(number)
    await _crash_with(mailbox, 2)
    async with mailbox.reader(_life(2)) as reader:
        assert reader.left_in_hand() == [1, 2]
        assert reader.left_in_hand() == []
        assert await reader.receive() == 3
    async with mailbox.reader(_life(3)) as reader:
        assert reader.left_in_hand() == []


async def test_who_looks_on_sees_what_is_in_hand_and_what_was_left(autojump_clock):
    mailbox = Mailbox[int]("m", 5)
    for number in (1, 2, 3):
        mailbox.offer(number)
    assert mailbox.in_hand() == []
    await _crash_with(mailbox, 2)
    async with mailbox.reader(_life(2)) as reader:
        assert mailbox.in_hand() == [1, 2]
        assert reader.left_in_hand() == [1, 2]
        await reader.receive()
        assert mailbox.in_hand() == [1, 2, 3]
        reader.done()
        assert mailbox.in_hand() == []


async def test_a_crash_while_settling_leaves_all_of_it_to_the_life_after(autojump_clock):
    mailbox = Mailbox[int]("m", 5)
    for number in (1, 2, 3):
        mailbox.offer(number)
    await _crash_with(mailbox, 2)
    assert await _crash_with(mailbox, 1) == [1, 2]
    assert await _crash_with(mailbox, 0, settle=True) == [1, 2, 3]
    assert await _crash_with(mailbox, 0) == []


async def test_left_in_hand_is_dropped_if_nobody_asks_before_receiving(autojump_clock):
    mailbox = Mailbox[int]("m", 5)
    mailbox.offer(1)
    mailbox.offer(2)
    await _crash_with(mailbox, 1)
    async with mailbox.reader(_life(2)) as reader:
        assert await reader.receive() == 2
        assert reader.left_in_hand() == []
    assert mailbox.statistics().dropped == 1


async def test_done_and_an_orderly_end_leave_nothing(autojump_clock):
    mailbox = Mailbox[int]("m", 5)
    for number in (1, 2, 3):
        mailbox.offer(number)
    with suppress(ZeroDivisionError):
        async with mailbox.reader(_life()) as reader:
            await reader.receive()
            reader.done()
            raise ZeroDivisionError
    async with mailbox.reader(_life(2)) as reader:
        assert reader.left_in_hand() == []
        async for _ in reader:
            break
    async with mailbox.reader(_life(3)) as reader:
        assert reader.left_in_hand() == []
    assert mailbox.statistics().handled == 2


async def test_a_loop_has_only_the_present_message_in_hand(autojump_clock):
    mailbox = Mailbox[int]("m", 5)
    for number in (1, 2, 3):
        mailbox.offer(number)
    with suppress(ZeroDivisionError):
        async with mailbox.reader(_life()) as reader:
            async for number in reader:
                if number == 2:
                    raise ZeroDivisionError
    async with mailbox.reader(_life(2)) as reader:
        assert reader.left_in_hand() == [2]


async def test_a_reader_that_never_says_done_is_told_so(autojump_clock):
    mailbox = Mailbox[int]("m", IN_HAND_MAX + 1)
    for number in range(IN_HAND_MAX + 1):
        mailbox.offer(number)
    async with mailbox.reader(_life()) as reader:
        for _ in range(IN_HAND_MAX):
            reader.receive_nowait()
        with pytest.raises(RuntimeError, match="none done"):
            reader.receive_nowait()


async def test_receive_before(autojump_clock):
    mailbox = Mailbox[int]("m", 5)
    life = _life()
    async with mailbox.reader(life) as reader:
        assert await reader.receive_before(2.0) is None
        assert trio.current_time() == 2
        mailbox.offer(1)
        assert await reader.receive_before(1.0) == 1, "one that is there is given even if late"
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_send_after, mailbox, 0.5)
            assert await reader.receive_before(3.0) == 7
        assert trio.current_time() == 2.5
        life.stopping.set()
        with pytest.raises(EndOfMailbox):
            await reader.receive_before(9.0)
    assert trio.current_time() == 2.5


async def test_receive_before_cancelled_loses_nothing(autojump_clock):
    mailbox = Mailbox[int]("m", 5)
    mailbox.offer(1)
    async with mailbox.reader(_life()) as reader:
        with trio.CancelScope() as scope:
            scope.cancel()
            await reader.receive_before(5.0)
        with trio.CancelScope() as scope:
            scope.cancel()
            await reader.receive()
        assert reader.receive_nowait() == 1


async def _send_after(mailbox: Mailbox[int], seconds: float) -> None:
    await trio.sleep(seconds)
    await mailbox.send(7)


async def test_statistics_are_exact_in_virtual_time(autojump_clock):
    mailbox = Mailbox[int]("m", 5)
    for number in range(4):
        mailbox.offer(number)
    await trio.sleep(0.010)
    async with mailbox.reader(_life()) as reader:
        async for number in reader:
            await trio.sleep(0.001 * (number + 1))
            if number == 3:
                break
    statistics = mailbox.statistics()
    assert (statistics.name, statistics.kind, statistics.capacity) == ("m", "mailbox", 5)
    assert (statistics.depth, statistics.peak, statistics.accepted, statistics.handled) == (
        0,
        4,
        4,
        4,
    )
    assert statistics.waiting_p50_ms == pytest.approx(11)
    assert statistics.waiting_p99_ms == pytest.approx(16)
    assert statistics.handling_p50_ms == pytest.approx(2)
    assert statistics.handling_p99_ms == pytest.approx(4)


@pytest.mark.parametrize("when_full", [WhenFull.KEEP_LATEST, WhenFull.DISCONNECT])
def test_a_mailbox_never_loses_commands(when_full):
    with pytest.raises(ValueError, match="waits or refuses"):
        Mailbox[int]("m", 1, when_full)


@pytest.mark.parametrize("capacity", [0, -1])
def test_a_mailbox_holds_at_least_one(capacity):
    with pytest.raises(ValueError, match="at least 1"):
        Mailbox[int]("m", capacity)


@settings(max_examples=50)  # each runs a loop of its own
@given(
    acts=st.lists(st.sampled_from(["send", "take", "done", "crash", "settle"]), max_size=60),
    capacity=st.integers(1, 4),
)
def test_no_message_is_lost_or_delivered_twice(acts, capacity):
    """Every message let in is waiting, delivered once, or shown once as left in hand."""

    async def scenario():
        mailbox = Mailbox[int]("m", capacity, WhenFull.REFUSE)
        waiting: list[int] = []
        in_hand: list[int] = []
        left: list[int] = []
        sent = 0
        opened = mailbox.reader(_life())
        reader = await opened.__aenter__()
        for act in acts:
            if act == "send":
                assert mailbox.offer(sent) == (len(waiting) < capacity)
                if len(waiting) < capacity:
                    waiting.append(sent)
                sent += 1
            elif act == "take":
                assert reader.receive_nowait() == (waiting[0] if waiting else None)
                left = []
                in_hand += waiting[:1]
                del waiting[:1]
            elif act == "done":
                reader.done()
                in_hand = []
            elif act == "crash":
                error = ZeroDivisionError()
                await reader.__aexit__(type(error), error, None)
                left, in_hand = left + in_hand, []
                reader = await mailbox.reader(_life()).__aenter__()
            else:
                assert reader.left_in_hand() == left
                left, in_hand = [], in_hand + left
            assert mailbox.statistics().depth == len(waiting)

    trio.run(scenario)


async def test_a_reader_knows_when_its_message_was_sent(autojump_clock):
    mailbox: Mailbox[str] = Mailbox("m", 1)
    async with mailbox.reader(Life("test/reader")) as reader, trio.open_nursery() as nursery:
        nursery.start_soon(mailbox.send, "at 0")
        await trio.sleep(1)
        nursery.start_soon(mailbox.send, "at 1, and waits for room")
        await trio.sleep(1)
        for sent_at in (0, 1):
            await reader.receive()
            assert reader.arrived_at == sent_at
