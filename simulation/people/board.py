"""What is offered: the newest quotes, as whoever is subscribed has seen them, for all to read.

One trader's socket is sent the grid; were it sent to each of them, half of a run would be frames.
"""

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

import attrs

KEPT: Final = 12
ROW_OFFSETS: Final = (0, 1, -1, 2, -2, 3, -3, 4, -4)


@attrs.frozen(kw_only=True)
class Seen:
    """One quote."""

    n: int
    at_s: float
    first_column_s: int
    lowest_row_cents: int
    rows: int
    rates: list[int]


class Board:
    """The geometry and the newest quotes."""

    def __init__(self) -> None:
        self.wallets: list[str] = []
        """Of all traders: no secret."""
        self.column_s = 0
        """0: nobody has seen the grid yet."""
        self.row_cents = 0
        self.lockout_columns = 0
        self.rule = ""
        """By which bets are judged, as `GET /api/grid` has it."""
        self.presets_micros: tuple[int, ...] = ()
        self.price_cents = 0
        self.quotes: deque[Seen] = deque(maxlen=KEPT)
        self.held_since_s: float | None = None
        """Since when the operator knows that betting is on hold; None as soon as it may be over."""
        self.asked_s = -10.0
        """When somebody last asked for the grid."""

    @property
    def is_known(self) -> bool:
        """Is there a geometry, and a price to place cells by?"""
        return self.column_s > 0 and self.price_cents > 0

    def grid(self, answer: Mapping[str, Any]) -> None:
        """`GET /api/grid`."""
        self.column_s, self.row_cents = answer["column_s"], answer["row_cents"]
        self.lockout_columns, self.rule = answer["lockout_columns"], answer["rule"]
        self.presets_micros = tuple(answer["presets_micros"])
        if answer["quote"] is not None:
            self.price_cents = answer["quote"]["price_cents"]

    def frame(self, frame: Mapping[str, Any], now_s: float) -> None:
        """A frame of the channel `grid`."""
        if frame["n"] is None or (self.quotes and self.quotes[-1].n == frame["n"]):
            return
        self.price_cents = frame["price_cents"]
        self.quotes.append(
            Seen(
                n=frame["n"],
                at_s=now_s,
                first_column_s=frame["first_column_s"],
                lowest_row_cents=frame["lowest_row_cents"],
                rows=frame["rows"],
                rates=frame["rates"],
            )
        )

    def cell_id(self, *, now_ms: int, column: int, row: int) -> str:
        """The cell so many columns after the first that can be tapped, so many rows above that of
        the price."""
        current_s = now_ms // 1000 - now_ms // 1000 % self.column_s
        start_s = current_s + (self.lockout_columns + 1 + column) * self.column_s
        lowest = self.price_cents - self.price_cents % self.row_cents + row * self.row_cents
        return f"{start_s}_{lowest}_{lowest + self.row_cents}"

    def rate_bps(self, quote: Seen, cell_id: str) -> int:
        """What a quote pays for that cell; 0 if it is not in it."""
        start_s, lowest_cents = (int(part) for part in cell_id.split("_")[:2])
        column = (start_s - quote.first_column_s) // self.column_s
        row = (lowest_cents - quote.lowest_row_cents) // self.row_cents
        at = column * quote.rows + row
        is_in = column >= 0 and 0 <= row < quote.rows and at < len(quote.rates)
        return quote.rates[at] if is_in else 0
