"""The text that a bet signs, byte for byte (reference ADR-007)."""

import pytest

from domain.signed_text import BetText


def bet_text(*, least_bps: int | None = None, quote_n: int | None = None) -> BetText:
    return BetText(
        cell_id="1770100010_4200000_4201000",
        stake_micros=1_000_000,
        nonce="7f1d7e5c-8f0a-4c39-9a4e-0d9a6d3a9d11",
        timestamp_s=1_770_100_003,
        chain_id=31337,
        least_bps=least_bps,
        quote_n=quote_n,
    )


def test_version_1() -> None:
    assert bet_text().version == 1
    assert bet_text().render() == (
        "Tap Trading Bet\n"
        "Action: place_bet\n"
        "Cell: 1770100010_4200000_4201000\n"
        "Amount: 1000000\n"
        "Nonce: 7f1d7e5c-8f0a-4c39-9a4e-0d9a6d3a9d11\n"
        "Timestamp: 1770100003\n"
        "Chain: 31337\n"
        "Version: 1"
    )


def test_version_2_binds_the_least_rate_and_the_quote() -> None:
    text = bet_text(least_bps=18_500, quote_n=812)
    assert text.version == 2
    assert text.render() == (
        "Tap Trading Bet\n"
        "Action: place_bet\n"
        "Cell: 1770100010_4200000_4201000\n"
        "Amount: 1000000\n"
        "Nonce: 7f1d7e5c-8f0a-4c39-9a4e-0d9a6d3a9d11\n"
        "Timestamp: 1770100003\n"
        "Chain: 31337\n"
        "Rate: 18500\n"
        "Quote: 812\n"
        "Version: 2"
    )


def test_quote_0_and_rate_0_are_odds_too() -> None:
    text = bet_text(least_bps=0, quote_n=0)
    assert text.version == 2
    assert text.render().endswith("\nRate: 0\nQuote: 0\nVersion: 2")


@pytest.mark.parametrize("odds", [{"least_bps": 18_500}, {"quote_n": 812}])
def test_half_of_the_odds_is_no_text(odds: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="both"):
        bet_text(**odds)
