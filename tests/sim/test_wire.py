"""What the simulated people speak, against the Gateway's own connections."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
import trio
from trio.testing import MockClock

from actors.gateway.asgi import Answer, Receive, Scope, Send, json_answer, send_answer
from actors.gateway.connections import Connections
from actors.gateway.frames import HEARD_WITHIN_S
from actors.gateway.wire import HEADERS_WITHIN_S, SEND_WITHIN_S
from domain.refusals import Code, Refusal
from simulation.clock import SteppedClock
from simulation.network import ALL, SimulatedDoor, SimulatedNetwork
from simulation.scenario import Fault, FaultKind, Scenario
from simulation.trace import Trace
from simulation.wire import Closed, HttpAnswer, HttpClient, Lost, Socket, address_of
from simulation.world import World
from supervisor import TrioClock

THINKS_S: Final = 3.0


class App:
    """Answers what it was asked, after a while if asked to think; a socket is echoed."""

    def __init__(self) -> None:
        self.served: list[str] = []
        self.open = 0
        """Conversations going on."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.open += 1
        try:
            if scope["type"] == "http":
                await self._answer(scope, receive, send)
            else:
                await self._echo(receive, send)
        finally:
            self.open -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while (event := await receive()).get("more_body"):
            body += event["body"]
        body += event.get("body", b"")
        path = scope["path"]
        self.served.append(path)
        if path == "/think":
            await trio.sleep(THINKS_S)
        if path == "/refused":
            refusal = Refusal(Code.DRAINING)
            await send_answer(send, json_answer(refusal.to_json(), status=503))
        elif path == "/last":
            await send_answer(send, Answer(200, b"bye", ((b"connection", b"close"),)))
        else:
            token = dict(scope["headers"]).get(b"authorization", b"").decode()
            told = {"method": scope["method"], "got": body.decode(), "token": token}
            await send_answer(send, json_answer(told))

    async def _echo(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept", "headers": []})
        while (event := await receive())["type"] != "websocket.disconnect":
            if "goodbye" in event["text"]:
                await send({"type": "websocket.close", "code": 1001, "reason": "draining"})
            elif "flood" in event["text"]:
                for _ in range(100):
                    await send({"type": "websocket.send", "text": '"' + "x" * 10_000 + '"'})
            elif "size" in event["text"]:
                text = "z" * json.loads(event["text"])["size"]
                await send({"type": "websocket.send", "text": json.dumps({"text": text})})
            else:
                await send({"type": "websocket.send", "text": event["text"]})


class Venue:
    """A door with the Gateway's connections behind it, and `App` behind those."""

    def __init__(self) -> None:
        true_clock = TrioClock(1_770_100_000_000)
        self.world = World(
            scenario=Scenario(seed=1, seconds=600, epoch_ms=1_770_100_000_000),
            trace=Trace(),
            folder=Path(),
            true_clock=true_clock,
            clock=SteppedClock(true_clock),
        )
        self.network = self.world.network = SimulatedNetwork(self.world)
        self.door: SimulatedDoor = self.network.open_door(1)
        self.app = App()

    def http(self, who: int = 0) -> HttpClient:
        return HttpClient(self.network, who=who, address=address_of(who))

    def socket(self, who: int = 0) -> Socket:
        return Socket(self.network, who=who, address=address_of(who))

    async def strike(self, kind: FaultKind, *, lasts_s: float = 0) -> None:
        await self.network.strike(
            Fault(at_s=trio.current_time(), kind=kind, lasts_s=lasts_s, amount=ALL)
        )


@asynccontextmanager
async def serving() -> AsyncIterator[Venue]:
    venue = Venue()
    connections = Connections(
        venue.app,
        most=100,
        most_per_address=50,
        uncounted=(),
        headers=(),
        new_request_id=lambda: "made",
    )
    async with connections.serve((venue.door,)):
        yield venue


# --- requests -------------------------------------------------------------------------------


async def test_a_request_and_its_answer(autojump_clock: MockClock) -> None:
    async with serving() as venue:
        answer = await venue.http().request("POST", "/x", {"a": 1}, token="t0")
        told = {"method": "POST", "got": '{"a":1}', "token": "Bearer t0"}
        assert (answer.status, answer.body, answer.code) == (200, told, "")
        assert answer.headers["content-type"] == "application/json"


async def test_a_refusal_has_its_code(autojump_clock: MockClock) -> None:
    async with serving() as venue:
        answer = await venue.http().request("GET", "/refused")
        assert (answer.status, answer.code) == (503, "draining")


async def test_one_connection_serves_many_requests(autojump_clock: MockClock) -> None:
    async with serving() as venue:
        http = venue.http()
        await http.request("GET", "/x")
        began = trio.current_time()
        for _ in range(10):
            await http.request("GET", "/x")
        with_latency_s = trio.current_time() - began
        await venue.http().request("GET", "/x")
        assert with_latency_s < 1
        assert venue.app.served == ["/x"] * 12


@pytest.mark.parametrize("silence_s", [0, HEADERS_WITHIN_S + 1])
async def test_a_connection_that_the_venue_has_ended_is_made_anew(
    autojump_clock: MockClock, silence_s: float
) -> None:
    async with serving() as venue:
        http = venue.http()
        last: HttpAnswer = await http.request("GET", "/last" if not silence_s else "/x")
        assert last.status == 200
        await trio.sleep(silence_s)
        assert (await http.request("GET", "/x")).status == 200


async def test_what_was_refused_at_the_door_was_not_sent(autojump_clock: MockClock) -> None:
    async with serving() as venue:
        venue.door.close()
        with pytest.raises(Lost) as lost:
            await venue.http().request("GET", "/x")
        assert not lost.value.was_sent


async def test_an_answer_that_does_not_come_in_time_is_lost(autojump_clock: MockClock) -> None:
    async with serving() as venue:
        http = venue.http()
        with pytest.raises(Lost) as lost:
            await http.request("GET", "/think", within_s=1)
        assert lost.value.was_sent
        assert not http.is_open
        assert (await http.request("GET", "/x")).status == 200


async def test_an_answer_whose_connection_is_cut_is_lost(autojump_clock: MockClock) -> None:
    async with serving() as venue, trio.open_nursery() as nursery:

        async def cut() -> None:
            await trio.sleep(1)
            await venue.strike(FaultKind.NET_CUT)

        nursery.start_soon(cut)
        with pytest.raises(Lost, match="reset") as lost:
            await venue.http().request("GET", "/think")
        assert lost.value.was_sent
        assert venue.app.served == ["/think"]


def by_cancelling(venue: Venue, scope: trio.CancelScope, http: HttpClient) -> None:
    scope.cancel()


def by_hanging_up(venue: Venue, scope: trio.CancelScope, http: HttpClient) -> None:
    http.hang_up()


@pytest.mark.parametrize("leave", [by_cancelling, by_hanging_up])
async def test_whoever_leaves_in_mid_request_is_served_all_the_same(
    autojump_clock: MockClock, leave: Callable[[Venue, trio.CancelScope, HttpClient], None]
) -> None:
    async with serving() as venue, trio.open_nursery() as nursery:
        http, ends = venue.http(), []

        async def ask(task_status: trio.TaskStatus[trio.CancelScope]) -> None:
            with trio.CancelScope() as scope:
                task_status.started(scope)
                try:
                    await http.request("GET", "/think")
                except Lost as lost:
                    ends.append(lost.was_sent)

        scope = await nursery.start(ask)
        await trio.sleep(1)
        leave(venue, scope, http)
        await trio.sleep(THINKS_S)
        assert (http.is_open, venue.app.served, venue.app.open) == (False, ["/think"], 0)
        assert ends == ([] if leave is by_cancelling else [True])


async def test_a_slow_network_changes_nothing_that_is_said(autojump_clock: MockClock) -> None:
    async with serving() as venue, trio.open_nursery() as nursery:
        nursery.start_soon(lambda: venue.strike(FaultKind.NET_SLOW, lasts_s=60))
        await trio.sleep(1)
        answer = await venue.http().request("POST", "/x", {"text": "y" * 9_000}, within_s=30)
        assert answer.body["got"] == '{"text":"' + "y" * 9_000 + '"}'
        socket = venue.socket()
        await socket.open()
        await socket.send({"text": "y" * 9_000})
        assert await socket.receive(within_s=30) == {"text": "y" * 9_000}


async def read_on(socket: Socket) -> None:
    while True:
        await socket.receive()


# --- sockets --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 113, 114, 1_000, 65_523, 65_524, 70_000])
async def test_frames_of_all_sizes(autojump_clock: MockClock, size: int) -> None:
    async with serving() as venue:
        socket = venue.socket()
        await socket.open()
        await socket.send({"size": size})
        assert await socket.receive() == {"text": "z" * size}
        sent = {"text": "z" * min(size, 9_000)}
        await socket.send(sent)
        assert await socket.receive() == sent


async def test_a_socket_that_is_read_answers_pings(autojump_clock: MockClock) -> None:
    async with serving() as venue:
        socket = venue.socket()
        await socket.open()
        with trio.move_on_after(3 * HEARD_WITHIN_S):
            await socket.receive(within_s=10 * HEARD_WITHIN_S)
        assert socket.is_open, "a receive may be cancelled at no loss"
        await socket.send({"n": 1})
        assert await socket.receive() == {"n": 1}


async def test_a_socket_that_nobody_reads_is_given_up(autojump_clock: MockClock) -> None:
    async with serving() as venue:
        socket = venue.socket()
        await socket.open()
        await trio.sleep(2 * HEARD_WITHIN_S)
        assert venue.app.open == 0
        with pytest.raises(Lost):
            await read_on(socket)


async def test_a_slow_reader_does_not_hold_the_venue_up(autojump_clock: MockClock) -> None:
    async with serving() as venue:
        socket = venue.socket()
        await socket.open()
        await socket.send("flood")
        await trio.sleep(SEND_WITHIN_S / 2)
        assert venue.app.open == 1
        await trio.sleep(SEND_WITHIN_S)
        assert venue.app.open == 0


async def test_frames_that_arrived_before_a_cancelled_receive_are_kept(
    autojump_clock: MockClock,
) -> None:
    async with serving() as venue, trio.open_nursery() as nursery:
        nursery.start_soon(lambda: venue.strike(FaultKind.NET_SLOW, lasts_s=60))
        await trio.sleep(1)
        socket, heard = venue.socket(), list[int]()
        await socket.open()
        for number in range(20):
            await socket.send({"n": number, "text": "w" * 500})
        while len(heard) < 20:
            with trio.move_on_after(0.01):
                heard.append((await socket.receive())["n"])
        assert heard == list(range(20))


async def test_how_the_venue_closed_it_is_known(autojump_clock: MockClock) -> None:
    async with serving() as venue:
        socket = venue.socket()
        await socket.open()
        await socket.send("goodbye")
        with pytest.raises(Lost):
            await socket.receive()
        assert socket.closed == Closed(code=1001, reason="draining")
        await socket.open()
        assert socket.closed is None


async def test_a_socket_that_is_closed_or_left_ends_its_conversation(
    autojump_clock: MockClock,
) -> None:
    async with serving() as venue:
        closed, left = venue.socket(), venue.socket()
        await closed.open()
        await left.open()
        assert venue.app.open == 2
        await closed.close()
        left.hang_up()
        await trio.sleep(1)
        assert venue.app.open == 0
        with pytest.raises(Lost) as lost:
            await left.send({"n": 1})
        assert not lost.value.was_sent


async def test_who_hangs_up_and_connects_anew_keeps_the_new_connection(
    autojump_clock: MockClock,
) -> None:
    async with serving() as venue, trio.open_nursery() as nursery:
        socket, losses = venue.socket(), []

        async def listen() -> None:
            try:
                await socket.receive()
            except Lost as lost:
                losses.append(str(lost))

        await socket.open()
        nursery.start_soon(listen)
        await trio.sleep(1)
        socket.hang_up()
        await socket.open()
        assert losses
        await socket.send({"n": 1})
        assert await socket.receive() == {"n": 1}
