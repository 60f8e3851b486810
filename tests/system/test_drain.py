"""SIGTERM and SIGINT: what was begun is finished, what is new is turned away, nothing is lost."""

import json
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
import h11
import pytest
import trio

from tests.support.disk import bets_on_disk, ledger_file
from tests.support.door import talk
from tests.support.http_client import HttpClient, Response, http_client, once
from tests.support.trader import USD, Trader, near_cells, wait_grid
from tests.support.venue_process import OPS_TOKEN, VenueProcess, venue

pytestmark = [pytest.mark.slow, pytest.mark.system]

# A batch gathers this long, so that a signal finds a bet in flight.
LINGER = "--set=batch.linger_ms=100"
HEAD = "POST /api/bets HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n"


@attrs.define
class Table:
    """A trader with money and cells to tap."""

    running: VenueProcess
    trader: Trader
    cells: list[str]
    now_ms: int

    def bet(self) -> dict[str, Any]:
        """A new signed bet on a cell of its own."""
        return self.trader.bet(self.cells.pop(0), now_ms=self.now_ms)

    async def commands_taken(self) -> int:
        """How many commands have entered the Batcher's mailbox so far."""
        answer = await once(self.running.port, "GET", "/ops/status", token=OPS_TOKEN)
        [batcher] = [row for row in answer.json["actors"] if row["path"] == "venue/batcher"]
        return int(batcher["mailbox"]["accepted"])


async def sit_down(running: VenueProcess) -> Table:
    trader = Trader(number=1)
    assert (await trader.fund(running.port, 100 * USD, "funds")).status == 200
    async with http_client(running.port) as client:
        grid = await wait_grid(client)
    cells = near_cells(grid, columns=range(5, 9))
    return Table(running, trader, cells, grid["server_time_ms"])


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
async def test_what_was_begun_is_finished_and_what_is_new_turned_away(
    tmp_path: Path, sign: signal.Signals
) -> None:
    answers: list[Response] = []
    async with venue(tmp_path, LINGER) as running:
        table = await sit_down(running)
        async with (
            http_client(running.port) as late,
            talk(running.port) as socket,
            trio.open_nursery() as nursery,
        ):
            new_bet = json.dumps(table.bet()).encode()
            await late.stream.send_all(HEAD.format(len(new_bet)).encode() + new_bet[:50])
            taken = await table.commands_taken()
            await socket.say(op="bet", id="mine", **table.bet())
            nursery.start_soon(post, running.port, table.bet(), answers)
            while await table.commands_taken() < taken + 2:
                pass

            running.process.send_signal(sign)
            assert await socket.end() == (1001, "draining")
            await late.stream.send_all(new_bet[50:])
            refused = await read_answer(late)
        with trio.fail_after(20):
            assert await running.process.wait() == 0
    assert (refused.status, refused.error) == (503, "draining")
    assert [answer.status for answer in answers] == [202]
    said = [frame for frame in socket.seen if frame["type"] in ("reply", "drain")]
    assert [frame["type"] for frame in said] == ["reply", "drain"], "the answer came first"
    assert said[0]["ok"]
    acknowledged = {answers[0].json["bet_id"], said[0]["bet_id"]}
    assert {bet["id"] for bet in bets_on_disk(tmp_path)} == acknowledged
    assert_left_in_order(tmp_path)


async def test_a_client_that_never_reads_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    async with venue(tmp_path, "--set=venue.drain_within_s=4") as running:
        await wait_quote(running)
        async with http_client(running.port) as deaf:
            await fill_up(deaf)
            stopped_s = trio.current_time()
            assert await running.stop() == 0
    assert trio.current_time() - stopped_s < 4
    assert any("drain_over_its_limit" in line for line in running.output)
    assert_left_in_order(tmp_path)


async def test_an_idle_venue_stops_at_once(tmp_path: Path) -> None:
    async with venue(tmp_path) as running, http_client(running.port) as idle:
        assert (await idle.get("/readyz")).status == 200
        stopped_s = trio.current_time()
        assert await running.stop() == 0
    assert trio.current_time() - stopped_s < 3
    assert_left_in_order(tmp_path)


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_it_at_once_and_loses_nothing(
    tmp_path: Path, second: signal.Signals
) -> None:
    answers: list[Response] = []
    async with venue(tmp_path, LINGER, "--set=venue.drain_within_s=600") as running:
        table = await sit_down(running)
        async with http_client(running.port) as deaf, trio.open_nursery() as nursery:
            await fill_up(deaf)
            for _ in range(3):
                nursery.start_soon(post, running.port, table.bet(), answers)
            while len(answers) < 2:
                await trio.sleep(0.001)
            nursery.start_soon(post, running.port, table.bet(), answers)
            running.process.send_signal(signal.SIGTERM)
            await running.wait_line('"draining"')
            with trio.move_on_after(0.5):
                await running.process.wait()
                raise AssertionError("the deaf client would have to be waited for")
            running.process.send_signal(second)
            with trio.fail_after(5):
                assert await running.process.wait() == 1, "this was no clean drain"
            nursery.cancel_scope.cancel()
    assert any("drain_cut_short" in line for line in running.output)
    acknowledged = {answer.json["bet_id"] for answer in answers if answer.status == 202}
    assert len(acknowledged) >= 2
    assert acknowledged <= {bet["id"] for bet in bets_on_disk(tmp_path)}
    assert_left_in_order(tmp_path)
    async with venue(tmp_path) as running:
        assert (await table.trader.fund(running.port, 100 * USD, "funds")).status == 200
        assert await running.stop() == 0


async def post(port: int, bet: dict[str, Any], answers: list[Response]) -> None:
    """A bet over a connection of its own; what comes too late is left without an answer."""
    with suppress(OSError, trio.BrokenResourceError, h11.RemoteProtocolError):
        answers.append(await once(port, "POST", "/api/bets", bet))


async def read_answer(client: HttpClient) -> Response:
    """The answer to a request that was sent by hand."""
    with trio.fail_after(10):
        heard = b""
        while chunk := await client.stream.receive_some(65_536):
            heard += chunk
    head, _, body = heard.partition(b"\r\n\r\n")
    return Response(int(head.split()[1]), {}, body)


async def wait_quote(running: VenueProcess) -> None:
    async with http_client(running.port) as client:
        await wait_grid(client)


async def fill_up(client: HttpClient) -> None:
    """Ask for the grid, 26 KB an answer, and read none, until the venue can't send any more."""
    with trio.move_on_after(1):
        while True:
            await client.stream.send_all(b"GET /api/grid HTTP/1.1\r\nhost: x\r\n\r\n" * 20)


def assert_left_in_order(data: Path) -> None:
    """Nothing says that a venue runs, and all that was committed is in the file itself."""
    assert not (data / "run.json").exists()
    assert not (data / "ops.token").exists()
    log = ledger_file(data).with_name(ledger_file(data).name + "-wal")
    assert not log.exists() or log.stat().st_size == 0
