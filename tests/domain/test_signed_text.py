"""The texts that a bet (reference ADR-007) and a withdrawal sign, byte for byte."""

import attrs
import pytest

from domain.signed_text import BetText, WithdrawalText


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


WITHDRAWAL = WithdrawalText(
    amount_micros=25_000_000,
    destination="0x" + "d0" * 20,
    nonce="7f1d7e5c-8f0a-4c39-9a4e-0d9a6d3a9d11",
    timestamp_s=1_770_100_003,
    chain_id=31337,
)


def test_a_withdrawal() -> None:
    assert WITHDRAWAL.version == 1
    assert WITHDRAWAL.render() == (
        "Tap Trading Withdrawal\n"
        "Action: withdraw\n"
        "Amount: 25000000\n"
        "Destination: 0xd0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0\n"
        "Nonce: 7f1d7e5c-8f0a-4c39-9a4e-0d9a6d3a9d11\n"
        "Timestamp: 1770100003\n"
        "Chain: 31337\n"
        "Version: 1"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"amount_micros": 25_000_001},
        {"destination": "0x" + "d1" * 20},
        {"nonce": "7f1d7e5c-8f0a-4c39-9a4e-0d9a6d3a9d12"},
        {"timestamp_s": 1_770_100_004},
        {"chain_id": 1},
    ],
)
def test_a_withdrawal_signs_each_of_its_fields(change: dict[str, object]) -> None:
    assert attrs.evolve(WITHDRAWAL, **change).render() != WITHDRAWAL.render()  # type: ignore[arg-type]


def test_no_text_of_a_withdrawal_is_one_of_a_bet() -> None:
    assert WITHDRAWAL.render().splitlines()[:2] != bet_text().render().splitlines()[:2]
