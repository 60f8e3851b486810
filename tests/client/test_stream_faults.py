"""The stream against a server that breaks its word: what it skips, repeats or garbles."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio
from trio_websocket import ConnectionClosed, WebSocketRequest, serve_websocket

from client import BadAnswer, Refused, Session, Stream, Unreachable, Venue, Wallet
from client.answers import SignedIn, User
from client.events import BalanceChanged, OtherEvent
from client.stream import UNREADABLE_MAX
from supervisor import SeededChance

ACCOUNT = {
    "wallet": "0x" + "a1" * 20,
    "balance_micros": 100,
    "open_stake_micros": 0,
    "open_bets": 0,
    "seq": 1,
    "created_at_ms": 1,
    "frozen": False,
}


def deposit(seq: int) -> dict[str, Any]:
    return {
        "type": "balance",
        "seq": seq,
        "reason": "deposit",
        "amount_micros": seq,
        "balance_micros": 100,
        "reference": f"d{seq}",
    }


def caught_up(seq: int) -> dict[str, Any]:
    return {"type": "reply", "id": "auth", "ok": True, "resync_required": False, "seq": seq}


BEGUN = {"type": "reply", "id": "auth", "ok": True, **ACCOUNT}


@attrs.define
class Script:
    """What each connection is sent once it has said who it is, the last again and again; what each
    said."""

    connections: list[Sequence[object]]
    auths: list[dict[str, Any]] = attrs.field(factory=list)

    async def serve(self, request: WebSocketRequest) -> None:
        try:
            socket = await request.accept()
            while (asked := json.loads(await socket.get_message()))["op"] != "auth":
                pass
            self.auths.append(asked)
            for frame in self.connections[min(len(self.auths), len(self.connections)) - 1]:
                await socket.send_message(frame if isinstance(frame, str) else json.dumps(frame))
            while True:
                await socket.get_message()
        except ConnectionClosed:
            pass


@asynccontextmanager
async def stream_of(script: Script) -> AsyncIterator[Stream]:
    async with trio.open_nursery() as nursery:
        server = await nursery.start(serve_websocket, script.serve, "127.0.0.1", 0, None)
        venue = Venue(f"http://127.0.0.1:{server.port}", chance=SeededChance(3))
        signed_in = SignedIn(
            token="t",
            session_id="s",
            expires_at_ms=10**13,
            user=User(wallet=ACCOUNT["wallet"], balance_micros=100),
            session_key=None,
        )
        async with Stream(venue, Session(venue, signed_in, Wallet.new())) as stream:
            yield stream
        nursery.cancel_scope.cancel()


async def seqs_of(stream: Stream, count: int) -> list[int]:
    found = []
    with trio.fail_after(10):
        for _ in range(count):
            event = await anext(stream)
            assert isinstance(event, BalanceChanged)
            found.append(event.seq)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [
        [deposit(3)],
        [deposit(4), deposit(3)],
        ["not json"],
        ["[]"],
        [{"type": "balance", "seq": 2}],
        [{"type": "price"}],
    ],
    ids=["gap", "order", "garbled", "no object", "no fields", "no price"],
)
async def test_after_a_broken_word_it_is_taken_up_where_it_was(fault: list[object]) -> None:
    again = [deposit(2), deposit(3), deposit(4), caught_up(4)]
    script = Script([[BEGUN, *fault], again])
    async with stream_of(script) as stream:
        assert await seqs_of(stream, 3) == [2, 3, 4]
    assert [auth.get("seq") for auth in script.auths] == [None, 1]


async def test_what_is_sent_twice_is_read_once() -> None:
    script = Script([[BEGUN, deposit(1), deposit(2), deposit(2), deposit(1), deposit(3)]])
    async with stream_of(script) as stream:
        assert await seqs_of(stream, 2) == [2, 3]


@pytest.mark.slow
async def test_a_replay_that_is_not_whole_is_asked_for_again() -> None:
    script = Script([[BEGUN, "not json"], [deposit(2), caught_up(3)], [deposit(3), caught_up(3)]])
    async with stream_of(script) as stream:
        assert await seqs_of(stream, 2) == [2, 3]
    assert [auth.get("seq") for auth in script.auths] == [None, 1, 2]


async def test_events_and_frames_of_a_newer_venue_do_no_harm() -> None:
    newer = {"type": "bonus", "seq": 2, "amount_micros": 5}
    script = Script([[BEGUN, {"type": "news"}, newer, deposit(3)]])
    async with stream_of(script) as stream:
        with trio.fail_after(10):
            event = await anext(stream)
        assert isinstance(event, OtherEvent)
        assert (event.type, event.fields["amount_micros"]) == ("bonus", 5)
        assert await seqs_of(stream, 1) == [3]


# --- what does not mend itself ------------------------------------------------------------------

UNREADABLE = {"type": "balance", "seq": 2}


async def what_ends(stream: Stream) -> Exception:
    """What its readers are told, all of them the same."""
    told: list[Exception] = []
    for wait in (stream.__anext__, stream.wait_quote, stream.wait_news):
        with pytest.raises((BadAnswer, Refused)) as raised:
            await for_ever(wait)
        told.append(raised.value)
    assert told == [told[0]] * 3
    return told[0]


async def for_ever(wait: Callable[[], Awaitable[object]]) -> None:
    while True:
        await wait()


@pytest.mark.slow
async def test_what_can_never_be_read_ends_the_stream(mock_clock: trio.testing.MockClock) -> None:
    mock_clock.rate = 100
    script = Script([[BEGUN, UNREADABLE], [UNREADABLE]])
    async with stream_of(script) as stream:
        with trio.fail_after(1000):
            ended = await what_ends(stream)
    assert isinstance(ended, BadAnswer)
    assert len(script.auths) == UNREADABLE_MAX
    assert trio.current_time() > 5, "it gives the venue time to mend itself"


@pytest.mark.slow
async def test_events_between_show_that_it_is_not_hopeless(
    mock_clock: trio.testing.MockClock,
) -> None:
    mock_clock.rate = 100
    count = 2 * UNREADABLE_MAX
    steps = [[BEGUN, "not json"], *([deposit(seq), "not json"] for seq in range(2, count))]
    script = Script([*steps, [deposit(count)]])
    async with stream_of(script) as stream:
        with trio.fail_after(1000):
            events = [await anext(stream) for _ in range(2, count + 1)]
    assert len(events) == count - 1


@pytest.mark.slow
async def test_a_venue_that_will_not_have_this_client_any_more_says_so(
    mock_clock: trio.testing.MockClock,
) -> None:
    mock_clock.rate = 100
    refused = {"type": "reply", "id": "auth", "ok": False, "error": "forbidden"}
    async with stream_of(Script([[BEGUN, "not json"], [refused]])) as stream:
        with trio.fail_after(1000):
            ended = await what_ends(stream)
    assert isinstance(ended, Refused)
    assert ended.code == "forbidden"


@asynccontextmanager
async def rejecting(*answers: tuple[int, bytes]) -> AsyncIterator[Venue]:
    """A venue that opens no WebSocket: what it answers, the last again and again."""
    left = list(answers)

    async def reject(request: WebSocketRequest) -> None:
        status, body = left.pop(0) if len(left) > 1 else left[0]
        await request.reject(status, body=body)

    async with trio.open_nursery() as nursery:
        server = await nursery.start(serve_websocket, reject, "127.0.0.1", 0, None)
        yield Venue(f"http://127.0.0.1:{server.port}", chance=SeededChance(3))
        nursery.cancel_scope.cancel()


async def test_a_refused_handshake_is_a_refusal() -> None:
    async with rejecting((403, b'{"error": "forbidden", "message": "no"}')) as venue:
        with pytest.raises(Refused, match="forbidden: no") as refused:
            async with Stream(venue):
                pass
    assert refused.value.http_status == 403


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((503, b'{"error": "draining", "retry_after": 5}'), "draining"),
        ((502, b"<html>Bad Gateway</html>"), "502"),
    ],
    ids=["venue", "proxy"],
)
async def test_a_venue_that_stays_away_has_no_stream_and_it_is_said_why(
    answer: tuple[int, bytes], why: str, mock_clock: trio.testing.MockClock
) -> None:
    mock_clock.rate = 100
    async with rejecting(answer) as venue:
        with pytest.raises(Unreachable, match=f"no stream from .*{why}"):
            async with Stream(venue):
                pass
