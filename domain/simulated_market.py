"""A simulated BTC market for demo mode: trades from one seed, the same for the same seed.

The price is a geometric Brownian motion whose volatility wanders (its logarithm reverts to a mean
within minutes, so that calm and busy stretches follow one another) and which jumps now and then;
together they have the annual volatility asked for. Orders arrive as a Poisson process, broken by
pauses below two seconds; each takes from one to a few makers, which print at the same moment. A
print stands on the bid or the ask, some cents around the price.

All randomness comes from a generator in the state (splitmix64), so `step` is a pure function and a
market can be stopped, stored and gone on with. Floats stay inside; what comes out is whole cents.
"""

import math
from statistics import NormalDist
from typing import Final

import attrs

from domain.units import Bps, Cents

SECONDS_PER_YEAR: Final = 365.25 * 86_400
JUMP_SHARE: Final = 0.1
"""Jumps make a tenth of the variance: of 60 % a year, some 0.06 % each at five minutes apart."""
JUMP_EVERY_S: Final = 300.0
LOG_VOLATILITY_SD: Final = 0.35
"""Two times in three the volatility is between 0.7 and 1.4 times its mean."""
VOLATILITY_MEMORY_S: Final = 240.0
PAUSE_PROBABILITY: Final = 0.004
PAUSE_MIN_MS: Final = 500
PAUSE_MAX_MS: Final = 1_900
"""Below the 3 s after which a feed counts as DEGRADED."""
ANOTHER_MAKER_PROBABILITY: Final = 0.35
PRINTS_MAX: Final = 6
SPREAD_CENTS_MAX: Final = 30
SIZE_E8_MEAN: Final = 1_500_000
"""0.015 BTC, heavy-tailed."""

_MASK: Final = 2**64 - 1
_NORMAL: Final = NormalDist()


@attrs.frozen(kw_only=True)
class MarketRule:
    """What the market is like; checked when it is made."""

    annual_volatility_bps: Bps = attrs.field(
        default=6_000, validator=[attrs.validators.ge(0), attrs.validators.le(100_000)]
    )
    """6_000 is 60 % a year: some 7 USD in a second at 65,000 USD."""
    ticks_per_s: int = attrs.field(
        default=8, validator=[attrs.validators.ge(1), attrs.validators.le(1_000)]
    )
    """Prints a second, on average; at 1 the longest waits are cut at two seconds."""


@attrs.frozen(kw_only=True)
class Market:
    """The state of the market between two orders."""

    elapsed_ms: int
    """Since the market began."""
    log_price: float
    """Natural logarithm of the price in cents."""
    log_volatility: float
    """How far the volatility is from its mean, as a logarithm."""
    random_state: int


@attrs.frozen(kw_only=True)
class Print:
    """One trade of an order."""

    price_cents: Cents
    size_e8: int


def open_market(*, seed: int, price_cents: Cents) -> Market:
    """A market at its first moment. Raises ValueError unless the price is above zero."""
    if price_cents <= 0:
        raise ValueError(f"a price must be above zero, not {price_cents}")
    return Market(
        elapsed_ms=0,
        log_price=math.log(price_cents),
        log_volatility=0.0,
        random_state=_mixed(seed),
    )


def step(market: Market, rule: MarketRule) -> tuple[Market, tuple[Print, ...]]:
    """The market after its next order, and that order's prints, at least one, at one moment.

    The moment is the new market's `elapsed_ms`, later than the old one's.
    """
    draw = _Draws(market.random_state)
    wait_ms = _wait_ms(draw, rule)
    log_volatility = _next_log_volatility(draw, market.log_volatility, wait_ms / 1000)
    log_price = market.log_price + _log_return(draw, rule, log_volatility, wait_ms / 1000)
    prints = _prints(draw, max(1, round(math.exp(log_price))))
    after = Market(
        elapsed_ms=market.elapsed_ms + wait_ms,
        log_price=log_price,
        log_volatility=log_volatility,
        random_state=draw.state,
    )
    return after, prints


class _Draws:
    """The random numbers of one step; `state` is what the next one goes on from."""

    def __init__(self, state: int) -> None:
        self.state = state

    def uniform(self) -> float:
        """Evenly from the open interval (0, 1)."""
        self.state = (self.state + 0x9E3779B97F4A7C15) & _MASK
        return (_mixed(self.state) >> 12) / 2**52 + 2**-53

    def normal(self) -> float:
        return _NORMAL.inv_cdf(self.uniform())


def _mixed(value: int) -> int:
    """The output function of splitmix64."""
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & _MASK
    return value ^ (value >> 31)


def _wait_ms(draw: _Draws, rule: MarketRule) -> int:
    """At least 1 ms, so that two orders never print at the same moment."""
    if draw.uniform() < PAUSE_PROBABILITY:
        return PAUSE_MIN_MS + int(draw.uniform() * (PAUSE_MAX_MS - PAUSE_MIN_MS))
    orders_per_s = rule.ticks_per_s * (1 - ANOTHER_MAKER_PROBABILITY)
    wait_ms = -math.log(draw.uniform()) * 1000 / orders_per_s
    return max(1, min(PAUSE_MAX_MS, round(wait_ms)))


def _next_log_volatility(draw: _Draws, log_volatility: float, wait_s: float) -> float:
    """An exact step of an Ornstein-Uhlenbeck process."""
    kept = math.exp(-wait_s / VOLATILITY_MEMORY_S)
    return log_volatility * kept + LOG_VOLATILITY_SD * math.sqrt(1 - kept * kept) * draw.normal()


def _log_return(draw: _Draws, rule: MarketRule, log_volatility: float, wait_s: float) -> float:
    variance_per_s = (rule.annual_volatility_bps / 10_000) ** 2 / SECONDS_PER_YEAR
    # The mean of exp(2 x) over x ~ N(0, sd) is exp(2 sd**2): taken out, the variance is as asked.
    wandering = math.exp(2 * (log_volatility - LOG_VOLATILITY_SD**2))
    variance = variance_per_s * (1 - JUMP_SHARE) * wandering * wait_s
    moved = math.sqrt(variance) * draw.normal() - variance / 2
    if draw.uniform() < wait_s / JUMP_EVERY_S:
        moved += math.sqrt(variance_per_s * JUMP_SHARE * JUMP_EVERY_S) * draw.normal()
    return moved


def _prints(draw: _Draws, price_cents: Cents) -> tuple[Print, ...]:
    """A buyer's order walks up the asks, a seller's down the bids."""
    side = 1 if draw.uniform() < 0.5 else -1
    spread_cents = 1 + int(draw.uniform() ** 3 * SPREAD_CENTS_MAX)
    level_cents = price_cents + (side * spread_cents) // 2
    prints = [_print(draw, level_cents)]
    while len(prints) < PRINTS_MAX and draw.uniform() < ANOTHER_MAKER_PROBABILITY:
        if draw.uniform() < 0.3:
            level_cents += side
        prints.append(_print(draw, level_cents))
    return tuple(prints)


def _print(draw: _Draws, price_cents: Cents) -> Print:
    size_e8 = int(SIZE_E8_MEAN * draw.uniform() ** -0.4 / 1.6)
    return Print(price_cents=max(1, price_cents), size_e8=max(1, size_e8))
