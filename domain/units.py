"""Units of tapgrid and how text becomes a number of them.

Money, prices and rates are integers from one edge of the system to the other. An amount in text
must be the one canonical spelling of its number, so that what was signed, sent and stored compare
equal as text too.
"""

from typing import Final, TypeAlias

Micros: TypeAlias = int
"""Money: 1 USD = 1,000,000 micros, the base unit of USDC."""
Cents: TypeAlias = int
"""A price of one BTC: 1 USD = 100 cents."""
Bps: TypeAlias = int
"""A rate in basis points: 18_500 pays 1.85 x the stake."""
EpochMs: TypeAlias = int
"""Milliseconds since 1970-01-01 UTC."""
EpochS: TypeAlias = int
"""Seconds since 1970-01-01 UTC."""
BetId: TypeAlias = str
"""A ULID, made by the Gateway before the bet enters the venue."""

MICROS_PER_USD: Final = 1_000_000
MICROS_MAX: Final = 10**15
"""A billion USD: no amount in a request is larger, so that no sum nears SQLite's 2**63."""


def payout_micros(stake_micros: Micros, reward_bps: Bps) -> Micros:
    """What a won bet pays; the remainder of the division stays with the house."""
    return stake_micros * reward_bps // 10_000


def parse_natural(text: object) -> int | None:
    """The non-negative integer that `text` (an int, or its canonical decimal digits) spells.

    None for anything else: signs, spaces, leading zeros, fractions, booleans, or more than 18
    digits. "007" and "7" would be two spellings of one signed amount, so only "7" is taken.
    """
    if isinstance(text, bool):
        return None
    if isinstance(text, int):
        return text if 0 <= text < 10**18 else None
    if not isinstance(text, str) or not 1 <= len(text) <= 18:
        return None
    if not (text.isascii() and text.isdigit()):
        return None
    number = int(text)
    return number if str(number) == text else None


def cents_from_decimal(text: str) -> Cents:
    """A price in decimal USD ("42005.125") as cents; finer prices round half up.

    Raises ValueError unless the text is plain decimal digits with at most one point.
    """
    whole, point, fraction = text.partition(".")
    digits = whole + fraction
    if not (digits.isascii() and digits.isdigit()) or (point and not fraction) or not whole:
        raise ValueError(f"not a decimal price: {text[:40]!r}")
    cents = int(whole) * 100 + int((fraction + "00")[:2])
    return cents + (1 if fraction[2:3] >= "5" else 0)


def e8_from_decimal(text: str) -> int:
    """A quantity in decimal BTC as units of 1e-8 BTC; finer digits are dropped.

    Raises ValueError unless the text is plain decimal digits with at most one point.
    """
    whole, _, fraction = text.partition(".")
    digits = whole + fraction
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"not a decimal quantity: {text[:40]!r}")
    return int(whole or "0") * 10**8 + int((fraction + "0" * 8)[:8])
