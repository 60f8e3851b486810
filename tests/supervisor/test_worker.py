"""Workers: one call at a time, and a call that has begun is never left behind."""

import threading

import attrs
import pytest
import trio
from trio.testing import assert_checkpoints, wait_all_tasks_blocked

from supervisor.worker import InlineWorker, ThreadWorker


@attrs.define
class Call:
    """A blocking call that ends when it is told to; `story` says what has happened so far."""

    name: str
    story: list[str]
    may_end: threading.Event = attrs.field(factory=threading.Event)
    begun: threading.Event = attrs.field(factory=threading.Event)

    def __call__(self) -> str:
        self.story.append(f"{self.name} begins")
        self.begun.set()
        assert self.may_end.wait(timeout=10)
        self.story.append(f"{self.name} ends")
        return self.name


async def wait_begun(call: Call) -> None:
    assert await trio.to_thread.run_sync(call.begun.wait, 10)


@pytest.mark.parametrize("worker", [ThreadWorker(), InlineWorker()])
async def test_it_returns_what_the_call_returns(worker: ThreadWorker | InlineWorker) -> None:
    assert await worker.run(lambda: 7) == 7


@pytest.mark.parametrize("worker", [ThreadWorker(), InlineWorker()])
async def test_an_exception_of_the_call_is_the_callers(
    worker: ThreadWorker | InlineWorker,
) -> None:
    def fail() -> None:
        raise KeyError("this one")

    with pytest.raises(KeyError, match="this one"):
        await worker.run(fail)
    assert await worker.run(lambda: "the next") == "the next"


@pytest.mark.parametrize("worker", [ThreadWorker(), InlineWorker()])
async def test_a_caller_that_is_cancelled_before_makes_no_call(
    worker: ThreadWorker | InlineWorker,
) -> None:
    story: list[str] = []
    with trio.CancelScope() as scope:
        scope.cancel()
        await worker.run(lambda: story.append("called"))
    assert scope.cancelled_caught
    assert story == []


async def test_calls_on_a_thread_run_off_the_event_loop() -> None:
    assert await ThreadWorker().run(threading.get_ident) != threading.get_ident()


async def test_calls_on_a_thread_run_one_at_a_time() -> None:
    worker, story = ThreadWorker(), list[str]()
    first, second = Call("first", story), Call("second", story)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker.run, first)
        await wait_begun(first)
        nursery.start_soon(worker.run, second)
        await wait_all_tasks_blocked()
        second.may_end.set()
        await wait_all_tasks_blocked()
        assert story == ["first begins"]
        first.may_end.set()
    assert story == ["first begins", "first ends", "second begins", "second ends"]


async def test_the_call_of_a_cancelled_caller_ends_before_the_next_begins() -> None:
    worker, story = ThreadWorker(), list[str]()
    first, second = Call("first", story), Call("second", story)
    second.may_end.set()

    async def cancelled(scope: trio.CancelScope) -> None:
        with scope:
            await worker.run(first)
        story.append("the first caller goes on")

    async with trio.open_nursery() as nursery:
        scope = trio.CancelScope()
        nursery.start_soon(cancelled, scope)
        await wait_begun(first)
        scope.cancel()
        nursery.start_soon(worker.run, second)
        await wait_all_tasks_blocked()
        assert story == ["first begins"], "neither is the call left behind nor its turn given away"
        first.may_end.set()
    assert story.index("first ends") < story.index("second begins")
    assert story.index("first ends") < story.index("the first caller goes on")


async def test_a_caller_that_is_cancelled_while_it_waits_for_its_turn_makes_no_call() -> None:
    worker, story = ThreadWorker(), list[str]()
    first, second = Call("first", story), Call("second", story)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker.run, first)
        await wait_begun(first)
        with trio.move_on_after(0.01) as waited:
            await worker.run(second)
        assert waited.cancelled_caught
        first.may_end.set()
    assert story == ["first begins", "first ends"]
    assert await worker.run(lambda: "its turn was not lost") == "its turn was not lost"


async def test_a_worker_that_abandons_lets_the_caller_go_and_keeps_the_turn() -> None:
    worker, story = ThreadWorker(abandons=True), list[str]()
    hung, second = Call("hung", story), Call("second", story)
    second.may_end.set()
    with trio.move_on_after(0.01) as waited:
        await worker.run(hung)
    assert waited.cancelled_caught
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker.run, second)
        await wait_all_tasks_blocked()
        assert story == ["hung begins"]
        hung.may_end.set()
    assert story == ["hung begins", "hung ends", "second begins", "second ends"]


async def test_a_call_made_inline_is_a_checkpoint() -> None:
    with assert_checkpoints():
        await InlineWorker().run(lambda: None)
