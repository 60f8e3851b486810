"""Ticks, and which of them enter the record.

A tick is accepted once, in the order (exchange time, trade id). What arrives behind the last
accepted one is a duplicate (after a reconnect) or late, and never enters the record. One that
jumps more than a bound from the last accepted price is held until a second one confirms it.
"""

from enum import StrEnum
from typing import Final

import attrs

from domain.limits import FEED_SKEW_MAX_MS
from domain.units import Cents, EpochMs

AHEAD_MAX_MS: Final = FEED_SKEW_MAX_MS
"""A tick further ahead of the venue's clock is left out: accepted, it would make all that follow
late until the clock had caught up. Within 2 s a stray one costs less than a DEGRADED feed."""


@attrs.frozen(kw_only=True)
class Tick:
    """One trade of the reference market; its identity is (source, trade id)."""

    source: str
    """The feed it came from; another source, or another loop of a replay, has another name."""
    trade_id: int
    price_cents: Cents
    size_e8: int
    """Traded quantity in 1e-8 BTC; 0 where the source does not say."""
    ts_ms: EpochMs
    """Exchange time."""
    recv_ms: EpochMs
    """The venue's clock when the tick arrived."""

    @property
    def order(self) -> tuple[EpochMs, int]:
        """What ticks of one source are ordered by."""
        return self.ts_ms, self.trade_id


class Rejection(StrEnum):
    """Why a tick did not enter the record, in the order it is checked."""

    AHEAD = "ahead"
    """Its exchange time lies in the future."""
    DUPLICATE = "duplicate"
    """The tick that was accepted, or held, last."""
    LATE = "late"
    """It does not come after the last accepted one."""
    HELD = "held"
    """It jumped too far. It may still enter the record, together with the one that confirms it."""


@attrs.frozen(kw_only=True)
class Acceptance:
    """What the acceptance rule remembers between ticks."""

    last: Tick | None = None
    held: Tick | None = None
    """A tick that jumped too far, waiting for a second one near it."""


@attrs.frozen(kw_only=True)
class Accepted:
    """The ticks that enter the record now, in order: none, one, or a held one and its confirmer."""

    ticks: tuple[Tick, ...] = ()
    rejection: Rejection | None = None


def accept(
    state: Acceptance, tick: Tick, *, jump_max_bps: int, ahead_max_ms: int = AHEAD_MAX_MS
) -> tuple[Acceptance, Accepted]:
    """The state after `tick`, and what it put on the record.

    `ahead_max_ms` bounds exchange time less receive time; a source with a known skew shifts it.
    """
    rejection = _rejection(state, tick, ahead_max_ms)
    if rejection is not None:
        return state, Accepted(rejection=rejection)
    if state.last is None or _near(state.last, tick, jump_max_bps):
        return Acceptance(last=tick), Accepted(ticks=(tick,))
    held = state.held
    if held is not None and _comes_after(held, tick) and _near(held, tick, jump_max_bps):
        return Acceptance(last=tick), Accepted(ticks=(held, tick))
    return attrs.evolve(state, held=tick), Accepted(rejection=Rejection.HELD)


def _rejection(state: Acceptance, tick: Tick, ahead_max_ms: int) -> Rejection | None:
    if tick.ts_ms - tick.recv_ms > ahead_max_ms:
        return Rejection.AHEAD
    if _same(state.last, tick) or _same(state.held, tick):
        return Rejection.DUPLICATE
    if state.last is not None and not (
        _comes_after(state.last, tick) or _takes_over(state.last, tick)
    ):
        return Rejection.LATE
    return None


def _same(before: Tick | None, tick: Tick) -> bool:
    return before is not None and (before.source, before.order) == (tick.source, tick.order)


def _comes_after(before: Tick, tick: Tick) -> bool:
    return tick.source == before.source and tick.order > before.order


def _takes_over(before: Tick, tick: Tick) -> bool:
    """Trade ids of two sources can't be compared: between them only time orders, and strictly."""
    return tick.source != before.source and tick.ts_ms > before.ts_ms


def _near(before: Tick, tick: Tick, jump_max_bps: int) -> bool:
    jump_cents = abs(tick.price_cents - before.price_cents)
    return jump_cents * 10_000 <= before.price_cents * jump_max_bps
