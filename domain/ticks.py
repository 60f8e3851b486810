"""Ticks, and which of them enter the record.

A tick is accepted once, in the order (exchange time, trade id). What arrives behind the last
accepted one is a duplicate (after a reconnect) or late, and never enters the record. One that
jumps more than a bound from the last accepted price is held until a second one confirms it.
"""

from enum import StrEnum

import attrs

from domain.units import Cents, EpochMs


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
    """Why a tick did not enter the record."""

    DUPLICATE = "duplicate"
    LATE = "late"
    HELD = "held"


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


def accept(state: Acceptance, tick: Tick, *, jump_max_bps: int) -> tuple[Acceptance, Accepted]:
    """The state after `tick`, and what it put on the record."""
    last = state.last
    if last is None:
        return Acceptance(last=tick), Accepted(ticks=(tick,))
    if tick.ts_ms < last.ts_ms or (tick.source == last.source and tick.order <= last.order):
        repeated = tick.source == last.source and tick.order == last.order
        return state, Accepted(rejection=Rejection.DUPLICATE if repeated else Rejection.LATE)
    if _near(last, tick, jump_max_bps):
        return Acceptance(last=tick), Accepted(ticks=(tick,))
    held = state.held
    if held is not None and held.order < tick.order and _near(held, tick, jump_max_bps):
        return Acceptance(last=tick), Accepted(ticks=(held, tick))
    return attrs.evolve(state, held=tick), Accepted(rejection=Rejection.HELD)


def _near(before: Tick, tick: Tick, jump_max_bps: int) -> bool:
    jump_cents = abs(tick.price_cents - before.price_cents)
    return jump_cents * 10_000 <= before.price_cents * jump_max_bps
