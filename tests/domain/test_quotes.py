"""Which rate a bet is paid (product rule 5): the server's, never less than was signed for."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.caps import HouseCaps
from domain.grid import Cell
from domain.quotes import Quote, QuoteBook, Rate, rate_of_bet
from domain.refusals import Code, Refusal

T0_MS = 1_770_100_003_000
FIRST_S = 1_770_100_010
LOWEST_CENTS = 4_200_000
CELL = Cell(column_start_s=FIRST_S, lo_cents=LOWEST_CENTS, hi_cents=LOWEST_CENTS + 1_000)


def quote(n: int, at_ms: int, reward_bps: int = 20_000) -> Quote:
    """A quote of 2 columns x 3 rows; CELL pays `reward_bps`, the cell above it is not offered."""
    return Quote(
        n=n,
        published_at_ms=at_ms,
        price_cents=4_201_234,
        column_s=5,
        row_cents=1_000,
        first_column_s=FIRST_S,
        lowest_row_cents=LOWEST_CENTS,
        rates=((reward_bps, 0, 30_000), (40_000, 50_000, 60_000)),
    )


def book(*quotes: Quote) -> QuoteBook:
    """The book after these quotes were published in this order."""
    made = QuoteBook()
    for one in quotes:
        made = made.with_quote(one)
    return made


def paid(
    made: QuoteBook,
    *,
    at_ms: int,
    named: int | None = None,
    least: int | None = None,
    cell: Cell = CELL,
) -> Rate | Refusal:
    return rate_of_bet(made, cell, named_quote_n=named, least_bps=least, at_ms=at_ms)


# --- one quote --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "row", "reward_bps"),
    [
        *((0, 0, 20_000), (0, 1, 0), (0, 2, 30_000), (1, 0, 40_000), (1, 2, 60_000)),
        *((-1, 0, 0), (2, 0, 0), (0, -1, 0), (0, 3, 0)),
    ],
)
def test_quote_rates_its_own_cells_and_no_others(column: int, row: int, reward_bps: int) -> None:
    lo_cents = LOWEST_CENTS + row * 1_000
    named = Cell(column_start_s=FIRST_S + column * 5, lo_cents=lo_cents, hi_cents=lo_cents + 1_000)
    assert quote(1, T0_MS).reward_bps(named) == reward_bps


@pytest.mark.parametrize(
    "shift",
    [
        {"column_start_s": FIRST_S + 1},
        {"lo_cents": LOWEST_CENTS + 1, "hi_cents": LOWEST_CENTS + 1_001},
        {"hi_cents": LOWEST_CENTS + 2_000},
        {"hi_cents": LOWEST_CENTS},
    ],
)
def test_quote_does_not_rate_a_cell_off_the_grid(shift: dict[str, int]) -> None:
    assert quote(1, T0_MS).reward_bps(attrs.evolve(CELL, **shift)) == 0


def test_quote_offers_exactly_the_cells_that_it_rates() -> None:
    one = quote(1, T0_MS)
    offered = list(one.offered())
    assert len(offered) == 5
    assert all(one.reward_bps(cell) == reward_bps > 0 for cell, reward_bps, _ in offered)


def test_quote_shows_the_largest_stake_that_the_house_takes() -> None:
    capped = attrs.evolve(quote(1, T0_MS), caps=HouseCaps(payout_per_bet_micros=6_000_000))
    stakes = {cell.id: stake_max for cell, _, stake_max in capped.offered()}
    assert stakes[CELL.id] == 3_000_000


def test_quote_without_columns_rates_nothing() -> None:
    assert attrs.evolve(quote(1, T0_MS), rates=()).reward_bps(CELL) == 0


# --- the book ---------------------------------------------------------------------------------


def test_book_keeps_what_may_still_be_named_newest_first() -> None:
    made = book(*(quote(n, T0_MS + n * 1_000) for n in range(1, 7)))
    assert [one.n for one in made.quotes] == [6, 5, 4, 3]
    assert made.newest is made.quotes[0]


@pytest.mark.parametrize(("age_ms", "live"), [(0, True), (3_000, True), (3_001, False)])
def test_live_until_3_s_after_it_was_published(age_ms: int, live: bool) -> None:
    one = quote(1, T0_MS)
    assert book(one).live(1, T0_MS + age_ms) == (one if live else None)


@pytest.mark.parametrize(("since_ms", "live"), [(0, True), (2_000, True), (2_001, False)])
def test_live_until_2_s_after_it_was_replaced(since_ms: int, live: bool) -> None:
    replaced_at_ms = T0_MS + 250
    one = quote(1, T0_MS)
    made = book(one, quote(2, replaced_at_ms), quote(3, replaced_at_ms + 1_900))
    assert made.live(1, replaced_at_ms + since_ms) == (one if live else None)


@pytest.mark.parametrize("n", [0, 2, 813, -1])
def test_live_knows_only_quotes_that_were_published(n: int) -> None:
    assert book(quote(1, T0_MS)).live(n, T0_MS) is None


# --- version 1: no quote is named -------------------------------------------------------------


def test_version_1_is_paid_the_newest_rate() -> None:
    made = book(quote(1, T0_MS, 20_000), quote(2, T0_MS + 250, 17_000))
    assert paid(made, at_ms=T0_MS + 300) == Rate(reward_bps=17_000, quote_n=2)


def test_refused_when_there_is_no_quote() -> None:
    refusal = paid(QuoteBook(), at_ms=T0_MS)
    assert isinstance(refusal, Refusal)
    assert refusal.code is Code.PRICE_FEED_STALE


@pytest.mark.parametrize("named", [None, 1])
def test_refused_when_the_newest_quote_is_over_3_s_old(named: int | None) -> None:
    made = book(quote(1, T0_MS))
    assert isinstance(paid(made, at_ms=T0_MS + 3_000, named=named, least=1), Rate)
    refusal = paid(made, at_ms=T0_MS + 3_001, named=named, least=1)
    assert isinstance(refusal, Refusal)
    assert refusal.code is Code.PRICE_FEED_STALE


def test_refused_when_the_newest_quote_does_not_offer_the_cell() -> None:
    made = book(quote(1, T0_MS, 20_000), quote(2, T0_MS + 250, 0))
    for named in (None, 1, 2):
        refusal = paid(made, at_ms=T0_MS + 300, named=named, least=1)
        assert isinstance(refusal, Refusal)
        assert refusal.code is Code.CELL_UNAVAILABLE


# --- version 2: a quote and a least rate ------------------------------------------------------


@pytest.mark.parametrize("current_bps", [19_600, 19_999, 20_000, 25_000])
def test_version_2_is_paid_the_named_quote_while_it_is_live(current_bps: int) -> None:
    made = book(quote(1, T0_MS, 20_000), quote(2, T0_MS + 250, current_bps))
    found = paid(made, at_ms=T0_MS + 2_250, named=1, least=20_000)
    assert found == Rate(reward_bps=20_000, quote_n=1)


def test_version_2_has_no_grace_when_the_rate_fell_below_98_percent() -> None:
    made = book(quote(1, T0_MS, 20_000), quote(2, T0_MS + 250, 19_599))
    refusal = paid(made, at_ms=T0_MS + 300, named=1, least=20_000)
    assert isinstance(refusal, Refusal)
    assert refusal.code is Code.QUOTE_EXPIRED
    assert refusal.details == {"reward_bps": 19_599, "quote": 2}


@pytest.mark.parametrize("named", [1, 7])
def test_version_2_falls_back_to_the_current_rate_if_that_is_enough(named: int) -> None:
    made = book(quote(1, T0_MS, 20_000), quote(2, T0_MS + 250, 21_000), quote(3, T0_MS + 500))
    found = paid(made, at_ms=T0_MS + 2_251, named=named, least=20_000)
    assert found == Rate(reward_bps=20_000, quote_n=3)


def test_version_2_is_refused_when_neither_rate_is_enough() -> None:
    made = book(quote(1, T0_MS, 20_000))
    refusal = paid(made, at_ms=T0_MS, named=1, least=20_001)
    assert isinstance(refusal, Refusal)
    assert refusal.code is Code.QUOTE_EXPIRED
    assert refusal.details == {"reward_bps": 20_000, "quote": 1}


def test_version_2_takes_a_better_current_rate_than_the_named_one() -> None:
    made = book(quote(1, T0_MS, 20_000), quote(2, T0_MS + 250, 26_000))
    found = paid(made, at_ms=T0_MS + 300, named=1, least=25_000)
    assert found == Rate(reward_bps=26_000, quote_n=2)


# --- the rate in force is that of the newest tick, published or not -----------------------------


def test_the_current_rate_is_that_of_the_newest_tick_though_it_is_not_published() -> None:
    made = book(quote(1, T0_MS, 20_000)).with_unpublished(quote(1, T0_MS + 100, 15_000))
    assert made.current_bps(CELL) == 15_000
    assert made.newest == quote(1, T0_MS, 20_000), "traders still see the published rates"
    assert paid(made, at_ms=T0_MS + 100) == Rate(reward_bps=15_000, quote_n=1)
    refusal = paid(made, at_ms=T0_MS + 100, named=1, least=20_000)
    assert isinstance(refusal, Refusal)
    assert refusal.details == {"reward_bps": 15_000, "quote": 1}


@pytest.mark.parametrize("named", [None, 1])
def test_a_published_rate_is_honoured_while_the_tick_has_moved_it_little(named: int | None) -> None:
    made = book(quote(1, T0_MS, 20_000)).with_unpublished(quote(1, T0_MS + 100, 19_600))
    assert paid(made, at_ms=T0_MS + 100, named=named) == Rate(reward_bps=20_000, quote_n=1)


def test_a_cell_that_the_newest_tick_takes_off_the_market_is_not_sold() -> None:
    made = book(quote(1, T0_MS, 20_000)).with_unpublished(quote(1, T0_MS + 100, 0))
    refusal = paid(made, at_ms=T0_MS + 100, named=1, least=1)
    assert isinstance(refusal, Refusal)
    assert refusal.code is Code.CELL_UNAVAILABLE


def test_a_new_quote_replaces_what_was_not_published() -> None:
    made = book(quote(1, T0_MS, 20_000)).with_unpublished(quote(1, T0_MS + 100, 15_000))
    assert made.with_quote(quote(2, T0_MS + 250, 16_000)).current_bps(CELL) == 16_000


rates_bps = st.integers(0, 60_000)


@given(
    st.lists(st.tuples(st.integers(1, 1_500), rates_bps), min_size=1, max_size=8),
    st.integers(0, 9),
    rates_bps,
    st.integers(0, 4_000),
)
def test_no_bet_is_ever_paid_less_than_it_signed_for(
    published: list[tuple[int, int]], named: int, least_bps: int, later_ms: int
) -> None:
    at_ms = T0_MS
    made = QuoteBook()
    for n, (pause_ms, reward_bps) in enumerate(published):
        at_ms += pause_ms
        made = made.with_quote(quote(n, at_ms, reward_bps))
    current_bps = published[-1][1]
    found = paid(made, at_ms=at_ms + later_ms, named=named, least=least_bps)
    if isinstance(found, Rate):
        assert found.reward_bps == published[found.quote_n][1] > 0
        assert found.reward_bps >= least_bps
        assert current_bps * 10_000 >= found.reward_bps * 9_800
    elif found.code is Code.QUOTE_EXPIRED:
        assert current_bps < least_bps
