"""What OTP leaves out: back-off, heartbeats, stuck children, and a status that always answers."""

import pytest
import trio

from supervisor import (
    Backoff,
    Child,
    Mailbox,
    Managed,
    SeededChance,
    State,
    Strategy,
    Supervisor,
    SupervisorSpec,
)


async def test_the_waits_between_attempts_grow_and_reset_after_a_quiet_period(
    stage, autojump_clock
):
    backoff = Backoff(first_s=1, factor=2, max_s=4, jitter=0, quiet_s=60)
    async with stage.running(stage.spec(stage.child("a"), backoff=backoff, restarts_max=20)):
        waits = []
        for pause_s in (0, 0, 0, 0, 60, 0):
            await trio.sleep(pause_s)
            await stage.order("a", "abnormal")
            waits.append(_child(stage, "a").retry_in_s)
            await trio.sleep(waits[-1])
            await stage.settle()
            assert _child(stage, "a").state is State.RUNNING
        assert waits == [1, 2, 4, 4, 1, 2]


async def test_the_jitter_of_a_seed_is_always_the_same(autojump_clock):
    backoff = Backoff(first_s=1, factor=1, max_s=1, jitter=0.5)

    async def breaks(life):
        life.ready()
        raise OSError

    async def run_once() -> float:
        spec = SupervisorSpec(
            id="top", children=(Child(id="a", run=breaks),), restarts_max=3, backoff=backoff
        )
        began = trio.current_time()
        with pytest.raises(Exception, match="gave up"):
            await Supervisor(spec, chance=SeededChance(7), report=lambda report: None).run()
        return round(trio.current_time() - began, 9)

    first = await run_once()
    assert await run_once() == first
    assert 1.5 < first < 3


async def test_others_are_served_while_one_backs_off(stage, autojump_clock):
    backoff = Backoff(first_s=10, factor=1, max_s=10, jitter=0)
    children = (stage.child("a"), stage.child("b"))
    async with stage.running(stage.spec(*children, backoff=backoff)) as supervisor:
        stage.take_log()
        await stage.order("a", "abnormal")
        await trio.sleep(4)
        await stage.order("b", "abnormal")
        assert supervisor.status().children[0].retry_in_s == 6
        await trio.sleep(7)
        assert stage.take_log() == ["-a", "-b", "+a"]


async def test_a_hung_child_is_reported_with_its_stack_and_restarted(stage, autojump_clock):
    async with stage.running(stage.spec(stage.child("a", heartbeat_s=5))):
        stage.take_log()
        await trio.sleep(1000)
        assert stage.exits() == [], "waiting for input is not hanging"
        await stage.order("a", "hang")
        await trio.sleep(4.9)
        assert stage.exits() == []
        await trio.sleep(0.2)
        (report,) = stage.reports
        assert report.reason.value == "hung"
        assert report.message == "busy for more than 5 s"
        assert "_obey" in report.stack
        assert "sleep_forever" in report.stack
        assert stage.take_log() == ["-a", "+a"]
        assert _child(stage, "a").last_failure.type == "hung"


async def test_a_child_that_beats_while_it_works_is_not_hung(autojump_clock):
    async def run(life):
        life.ready()
        for _ in range(100):
            life.beat()
            await trio.sleep(1.9)
        await life.sleep_or_stop(1000)
        await life.stopping.wait()

    reports = await _run_for(2000, Child(id="a", run=run, heartbeat_s=2))
    assert [report.reason.value for report in reports] == ["shutdown"]


async def test_a_child_that_never_comes_to_its_loop_is_hung(autojump_clock):
    async def run(life):
        life.ready()
        await trio.sleep_forever()

    reports = await _run_for(2.5, Child(id="a", run=run, heartbeat_s=2))
    assert [report.reason.value for report in reports] == ["hung", "killed"]


async def test_the_limit_has_come_even_where_a_difference_of_times_is_rounded(autojump_clock):
    """(0.3 + 2) - 0.3 < 2: who compares that with the limit looks again without end."""

    async def run(life):
        await trio.sleep(0.3)
        life.ready()
        await trio.sleep_forever()

    reports = []
    supervisor = Supervisor(
        SupervisorSpec(id="test", children=(Child(id="a", run=run, heartbeat_s=2),)),
        chance=SeededChance(1),
        report=reports.append,
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.run)
        await trio.sleep(0.3 + 2)
        for _ in range(10):
            await trio.lowlevel.checkpoint()
        assert [report.reason.value for report in reports] == ["hung"]
        nursery.cancel_scope.cancel()


async def test_a_busy_helper_task_does_not_hide_a_hung_loop(autojump_clock):
    """Nor does a task that has ended while busy look hung for ever."""
    numbers = Mailbox[int]("numbers", 5)

    async def beats(life):
        while not await life.sleep_or_stop(0.5):
            life.beat()

    async def ends(life):
        life.beat()

    async def run(life):
        async with trio.open_nursery() as nursery, numbers.reader(life) as reader:
            nursery.start_soon(beats, life)
            nursery.start_soon(ends, life)
            life.ready()
            async for number in reader:
                await trio.sleep(number)

    numbers.offer(1)
    reports = await _run_for(100, Child(id="a", run=run, heartbeat_s=2))
    assert [report.reason.value for report in reports] == ["shutdown"]
    numbers.offer(50)
    reports = await _run_for(3, Child(id="a", run=run, heartbeat_s=2))
    assert [report.reason.value for report in reports] == ["hung", "shutdown"]


async def test_a_stop_has_its_own_limit_and_needs_no_heartbeat(stage, autojump_clock):
    stage.stop_takes_s["a"] = 50
    async with stage.running(stage.spec(stage.child("a", heartbeat_s=1, stop_within_s=60))):
        pass
    assert stage.ended_at == 50
    assert stage.exits() == [("a", "shutdown")]


async def test_a_hung_child_behind_a_shield_is_stuck_and_reported_once(stage, autojump_clock):
    children = (stage.child("a", heartbeat_s=5), stage.child("b"))
    async with stage.running(stage.spec(*children)) as supervisor:
        await stage.order("a", "hang in a shield")
        await trio.sleep(7)
        assert stage.states() == {"a": "stuck", "b": "running"}
        assert "_obey" in _child(stage, "a").waiting_on
        assert [(r.reason.value, r.context.value) for r in stage.reports] == [("hung", "stuck")]
        assert await supervisor.restart_child("top/b") is Managed.STARTED
        assert await supervisor.start_child("top/a") is Managed.STUCK
        stage.release.set()
        await stage.settle()
        assert stage.states() == {"a": "running", "b": "running"}, "it ended, and is restarted"
    assert stage.exits().count(("a", "hung")) == 1


async def test_a_stuck_child_does_not_hold_up_the_stop_of_the_others(stage, autojump_clock):
    children = (stage.child("a"), stage.child("b", stop_within_s=3), stage.child("c"))
    async with stage.running(stage.spec(*children)) as supervisor:
        await stage.order("b", "hang in a shield")
        supervisor.request_stop()
        assert await supervisor.wait_stopped() == ("top/b",)
        assert trio.current_time() == 4, "its 3 s and the grace of 1 s"
        assert stage.states() == {"a": "stopped", "b": "stuck", "c": "stopped"}
        assert supervisor.status().state is State.STUCK
    assert stage.exits() == [("c", "shutdown"), ("b", "killed"), ("a", "shutdown")]


async def test_a_stuck_child_below_does_not_hold_up_the_levels_above(stage, autojump_clock):
    low = stage.spec(stage.child("x", stop_within_s=3), id="low")
    async with stage.running(stage.spec(stage.child("a"), low)) as supervisor:
        await stage.order("x", "hang in a shield")
        supervisor.request_stop()
        assert await supervisor.wait_stopped() == ("top/low/x",)
        assert trio.current_time() == 4
        assert stage.states() == {"a": "stopped", "low": "stuck"}


async def test_a_child_stopped_by_hand_that_is_stuck_stays_down_when_it_ends(stage, autojump_clock):
    async with stage.running(stage.spec(stage.child("a", stop_within_s=1))) as supervisor:
        await stage.order("a", "hang in a shield")
        assert await supervisor.stop_child("top/a") is Managed.STUCK
        assert await supervisor.stop_child("top/a") is Managed.STUCK
        stage.release.set()
        await stage.settle()
        assert stage.states() == {"a": "stopped"}
        assert await supervisor.start_child("top/a") is Managed.STARTED


async def test_a_stuck_bystander_is_started_when_it_has_ended(stage, autojump_clock):
    backoff = Backoff(first_s=2, factor=1, max_s=2, jitter=0)
    children = (stage.child("a"), stage.child("b", stop_within_s=1))
    spec = stage.spec(*children, strategy=Strategy.ONE_FOR_ALL, backoff=backoff, restarts_max=10)
    async with stage.running(spec):
        await stage.order("b", "hang in a shield")
        await stage.order("a", "abnormal")
        await trio.sleep(3)
        assert stage.states() == {"a": "restarting", "b": "stuck"}
        stage.release.set()
        await trio.sleep(5)
        assert stage.states() == {"a": "running", "b": "running"}


async def test_a_stuck_child_stopped_by_hand_does_not_disturb_its_group(stage, autojump_clock):
    children = (stage.child("a"), stage.child("b", stop_within_s=1))
    async with stage.running(stage.spec(*children, strategy=Strategy.ONE_FOR_ALL)) as supervisor:
        await stage.order("b", "hang in a shield")
        await supervisor.stop_child("top/b")
        await stage.order("a", "abnormal")
        assert stage.states() == {"a": "running", "b": "stuck"}
        assert supervisor.status().restarts_in_window == 1


async def test_a_stuck_child_restarted_by_hand_starts_when_it_has_ended(stage, autojump_clock):
    async with stage.running(stage.spec(stage.child("a", stop_within_s=1))) as supervisor:
        await stage.order("a", "hang in a shield")
        assert await supervisor.restart_child("top/a") is Managed.STUCK
        stage.release.set()
        await stage.settle()
        assert stage.states() == {"a": "running"}


async def test_a_start_that_ignores_its_cancellation_is_stuck(stage, autojump_clock):
    async def run(life):
        with trio.CancelScope(shield=True):
            await stage.release.wait()

    child = Child(id="a", run=run, start_within_s=5)
    supervisor = Supervisor(stage.spec(child), chance=SeededChance(1), report=stage.reports.append)

    async def stop_and_release():
        assert await supervisor.wait_stopped() == ("top/a",)
        assert trio.current_time() == 6
        stage.release.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(stop_and_release)
        with pytest.raises(Exception, match="not ready in 5 s"):
            await supervisor.run()
    assert [(r.reason.value, r.context.value) for r in stage.reports] == [("start_failed", "stuck")]


async def test_a_nested_supervisor_that_gave_up_over_a_stuck_child_waits_for_it(
    stage, autojump_clock
):
    """Started anew at once, two lives of the stuck child would run side by side."""
    low = stage.spec(stage.child("x", stop_within_s=1), stage.child("y"), id="low", restarts_max=0)
    async with stage.running(stage.spec(low)):
        await stage.order("x", "hang in a shield")
        await stage.order("y", "abnormal")
        await trio.sleep(10)
        assert stage.states() == {"low": "stuck"}
        assert stage.reports[-1].type == "GaveUp"
        stage.release.set()
        await stage.settle()
        assert stage.states() == {"low": "running"}


async def test_waiting_on_shows_helper_tasks_too(autojump_clock):
    async def helper():
        await trio.sleep_forever()

    async def run(life):
        async with trio.open_nursery() as nursery:
            for _ in range(6):
                nursery.start_soon(helper)
            life.ready()

    spec = SupervisorSpec(id="top", children=(Child(id="a", run=run, stop_within_s=1),))
    supervisor = Supervisor(spec, chance=SeededChance(1), report=lambda report: None)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        await trio.sleep(1)
        waiting_on = supervisor.status().children[0].waiting_on
        assert waiting_on.count("helper test_supervisor_beyond_otp.py") == 3
        assert waiting_on.endswith("and 3 more")
        supervisor.request_stop()


async def test_the_status_answers_in_a_start_that_hangs(stage, autojump_clock):
    stage.start_as["b"] = "hang"
    low = stage.spec(stage.child("x"), id="low")
    spec = stage.spec(stage.child("a"), stage.child("b"), low)
    supervisor = Supervisor(spec, chance=SeededChance(1), report=stage.reports.append)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.run)
        await trio.sleep(2)
        status = supervisor.status()
        assert status.state is State.STARTING
        a, b, low_status = status.children
        assert (a.state, a.uptime_s) == (State.RUNNING, 2)
        assert (b.state, b.uptime_s) == (State.STARTING, None)
        assert "sleep_forever" not in b.waiting_on, "trio's own frames are left out"
        assert "_run conftest.py" in b.waiting_on
        assert (low_status.state, low_status.children) == (State.STOPPED, ())
        supervisor.request_stop()


async def test_the_status_shows_restarts_failures_and_channels(stage, autojump_clock):
    async with stage.running(stage.spec(stage.child("a"), period_s=10)) as supervisor:
        await stage.order("a", "abnormal")
        await trio.sleep(3)
        status = supervisor.status()
        (a,) = status.children
        assert (a.restarts_in_window, a.restarts_total, a.uptime_s) == (1, 1, 3)
        assert (a.last_failure.type, a.last_failure.message) == ("Broken", "a broke")
        assert (a.last_failure.at, a.last_failure.ago_s) == (0, 3)
        assert [(c.name, c.handled, c.depth) for c in a.channels] == [("a", 0, 0)]
        assert (status.restarts_in_window, status.uptime_s) == (1, 3)
        await trio.sleep(10)
        assert supervisor.status().restarts_in_window == 0
        assert supervisor.status().children[0].restarts_total == 1


@pytest.mark.slow
async def test_scale_start_stop_many_children(autojump_clock):
    children = tuple(Child(id=str(n), run=_waits) for n in range(5_000))
    reports = await _run_for(1, *children)
    assert [report.child for report in reports] == [f"top/{n}" for n in reversed(range(5_000))]


@pytest.mark.slow
async def test_scale_mass_exit_children(autojump_clock):
    """A thousand children end in the same moment; each is handled, none twice."""
    gate = trio.Event()

    async def run(life):
        life.ready()
        if life.number == 1:
            await gate.wait()
            raise OSError
        await life.stopping.wait()

    children = tuple(Child(id=str(n), run=run) for n in range(1_000))
    reports = []
    spec = SupervisorSpec(id="top", children=children, restarts_max=1_000, period_s=10_000)
    supervisor = Supervisor(spec, chance=SeededChance(1), report=reports.append)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        gate.set()
        await trio.sleep(5)
        assert supervisor.status().restarts_in_window == 1_000
        assert all(child.state is State.RUNNING for child in supervisor.status().children)
        assert len(reports) == 1_000
        supervisor.request_stop()
    assert len(reports) == 2_000


def _child(stage, id):
    return next(c for c in stage.supervisor.status().children if c.path == f"top/{id}")


async def _waits(life):
    life.ready()
    await life.stopping.wait()


async def _run_for(seconds, *children):
    """Run these children for a while, then stop them; what was reported."""
    reports = []
    spec = SupervisorSpec(id="top", children=children)
    supervisor = Supervisor(spec, chance=SeededChance(1), report=reports.append)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        await trio.sleep(seconds)
        supervisor.request_stop()
    return reports
