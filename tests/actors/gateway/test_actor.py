"""The Gateway as an actor: its lives, and what clients are told when another actor is silent."""

from functools import partial
from pathlib import Path

import attrs
import pytest
import trio

from actors import gateway
from domain.quotes import QuoteBook
from supervisor import Child, ExitReport, Reason, SeededChance, Supervisor, SupervisorSpec
from tests.support.door import OPS_TOKEN, Door, make_quote, open_door


async def test_a_life_that_breaks_lets_its_clients_go_and_the_next_one_serves(
    tmp_path: Path,
) -> None:
    async with open_door(tmp_path) as door, trio.open_nursery() as nursery:
        door.life.stopping.set()
        await door.stopped.wait()
        exits: list[ExitReport] = []
        supervisor = Supervisor(_tree(door), chance=SeededChance(1), report=exits.append)
        await nursery.start(supervisor.run)
        async with door.socket() as talk, door.client() as client:
            assert (await client.get("/version")).status == 200
            await talk.ask("ping")
            door.channels.book.set(_poison())
            assert (await talk.end())[0] == 1006
            assert await client.stream.receive_some(1) == b""
        door.channels.book.set(QuoteBook(quotes=(make_quote(n=813),)))
        with trio.fail_after(10):
            assert (await door.get("/api/grid")).json["quote"]["n"] == 813
        assert [ended.reason for ended in exits] == [Reason.ABNORMAL]
        supervisor.request_stop()


async def test_a_silent_session_manager_is_overloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.gateway.asking.ANSWER_WITHIN_S", 0.02)
    async with open_door(tmp_path, with_sign_in=False) as door:
        answer = await door.get("/api/auth/nonce")
        assert (answer.status, answer.error) == (503, "overloaded")


async def test_a_session_manager_that_has_stopped_is_a_drain(tmp_path: Path) -> None:
    async with open_door(tmp_path, with_sign_in=False) as door:
        door.channels.sign_in.close()
        answer = await door.get("/api/account", token="A" * 43)
        assert (answer.status, answer.error) == (503, "draining")


async def test_a_health_monitor_that_has_stopped_is_a_drain(tmp_path: Path) -> None:
    async with open_door(tmp_path) as door:
        door.channels.circuit.close()
        body = {"state": "open", "reason": "drill"}
        answer = await door.post("/ops/circuit", body, token=OPS_TOKEN)
        assert (answer.status, answer.error) == (503, "draining")


def _tree(door: Door) -> SupervisorSpec:
    child = Child(id="gateway", run=partial(gateway.run, ports=door.ports))
    return SupervisorSpec(id="venue", children=(child,), restarts_max=5, period_s=30)


def _poison() -> QuoteBook:
    """A book that no actor would publish: its quote has no rates at all."""
    return QuoteBook(quotes=(attrs.evolve(make_quote(), rates=None),))
