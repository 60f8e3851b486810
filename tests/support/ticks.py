"""Builders of ticks, and a worker that works where it stands, for tests of the market."""

from collections.abc import Callable
from typing import TypeVar

import trio

from domain.ticks import Tick

T = TypeVar("T")

T0_MS = 1_770_100_000_000
"""A whole minute, and the start of a column: 2026-02-03 06:26:40 UTC."""


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


class InlineWorker:
    """`Worker` without a thread, as tests and the simulation use it."""

    async def run(self, call: Callable[[], T]) -> T:
        await trio.lowlevel.checkpoint()
        return call()
