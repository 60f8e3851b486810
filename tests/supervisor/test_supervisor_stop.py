"""Stopping, by the names of OTP's own suite."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from supervisor import (
    BRUTAL_KILL,
    Child,
    Mailbox,
    Restart,
    SeededChance,
    State,
    Supervisor,
    SupervisorSpec,
)


async def test_sup_stop_infinity(stage, autojump_clock):
    """A generous limit is as good as none: the supervisor waits for an hour, and kills nobody."""
    stage.stop_takes_s["a"] = 3600
    async with stage.running(stage.spec(stage.child("a", stop_within_s=3601))):
        pass
    assert stage.ended_at == 3600
    assert stage.exits() == [("a", "shutdown")]


async def test_sup_stop_timeout(stage, autojump_clock):
    stage.stop_takes_s.update(a=1, b=60)
    spec = stage.spec(stage.child("a", stop_within_s=2), stage.child("b", stop_within_s=3))
    async with stage.running(spec):
        pass
    assert stage.ended_at == 4, "b is cancelled after its 3 s, then a takes 1 s of its 2"
    assert stage.exits() == [("b", "killed"), ("a", "shutdown")]


async def test_sup_stop_brutal_kill(stage, autojump_clock):
    stage.stop_takes_s.update(a=1, b=1)
    async with stage.running(stage.spec(stage.child("a", stop_within_s=BRUTAL_KILL))):
        stage.take_log()
    assert stage.ended_at == 0, "it is not asked, and has no time for its second of tidying up"
    assert stage.exits() == [("a", "killed")]


async def test_a_child_killed_at_once_sees_no_polite_end_of_its_mailbox(autojump_clock):
    mailbox = Mailbox[int]("m", 1)
    seen = []

    async def run(life):
        async with mailbox.reader(life) as reader:
            life.ready()
            async for _ in reader:
                pass
            seen.append("drained")

    spec = SupervisorSpec(id="top", children=(Child(id="a", run=run, stop_within_s=BRUTAL_KILL),))
    supervisor = Supervisor(spec, chance=SeededChance(1), report=lambda report: None)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        await wait_all_tasks_blocked()
        supervisor.request_stop()
    assert seen == []


async def test_sup_stop_race(stage, autojump_clock):
    """Children that end by themselves during the stop are reported as they ended, once each."""
    stage.stop_takes_s["last"] = 4
    ends = [(restart, how) for restart in Restart for how in ("normal", "shutdown", "abnormal")]
    children = [stage.child(f"{restart.value}_{how}", restart=restart) for restart, how in ends]
    async with stage.running(stage.spec(stage.child("first"), *children, stage.child("last"))):
        stage.supervisor.request_stop()
        await trio.sleep(1)
        for restart, how in ends:
            await stage.order(f"{restart.value}_{how}", how)
    assert stage.end is None
    assert stage.exits() == [
        ("last", "shutdown"),
        *((f"{restart.value}_{how}", how) for restart, how in reversed(ends)),
        ("first", "shutdown"),
    ]


async def test_sup_stop_manual(stage, autojump_clock):
    """Stopped by the one who runs it: all have ended when `wait_stopped` returns."""
    stage.stop_takes_s.update(a=1, b=2)
    async with stage.running(stage.spec(stage.child("a"), stage.child("b"))) as supervisor:
        supervisor.request_stop()
        supervisor.request_stop()
        assert supervisor.status().state is State.STOPPING
        assert await supervisor.wait_stopped() == ()
        assert trio.current_time() == 3
        assert stage.take_log() == ["+a", "+b", "-b", "-a"]


async def test_sup_stop_manual_timeout(stage, autojump_clock):
    """Whoever stops it may lose patience; the stop goes on all the same."""
    stage.stop_takes_s["a"] = 4
    async with stage.running(stage.spec(stage.child("a"))) as supervisor:
        supervisor.request_stop()
        with pytest.raises(trio.TooSlowError), trio.fail_after(1):
            await supervisor.wait_stopped()
        assert stage.states() == {"a": "stopping"}
        assert await supervisor.wait_stopped() == ()
    assert stage.exits() == [("a", "shutdown")]


async def test_order_of_children(stage, autojump_clock):
    nested = stage.spec(stage.child("b1"), stage.child("b2"), id="b")
    async with stage.running(stage.spec(stage.child("a"), nested, stage.child("c"))):
        assert stage.take_log() == ["+a", "+b1", "+b2", "+c"]
    assert stage.take_log() == ["-c", "-b2", "-b1", "-a"]


async def test_a_child_asked_to_stop_drains_what_had_come(autojump_clock):
    numbers = Mailbox[int]("numbers", 10)
    seen = []

    async def run(life):
        async with numbers.reader(life) as reader:
            life.ready()
            async for number in reader:
                await trio.sleep(1)
                seen.append(number)

    reports = []
    spec = SupervisorSpec(id="top", children=(Child(id="a", run=run),))
    supervisor = Supervisor(spec, chance=SeededChance(1), report=reports.append)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        for number in range(3):
            numbers.offer(number)
        supervisor.request_stop()
    assert seen == [0, 1, 2]
    assert [report.reason.value for report in reports] == ["shutdown"]


async def test_a_failure_while_stopping_is_reported_and_stops_nothing(autojump_clock):
    async def run(life):
        life.ready()
        await life.stopping.wait()
        raise OSError("can't flush")

    reports = []
    children = tuple(Child(id=id, run=run) for id in "ab")
    supervisor = Supervisor(
        SupervisorSpec(id="top", children=children), chance=SeededChance(1), report=reports.append
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        supervisor.request_stop()
    assert [(report.child, report.reason.value, report.type) for report in reports] == [
        ("top/b", "abnormal", "OSError"),
        ("top/a", "abnormal", "OSError"),
    ]


async def test_a_failure_mixed_with_its_cancellation_stays_the_childs_own(autojump_clock):
    """Inside the scope it would be a group with Cancelled in it, and end the whole nursery."""

    async def fails_when_cancelled():
        try:
            await trio.sleep_forever()
        finally:
            raise OSError("can't close")

    async def run(life):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fails_when_cancelled)
            nursery.start_soon(trio.sleep_forever)
            life.ready()

    reports = []
    children = (Child(id="a", run=run, stop_within_s=1), Child(id="b", run=run, stop_within_s=1))
    supervisor = Supervisor(
        SupervisorSpec(id="top", children=children), chance=SeededChance(1), report=reports.append
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        supervisor.request_stop()
    assert trio.current_time() == 2
    assert [(report.child, report.reason.value) for report in reports] == [
        ("top/b", "killed"),
        ("top/a", "killed"),
    ]
    assert "can't close" in reports[0].stack


async def test_cancelled_from_outside_everything_ends_and_is_reported(stage, autojump_clock):
    spec = stage.spec(stage.child("a"), stage.spec(stage.child("b"), id="nested"))
    supervisor = Supervisor(spec, chance=SeededChance(1), report=stage.reports.append)
    with trio.move_on_after(1):
        await supervisor.run()
    assert sorted(stage.exits()) == [("a", "killed"), ("b", "killed"), ("nested", "killed")]
    assert supervisor.status().state is State.STOPPED


async def test_a_nested_supervisor_past_its_own_limit_is_cancelled_with_all_below(
    stage, autojump_clock
):
    stage.stop_takes_s["b"] = 60
    nested = stage.spec(stage.child("b", stop_within_s=50), id="nested", stop_within_s=2)
    async with stage.running(stage.spec(stage.child("a"), nested)):
        stage.take_log()
    assert stage.ended_at == 2
    assert stage.take_log() == ["-b", "-a"]
    assert stage.exits() == [("b", "killed"), ("nested", "killed"), ("a", "shutdown")]
