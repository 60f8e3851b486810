"""Ends of children: {permanent, transient, temporary} x {normal, shutdown, abnormal}."""

from supervisor import Managed, Restart, Strategy

PERMANENT, TRANSIENT, TEMPORARY = Restart.PERMANENT, Restart.TRANSIENT, Restart.TEMPORARY


async def _end(stage, restart, how):
    """One child of this kind ends in this way; what happened, and whether it is still known."""
    async with stage.running(stage.spec(stage.child("a", restart=restart), stage.child("b"))):
        stage.take_log()
        await stage.order("a", how)
        log, states, exits = stage.take_log(), stage.states(), stage.exits()
    assert stage.end is None
    assert exits == [("a", how)], "reported once, as what it was"
    return log, states


async def test_permanent_normal(stage, autojump_clock):
    log, states = await _end(stage, PERMANENT, "normal")
    assert log == ["-a", "+a"]
    assert states == {"a": "running", "b": "running"}


async def test_permanent_shutdown(stage, autojump_clock):
    log, states = await _end(stage, PERMANENT, "shutdown")
    assert log == ["-a", "+a"]
    assert states == {"a": "running", "b": "running"}


async def test_permanent_abnormal(stage, autojump_clock):
    log, states = await _end(stage, PERMANENT, "abnormal")
    assert log == ["-a", "+a"]
    assert states == {"a": "running", "b": "running"}


async def test_transient_normal(stage, autojump_clock):
    log, states = await _end(stage, TRANSIENT, "normal")
    assert log == ["-a"]
    assert states == {"a": "stopped", "b": "running"}


async def test_transient_shutdown(stage, autojump_clock):
    log, states = await _end(stage, TRANSIENT, "shutdown")
    assert log == ["-a"]
    assert states == {"a": "stopped", "b": "running"}


async def test_transient_abnormal(stage, autojump_clock):
    log, states = await _end(stage, TRANSIENT, "abnormal")
    assert log == ["-a", "+a"]
    assert states == {"a": "running", "b": "running"}


async def test_temporary_normal(stage, autojump_clock):
    log, states = await _end(stage, TEMPORARY, "normal")
    assert log == ["-a"]
    assert states == {"b": "running"}


async def test_temporary_shutdown(stage, autojump_clock):
    log, states = await _end(stage, TEMPORARY, "shutdown")
    assert log == ["-a"]
    assert states == {"b": "running"}


async def test_temporary_abnormal(stage, autojump_clock):
    log, states = await _end(stage, TEMPORARY, "abnormal")
    assert log == ["-a"]
    assert states == {"b": "running"}


async def test_temporary_bystander(stage, autojump_clock):
    """A temporary child that is stopped with its group is not started with it again."""
    for strategy in (Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE):
        children = (stage.child("a"), stage.child("b", restart=TEMPORARY))
        async with stage.running(stage.spec(*children, strategy=strategy)) as supervisor:
            stage.take_log()
            await stage.order("a", "abnormal")
            assert stage.take_log() == ["-a", "-b", "+a"]
            assert stage.states() == {"a": "running"}
            assert await supervisor.start_child("top/b") is Managed.NOT_FOUND
        assert stage.end is None


async def test_the_report_of_an_exit_says_who_what_and_what_is_left(stage, autojump_clock):
    async with stage.running(stage.spec(stage.child("a"), restarts_max=3)):
        await stage.order("a", "abnormal")
        await stage.order("a", "abnormal")
    first, second, last = stage.reports
    assert (first.supervisor, first.child, first.life) == ("top", "top/a", 1)
    assert (first.reason.value, first.context.value) == ("abnormal", "running")
    assert (first.type, first.message) == ("Broken", "a broke")
    assert "raise Broken" in first.stack
    assert (first.restarts_left, second.restarts_left) == (2, 1)
    assert (last.reason.value, last.context.value) == ("shutdown", "stopping")
    assert (last.life, last.stack) == (3, "")
