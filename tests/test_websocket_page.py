"""docs/websocket.md says what the code does: all of it, and nothing else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import jsonschema_rs
import pytest
import trio

from actors.gateway import frames as gateway_frames
from actors.gateway import hub as gateway_hub
from actors.gateway import outbox, recent_events, wire
from actors.gateway import socket as gateway_socket
from db.wallet_signatures import keccak_256
from domain.limits import BODY_BYTES_MAX
from domain.quotes import QuoteBook
from domain.refusals import Refusal
from domain.self_limits import LimitsAsked, MaxAsked
from protocols.account_commands import SetLimits
from protocols.client_bets import BET
from protocols.client_frames import FRAMES, REPLIES, RefusedJson
from protocols.client_socket import ID_TEXT_MAX, OPS, BadOp, BetOp, Channel, parse_op
from protocols.money import EventsLost, PlaceBet
from supervisor import Life
from tests.support.described_frames import fields_of, shapes_of
from tests.support.door import WALLET, Door, Talk, make_quote, make_tick, open_door
from tests.support.sources import REPOSITORY

PAGE = (REPOSITORY / "docs" / "websocket.md").read_text(encoding="utf-8")


@attrs.frozen
class Example:
    """One block of JSON of the page."""

    kind: str
    """`op`, `reply` or `frame`."""
    name: str
    text: str

    @property
    def value(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.text)
        return value


EXAMPLES = [
    Example(*found) for found in re.findall(r"^```json (\w+) (\S+)\n(.*?)^```", PAGE, re.M | re.S)
]


def examples(kind: str) -> list[Any]:
    """Those of a kind, named after what they are examples of."""
    return [pytest.param(one, id=one.name) for one in EXAMPLES if one.kind == kind]


def sections() -> dict[str, str]:
    """What stands under each heading that names an op or a type of frame."""
    parts = re.split(r"^#{2,3} (.+)\n", PAGE, flags=re.M)
    return {
        title.strip("`"): body
        for title, body in zip(parts[1::2], parts[2::2], strict=True)
        if title.startswith("`")
    }


# --- examples ---------------------------------------------------------------------------------


def test_every_block_of_json_is_an_example_of_something() -> None:
    assert PAGE.count("```json") == len(EXAMPLES)
    assert {one.kind for one in EXAMPLES} == {"op", "reply", "frame"}


@pytest.mark.parametrize("example", examples("op"))
def test_an_example_of_a_request_is_read(example: Example) -> None:
    jsonschema_rs.Draft202012Validator(OPS[example.name].schema()).validate(example.value)
    op = parse_op(example.text)
    assert not isinstance(op, BadOp), op
    if isinstance(op, BetOp):
        assert not isinstance(BET.parse(op.fields, keccak=keccak_256), Refusal)


@pytest.mark.parametrize("example", examples("reply"))
def test_an_example_of_a_reply_has_a_declared_shape(example: Example) -> None:
    assert example.value["type"] == "reply"
    op = None if example.name == "refused" else example.name
    assert shapes_of(example.value, op)


@pytest.mark.parametrize("example", examples("frame"))
def test_an_example_of_a_frame_has_the_declared_shape(example: Example) -> None:
    assert example.value["type"] == example.name
    assert shapes_of(example.value)


def test_every_request_and_every_shape_has_an_example() -> None:
    declared = {shape for shapes in (*FRAMES.values(), *REPLIES.values()) for shape in shapes}
    shown = {
        shape
        for one in EXAMPLES
        if one.kind != "op"
        for shape in shapes_of(one.value, one.name if one.name in OPS else None)
    }
    assert shown == {*declared, RefusedJson}
    assert {one.name for one in EXAMPLES if one.kind == "op"} == OPS.keys()


# --- words ------------------------------------------------------------------------------------


def test_every_request_and_every_frame_has_its_section_and_nothing_else_has() -> None:
    assert sections().keys() == {*OPS, *FRAMES}


@pytest.mark.parametrize("name", FRAMES)
def test_every_field_of_a_frame_is_in_its_section(name: str) -> None:
    missing = [field for field in fields_of(FRAMES[name]) if field not in sections()[name]]
    assert missing == []


@pytest.mark.parametrize("name", [name for name in OPS if name != "bet"])  # as POST /api/bets
def test_every_field_of_a_request_is_in_its_section(name: str) -> None:
    fields = {field.name for field in OPS[name].fields} - {"op", "id"}
    assert [field for field in fields if f"`{field}`" not in sections()[name]] == []


def test_every_channel_is_named() -> None:
    assert [channel for channel in Channel if f"`{channel}`" not in sections()["subscribe"]] == []


def closes() -> Iterator[tuple[int, str]]:
    """The codes and reasons with which the page says that connections end."""
    for code, reason in re.findall(r"^\| (\d{4}) \| `(.+?)` \|", PAGE, re.M):
        yield int(code), reason


def test_every_way_in_which_a_connection_is_closed_is_on_the_page() -> None:
    named = set(closes())
    own = {(close.code, close.reason) for close in outbox.CLOSES}
    assert own <= named
    source = Path(str(gateway_frames.__file__)).read_text(encoding="utf-8")
    assert [reason for _, reason in named - own if f'"{reason}"' not in source] == []
    assert {code for code, _ in named - own} == {gateway_frames.POLICY_VIOLATION}


@pytest.mark.parametrize(
    "words",
    [
        f"at most {BODY_BYTES_MAX // 1024} KiB",
        f"at most {ID_TEXT_MAX} characters",
        f"last {recent_events.EVENTS_PER_WALLET_MAX} events of a wallet",
        f"and {recent_events.EVENTS_MAX:,} of all",
        f"With {outbox.QUEUE_MAX:,} replies and events waiting",
        f"events waiting (or {outbox.QUEUE_CHARACTERS_MAX >> 20} MiB",
        f"for\n  {wire.SEND_WITHIN_S} s, it is cut off",
        f"Up to {gateway_socket.BETS_AT_ONCE_MAX} bets",
        f"there are {gateway_socket.OVER_LIMIT_MAX} more refusals",
        f"for {gateway_hub.IDLE_S:.0f} s is closed",
        f"(0 to {gateway_hub.RECONNECT_WITHIN_S} seconds)",
        f"After {gateway_frames.PING_AFTER_S} s of silence",
        f"after {gateway_frames.HEARD_WITHIN_S} s without",
        f"within {gateway_frames.MESSAGE_WITHIN_S} s of its first byte",
    ],
)
def test_a_limit_is_as_in_the_code(words: str) -> None:
    assert words in PAGE


# --- a running venue --------------------------------------------------------------------------


@attrs.define
class Heard:
    """What came, each with the names of its fields."""

    kinds: set[tuple[str, frozenset[str]]] = attrs.field(factory=set)

    async def ask(self, talk: Talk, op: str, **fields: object) -> None:
        """Keep the reply to this, and all that came before it."""
        reply = await talk.ask(op, **fields)
        if reply["ok"]:
            self.kinds.add((f"reply {op}", frozenset(reply)))
        self.keep(talk)

    async def await_all(self, talk: Talk, *kinds: str) -> None:
        """Keep what comes until there was one of each kind."""
        while not set(kinds) <= {frame["type"] for frame in talk.seen}:
            talk.seen.append(await talk.until(lambda _: True))
        self.keep(talk)

    def keep(self, talk: Talk) -> None:
        """All that has come so far beside replies."""
        frames = [frame for frame in talk.seen if frame["type"] != "reply"]
        self.kinds |= {(frame["type"], frozenset(frame)) for frame in frames}


def on_the_page() -> set[tuple[str, frozenset[str]]]:
    """What the page shows: each kind of frame with its fields."""
    return {
        (one.name if one.kind == "frame" else f"reply {one.name}", frozenset(one.value))
        for one in EXAMPLES
        if one.kind != "op" and one.name != "refused"
    }


@pytest.mark.slow
async def test_a_venue_sends_every_frame_that_is_on_the_page_with_just_its_fields(
    tmp_path: Path,
) -> None:
    heard = Heard()
    (tmp_path / "one").mkdir()
    async with open_door(tmp_path / "one") as door:
        await hear_the_channels(door, heard)
        await hear_the_private_stream(door, heard)
        await hear_what_is_missed(door, heard)
        await hear_the_end(door, heard)
    (tmp_path / "two").mkdir()
    async with open_door(tmp_path / "two", with_batcher=False) as door:
        await hear_of_a_lost_answer(door, heard)
    assert heard.kinds == on_the_page()


async def hear_the_channels(door: Door, heard: Heard) -> None:
    async with door.socket() as talk:
        await heard.ask(talk, "ping")
        await heard.ask(talk, "subscribe", channels=["price", "grid", "status"])
        door.channels.ticks.publish_nowait(make_tick())
        await heard.await_all(talk, "price", "grid", "system:status")
        door.channels.book.set(QuoteBook())
        talk.seen.append(await talk.until(lambda frame: "n" in frame and frame["n"] is None))
        heard.keep(talk)


async def hear_the_private_stream(door: Door, heard: Heard) -> None:
    door.channels.book.set(QuoteBook(quotes=(make_quote(),)))
    token, cell = await door.sign_in(), door.cell()
    async with door.socket() as talk:
        await heard.ask(talk, "auth", token=token)
        await heard.ask(talk, "bet", **door.bet(cell=cell))  # without money
        await door.fund()
        await heard.ask(talk, "bet", **door.bet(cell=cell))
        await door.settle(cell)
        asked = LimitsAsked(stake_max=MaxAsked(micros=5_000_000))
        await door.order(SetLimits(wallet=WALLET, asked=asked))
        await heard.await_all(talk, "bet:resolved", "account")
        door.channels.user_events.publish_nowait(EventsLost())
        await heard.await_all(talk, "resync_required")
        await door.post("/api/auth/logout", token=token)
        await heard.await_all(talk, "session:expired")


async def hear_what_is_missed(door: Door, heard: Heard) -> None:
    token = await door.sign_in()
    account = door.ports.ledger.account(WALLET)
    assert account is not None
    async with door.socket() as talk:
        await heard.ask(talk, "auth", token=token, seq=account.seq)
        await heard.ask(talk, "auth", token=token, seq=0)
        await heard.ask(talk, "resume", seq=account.seq)
        await heard.ask(talk, "resume", seq=0)


async def hear_the_end(door: Door, heard: Heard) -> None:
    async with door.socket() as talk:
        await talk.ask("ping")
        door.channels.draining.set(True)
        await talk.end()
        heard.keep(talk)


async def hear_of_a_lost_answer(door: Door, heard: Heard) -> None:
    """A Batcher that committed and died before it answered."""

    async def commit_and_die() -> None:
        async with door.channels.money.reader(Life("venue/batcher")) as reader:
            asked = await reader.receive()
            assert isinstance(asked.question, PlaceBet)
            door.commit(asked.question, amount_micros=100_000_000)
            asked.discard()

    async with door.socket() as talk, trio.open_nursery() as nursery:
        nursery.start_soon(commit_and_die)
        await heard.ask(talk, "bet", **door.bet())
