"""Amounts and prices in text and in whole numbers."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.units import cents_from_decimal, e8_from_decimal, parse_natural, payout_micros


@pytest.mark.parametrize(
    ("stake_micros", "reward_bps", "payout"),
    [
        (1_000_000, 18_500, 1_850_000),
        (1_000_000, 10_000, 1_000_000),
        (3, 15_000, 4),
        (1, 9_999, 0),
        (100_000_000, 1_000_000, 10_000_000_000),
    ],
)
def test_payout_keeps_the_remainder_with_the_house(
    stake_micros: int, reward_bps: int, payout: int
) -> None:
    assert payout_micros(stake_micros, reward_bps) == payout


@given(st.integers(0, 10**15), st.integers(0, 10**7))
def test_payout_is_exact_however_large(stake_micros: int, reward_bps: int) -> None:
    payout = payout_micros(stake_micros, reward_bps)
    assert payout * 10_000 <= stake_micros * reward_bps < (payout + 1) * 10_000


@pytest.mark.parametrize(
    ("given_", "number"),
    [("0", 0), ("7", 7), ("1000000", 1_000_000), ("9" * 18, 10**18 - 1), (0, 0), (42, 42)],
)
def test_natural(given_: object, number: int) -> None:
    assert parse_natural(given_) == number


@pytest.mark.parametrize(
    "given_",
    [
        *("", " ", "007", "00", "+7", "-7", "-0", "7 ", " 7", "7\n", "7.0", "1e6", "1_000", "0x7"),
        *("٧", "７", "²", "9" * 19, "1" + "0" * 18),
        *(-1, 10**18, 7.0, True, False, None, b"7", ["7"]),
    ],
    ids=repr,
)
def test_natural_takes_the_canonical_spelling_only(given_: object) -> None:
    assert parse_natural(given_) is None


@given(st.integers(0, 10**18 - 1))
def test_natural_reads_what_it_writes(number: int) -> None:
    assert parse_natural(str(number)) == parse_natural(number) == number


@given(st.text(max_size=20))
def test_natural_that_reads_is_spelled_as_written(text: str) -> None:
    number = parse_natural(text)
    assert number is None or str(number) == text


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("42005", 4_200_500),
        ("42005.1", 4_200_510),
        ("42005.12", 4_200_512),
        ("42005.124", 4_200_512),
        ("42005.125", 4_200_513),
        ("42005.1249999", 4_200_512),
        ("42005.12500000", 4_200_513),
        ("42005.999", 4_200_600),
        ("0.005", 1),
        ("0.00499", 0),
        ("007.5", 750),
    ],
)
def test_price_rounds_half_up_to_cents(text: str, cents: int) -> None:
    assert cents_from_decimal(text) == cents


@pytest.mark.parametrize(
    "text", ["", ".", "1.", ".5", "-1", "+1", "1e5", "1,5", "1.2.3", "٣", " 1"]
)
def test_price_refuses_what_is_not_plain_decimal(text: str) -> None:
    with pytest.raises(ValueError, match="not a decimal price"):
        cents_from_decimal(text)


@given(st.decimals(min_value=0, max_value=10**9, places=8))
def test_price_agrees_with_decimal_arithmetic(price: Decimal) -> None:
    expected = (price * 100).to_integral_value(rounding=ROUND_HALF_UP)
    assert cents_from_decimal(f"{price:f}") == int(expected)


@pytest.mark.parametrize(
    ("text", "e8"),
    [
        ("1", 10**8),
        ("0.00000001", 1),
        ("0.000000019", 1),
        ("12.5", 1_250_000_000),
        (".5", 5 * 10**7),
    ],
)
def test_quantity_drops_digits_finer_than_a_satoshi(text: str, e8: int) -> None:
    assert e8_from_decimal(text) == e8


@pytest.mark.parametrize("text", ["", ".", "-1", "1e5", "1.2.3", "x"])
def test_quantity_refuses_what_is_not_plain_decimal(text: str) -> None:
    with pytest.raises(ValueError, match="not a decimal quantity"):
        e8_from_decimal(text)
