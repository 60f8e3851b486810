"""Strategies and their escalation, by the names of OTP's own suite."""

import trio

from supervisor import Backoff, Restart, Strategy

ONE_FOR_ALL, REST_FOR_ONE = Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE
SLOW = Backoff(first_s=1, factor=1, max_s=1, jitter=0)


async def test_multiple_restarts(stage, autojump_clock):
    """As often as one likes, if never too often at a time; an old restart counts to the moment."""
    async with stage.running(stage.spec(stage.child("a"), restarts_max=2, period_s=10)):
        for _ in range(20):
            await stage.order("a", "abnormal")
            await trio.sleep(5.001)
        assert stage.end is None
        await stage.order("a", "abnormal")
        await trio.sleep(4.999)
        assert stage.states() == {"a": "running"}
        await stage.order("a", "abnormal")
        assert stage.end.child == "top/a"


async def test_a_restart_counts_until_its_period_has_passed(stage, autojump_clock):
    async with stage.running(stage.spec(stage.child("a"), restarts_max=1, period_s=8)):
        await stage.order("a", "abnormal")
        await trio.sleep(8)
        await stage.order("a", "abnormal")
        assert stage.end is not None, "exactly one period old still counts"


async def test_one_for_one(stage, autojump_clock):
    spec = stage.spec(stage.child("a"), stage.child("b"), stage.child("c"))
    async with stage.running(spec):
        stage.take_log()
        await stage.order("b", "abnormal")
        assert stage.take_log() == ["-b", "+b"]


async def test_one_for_one_escalation(stage, autojump_clock):
    spec = stage.spec(stage.child("a"), stage.child("b"), restarts_max=1)
    async with stage.running(spec):
        await stage.order("a", "abnormal")
        await stage.order("b", "abnormal")
        assert stage.take_log() == ["+a", "+b", "-a", "+a", "-b", "-a"]
    assert stage.end.supervisor == "top"
    assert stage.end.child == "top/b"
    assert str(stage.end.cause) == "b broke"
    assert [report.restarts_left for report in stage.reports] == [0, 0, 0]


async def test_one_for_all(stage, autojump_clock):
    spec = stage.spec(*(stage.child(id) for id in "abc"), strategy=ONE_FOR_ALL, restarts_max=1)
    async with stage.running(spec):
        stage.take_log()
        await stage.order("b", "abnormal")
        assert stage.take_log() == ["-b", "-c", "-a", "+a", "+b", "+c"]
        assert stage.exits() == [("b", "abnormal"), ("c", "shutdown"), ("a", "shutdown")]
        assert stage.supervisor.status().restarts_in_window == 1, "a group counts once"


async def test_one_for_all_escalation(stage, autojump_clock):
    spec = stage.spec(stage.child("a"), stage.child("b"), strategy=ONE_FOR_ALL, restarts_max=4)
    async with stage.running(spec):
        stage.start_as["b"] = "fail"
        await stage.order("a", "abnormal")
    assert stage.end.child == "top/b"
    assert stage.exits().count(("b", "start_failed")) == 4
    assert stage.states() == {"a": "stopped", "b": "stopped"}


async def test_one_for_all_other_child_fails_restart(stage, autojump_clock):
    """The child that did start is stopped again before the next attempt, never started twice."""
    spec = stage.spec(*(stage.child(id) for id in "abc"), strategy=ONE_FOR_ALL)
    async with stage.running(spec):
        stage.take_log()
        stage.start_as["b"] = "fail"
        stage.stop_takes_s["a"] = 1
        await stage.order("a", "abnormal")
        del stage.start_as["b"]
        await trio.sleep(2)
        assert stage.take_log() == ["-a", "-c", "-b", "+a", "-a", "+a", "+b", "+c"]
        assert set(stage.states().values()) == {"running"}


async def test_rest_for_one(stage, autojump_clock):
    spec = stage.spec(*(stage.child(id) for id in "abcd"), strategy=REST_FOR_ONE)
    async with stage.running(spec):
        stage.take_log()
        await stage.order("b", "abnormal")
        assert stage.take_log() == ["-b", "-d", "-c", "+b", "+c", "+d"]
        await stage.order("d", "abnormal")
        assert stage.take_log() == ["-d", "+d"]


async def test_rest_for_one_escalation(stage, autojump_clock):
    spec = stage.spec(stage.child("a"), stage.child("b"), strategy=REST_FOR_ONE, restarts_max=4)
    async with stage.running(spec):
        stage.start_as["b"] = "fail"
        await stage.order("a", "abnormal")
    assert stage.end.child == "top/b"
    assert stage.take_log() == ["+a", "+b", "-a", "-b", "+a", "-a"]


async def test_rest_for_one_other_child_fails_restart(stage, autojump_clock):
    """Those before the one that fails are left running: only the rest is tried again."""
    children = (stage.child(id) for id in "abc")
    async with stage.running(stage.spec(*children, strategy=REST_FOR_ONE, backoff=SLOW)):
        stage.take_log()
        stage.start_as["b"] = "fail"
        await stage.order("a", "abnormal")
        await trio.sleep(1.5)
        assert stage.states() == {"a": "running", "b": "restarting", "c": "restarting"}
        del stage.start_as["b"]
        await trio.sleep(1)
        assert stage.take_log() == ["-a", "-c", "-b", "+a", "+b", "+c"]


async def test_two_children_of_a_group_end_at_once_and_it_restarts_once(stage, autojump_clock):
    spec = stage.spec(*(stage.child(id) for id in "ab"), strategy=ONE_FOR_ALL, restarts_max=1)
    async with stage.running(spec):
        stage.take_log()
        assert stage._orders["a"].offer("abnormal")
        await stage.order("b", "abnormal")
        assert sorted(stage.exits()) == [("a", "abnormal"), ("b", "abnormal")]
        assert stage.take_log()[2:] == ["+a", "+b"]
    assert stage.end is None


async def test_tree(stage, autojump_clock):
    """A nested supervisor that gives up fails as a child of its parent, which restarts it whole."""
    low = stage.spec(stage.child("x"), stage.child("y"), id="low", restarts_max=1)
    async with stage.running(stage.spec(stage.child("a"), low, restarts_max=1)) as supervisor:
        stage.take_log()
        await stage.order("x", "abnormal")
        assert stage.take_log() == ["-x", "+x"], "the parent does not hear of it"
        await stage.order("x", "abnormal")
        assert stage.take_log() == ["-x", "-y", "+x", "+y"]
        assert stage.reports[-1].child == "top/low"
        assert stage.reports[-1].type == "GaveUp"
        assert supervisor.status().children[1].restarts_total == 1
        await stage.order("x", "abnormal")
        await stage.order("x", "abnormal")
    assert stage.end.child == "top/low", "and the parent gives up in its turn"
    assert stage.take_log() == ["-x", "+x", "-x", "-y", "-a"]


async def test_a_transient_nested_supervisor_that_gave_up_is_restarted(stage, autojump_clock):
    low = stage.spec(stage.child("x"), id="low", restarts_max=0, restart=Restart.TRANSIENT)
    async with stage.running(stage.spec(low)):
        await stage.order("x", "abnormal")
        assert stage.states() == {"low": "running"}


async def test_hanging_restart_loop(stage, autojump_clock):
    """While its restart fails again and again, a child can be looked at and stopped."""
    spec = stage.spec(stage.child("a"), stage.child("b"), backoff=SLOW, restarts_max=8)
    async with stage.running(spec) as supervisor:
        stage.start_as["a"] = "fail"
        await stage.order("a", "abnormal")
        await trio.sleep(2.5)
        assert stage.states() == {"a": "restarting", "b": "running"}
        assert (await supervisor.start_child("top/a")).value == "restarting"
        assert supervisor.count_children().active == 1
        assert (await supervisor.stop_child("top/a")).value == "stopped"
        assert stage.states() == {"a": "stopped", "b": "running"}
        await trio.sleep(100)
        assert stage.states() == {"a": "stopped", "b": "running"}, "stopped means stopped"
        del stage.start_as["a"]
        assert (await supervisor.start_child("top/a")).value == "started"


async def test_hanging_restart_loop_rest_for_one(stage, autojump_clock):
    children = (stage.child("a"), stage.child("b"), stage.child("c"))
    spec = stage.spec(*children, strategy=REST_FOR_ONE, backoff=SLOW, restarts_max=8)
    async with stage.running(spec) as supervisor:
        stage.start_as["b"] = "fail"
        await stage.order("b", "abnormal")
        await trio.sleep(2.5)
        assert stage.states() == {"a": "running", "b": "restarting", "c": "restarting"}
        assert (await supervisor.stop_child("top/b")).value == "stopped"
        assert stage.states() == {"a": "running", "b": "stopped", "c": "restarting"}
        del stage.start_as["b"]
        assert (await supervisor.start_child("top/b")).value == "started"
        await trio.sleep(2)
        assert set(stage.states().values()) == {"running"}


async def test_a_whole_tree_can_be_stopped_in_the_middle_of_a_restart_loop(stage, autojump_clock):
    spec = stage.spec(stage.child("a"), backoff=SLOW, restarts_max=8)
    async with stage.running(spec) as supervisor:
        stage.start_as["a"] = "fail"
        await stage.order("a", "abnormal")
        supervisor.request_stop()
        assert await supervisor.wait_stopped() == ()
        assert trio.current_time() == 0
    assert stage.end is None
