"""Rows of trade files: Binance's in all their layouts, and the project's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.trade_csv import Layout, RecordedTrade, layout_of_header, layout_of_row, parse_row

SPOT_TRADE = "3735683259,61837.63000000,0.02000000,1236.75260000,1723161255342,True,True"
SPOT_TRADE_US = "4359234870,93576.00000000,0.00045000,42.10920000,1735689600012345,False,True"
FUTURES_TRADE = "5271183415,61800.1,0.005,309.0005,1723161255342,false"
SPOT_AGG_TRADE = "3111700000,61837.63,0.068,3735683259,3735683260,1723161255342,true,true"
FUTURES_AGG_TRADE = "2304567890,61800.1,0.123,5271183415,5271183416,1723161255342,false"

EXPECTED = {
    SPOT_TRADE: RecordedTrade(
        ts_ms=1723161255342, price_cents=6183763, size_e8=2_000_000, trade_id=3735683259
    ),
    SPOT_TRADE_US: RecordedTrade(
        ts_ms=1735689600012, price_cents=9357600, size_e8=45_000, trade_id=4359234870
    ),
    FUTURES_TRADE: RecordedTrade(
        ts_ms=1723161255342, price_cents=6180010, size_e8=500_000, trade_id=5271183415
    ),
    SPOT_AGG_TRADE: RecordedTrade(
        ts_ms=1723161255342, price_cents=6183763, size_e8=6_800_000, trade_id=3111700000
    ),
    FUTURES_AGG_TRADE: RecordedTrade(
        ts_ms=1723161255342, price_cents=6180010, size_e8=12_300_000, trade_id=2304567890
    ),
}

HEADERS = {
    "id,price,qty,quoteQty,time,isBuyerMaker,isBestMatch": SPOT_TRADE,
    "id,price,qty,quote_qty,time,is_buyer_maker": FUTURES_TRADE,
    "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker": (
        FUTURES_AGG_TRADE
    ),
    "aggTradeId,price,qty,firstTradeId,lastTradeId,timestamp,isBuyerMaker,isBestMatch": (
        SPOT_AGG_TRADE
    ),
}


def parsed(row: str, layout: Layout | None) -> RecordedTrade:
    assert layout is not None
    return parse_row(row.split(","), layout, row_number=77)


@pytest.mark.parametrize("row", EXPECTED)
def test_a_file_without_a_header(row: str) -> None:
    assert parsed(row, layout_of_row(row.split(","))) == EXPECTED[row]


@pytest.mark.parametrize("header", HEADERS)
def test_a_file_with_a_header(header: str) -> None:
    row = HEADERS[header]
    assert parsed(row, layout_of_header(header.split(","))) == EXPECTED[row]


@pytest.mark.parametrize("row", EXPECTED)
def test_a_row_is_not_taken_for_a_header(row: str) -> None:
    assert layout_of_header(row.split(",")) is None


def test_our_own_trades_have_the_row_number_for_an_id() -> None:
    layout = layout_of_header(["ts_ms", "price", "qty"])
    expected = RecordedTrade(ts_ms=1693929601281, price_cents=2574102, size_e8=371_005, trade_id=77)
    assert parsed("1693929601281,25741.02,0.00371005", layout) == expected
    assert parsed("1693929601281,25741.02,0.00371005", layout_of_row(["", "", ""])) == expected


def test_our_own_one_hertz_prices_have_no_size() -> None:
    row = "1780876800000,63304.2003,1780876800939,1780876801156"
    expected = RecordedTrade(ts_ms=1780876800000, price_cents=6330420, size_e8=0, trade_id=77)
    assert parsed(row, layout_of_header(["ts_ms", "price", "server_ts_ms", "recv_ms"])) == expected
    assert parsed(row, layout_of_row(row.split(","))) == expected


@pytest.mark.parametrize(
    "row",
    ["", "one", "a,b", "a,b,c,d,e", "1,2,3,4,5,6,7,8,9", "True,False", "1,2,3,4,5,6,7,True,9"],
)
def test_an_unknown_layout_is_said_to_be_unknown(row: str) -> None:
    assert layout_of_row(row.split(",")) is None


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("1723161255342", "only 1 columns"),
        ("1723161255342,", "not a decimal price"),
        ("1723161255342,0,1", "out of range"),
        ("1723161255342,-5,1", "not a decimal price"),
        ("1723161255342,1e5,1", "not a decimal price"),
        ("1723161255342,nan,1", "not a decimal price"),
        ("1723161255342,99999999999999,1", "out of range"),
        ("1723161255342,5,-1", "not a decimal quantity"),
        ("1723161255342,5,99999999999999", "out of range"),
        ("1723161255,5,1", "neither milli- nor microseconds"),
        ("1723161255342000000,5,1", "neither milli- nor microseconds"),
        ("1.7e12,5,1", "not a whole number"),
        ("-1723161255342,5,1", "not a whole number"),
        ("9" * 40 + ",5,1", "not a whole number"),
    ],
)
def test_a_bad_row_is_refused_with_its_reason(row: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_row(row.split(","), Layout(time=0, price=1, size=2), row_number=1)


@given(st.lists(st.text(max_size=30), max_size=9))
def test_garbage_is_refused_and_nothing_else_happens(cells: list[str]) -> None:
    layout = layout_of_header(cells) or layout_of_row(cells)
    if layout is not None:
        try:
            trade = parse_row(cells, layout, row_number=1)
        except ValueError:
            return
        assert trade.price_cents > 0
        assert 10**11 <= trade.ts_ms < 10**14
