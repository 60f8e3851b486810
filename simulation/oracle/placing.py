"""May this bet be placed, and what is it paid? The rules of placement in their own words.

Written from `product.md` ("Placement rules") with the one difference that is on record: a named
quote is honoured while the current rate is at least 98 % of it, not 85 %, and the current rate is
that of the newest tick (docs/decisions/0008).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from simulation.oracle.books import Books, Caps
from simulation.oracle.ledger_file import HOUSE
from simulation.oracle.standing import DAY_MS, in_force

LIVE_MS: Final = 3_000
REPLACED_MS: Final = 2_000
GRACE_PERCENT: Final = 98

PLACEABLE: Final = ""
"""No rule speaks against it."""


class Quote(Protocol):
    """A published set of rates."""

    @property
    def n(self) -> int: ...
    @property
    def published_at_ms(self) -> int: ...
    @property
    def row_cents(self) -> int: ...
    @property
    def column_s(self) -> int: ...
    @property
    def first_column_s(self) -> int: ...
    @property
    def lowest_row_cents(self) -> int: ...
    @property
    def rates(self) -> Sequence[Sequence[int]]: ...


@dataclass(frozen=True)
class Geometry:
    """The settings that placement obeys."""

    column_s: int
    row_cents: int
    lockout_columns: int
    horizon_columns: int
    presets_micros: tuple[int, ...]
    caps: Caps


@dataclass(frozen=True)
class Shown:
    """What the venue showed when a batch was judged."""

    now_ms: int
    """By the venue's wall clock."""
    last_tick_ms: int
    """Exchange time of the newest accepted tick."""
    is_critical: bool
    override: str
    held: bool
    disk_full: bool
    quotes: Sequence[Quote]
    """Newest first."""
    unpublished: Quote | None
    """The rates on a tick newer than the newest quote."""


@dataclass(frozen=True)
class Tap:
    """A bet as it was asked for."""

    wallet: str
    column_start_s: int
    lo_cents: int
    hi_cents: int
    stake_micros: int
    quote_n: int | None
    least_bps: int | None
    key_id: str | None

    @property
    def cell_id(self) -> str:
        return f"{self.column_start_s}_{self.lo_cents}_{self.hi_cents}"


@dataclass(frozen=True)
class Taken:
    """A bet that was confirmed, and what it may pay."""

    tap: Tap
    pays_micros: int


@dataclass(frozen=True)
class Judged:
    """The refusal that the rules give, or (PLACEABLE) the rate."""

    code: str
    reward_bps: int = 0
    quote_n: int = 0


def judge(geometry: Geometry, shown: Shown, tap: Tap, at_ms: int) -> Judged:
    """By all rules that need no ledger, in their order."""
    if shown.is_critical and shown.override != "close":
        return Judged("price_feed_stale")
    if shown.held or shown.override == "open":
        return Judged("held")
    if shown.disk_full:
        return Judged("disk_full")
    if not _placeable(geometry, tap, at_ms):
        return Judged("cell_unavailable")
    if tap.stake_micros not in geometry.presets_micros:
        return Judged("bad_stake")
    paid = _rate(shown, tap, at_ms)
    if (
        not paid.code
        and tap.stake_micros * paid.reward_bps // 10_000 > geometry.caps.per_bet_micros
    ):
        return Judged("exposure_limit")
    return paid


def _placeable(geometry: Geometry, tap: Tap, at_ms: int) -> bool:
    """On the grid, and in a column after those that have begun to be known."""
    if tap.column_start_s % geometry.column_s or tap.lo_cents % geometry.row_cents:
        return False
    if tap.hi_cents - tap.lo_cents != geometry.row_cents:
        return False
    ahead = tap.column_start_s // geometry.column_s - at_ms // (1000 * geometry.column_s)
    first = geometry.lockout_columns + 1
    return first <= ahead < first + geometry.horizon_columns


def _rate(shown: Shown, tap: Tap, at_ms: int) -> Judged:
    if not shown.quotes or at_ms - shown.quotes[0].published_at_ms > LIVE_MS:
        return Judged("price_feed_stale")
    newest = shown.quotes[0]
    current = _offered(shown.unpublished or newest, tap)
    if not current:
        return Judged("cell_unavailable")
    least = tap.least_bps or 0
    named = newest if tap.quote_n is None else _live(shown.quotes, tap.quote_n, at_ms)
    quoted = _offered(named, tap) if named is not None else 0
    in_grace = current * 100 >= quoted * GRACE_PERCENT
    if named is not None and quoted and quoted >= least and in_grace:
        return Judged(PLACEABLE, quoted, named.n)
    if current >= least:
        return Judged(PLACEABLE, current, newest.n)
    return Judged("quote_expired")


def _live(quotes: Sequence[Quote], n: int, at_ms: int) -> Quote | None:
    for place, quote in enumerate(quotes):
        if quote.n != n:
            continue
        if at_ms - quote.published_at_ms > LIVE_MS:
            return None
        if place and at_ms - quotes[place - 1].published_at_ms > REPLACED_MS:
            return None
        return quote
    return None


def _offered(quote: Quote, tap: Tap) -> int:
    """The cell's rate in that quote; 0: it is not in it."""
    for number, rates in enumerate(quote.rates):
        if quote.first_column_s + number * quote.column_s != tap.column_start_s:
            continue
        row = (tap.lo_cents - quote.lowest_row_cents) // quote.row_cents
        return rates[row] if 0 <= row < len(rates) else 0
    return 0


# --- what the ledger knows ------------------------------------------------------------------


def account_forbids(
    books: Books,
    tap: Tap,
    column_s: int,
    at_ms: int,
    staked: Counter[str],
    *,
    is_column_moving: bool = False,
) -> str:
    """Why the trader may not place it, as the books stood before; empty if nothing speaks against.

    What holds on a frozen account, on a key that is revoked, spent or too small, and on limits of
    one's own; and a column that has its verdict or is given back. `staked`: since then, by key and
    by wallet. `is_column_moving`: what is in hand ends it, or gives it back; before or after.
    """
    user_id = books.ids.get(tap.wallet)
    if user_id is None:
        return "no_account"
    if not is_column_moving and (tap.column_start_s, column_s) in books.judged:
        return "column_has_verdict"
    if not is_column_moving and tap.column_start_s in books.voids:
        return "column_given_back"
    if books.accounts[user_id].frozen:
        return "frozen"
    return _key_forbids(books, tap, user_id, at_ms, staked) or _limits_forbid(
        books, tap, user_id, at_ms, staked
    )


def _key_forbids(books: Books, tap: Tap, user_id: int, at_ms: int, staked: Counter[str]) -> str:
    if tap.key_id is None:
        return ""
    key = books.keys.get(tap.key_id)
    if key is None or key.user_id != user_id:
        return "key_unknown"
    if key.revoked_at_ms is not None or key.expires_at_ms <= at_ms:
        return "key_ended"
    if tap.stake_micros > key.bet_max_micros:
        return "key_bet"
    spent = books.key_stakes[key.id, at_ms // DAY_MS] + staked[key.id]
    return "key_day" if spent + tap.stake_micros > key.day_max_micros else ""


def _limits_forbid(books: Books, tap: Tap, user_id: int, at_ms: int, staked: Counter[str]) -> str:
    limits = books.limits.get(user_id)
    if limits is None:
        return ""
    if limits.paused_until_ms > at_ms:
        return "paused"
    stake_max, loss_max = in_force(limits, at_ms)
    if stake_max is not None and tap.stake_micros > stake_max:
        return "own_stake"
    day = at_ms // DAY_MS
    if loss_max is None or day == books.blurred_day:
        return ""
    lost = books.lost[user_id, day] + staked[tap.wallet]
    return "own_loss" if lost + tap.stake_micros > loss_max else ""


def has_room(
    books: Books, caps: Caps, tap: Tap, column_s: int, pays_micros: int, taken: Sequence[Taken]
) -> bool:
    """May the house take it? With its stake in, all open bets can be paid, and no cap of account,
    cell or column is passed. `taken`: since the books were looked at."""
    totals = (
        ("user", str(books.ids[tap.wallet]), caps.per_user_micros, "wallet"),
        ("cell", tap.cell_id, caps.per_cell_micros, "cell_id"),
        ("column", f"{tap.column_start_s}_{column_s}", caps.per_column_micros, "column_start_s"),
    )
    for scope, key, most_micros, field in totals:
        pays = books.exposure.get((scope, key), (0, 0, 0))[2] + pays_micros
        mine = getattr(tap, field)
        pays += sum(one.pays_micros for one in taken if getattr(one.tap, field) == mine)
        if pays > most_micros:
            return False
    has = books.balances[HOUSE] + tap.stake_micros + sum(one.tap.stake_micros for one in taken)
    owes = books.exposure["total", ""][2] + pays_micros + sum(one.pays_micros for one in taken)
    return owes <= has
