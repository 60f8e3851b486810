"""ULIDs: 48 bits of milliseconds and 80 of chance, in 26 characters of Crockford's base 32."""

from typing import Final

from domain.units import EpochMs

_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES: Final = {digit: value for value, digit in enumerate(_DIGITS)}


def made_at_ms(ulid: str) -> EpochMs:
    """When it was made. Raises KeyError for text that is no ULID."""
    moment = 0
    for digit in ulid[:10]:
        moment = moment * 32 + _VALUES[digit]
    return moment
