"""May this bet be placed? Each rule refuses alone, and the first broken one is the one named."""

from typing import Any

import attrs
import pytest

from domain.caps import HouseCaps
from domain.grid import Cell, Grid
from domain.placement import Gate, Rules, early_refusal, judge
from domain.quotes import Quote, QuoteBook, Rate
from domain.refusals import Code, Refusal

AT_MS = 1_770_100_003_123
CURRENT_S = 1_770_100_000
OPEN = Gate(feed_critical=False)
RULES = Rules()
USD = 1_000_000


def cell_in(columns_ahead: int) -> Cell:
    return Cell(
        column_start_s=CURRENT_S + columns_ahead * 5, lo_cents=4_200_000, hi_cents=4_201_000
    )


CELL = cell_in(2)


def book(reward_bps: int = 18_500, *, age_ms: int = 100) -> QuoteBook:
    """One quote of every placeable column and the row of CELL."""
    quote = Quote(
        n=812,
        published_at_ms=AT_MS - age_ms,
        price_cents=4_200_512,
        column_s=5,
        row_cents=1_000,
        first_column_s=CURRENT_S + 10,
        lowest_row_cents=4_200_000,
        rates=((reward_bps,),) * 12,
    )
    return QuoteBook().with_quote(quote)


def place(
    *,
    rules: Rules = RULES,
    gate: Gate = OPEN,
    quotes: QuoteBook | None = None,
    cell: Cell = CELL,
    stake_micros: int = USD,
    named: int | None = None,
    least: int | None = None,
) -> Rate | Code:
    found = judge(
        rules,
        gate,
        book() if quotes is None else quotes,
        cell=cell,
        stake_micros=stake_micros,
        named_quote_n=named,
        least_bps=least,
        at_ms=AT_MS,
    )
    return found.code if isinstance(found, Refusal) else found


def test_bet_is_accepted_at_the_quoted_rate() -> None:
    assert place() == Rate(reward_bps=18_500, quote_n=812)
    assert place(named=812, least=18_500) == Rate(reward_bps=18_500, quote_n=812)


@pytest.mark.parametrize("columns_ahead", range(-2, 16))
def test_columns_current_plus_2_to_current_plus_13_may_be_tapped(columns_ahead: int) -> None:
    accepted = isinstance(place(cell=cell_in(columns_ahead)), Rate)
    assert accepted is (2 <= columns_ahead <= 13)


@pytest.mark.parametrize("stake_usd", [1, 5, 10, 25, 100])
def test_presets_may_be_staked(stake_usd: int) -> None:
    assert isinstance(place(stake_micros=stake_usd * USD), Rate)


@pytest.mark.parametrize("stake_micros", [0, -USD, 1, USD - 1, USD + 1, 2 * USD, 1_000 * USD])
def test_bad_stake_is_refused_and_the_presets_are_named(stake_micros: int) -> None:
    found = judge(
        RULES,
        OPEN,
        book(),
        cell=CELL,
        stake_micros=stake_micros,
        named_quote_n=None,
        least_bps=None,
        at_ms=AT_MS,
    )
    assert isinstance(found, Refusal)
    assert found.code is Code.BAD_STAKE
    assert found.details["presets_micros"] == [USD, 5 * USD, 10 * USD, 25 * USD, 100 * USD]


@pytest.mark.parametrize(
    ("gate", "code"),
    [
        (Gate(feed_critical=True), Code.PRICE_FEED_STALE),
        (Gate(feed_critical=False, held=True), Code.HELD),
        (Gate(feed_critical=False, disk_full=True), Code.DISK_FULL),
    ],
)
def test_closed_gate_refuses(gate: Gate, code: Code) -> None:
    assert place(gate=gate) is code


@pytest.mark.parametrize(
    "shift",
    [
        {"column_start_s": CELL.column_start_s + 1},
        {"lo_cents": 4_200_500, "hi_cents": 4_201_500},
        {"hi_cents": 4_202_000},
        {"hi_cents": 4_200_000},
    ],
)
def test_cell_off_the_grid_is_refused(shift: dict[str, int]) -> None:
    assert place(cell=attrs.evolve(CELL, **shift)) is Code.CELL_UNAVAILABLE


def test_cell_on_the_grid_that_is_not_offered_is_refused() -> None:
    assert place(quotes=book(0)) is Code.CELL_UNAVAILABLE


@pytest.mark.parametrize(("payout_usd", "accepted"), [(185, True), (184, False)])
def test_payout_per_bet_is_capped(payout_usd: int, accepted: bool) -> None:
    rules = attrs.evolve(RULES, caps=HouseCaps(payout_per_bet_micros=payout_usd * USD))
    found = place(rules=rules, stake_micros=100 * USD)
    assert found == (Rate(reward_bps=18_500, quote_n=812) if accepted else Code.EXPOSURE_LIMIT)


# Every fault at once; then the first is mended, and the next one shows.
FAULTS: dict[str, Any] = {
    "gate": Gate(feed_critical=True, held=True, disk_full=True),
    "cell": Cell(column_start_s=CURRENT_S + 1, lo_cents=4_200_000, hi_cents=4_201_000),
    "stake_micros": 2 * USD,
    "quotes": QuoteBook(),
    "rules": attrs.evolve(RULES, caps=HouseCaps(payout_per_bet_micros=0)),
}
MENDED_IN_ORDER: list[tuple[dict[str, Any], Rate | Code]] = [
    ({}, Code.PRICE_FEED_STALE),
    ({"gate": Gate(feed_critical=False, held=True, disk_full=True)}, Code.HELD),
    ({"gate": Gate(feed_critical=False, disk_full=True)}, Code.DISK_FULL),
    ({"gate": OPEN}, Code.CELL_UNAVAILABLE),
    ({"cell": cell_in(1)}, Code.CELL_UNAVAILABLE),
    ({"cell": CELL}, Code.BAD_STAKE),
    ({"stake_micros": USD}, Code.PRICE_FEED_STALE),
    ({"quotes": book(age_ms=3_001)}, Code.PRICE_FEED_STALE),
    ({"quotes": book(0)}, Code.CELL_UNAVAILABLE),
    ({"quotes": book(), "named": 1, "least": 18_501}, Code.QUOTE_EXPIRED),
    ({"named": 812, "least": 18_500}, Code.EXPOSURE_LIMIT),
    ({"rules": RULES}, Rate(reward_bps=18_500, quote_n=812)),
]


def test_faults_are_named_in_the_order_in_which_they_are_checked() -> None:
    bet = dict(FAULTS)
    for mended, expected in MENDED_IN_ORDER:
        bet.update(mended)
        assert place(**bet) == expected


def test_early_look_never_refuses_what_the_judgement_would_take() -> None:
    for columns_ahead in range(-3, 17):
        cell = cell_in(columns_ahead)
        early = early_refusal(RULES, OPEN, cell, at_ms=AT_MS)
        if isinstance(place(cell=cell), Rate):
            assert early is None
        else:
            assert early is not None
            assert early.code is Code.CELL_UNAVAILABLE


def test_rules_by_default_are_those_of_the_product() -> None:
    assert Rules().grid == Grid(
        column_s=5, row_cents=1_000, rows=40, lockout_columns=1, horizon_columns=12
    )
    assert Rules().presets_micros == (USD, 5 * USD, 10 * USD, 25 * USD, 100 * USD)
