"""JSON of a venue of any version: fields may be missing, or hold what this version does not know.

Pure. What is not there reads `?`, and never raises: the tool is wanted most when something is off.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Self

import attrs

from actors.commands.terminal import printable

UNKNOWN: Final = "?"
COUNTED_MAX: Final = 10**18
"""JSON has numbers without end, and infinite ones; nothing that is counted comes near."""


@attrs.frozen
class Fields:
    """One JSON object."""

    values: Mapping[str, Any]

    @classmethod
    def of(cls, value: object) -> Self:
        """The object that `value` is; one without fields if it is none."""
        return cls(value if isinstance(value, Mapping) else {})

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def within(self, name: str) -> "Fields":
        """The object of that name."""
        return Fields.of(self.values.get(name))

    def rows(self, name: str) -> Iterator["Fields"]:
        """The objects of the list of that name."""
        found = self.values.get(name)
        yield from (Fields.of(row) for row in (found if isinstance(found, list) else ()))

    def number(self, name: str) -> float | None:
        """None where it is null, missing, or nothing to count with."""
        found = self.values.get(name)
        if not isinstance(found, int | float) or isinstance(found, bool):
            return None
        return found if -COUNTED_MAX <= found <= COUNTED_MAX else None

    def whole(self, name: str) -> int:
        """0 where there is none."""
        return int(self.number(name) or 0)

    def flag(self, name: str) -> bool:
        """False where there is none."""
        return self.values.get(name) is True

    def text(self, name: str) -> str:
        """In one line of what can be seen."""
        found = self.values.get(name)
        return UNKNOWN if found is None else printable(str(found))


def plain(value: object) -> str:
    """Any JSON value in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {plain(entry)}" for key, entry in value.items()) or "-"
    if isinstance(value, list):
        return "; ".join(map(plain, value)) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**12 else str(value)
    return "-" if value is None or value == "" else printable(str(value))


# --- figures ------------------------------------------------------------------------------------


def duration(seconds: object) -> str:
    """`45s`, `12m05s`, `3h04m`, `2d03h`; blank for none."""
    if not isinstance(seconds, int | float):
        return ""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days}d{hour:02}h"
    if hours:
        return f"{hours}h{minute:02}m"
    return f"{minutes}m{second:02}s" if minutes else f"{second}s"


def age(ms: float | None) -> str:
    """`0.4s`, then as `duration`."""
    if ms is None:
        return UNKNOWN
    return f"{max(0, ms) / 1000:.1f}s" if ms < 10_000 else duration(ms / 1000)


def ago(seconds: float | None, *, most_s: float | None = None) -> str:
    """`12m05s ago, limit 3h00m`; `never`."""
    if seconds is None:
        return "never"
    return f"{duration(seconds)} ago" + (f", limit {duration(most_s)}" if most_s else "")


def took(ms: float | None) -> str:
    """`76 ms`, then as `duration`."""
    if ms is None:
        return UNKNOWN
    return f"{ms:,.0f} ms" if ms < 10_000 else duration(ms / 1000)


def usd(micros: float | None) -> str:
    """`1,234.56`, rounded towards zero."""
    if micros is None:
        return UNKNOWN
    cents = abs(int(micros)) // 10_000
    sign = "-" if micros < 0 and cents else ""
    return f"{sign}{cents // 100:,}.{cents % 100:02}"


def bytes_of(count: float | None) -> str:
    """`512 B`, `4.2 KiB`, `71 GiB`."""
    if count is None:
        return UNKNOWN
    units = ("B", "KiB", "MiB", "GiB", "TiB")
    step = 0
    while count >= 1024 and step < len(units) - 1:
        count, step = count / 1024, step + 1
    return (
        f"{count:.0f} {units[step]}" if step == 0 or count >= 100 else f"{count:.1f} {units[step]}"
    )


def percent(part: float, whole: float) -> str:
    """`0.4 %`, `72 %`, rounded down: no threshold seems to be reached that is not."""
    if whole <= 0:
        return UNKNOWN
    tenths = int(part) * 1000 // int(whole)
    return f"{tenths / 10} %" if 0 < tenths < 100 else f"{tenths // 10} %"


def bar(part: float, whole: float, marks: tuple[float | None, ...], *, width: int = 20) -> str:
    """`[#####....|..|.]`: the share, with thresholds given in percent."""
    share = min(1.0, max(0.0, part / whole)) if whole > 0 else 0.0
    filled = int(share * width)
    drawn = ["#"] * filled + ["."] * (width - filled)
    for mark in marks:
        place = int((mark or 0) * width / 100)
        if filled <= place < width and mark:
            drawn[place] = "|"
    return f"[{''.join(drawn)}]"
