"""Starting, by the names of OTP's own suite."""

import pytest
import trio

from supervisor import (
    Backoff,
    Child,
    FaultySpec,
    Ignore,
    Managed,
    Restart,
    SeededChance,
    StartFailed,
    State,
    Supervisor,
    SupervisorSpec,
)


async def test_sup_start_normal(stage, autojump_clock):
    async with stage.running(stage.spec(stage.child("a"), stage.child("b"))) as supervisor:
        assert stage.take_log() == ["+a", "+b"]
        assert supervisor.status().state is State.RUNNING
    assert stage.end is None
    assert supervisor.status().state is State.STOPPED
    assert stage.exits() == [("b", "shutdown"), ("a", "shutdown")]


async def test_started_is_said_only_when_every_child_is_ready(autojump_clock):
    async def slow(life):
        await trio.sleep(3)
        life.ready()
        await life.stopping.wait()

    spec = SupervisorSpec(id="top", children=(Child(id="a", run=slow), Child(id="b", run=slow)))
    supervisor = Supervisor(spec, chance=SeededChance(1), report=lambda report: None)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        assert trio.current_time() == 6
        supervisor.request_stop()


async def test_sup_start_fail(stage, autojump_clock):
    stage.start_as["c"] = "fail"
    spec = stage.spec(*(stage.child(id) for id in "abcd"))
    supervisor = Supervisor(spec, chance=SeededChance(1), report=stage.reports.append)
    with pytest.raises(StartFailed, match="top/c did not start: Broken c can't start") as caught:
        await supervisor.run()
    assert caught.value.child == "top/c"
    assert str(caught.value.cause) == "c can't start"
    assert caught.value.__cause__ is caught.value.cause
    assert stage.take_log() == ["+a", "+b", "-b", "-a"], "what had started stops in reverse"
    assert stage.exits() == [("c", "start_failed"), ("b", "shutdown"), ("a", "shutdown")]


async def test_sup_start_fail_in_a_nested_supervisor_names_both(stage, autojump_clock):
    stage.start_as["a"] = "fail"
    async with stage.running(stage.spec(stage.spec(stage.child("a"), id="nested"))):
        pass
    assert stage.end.child == "top/nested"
    assert stage.end.cause.child == "top/nested/a"


async def test_sup_start_fail_of_a_child_that_returns_before_it_is_ready(stage, autojump_clock):
    stage.start_as["a"] = "return"
    async with stage.running(stage.spec(stage.child("a"))):
        pass
    assert str(stage.end) == "top/a did not start: EndedBeforeReady returned before it was ready"


async def test_sup_start_fail_of_a_child_that_is_never_ready(stage, autojump_clock):
    stage.start_as["a"] = "hang"
    async with stage.running(stage.spec(stage.child("a", start_within_s=7))):
        pass
    assert stage.ended_at == 7
    assert stage.end.child == "top/a"
    (report,) = stage.reports
    assert report.message == "not ready in 7 s"
    assert "sleep_forever" in report.stack


async def test_sup_start_ignore_child(stage, autojump_clock):
    stage.start_as["a"] = "ignore"
    async with stage.running(stage.spec(stage.child("a"), stage.child("b"))) as supervisor:
        assert stage.states() == {"a": "ignored", "b": "running"}
        assert supervisor.count_children().specs == 2
        assert supervisor.count_children().active == 1
        del stage.start_as["a"]
        assert await supervisor.start_child("top/a") is Managed.STARTED
        assert stage.states() == {"a": "running", "b": "running"}
    assert ("a", "ignored") not in stage.exits(), "an ignored start is not an exit"


async def test_sup_start_ignore_temporary_child(stage, autojump_clock):
    stage.start_as["a"] = "ignore"
    child = stage.child("a", restart=Restart.TEMPORARY)
    async with stage.running(stage.spec(child, stage.child("b"))) as supervisor:
        assert stage.states() == {"b": "running"}, "a temporary child without a life is forgotten"
        assert await supervisor.start_child("top/a") is Managed.NOT_FOUND


async def test_sup_start_child_returns_error(stage, autojump_clock):
    async with stage.running(stage.spec(stage.child("a"), stage.child("b"))) as supervisor:
        await supervisor.stop_child("top/a")
        stage.start_as["a"] = "fail"
        assert await supervisor.start_child("top/a") is Managed.START_FAILED
        assert stage.states() == {"a": "stopped", "b": "running"}
        assert stage.exits() == [("a", "shutdown"), ("a", "start_failed")]
    assert stage.end is None


async def test_sup_start_restart_child_returns_error(stage, autojump_clock):
    spec = stage.spec(stage.child("a"), stage.child("b"), restarts_max=2)
    async with stage.running(spec):
        stage.start_as["a"] = "fail"
        await stage.order("a", "abnormal")
    assert stage.end.supervisor == "top"
    assert stage.end.child == "top/a"
    assert stage.exits() == [
        ("a", "abnormal"),
        ("a", "start_failed"),
        ("a", "start_failed"),
        ("b", "shutdown"),
    ], "each failed attempt counts"


async def test_sup_start_map(autojump_clock):
    """A spec needs an id and a run; everything else has a default, written down in one place."""
    child = Child(id="a", run=_never)
    assert child.restart is Restart.PERMANENT
    assert child.stop_within_s == 5.0
    assert child.heartbeat_s is None
    Supervisor(SupervisorSpec(id="top", children=(child,)), chance=SeededChance(1), report=print)


async def test_sup_start_map_faulty_specs(autojump_clock):
    started = []

    async def run(life):
        started.append(life)

    children = (
        Child(id="good", run=run),
        Child(id="a/b", run=run),
        Child(id="c", run=None, restart="permanent", stop_within_s=0, heartbeat_s=float("inf")),
        Child(id="good", run=run),
    )
    with pytest.raises(FaultySpec) as caught:
        Supervisor(
            SupervisorSpec(id="top", children=children), chance=SeededChance(1), report=print
        )
    assert {(fault.path, fault.field) for fault in caught.value.faults} == {
        ("top/a/b", "id"),
        ("top/c", "run"),
        ("top/c", "restart"),
        ("top/c", "stop_within_s"),
        ("top/c", "heartbeat_s"),
        ("top", "children"),
    }, "every fault is named, not only the first"
    assert started == []


async def test_sup_flags(autojump_clock):
    spec = SupervisorSpec(
        id="top", children=[], strategy="one_for_one", restarts_max=-1, period_s=0, backoff=None
    )
    with pytest.raises(FaultySpec) as caught:
        Supervisor(spec, chance=SeededChance(1), report=print)
    assert [fault.field for fault in caught.value.faults] == [
        "strategy",
        "children",
        "restarts_max",
        "period_s",
        "backoff",
    ]


async def test_sup_flags_refuse_a_backoff_that_hides_a_crash_loop(autojump_clock):
    slow = Backoff(first_s=4, factor=1, max_s=4, jitter=0)
    spec = SupervisorSpec(id="top", children=(), restarts_max=3, period_s=11, backoff=slow)
    with pytest.raises(FaultySpec, match="spreads 4 failures over up to 12 s"):
        Supervisor(spec, chance=SeededChance(1), report=print)


async def test_a_supervisor_runs_once(stage, autojump_clock):
    async with stage.running(stage.spec(stage.child("a"))) as supervisor:
        with pytest.raises(RuntimeError, match="runs once"):
            await supervisor.run()


async def test_a_stop_asked_for_while_starting_ends_the_start(stage, autojump_clock):
    stage.start_as["b"] = "hang"
    spec = stage.spec(stage.child("a"), stage.child("b", stop_within_s=2), stage.child("c"))
    supervisor = Supervisor(spec, chance=SeededChance(1), report=stage.reports.append)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.run)
        await trio.sleep(1)
        supervisor.request_stop()
    assert trio.current_time() == 3
    assert stage.take_log() == ["+a", "-a"]
    assert stage.exits() == [("b", "killed"), ("a", "shutdown")]


async def _never(life):
    raise Ignore
