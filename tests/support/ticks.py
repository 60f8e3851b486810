"""A builder of ticks, for tests of the market."""

from domain.ticks import Tick

T0_MS = 1_770_100_000_000
"""2026-02-03 06:26:40 UTC: the start of a column, whether of 1, 2, 5 or 10 seconds."""


def tick(
    at_ms: int,
    price_cents: int = 6_500_000,
    *,
    trade_id: int | None = None,
    recv_ms: int | None = None,
    source: str = "binance",
) -> Tick:
    """A trade at exchange time `at_ms`, received at that moment unless `recv_ms` says otherwise."""
    return Tick(
        source=source,
        trade_id=at_ms if trade_id is None else trade_id,
        price_cents=price_cents,
        size_e8=1_000_000,
        ts_ms=at_ms,
        recv_ms=at_ms if recv_ms is None else recv_ms,
    )
