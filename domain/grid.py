"""The grid: cells, their ids, and which columns may be tapped.

A column is a half-open time window `[start, start + width)` aligned to the epoch; a row is a
closed price range `[lo, hi]` aligned to multiples of the row height. A cell is one of each.
"""

import attrs

from domain.units import Cents, EpochMs, EpochS, parse_natural

SECONDS_PER_DAY = 86_400


@attrs.frozen(kw_only=True, order=True)
class Cell:
    """One column x one row, as a bet names it. Its width is the grid's, so it is not in the id."""

    column_start_s: EpochS
    lo_cents: Cents
    hi_cents: Cents

    @property
    def id(self) -> str:
        """The canonical spelling, e.g. `1770100000_4200000_4201000`."""
        return f"{self.column_start_s}_{self.lo_cents}_{self.hi_cents}"


def parse_cell_id(text: object) -> Cell | None:
    """The cell that `text` spells canonically, or None. Whether it is on the grid is not asked."""
    parts = text.split("_") if isinstance(text, str) and len(text) <= 60 else []
    numbers = [parse_natural(part) for part in parts]
    if len(numbers) != 3 or None in numbers:
        return None
    start_s, lo_cents, hi_cents = (number for number in numbers if number is not None)
    return Cell(column_start_s=start_s, lo_cents=lo_cents, hi_cents=hi_cents)


@attrs.frozen(kw_only=True)
class Grid:
    """The geometry in force. Raises ValueError when its numbers can't make a grid."""

    column_s: int = 5
    row_cents: Cents = 1_000
    rows: int = 40
    lockout_columns: int = 1
    """Columns after the current one that can't be tapped any more."""
    horizon_columns: int = 12

    def __attrs_post_init__(self) -> None:
        if self.column_s < 1 or SECONDS_PER_DAY % self.column_s:
            raise ValueError("grid.column_s must divide 86,400")
        if min(self.row_cents, self.rows, self.horizon_columns) < 1 or self.lockout_columns < 0:
            raise ValueError("grid numbers must be positive")

    def column_start_s(self, at_ms: EpochMs) -> EpochS:
        """Start of the column that `at_ms` falls in."""
        at_s = at_ms // 1000
        return at_s - at_s % self.column_s

    def placeable_starts_s(self, at_ms: EpochMs) -> range:
        """Starts of the columns that may be tapped: by default current + 2 to current + 13."""
        first = self.column_start_s(at_ms) + (self.lockout_columns + 1) * self.column_s
        return range(first, first + self.horizon_columns * self.column_s, self.column_s)

    def lowest_row_cents(self, price_cents: Cents) -> Cents:
        """Low edge of the lowest of `rows` rows with the price's own row in the middle."""
        own = price_cents - price_cents % self.row_cents
        return max(0, own - (self.rows // 2) * self.row_cents)

    def on_grid(self, cell: Cell) -> bool:
        """Is the cell aligned to this grid, one row high, whatever its time?"""
        return (
            cell.column_start_s % self.column_s == 0
            and cell.lo_cents % self.row_cents == 0
            and cell.hi_cents == cell.lo_cents + self.row_cents
        )


def current_ms(*, now_ms: EpochMs, newest_tick_ms: EpochMs, high_ms: EpochMs) -> EpochMs:
    """The time by which columns are judged placeable: it never goes back.

    `high_ms` is the highest such time ever used (kept in the ledger over restarts), so that a
    clock stepped backwards can't make a known past tappable.
    """
    return max(now_ms, newest_tick_ms, high_ms)
