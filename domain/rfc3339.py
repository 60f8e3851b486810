"""RFC 3339 date-times, strictly: the text form of times in sign-in messages.

`datetime.fromisoformat` takes far more (week dates, missing seconds, commas); what a wallet signs
must have one meaning, so only the grammar of RFC 3339, section 5.6, is read here.
"""

import re
from datetime import date
from typing import Final

from domain.units import EpochMs

_DATE_TIME: Final = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})T"
    r"(?P<hour>\d{2}):(?P<minute>\d{2}):(?P<second>\d{2})(?:\.(?P<fraction>\d+))?"
    r"(?:Z|(?P<sign>[+-])(?P<offset_hour>\d{2}):(?P<offset_minute>\d{2}))",
    re.ASCII | re.IGNORECASE,
)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_SECONDS_PER_DAY: Final = 86_400


def parse_date_time(text: str) -> EpochMs | None:
    """The time that `text` spells, digits finer than a millisecond dropped; None if it is none.

    The letters T and Z may be small, as the RFC has it. Second 60 is taken only where a leap second
    can be, at the end of June or December in UTC, and reads as the second after it.
    """
    found = _DATE_TIME.fullmatch(text)
    if found is None:
        return None
    hour, minute, second, offset_hour, offset_minute = (
        int(found[name] or 0)
        for name in ("hour", "minute", "second", "offset_hour", "offset_minute")
    )
    if hour > 23 or minute > 59 or second > 60 or offset_hour > 23 or offset_minute > 59:
        return None
    day = _day(int(found["year"]), int(found["month"]), int(found["day"]))
    if day is None:
        return None
    offset_s = (offset_hour * 60 + offset_minute) * (-60 if found["sign"] == "-" else 60)
    at_s = day * _SECONDS_PER_DAY + (hour * 60 + minute) * 60 + second - offset_s
    if second == 60 and not _may_be_leap(at_s - 1):
        return None
    return at_s * 1000 + int(f"{found['fraction'] or ''}000"[:3])


def _day(year: int, month: int, day: int) -> int | None:
    """Days since the epoch; None for a day that no calendar has."""
    try:
        return date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:
        return None


def _may_be_leap(last_s: int) -> bool:
    """Is `last_s`, the second before second 60, the last one of June or December?"""
    day, within_s = divmod(last_s, _SECONDS_PER_DAY)
    try:
        last_day = date.fromordinal(day + _EPOCH_DAY)
    except ValueError:  # the offset leads out of the years 1 to 9999
        return False
    ends_half_year = (last_day.month, last_day.day) in {(6, 30), (12, 31)}
    return ends_half_year and within_s == _SECONDS_PER_DAY - 1
