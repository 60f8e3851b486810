"""Actors restarted by an operator: whatever they are doing, and the Gateway itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
import trio

from actors.gateway import restarts
from domain.refusals import TABLE, Code
from protocols.audit_log import Action, Outcome
from supervisor import (
    Backoff,
    Child,
    ExitReport,
    Life,
    Managed,
    Reason,
    SeededChance,
    Strategy,
    Supervisor,
    SupervisorSpec,
)
from tests.support.door import OPS_TOKEN, Door, open_door
from tests.support.http_client import Response, once
from tests.support.venue import running_venue

WHY = {"reason": "it hangs"}


@attrs.define
class Actors:
    """A small tree, and what its actors do in their lives."""

    lives: list[str] = attrs.field(factory=list)
    exits: list[ExitReport] = attrs.field(factory=list)
    is_broken: bool = False

    async def well(self, life: Life) -> None:
        """Runs until it is asked to stop."""
        self.lives.append(life.path)
        life.ready()
        await life.stopping.wait()

    async def hung(self, life: Life) -> None:
        """Never comes back to its loop, and does not hear that it is to stop."""
        self.lives.append(life.path)
        life.ready()
        await trio.sleep_forever()

    async def failing(self, life: Life) -> None:
        """Ends by a failure for as long as something is broken."""
        self.lives.append(life.path)
        if self.is_broken:
            raise ValueError("broken")
        life.ready()
        await life.stopping.wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Supervisor]:
        inner = SupervisorSpec(
            id="market",
            strategy=Strategy.REST_FOR_ONE,
            children=(
                Child(id="price_feed", run=self.well, stop_within_s=0.5),
                Child(id="quoter", run=self.well, stop_within_s=0.5),
            ),
            restarts_max=5,
            period_s=30,
        )
        spec = SupervisorSpec(
            id="venue",
            strategy=Strategy.ONE_FOR_ONE,
            children=(
                inner,
                Child(id="hung", run=self.hung, stop_within_s=0.05),
                Child(id="failing", run=self.failing, stop_within_s=0.5),
            ),
            restarts_max=5,
            period_s=7_200,
            backoff=Backoff(first_s=600, max_s=600, quiet_s=601),
        )
        supervisor = Supervisor(spec, chance=SeededChance(1), report=self.exits.append)
        async with trio.open_nursery() as nursery:
            await nursery.start(supervisor.run)
            yield supervisor
            supervisor.request_stop()


@attrs.define
class Bench:
    actors: Actors
    supervisor: Supervisor
    door: Door

    async def restart(self, name: str) -> Response:
        path = f"/ops/actors/{name}/restart"
        return await self.door.post(path, WHY, token=OPS_TOKEN)

    def lives_of(self, path: str) -> int:
        return self.actors.lives.count(path)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    actors = Actors()
    async with (
        actors.running() as supervisor,
        open_door(tmp_path, tree=supervisor.status, restart=supervisor.restart_child) as door,
    ):
        yield Bench(actors, supervisor, door)


def assert_refused(answer: Response, code: Code) -> None:
    assert (answer.status, answer.error) == (TABLE[code].http_status, code.value)


async def test_an_actor_goes_by_the_last_part_of_its_path_or_by_all_of_it(bench: Bench) -> None:
    for lives, name in enumerate(("quoter", "venue/market/quoter"), start=2):
        answer = await bench.restart(name)
        assert answer.json == {"path": "venue/market/quoter", "became": "started"}
        assert bench.lives_of("venue/market/quoter") == lives
    assert bench.lives_of("venue/market/price_feed") == 1, "the others go on"


async def test_a_restart_is_on_record_by_the_whole_path(bench: Bench) -> None:
    await bench.restart("quoter")
    action, outcome = bench.door.on_record()
    assert isinstance(action, Action)
    assert (action.what, action.subject) == ("restart", "venue/market/quoter")
    assert outcome == Outcome(of=1, status=200)


async def test_a_supervisor_is_restarted_with_all_below_it(bench: Bench) -> None:
    answer = await bench.restart("market")
    assert answer.json == {"path": "venue/market", "became": "started"}
    assert bench.lives_of("venue/market/price_feed") == 2
    assert bench.lives_of("venue/market/quoter") == 2
    assert bench.lives_of("venue/hung") == 1


async def test_one_that_hangs_is_cancelled_and_started(bench: Bench) -> None:
    answer = await bench.restart("hung")
    assert answer.json == {"path": "venue/hung", "became": "started"}
    assert bench.lives_of("venue/hung") == 2
    assert [report.reason for report in bench.actors.exits] == [Reason.KILLED]


async def test_one_that_backs_off_is_tried_at_once(bench: Bench) -> None:
    await _break(bench)
    assert (await bench.restart("failing")).json["became"] == "restarting", "and fails again"
    bench.actors.is_broken = False
    assert (await bench.restart("failing")).json["became"] == "started"


async def test_one_that_was_stopped_is_started(bench: Bench) -> None:
    assert await bench.supervisor.stop_child("venue/market/quoter") is Managed.STOPPED
    answer = await bench.restart("quoter")
    assert answer.json == {"path": "venue/market/quoter", "became": "started"}
    assert bench.lives_of("venue/market/quoter") == 2


async def test_what_names_no_actor_is_not_found(bench: Bench) -> None:
    for name in ("nobody", "venue", "market/quoter", "venue/quoter", "quot"):
        assert_refused(await bench.restart(name), Code.NOT_FOUND)
    assert len(bench.actors.lives) == 4


@pytest.mark.parametrize(
    ("became", "code"),
    [
        (Managed.NOT_FOUND, Code.NOT_FOUND),
        (Managed.BUSY, Code.OVERLOADED),
        (Managed.STOPPING, Code.DRAINING),
    ],
)
async def test_a_supervisor_that_does_nothing_says_why(
    tmp_path: Path, became: Managed, code: Code
) -> None:
    async def restart(path: str) -> Managed:
        return became

    async with open_door(tmp_path, restart=restart) as door:
        answer = await door.post("/ops/actors/batcher/restart", WHY, token=OPS_TOKEN)
        assert_refused(answer, code)


async def test_a_restart_that_takes_too_long_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restarts, "RESTART_WITHIN_S", 0.02)

    async def restart(path: str) -> Managed:
        await trio.sleep_forever()
        raise AssertionError

    async with open_door(tmp_path, restart=restart) as door:
        answer = await door.post("/ops/actors/batcher/restart", WHY, token=OPS_TOKEN)
        assert_refused(answer, Code.STATUS_UNKNOWN)


async def _break(bench: Bench) -> None:
    """Have the failing one fail, and wait until it backs off."""
    bench.actors.is_broken = True
    await bench.supervisor.restart_child("venue/failing")
    (failing,) = [
        child for child in bench.supervisor.status().children if child.path == "venue/failing"
    ]
    assert failing.retry_in_s is not None


# --- the Gateway itself -------------------------------------------------------------------------


@pytest.mark.slow
async def test_the_gateway_answers_first_and_restarts_then(tmp_path: Path) -> None:
    """Long before its drain's limit: the drain does not wait for what asked for it."""
    async with running_venue(tmp_path, with_gateway=True) as venue:
        began = trio.current_time()
        path = "/ops/actors/gateway/restart"
        answer = await once(venue.port, "POST", path, WHY, token=OPS_TOKEN)
        assert (answer.status, answer.json) == (
            202,
            {"path": "venue/gateway", "became": "restarting"},
        )
        with trio.fail_after(10):
            while not venue.exits:  # answered by the life before, or by the next
                assert (await once(venue.port, "GET", "/readyz")).status == 200
        assert trio.current_time() - began < 1, "of the 2 s that a drain may take"
        assert [(report.child, report.reason) for report in venue.exits] == [
            ("venue/gateway", Reason.SHUTDOWN)
        ]
        assert (await once(venue.port, "GET", "/readyz")).status == 200
