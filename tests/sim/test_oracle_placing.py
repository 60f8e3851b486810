"""The second judge of bets: the rules of placement as a table."""

from collections import Counter
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from simulation.oracle.books import Books, Caps
from simulation.oracle.ledger_file import Account, Key, Limits
from simulation.oracle.placing import (
    Geometry,
    Judged,
    Shown,
    Taken,
    Tap,
    account_forbids,
    has_room,
    judge,
)

USD = 1_000_000
CAPS = Caps(
    per_bet_micros=1_000 * USD,
    per_user_micros=20_000 * USD,
    per_cell_micros=30_000 * USD,
    per_column_micros=40_000 * USD,
)
GEOMETRY = Geometry(
    column_s=5,
    row_cents=1_000,
    lockout_columns=1,
    horizon_columns=12,
    presets_micros=(USD, 100 * USD),
    caps=CAPS,
)
AT_S = 1_770_100_000
AT_MS = AT_S * 1000 + 4_999
WALLET = "0x" + "ab" * 20


class Rates(NamedTuple):
    """A quote that offers one row of two columns at one rate."""

    n: int
    published_at_ms: int
    bps: int
    row_cents: int = 1_000
    column_s: int = 5
    first_column_s: int = AT_S + 10
    lowest_row_cents: int = 42_000

    @property
    def rates(self) -> tuple[tuple[int, ...], ...]:
        return ((self.bps, 0), (self.bps, 0))


NEWEST = Rates(n=8, published_at_ms=AT_MS - 500, bps=20_000)
OLD = Rates(n=7, published_at_ms=AT_MS - 1_500, bps=20_300)
SHOWN = Shown(
    now_ms=AT_MS,
    last_tick_ms=AT_MS - 100,
    is_critical=False,
    override="auto",
    held=False,
    disk_full=False,
    quotes=(NEWEST, OLD),
    unpublished=None,
)
TAP = Tap(
    wallet=WALLET,
    column_start_s=AT_S + 10,
    lo_cents=42_000,
    hi_cents=43_000,
    stake_micros=USD,
    quote_n=None,
    least_bps=None,
    key_id=None,
)
TAKEN = Judged("", 20_000, 8)


def test_a_bet_on_what_is_offered_is_paid_the_newest_quotes_rate() -> None:
    assert judge(GEOMETRY, SHOWN, TAP, AT_MS) == TAKEN


@pytest.mark.parametrize(
    ("shown", "code"),
    [
        ({"is_critical": True}, "price_feed_stale"),
        ({"is_critical": True, "override": "close"}, ""),
        ({"override": "open"}, "held"),
        ({"held": True}, "held"),
        ({"disk_full": True}, "disk_full"),
        ({"quotes": ()}, "price_feed_stale"),
        ({"quotes": (NEWEST._replace(published_at_ms=AT_MS - 3_000),)}, ""),
        ({"quotes": (NEWEST._replace(published_at_ms=AT_MS - 3_001),)}, "price_feed_stale"),
    ],
)
def test_what_the_venue_shows(shown: dict[str, Any], code: str) -> None:
    assert judge(GEOMETRY, replace(SHOWN, **shown), TAP, AT_MS).code == code


@pytest.mark.parametrize(
    ("tap", "code"),
    [
        ({"column_start_s": AT_S}, "cell_unavailable"),
        ({"column_start_s": AT_S + 5}, "cell_unavailable"),
        ({"column_start_s": AT_S + 15}, ""),
        ({"column_start_s": AT_S + 65}, "cell_unavailable"),  # placeable, but not in the quote
        ({"column_start_s": AT_S + 70}, "cell_unavailable"),
        ({"column_start_s": AT_S + 11}, "cell_unavailable"),
        ({"lo_cents": 42_001, "hi_cents": 43_001}, "cell_unavailable"),
        ({"hi_cents": 44_000}, "cell_unavailable"),
        ({"lo_cents": 43_000, "hi_cents": 44_000}, "cell_unavailable"),  # not offered
        ({"stake_micros": 2 * USD}, "bad_stake"),
        ({"stake_micros": 100 * USD}, ""),
    ],
)
def test_what_is_tapped(tap: dict[str, Any], code: str) -> None:
    assert judge(GEOMETRY, SHOWN, replace(TAP, **tap), AT_MS).code == code


def test_a_payout_above_the_cap_of_a_bet() -> None:
    dear = replace(SHOWN, quotes=(NEWEST._replace(bps=100_001),))
    tap = replace(TAP, stake_micros=100 * USD)
    assert judge(GEOMETRY, dear, tap, AT_MS).code == "exposure_limit"


def test_the_current_column_moves_on_at_its_very_end() -> None:
    """`AT_MS` is the last millisecond of its column."""
    assert judge(GEOMETRY, SHOWN, TAP, AT_MS + 1).code == "cell_unavailable"


CURRENT = Judged("", 20_000, 8)
EXPIRED = Judged("quote_expired")


@pytest.mark.parametrize(
    ("quotes", "quote_n", "least_bps", "judged"),
    [
        ((NEWEST, OLD), 7, 20_300, Judged("", 20_300, 7)),
        ((NEWEST, OLD), 7, 20_301, EXPIRED),
        ((NEWEST, OLD), 6, 20_000, CURRENT),
        ((NEWEST, OLD), 6, 20_001, EXPIRED),
        ((NEWEST, OLD._replace(bps=20_409)), 7, 20_000, CURRENT),  # 2 % off and more
        ((NEWEST, OLD._replace(bps=20_408)), 7, 20_000, Judged("", 20_408, 7)),
        ((NEWEST, OLD._replace(published_at_ms=AT_MS - 3_001)), 7, 20_000, CURRENT),
        ((NEWEST._replace(published_at_ms=AT_MS - 2_001), OLD), 7, 20_000, CURRENT),
        ((NEWEST, OLD._replace(bps=0)), 7, 20_000, CURRENT),
    ],
)
def test_a_named_quote(
    quotes: tuple[Rates, ...], quote_n: int, least_bps: int, judged: Judged
) -> None:
    tap = replace(TAP, quote_n=quote_n, least_bps=least_bps)
    assert judge(GEOMETRY, replace(SHOWN, quotes=quotes), tap, AT_MS) == judged


def test_rates_on_a_newer_tick_are_the_current_ones() -> None:
    newer = replace(SHOWN, unpublished=NEWEST._replace(bps=15_000))
    assert judge(GEOMETRY, newer, TAP, AT_MS) == Judged("", 15_000, 8)


# --- what the books say ---------------------------------------------------------------------

KEY = Key("k", 3, "s", 50 * USD, 100 * USD, AT_MS + 1, None)
LIMITS = Limits(3, None, None, 0, None, None, None, None)


def known() -> Books:
    """Books with one account and its key."""
    books = Books(CAPS)
    books.ids[WALLET] = 3
    books.accounts[3] = Account(3, WALLET, 500 * USD, 0, 0)
    books.keys["k"] = KEY
    return books


def forbids(books: Books, staked: dict[str, int] | None = None, **tap: Any) -> str:
    return account_forbids(books, replace(TAP, **tap), 5, AT_MS, Counter(staked or {}))


def test_nothing_speaks_against_an_account_in_order() -> None:
    assert forbids(known()) == ""
    assert forbids(known(), key_id="k") == ""


def test_accounts_and_columns_that_are_closed() -> None:
    books = known()
    assert forbids(books, wallet="0x") == "no_account"
    books.accounts[3] = books.accounts[3]._replace(frozen=1)
    assert forbids(books) == "frozen"
    books.voids = frozenset({TAP.column_start_s})
    assert forbids(books) == "column_given_back"
    books.judged.add((TAP.column_start_s, 5))
    assert forbids(books) == "column_has_verdict"


@pytest.mark.parametrize(
    ("key", "staked", "why"),
    [
        (KEY._replace(user_id=4), 0, "key_unknown"),
        (KEY._replace(revoked_at_ms=1), 0, "key_ended"),
        (KEY._replace(expires_at_ms=AT_MS), 0, "key_ended"),
        (KEY._replace(bet_max_micros=USD - 1), 0, "key_bet"),
        (KEY, 99 * USD, ""),
        (KEY, 99 * USD + 1, "key_day"),
    ],
)
def test_keys(key: Key, staked: int, why: str) -> None:
    books = known()
    books.keys["k"] = key
    assert forbids(books, {"k": staked}, key_id="k") == why


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (LIMITS._replace(paused_until_ms=AT_MS), ""),
        (LIMITS._replace(paused_until_ms=AT_MS + 1), "paused"),
        (LIMITS._replace(stake_max=USD - 1), "own_stake"),
        (LIMITS._replace(stake_max=USD - 1, next_stake_at_ms=AT_MS), ""),
        (LIMITS._replace(stake_max=USD - 1, next_stake_at_ms=AT_MS + 1), "own_stake"),
        (LIMITS._replace(loss_day_max=10 * USD), ""),
        (LIMITS._replace(loss_day_max=10 * USD - 1), "own_loss"),
        (LIMITS._replace(loss_day_max=0, next_loss_day_at_ms=AT_MS), ""),
    ],
)
def test_limits_of_ones_own(limits: Limits, why: str) -> None:
    books = known()
    books.limits[3] = limits
    books.lost[3, AT_MS // 86_400_000] = 9 * USD
    assert forbids(books) == why


# --- the house's limits ---------------------------------------------------------------------


def pays(**totals: int) -> Books:
    """What open bets may pay already, in dollars, and a house with a million."""
    known = Books(CAPS)
    known.ids[WALLET] = 7
    keys = {"user": "7", "cell": TAP.cell_id, "column": f"{TAP.column_start_s}_5", "total": ""}
    for scope, usd in totals.items():
        known.exposure[scope, keys[scope]] = (1, USD, usd * USD)
    known.balances[1] = 1_000_000 * USD
    return known


@pytest.mark.parametrize(
    ("totals", "is_room"),
    [
        ({}, True),
        ({"user": 19_998}, True),
        ({"user": 19_999}, False),
        ({"cell": 29_999}, False),
        ({"column": 39_999}, False),
        ({"total": 999_999}, True),
        ({"total": 1_000_000}, False),
    ],
)
def test_a_bet_of_two_dollars_payout_has_room_up_to_each_cap(
    totals: dict[str, int], is_room: bool
) -> None:
    known = pays(**totals)
    assert has_room(known, CAPS, TAP, 5, 2 * USD, []) == is_room


def test_the_batch_so_far_takes_room_too() -> None:
    known, other = pays(column=39_996), replace(TAP, wallet="0x" + "cd" * 20)
    assert has_room(known, CAPS, TAP, 5, 2 * USD, [Taken(other, 2 * USD)])
    assert not has_room(known, CAPS, TAP, 5, 2 * USD, [Taken(other, 3 * USD)])


def test_a_column_that_is_being_given_back_hides_nothing_of_the_account() -> None:
    books = known()
    books.voids = frozenset({TAP.column_start_s})
    books.accounts[3] = books.accounts[3]._replace(frozen=1)
    assert forbids(books) == "column_given_back"
    assert account_forbids(books, TAP, 5, AT_MS, Counter(), is_column_moving=True) == "frozen"
