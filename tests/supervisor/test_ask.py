"""Asks: exactly one of answer, refusal, and not knowing; always by the deadline."""

import trio
from trio.testing import wait_all_tasks_blocked

from supervisor import Ask, Life, Mailbox, Refused, RefusedBecause, StatusUnknown, WhenFull, ask

REFUSE = WhenFull.REFUSE


async def _answer_doubled(mailbox: Mailbox[Ask[int, int]], life: Life) -> None:
    async with mailbox.reader(life) as reader:
        async for asked in reader:
            asked.answer(asked.question * 2)


async def test_an_ask_is_answered(autojump_clock):
    mailbox = Mailbox[Ask[int, int]]("m", 1, REFUSE)
    life = Life("test/answers")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_answer_doubled, mailbox, life)
        assert await ask(mailbox, 21, within_s=1) == 42
        life.stopping.set()


async def test_a_full_mailbox_refuses_at_once(autojump_clock):
    mailbox = Mailbox[Ask[int, int]]("m", 1, REFUSE)
    mailbox.offer(Ask(0, deadline=1))
    assert await ask(mailbox, 1, within_s=5) == Refused(reason=RefusedBecause.FULL)
    assert trio.current_time() == 0


async def test_a_closed_mailbox_refuses_at_once(autojump_clock):
    mailbox = Mailbox[Ask[int, int]]("m", 1)
    mailbox.close()
    assert await ask(mailbox, 1, within_s=5) == Refused(reason=RefusedBecause.CLOSED)
    assert trio.current_time() == 0


async def test_no_room_by_the_deadline_is_a_refusal_because_it_was_never_in(autojump_clock):
    mailbox = Mailbox[Ask[int, int]]("m", 1)
    mailbox.offer(Ask(0, deadline=1))
    assert await ask(mailbox, 1, within_s=5) == Refused(reason=RefusedBecause.FULL)
    assert trio.current_time() == 5


async def test_no_answer_by_the_deadline_is_not_known(autojump_clock):
    mailbox = Mailbox[Ask[int, int]]("m", 1)
    assert await ask(mailbox, 1, within_s=5) == StatusUnknown()
    assert trio.current_time() == 5
    async with mailbox.reader(Life("test/late")) as reader:
        asked = await reader.receive()
        assert asked.expired()
        asked.answer(2)  # the asker has gone: no error


async def test_an_ask_that_nobody_settles_after_a_crash_is_not_known_at_once(autojump_clock):
    mailbox = Mailbox[Ask[int, int]]("m", 3)
    answers = []

    async def asker(question):
        answers.append((question, await ask(mailbox, question, within_s=60), trio.current_time()))

    async with trio.open_nursery() as nursery:
        for question in (1, 2):
            nursery.start_soon(asker, question)
            await wait_all_tasks_blocked()
        try:
            async with mailbox.reader(Life("test/crashes")) as reader:
                await reader.receive()
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        life = Life("test/crashes", 2)
        nursery.start_soon(_answer_doubled, mailbox, life)
        await wait_all_tasks_blocked()
        life.stopping.set()
    assert sorted(answers, key=lambda answer: answer[0]) == [(1, StatusUnknown(), 0), (2, 4, 0)]


async def test_an_ask_left_in_hand_can_still_be_answered_by_the_next_life(autojump_clock):
    mailbox = Mailbox[Ask[int, int]]("m", 3)
    answers = []

    async def asker():
        answers.append(await ask(mailbox, 1, within_s=60))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(asker)
        await wait_all_tasks_blocked()
        try:
            async with mailbox.reader(Life("test/crashes")) as reader:
                await reader.receive()
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        async with mailbox.reader(Life("test/crashes", 2)) as reader:
            for asked in reader.left_in_hand():
                asked.answer(7)
    assert answers == [7]


async def test_the_first_answer_wins(autojump_clock):
    asked: Ask[int, int] = Ask(1, deadline=5)
    asked.answer(1)
    asked.answer(2)
    asked.discard()
    assert asked.answered()
    assert await asked.wait_answer() == 1


async def test_an_answer_after_a_discard_is_not_seen(autojump_clock):
    asked: Ask[int, int] = Ask(1, deadline=5)
    asked.discard()
    asked.answer(1)
    assert await asked.wait_answer() == StatusUnknown()
