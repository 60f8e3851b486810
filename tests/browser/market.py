"""An exchange whose price a test decides, in real time: it speaks as Binance does."""

import math
import time

import attrs
import trio

from tests.support.exchange_server import Session, binance_frame

EVERY_S = 0.1
SWING_CENTS = 30
"""The price sways by so much around where it was put: one that stands still looks broken. So little
that a tap is not refused because the rate has moved meanwhile."""
SWING_S = 1.7


@attrs.define
class Market:
    """Trades ten times a second around `price_cents`, unless it is silent."""

    price_cents: int
    is_silent: bool = False
    _last_id: int = 0

    async def play(self, session: Session) -> None:
        """The script of every connection, the first and those after a loss."""
        while True:
            if not self.is_silent:
                self._last_id += 1
                now_ms = time.time_ns() // 1_000_000
                await session.send(binance_frame(self._last_id, now_ms, self._text(now_ms)))
            await trio.sleep(EVERY_S)

    def _text(self, now_ms: int) -> str:
        swing = SWING_CENTS * math.sin(now_ms / 1000 / SWING_S)
        cents = self.price_cents + round(swing)
        return f"{cents // 100}.{cents % 100:02}000000"
