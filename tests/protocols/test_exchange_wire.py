"""Exchange frames: small ones by hand, the captured ones, and garbage, which never raises."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ticks import Acceptance, Tick, accept
from protocols.exchange_wire import (
    COINBASE_SUBSCRIPTIONS,
    FaultReason,
    Parse,
    Parsed,
    ParseFault,
    parse_binance,
    parse_coinbase,
)

RECV_MS = 1_723_161_255_400
BINANCE_TRADE = {
    "e": "trade",
    "E": 1723161255343,
    "s": "BTCUSDT",
    "t": 3735683259,
    "p": "61837.63000000",
    "q": "0.02000000",
    "T": 1723161255342,
    "m": True,
    "M": True,
}
BINANCE_TICK = Tick(
    source="binance",
    trade_id=3735683259,
    price_cents=6183763,
    size_e8=2_000_000,
    ts_ms=1723161255342,
    recv_ms=RECV_MS,
)
COINBASE_TRADE = {
    "product_id": "BTC-USD",
    "trade_id": "1068572090",
    "price": "65083.67",
    "size": "0.002186",
    "time": "2026-08-09T21:05:42.514318Z",
    "side": "SELL",
}
COINBASE_TICK = Tick(
    source="coinbase",
    trade_id=1068572090,
    price_cents=6508367,
    size_e8=218_600,
    ts_ms=1786309542514,
    recv_ms=RECV_MS,
)


def binance(**changes: Any) -> Parsed:
    """One trade of a combined stream; a field set to `...` is left out."""
    trade = {key: value for key, value in (BINANCE_TRADE | changes).items() if value is not ...}
    return parse_binance(json.dumps({"stream": "btcusdt@trade", "data": trade}), RECV_MS)


def coinbase(*trades: object, kind: str = "update") -> Parsed:
    """One market_trades message."""
    events = [{"type": kind, "trades": list(trades)}]
    message = {"channel": "market_trades", "sequence_num": 0, "events": events}
    return parse_coinbase(json.dumps(message), RECV_MS)


def changed(**changes: Any) -> dict[str, Any]:
    """A Coinbase trade; a field set to `...` is left out."""
    return {key: value for key, value in (COINBASE_TRADE | changes).items() if value is not ...}


def bad_field(where: str) -> ParseFault:
    return ParseFault(reason=FaultReason.BAD_FIELD, where=where)


# --- Binance ----------------------------------------------------------------------------------


def test_binance_trade_of_a_combined_stream() -> None:
    assert binance() == Parsed(ticks=(BINANCE_TICK,))


def test_binance_trade_of_a_raw_stream() -> None:
    assert parse_binance(json.dumps(BINANCE_TRADE), RECV_MS) == Parsed(ticks=(BINANCE_TICK,))


def test_a_frame_may_be_bytes() -> None:
    assert parse_binance(json.dumps(BINANCE_TRADE).encode(), RECV_MS).ticks == (BINANCE_TICK,)


def test_prices_round_half_up_to_cents() -> None:
    assert binance(p="61837.63500000").ticks[0].price_cents == 6183764
    assert binance(p="61837.63499999").ticks[0].price_cents == 6183763


@pytest.mark.parametrize(
    "frame",
    [
        {"result": None, "id": 1},
        {"stream": "btcusdt@bookTicker", "data": {"u": 1, "s": "BTCUSDT", "b": "1", "B": "2"}},
        {"stream": "btcusdt@depth@100ms", "data": {"e": "depthUpdate", "s": "BTCUSDT"}},
        {"lastUpdateId": 50093239218, "bids": [], "asks": []},
        {"stream": "ethusdt@trade", "data": BINANCE_TRADE | {"s": "ETHUSDT"}},
        {},
    ],
)
def test_binance_frames_that_are_not_about_our_trades_give_nothing(frame: object) -> None:
    assert parse_binance(json.dumps(frame), RECV_MS) == Parsed()


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        *(({"p": price}, "price") for price in (..., None, 61837.63, 61837, True, "", "-1", "0")),
        *(({"p": price}, "price") for price in ("0.004", "1e5", "1,5", " 1", "nan", "9" * 16)),
        *(({"p": price}, "price") for price in ("9" * 5_000, "٦١", ["1"], "1.")),
        *(({"q": size}, "size") for size in (..., None, 0.02, True, "-0.1", "x", "9" * 30)),
        *(({"t": trade_id}, "trade id") for trade_id in (..., None, "1", 1.0, True, -1, 0, 2**63)),
        *(({"T": ts}, "time") for ts in (..., None, "1723161255342", 1.5, True, -1, 0)),
        ({"T": 1723161255342000}, "time"),  # microseconds, which we did not ask for
        ({"s": ...}, "s"),
        ({"s": 5}, "s"),
    ],
)
def test_a_binance_trade_with_a_bad_field_is_a_fault(changes: dict[str, Any], where: str) -> None:
    assert binance(**changes) == Parsed(fault=bad_field(where))


@pytest.mark.parametrize("data", [None, [], "x", 5, True])
def test_a_binance_envelope_without_an_object_is_a_fault(data: object) -> None:
    frame = json.dumps({"stream": "btcusdt@trade", "data": data})
    assert parse_binance(frame, RECV_MS) == Parsed(fault=bad_field("data"))


def test_binance_refusals_are_told() -> None:
    frame = json.dumps({"error": {"code": 2, "msg": "Invalid request"}, "id": 1})
    fault = parse_binance(frame, RECV_MS).fault
    assert fault is not None
    assert fault.reason is FaultReason.REFUSED
    assert "Invalid request" in fault.where


# --- Coinbase ---------------------------------------------------------------------------------


def test_coinbase_trade() -> None:
    assert coinbase(COINBASE_TRADE) == Parsed(ticks=(COINBASE_TICK,))


def test_coinbase_trades_come_newest_first_and_leave_oldest_first() -> None:
    newest = changed(trade_id="1068572092", time="2026-08-09T21:05:42.6Z")
    middle = changed(trade_id="1068572091")
    ticks = coinbase(newest, middle, COINBASE_TRADE).ticks
    assert [tick.trade_id for tick in ticks] == [1068572090, 1068572091, 1068572092]


def test_coinbase_snapshots_are_left_out() -> None:
    assert coinbase(COINBASE_TRADE, kind="snapshot") == Parsed()


def test_coinbase_trades_of_another_product_are_left_out() -> None:
    other = changed(product_id="ETH-USD", price="1919.41")
    assert coinbase(other, COINBASE_TRADE) == Parsed(ticks=(COINBASE_TICK,))


@pytest.mark.parametrize("channel", ["heartbeats", "subscriptions", "ticker", "l2_data", None])
def test_other_coinbase_channels_give_nothing(channel: object) -> None:
    frame = json.dumps({"channel": channel, "events": [{"type": "update", "trades": "x"}]})
    assert parse_coinbase(frame, RECV_MS) == Parsed()


@pytest.mark.parametrize(
    ("time", "ts_ms"),
    [
        ("2026-08-09T21:05:42Z", 1786309542000),
        ("2026-08-09T21:05:42.5Z", 1786309542500),
        ("2026-08-09T21:05:38.50436Z", 1786309538504),
        ("2026-08-09T21:05:42.999999999Z", 1786309542999),
        ("2024-02-29T00:00:00Z", 1709164800000),
    ],
)
def test_coinbase_times_are_cut_to_milliseconds(time: str, ts_ms: int) -> None:
    assert coinbase(changed(time=time)).ticks[0].ts_ms == ts_ms


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        *(({"price": price}, "price") for price in (..., None, 65083.67, True, "-1", "0", "x")),
        *(({"size": size}, "size") for size in (..., None, 0.1, False, "-1", "1E-8")),
        *(({"trade_id": one}, "trade id") for one in (..., None, 5, True, "-5", "0", "x", "")),
        ({"trade_id": "9" * 41}, "trade id"),
        *(({"time": time}, "time") for time in (..., None, 1786309542514, True, "", "yesterday")),
        *(({"time": f"2026-{rest}"}, "time") for rest in ("02-30T00:00:00Z", "08-09T24:00:00Z")),
        ({"time": "2026-08-09T21:05:42+02:00"}, "time"),
        ({"time": "1926-08-09T21:05:42Z"}, "time"),
        ({"time": "٢٠٢٦-08-09T21:05:42Z"}, "time"),
        ({"product_id": ...}, "product_id"),
        ({"product_id": 5}, "product_id"),
    ],
)
def test_a_coinbase_trade_with_a_bad_field_is_a_fault(changes: dict[str, Any], where: str) -> None:
    assert coinbase(changed(**changes)) == Parsed(fault=bad_field(where))


def test_a_bad_trade_does_not_cost_the_others_of_its_frame() -> None:
    parsed = coinbase(changed(price=1), COINBASE_TRADE, 5, changed(time=None))
    assert parsed == Parsed(ticks=(COINBASE_TICK,), fault=bad_field("price"))


@pytest.mark.parametrize(
    ("message", "where"),
    [
        ({}, "events"),
        ({"events": None}, "events"),
        ({"events": {}}, "events"),
        ({"events": [5]}, "events"),
        ({"events": [{}]}, "events.trades"),
        ({"events": [{"type": "update"}]}, "events.trades"),
        ({"events": [{"type": "update", "trades": {}}]}, "events.trades"),
        ({"events": [{"type": "news", "trades": []}]}, "events.trades"),
    ],
)
def test_a_malformed_market_trades_message_is_a_fault(message: dict[str, Any], where: str) -> None:
    frame = json.dumps({"channel": "market_trades"} | message)
    assert parse_coinbase(frame, RECV_MS) == Parsed(fault=bad_field(where))


def test_coinbase_refusals_are_told() -> None:
    fault = parse_coinbase('{"type":"error","message":"rate limit exceeded"}', RECV_MS).fault
    assert fault == ParseFault(reason=FaultReason.REFUSED, where="rate limit exceeded")


def test_the_subscriptions_name_the_channel_and_our_product_only() -> None:
    trades, heartbeats = map(json.loads, COINBASE_SUBSCRIPTIONS)
    assert trades == {"type": "subscribe", "channel": "market_trades", "product_ids": ["BTC-USD"]}
    assert heartbeats == {"type": "subscribe", "channel": "heartbeats"}


# --- garbage ----------------------------------------------------------------------------------

BOTH = pytest.mark.parametrize("parse", [parse_binance, parse_coinbase])
KEYS = st.sampled_from(
    [
        *("stream", "data", "e", "s", "t", "p", "q", "T"),
        *("channel", "events", "type", "trades"),
        *("product_id", "trade_id", "price", "size", "time"),
    ]
)
TEXTS = st.sampled_from(["trade", "BTCUSDT", "BTC-USD", "update", "market_trades", "1", "1.5", "x"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=5,
)


@BOTH
@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("", FaultReason.NOT_JSON),
        ("{", FaultReason.NOT_JSON),
        ("[" * 100_000, FaultReason.NOT_JSON),
        ('{"a":' * 50_000, FaultReason.NOT_JSON),
        (b"\xff\xfe", FaultReason.NOT_JSON),
        ('"\ud800"', FaultReason.NOT_JSON),
        ("NaN", FaultReason.NOT_JSON),
        ("[]", FaultReason.NOT_AN_OBJECT),
        ("5", FaultReason.NOT_AN_OBJECT),
        ("9" * 10_000, FaultReason.NOT_JSON),
        ("null", FaultReason.NOT_AN_OBJECT),
    ],
)
def test_what_is_no_json_object_is_a_fault(
    parse: Parse, frame: str | bytes, reason: FaultReason
) -> None:
    parsed = parse(frame, RECV_MS)
    assert parsed.ticks == ()
    assert parsed.fault is not None
    assert parsed.fault.reason is reason


def check(parsed: Parsed) -> None:
    for tick in parsed.ticks:
        assert all(type(value) is int for value in attrs.astuple(tick)[1:])
        assert tick.price_cents > 0
        assert tick.size_e8 >= 0
        assert 0 < tick.trade_id < 2**63
        assert 0 < tick.ts_ms <= 10**14
        assert tick.recv_ms == RECV_MS
    assert list(parsed.ticks) == sorted(parsed.ticks, key=lambda tick: tick.order)


@BOTH
@given(frame=st.text() | st.binary())
def test_garbage_never_raises(parse: Parse, frame: str | bytes) -> None:
    check(parse(frame, RECV_MS))


@BOTH
@given(value=VALUES)
def test_json_of_any_shape_never_raises(parse: Parse, value: object) -> None:
    check(parse(json.dumps(value), RECV_MS))


@given(st.dictionaries(st.sampled_from("estpqT"), VALUES, max_size=2))
def test_a_binance_trade_with_anything_in_its_fields_never_raises(changes: dict[str, Any]) -> None:
    check(binance(**changes))


@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=2).map(COINBASE_TRADE.__or__), max_size=2))
def test_coinbase_trades_with_anything_in_their_fields_never_raise(trades: list[Any]) -> None:
    check(coinbase(*trades))


# --- captured frames --------------------------------------------------------------------------


def captured(file: Path) -> Iterator[tuple[str, int]]:
    """Frames with their receive times in milliseconds."""
    with gzip.open(file, "rt") as lines:
        for line in lines:
            stamp, _, message = line.partition(',"msg":')
            yield message.strip().removesuffix("}"), int(stamp.removeprefix('{"t":')) // 1_000_000


def recorded(parse: Parse, file: Path, *, ahead_max_ms: int) -> tuple[list[Tick], list[ParseFault]]:
    """What enters the record from a whole capture, and every fault; nothing may be left out."""
    state, ticks, faults = Acceptance(), list[Tick](), list[ParseFault]()
    for frame, recv_ms in captured(file):
        parsed = parse(frame, recv_ms)
        faults.extend([] if parsed.fault is None else [parsed.fault])
        for tick in parsed.ticks:
            state, accepted = accept(state, tick, jump_max_bps=100, ahead_max_ms=ahead_max_ms)
            assert accepted.rejection is None
            ticks.extend(accepted.ticks)
    return ticks, faults


@pytest.mark.slow
def test_all_trades_of_the_captured_binance_stream_are_read(market_data: Path) -> None:
    capture = market_data / "ws_capture_binance_spot.jsonl.gz"
    ticks, faults = recorded(parse_binance, capture, ahead_max_ms=3_000)
    assert faults == []
    ids = [tick.trade_id for tick in ticks]
    assert ids == list(range(ids[0], ids[0] + 19_904)), "contiguous, as the exchange numbered them"
    with gzip.open(market_data / "btcusdt_trades_binance_spot_20240808.csv.gz", "rt") as rows:
        next(rows)
        expected = [row.strip().split(",") for row in rows]
    assert [(str(tick.ts_ms), tick.price_cents, tick.size_e8) for tick in ticks] == [
        (ts, round(float(price) * 100), round(float(size) * 1e8)) for ts, price, size in expected
    ]


def test_all_live_trades_of_the_captured_coinbase_stream_are_read(market_data: Path) -> None:
    capture = market_data / "ws_capture_coinbase.jsonl.gz"
    ticks, faults = recorded(parse_coinbase, capture, ahead_max_ms=2_000)
    assert faults == []
    assert len(ticks) == 47
    assert {tick.price_cents for tick in ticks} == {6508366, 6508367}
