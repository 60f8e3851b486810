"""Management by path, by the names of OTP's own suite; idempotent, always answering."""

import itertools

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from supervisor import (
    BRUTAL_KILL,
    Backoff,
    Child,
    ChildCounts,
    Managed,
    Restart,
    Strategy,
    check_children,
)

SLOW = Backoff(first_s=4, factor=1, max_s=4, jitter=0)


async def test_child_adm(stage, autojump_clock):
    async with stage.running(stage.spec(stage.child("a"), stage.child("b"))) as supervisor:
        stage.take_log()
        assert await supervisor.stop_child("top/a") is Managed.STOPPED
        assert await supervisor.stop_child("top/a") is Managed.STOPPED
        assert stage.states() == {"a": "stopped", "b": "running"}
        assert await supervisor.start_child("top/a") is Managed.STARTED
        assert await supervisor.start_child("top/a") is Managed.RUNNING
        assert await supervisor.restart_child("top/a") is Managed.STARTED
        assert stage.take_log() == ["-a", "+a", "-a", "+a"]
        for path in ("top/x", "a", "top", "", "other/a", "top/a/b", "top/"):
            for act in (supervisor.stop_child, supervisor.start_child, supervisor.restart_child):
                assert await act(path) is Managed.NOT_FOUND, path
    assert stage.exits() == [
        ("a", "shutdown"),
        ("a", "shutdown"),
        ("b", "shutdown"),
        ("a", "shutdown"),
    ]


async def test_child_adm_of_a_nested_supervisor(stage, autojump_clock):
    low = stage.spec(stage.child("x"), stage.child("y"), id="low")
    async with stage.running(stage.spec(stage.child("a"), low)) as supervisor:
        stage.take_log()
        assert await supervisor.restart_child("top/low/y") is Managed.STARTED
        assert await supervisor.restart_child("top/low") is Managed.STARTED
        assert stage.take_log() == ["-y", "+y", "-y", "-x", "+x", "+y"]
        assert await supervisor.stop_child("top/low") is Managed.STOPPED
        assert await supervisor.start_child("top/low/x") is Managed.STOPPING
        assert supervisor.status().children[1].state.value == "stopped"


async def test_a_child_stopped_by_hand_stays_stopped_when_its_group_restarts(stage, autojump_clock):
    children = (stage.child("a"), stage.child("b"), stage.child("c"))
    async with stage.running(stage.spec(*children, strategy=Strategy.ONE_FOR_ALL)) as supervisor:
        await supervisor.stop_child("top/b")
        stage.take_log()
        await stage.order("a", "abnormal")
        assert stage.take_log() == ["-a", "-c", "+a", "+c"]
        assert stage.states()["b"] == "stopped"


async def test_a_restart_by_hand_that_fails_is_tried_again(stage, autojump_clock):
    async with stage.running(stage.spec(stage.child("a"), backoff=SLOW)) as supervisor:
        stage.start_as["a"] = "fail"
        assert await supervisor.restart_child("top/a") is Managed.RESTARTING
        del stage.start_as["a"]
        await trio.sleep(4.1)
        assert stage.states() == {"a": "running"}


async def test_a_restart_by_hand_cuts_a_backoff_short(stage, autojump_clock):
    children = (stage.child("a"), stage.child("b"))
    spec = stage.spec(*children, backoff=SLOW, strategy=Strategy.ONE_FOR_ALL)
    async with stage.running(spec) as supervisor:
        await stage.order("a", "abnormal")
        assert stage.states() == {"a": "restarting", "b": "restarting"}
        assert await supervisor.restart_child("top/b") is Managed.STARTED
        assert trio.current_time() == 0
        assert stage.states() == {"a": "running", "b": "running"}


async def test_the_rest_of_a_group_starts_without_the_one_stopped_by_hand(stage, autojump_clock):
    children = (stage.child("a"), stage.child("b"))
    spec = stage.spec(*children, backoff=SLOW, strategy=Strategy.ONE_FOR_ALL)
    async with stage.running(spec) as supervisor:
        await stage.order("a", "abnormal")
        await supervisor.stop_child("top/a")
        await trio.sleep(5)
        assert stage.states() == {"a": "stopped", "b": "running"}


async def test_a_temporary_child_restarted_by_hand(stage, autojump_clock):
    child = stage.child("a", restart=Restart.TEMPORARY)
    async with stage.running(stage.spec(child, stage.child("b"))) as supervisor:
        assert await supervisor.restart_child("top/a") is Managed.STARTED
        assert stage.states() == {"a": "running", "b": "running"}
        stage.start_as["a"] = "fail"
        assert await supervisor.restart_child("top/a") is Managed.START_FAILED
        assert stage.states() == {"b": "running"}


async def test_an_ignored_child_can_be_stopped_and_restarted_by_hand(stage, autojump_clock):
    stage.start_as["a"] = "ignore"
    async with stage.running(stage.spec(stage.child("a"))) as supervisor:
        assert await supervisor.restart_child("top/a") is Managed.IGNORED
        assert await supervisor.stop_child("top/a") is Managed.STOPPED
        del stage.start_as["a"]
        assert await supervisor.restart_child("top/a") is Managed.STARTED


async def test_commands_are_refused_once_the_tree_stops(stage, autojump_clock):
    stage.stop_takes_s["a"] = 1
    async with stage.running(stage.spec(stage.child("a"))) as supervisor:
        supervisor.request_stop()
        assert await supervisor.restart_child("top/a") is Managed.STOPPING
        await supervisor.wait_stopped()
        assert await supervisor.restart_child("top/a") is Managed.STOPPING


async def test_commands_waiting_are_bounded_and_refused_when_the_tree_stops(stage, autojump_clock):
    stage.stop_takes_s["a"] = 1
    answers = []

    async def stop():
        answers.append(await stage.supervisor.stop_child("top/b"))

    async with stage.running(stage.spec(stage.child("a"), stage.child("b"))) as supervisor:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(supervisor.stop_child, "top/a")
            await trio.sleep(0.5)
            for _ in range(101):
                nursery.start_soon(stop)
            await trio.sleep(0.1)
            assert answers == [Managed.BUSY]
            supervisor.request_stop()
        assert answers[1:] == [Managed.STOPPING] * 100


async def test_which_children(stage, autojump_clock):
    low = stage.spec(stage.child("x"), id="low")
    async with stage.running(stage.spec(stage.child("a"), low)) as supervisor:
        listed = supervisor.list_children()
        assert [(child.id, child.path, child.kind.value) for child in listed] == [
            ("a", "top/a", "worker"),
            ("low", "top/low", "supervisor"),
        ]
        assert [child.path for child in supervisor.list_children("top/low")] == ["top/low/x"]
        assert supervisor.list_children("top/a") == ()


async def test_count_children(stage, autojump_clock):
    low = stage.spec(stage.child("x"), id="low")
    async with stage.running(stage.spec(stage.child("a"), stage.child("b"), low)) as supervisor:
        assert supervisor.count_children() == ChildCounts(
            specs=3, active=3, supervisors=1, workers=2
        )
        await supervisor.stop_child("top/b")
        assert supervisor.count_children().active == 2
        assert supervisor.count_children("top/low").specs == 1
        assert supervisor.count_children("top/none").specs == 0


async def test_count_restarting_children(stage, autojump_clock):
    children = (stage.child(id) for id in "abc")
    async with stage.running(stage.spec(*children, backoff=SLOW)) as supervisor:
        for down, id in enumerate("abc", start=1):
            await stage.order(id, "abnormal")
            assert supervisor.count_children().active == 3 - down
            assert list(stage.states().values()).count("restarting") == down
            assert supervisor.count_children().specs == 3
        await trio.sleep(4)
        await stage.settle()
        assert supervisor.count_children().active == 3


# child_specs: the whole product of fields, each with good and bad values.


async def _run(life):
    life.ready()


FIELDS = {
    "id": ("a", "price_feed", "", "a/b", None, 7),
    "run": (_run, None, "run"),
    "restart": (*Restart, "permanent", None),
    "start_within_s": (0.1, 60, 0, float("inf")),
    "stop_within_s": (5, 0.5, BRUTAL_KILL, 0, -1, float("inf"), float("nan"), None, True, "5"),
    "heartbeat_s": (None, 1, 2.5, 0, -1, float("inf"), False, "1"),
}
GOOD = {
    "id": ("a", "price_feed"),
    "run": (_run,),
    "restart": tuple(Restart),
    "start_within_s": (0.1, 60),
    "stop_within_s": (5, 0.5, BRUTAL_KILL),
    "heartbeat_s": (None, 1, 2.5),
}


def _is_good(field, value) -> bool:
    return any(value is good for good in GOOD[field])


@given(st.tuples(*(st.sampled_from(values) for values in FIELDS.values())))
def test_child_specs(values):
    """Exactly the fields with bad values are named, whatever the others hold."""
    fields = dict(zip(FIELDS, values, strict=True))
    faults = check_children([Child(**fields)], "top")
    bad = [field for field, value in fields.items() if not _is_good(field, value)]
    assert sorted(fault.field for fault in faults) == sorted(bad)
    assert all(fault.path.startswith("top/") for fault in faults)


def test_child_specs_all_good_ones_pass():
    for values in itertools.product(*GOOD.values()):
        assert check_children([Child(**dict(zip(GOOD, values, strict=True)))]) == ()


@pytest.mark.parametrize("stranger", [None, "a", {"id": "a"}])
def test_child_specs_of_another_type(stranger):
    (fault,) = check_children([stranger])
    assert "must be Child or SupervisorSpec" in fault.problem
