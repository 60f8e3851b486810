"""The example speaks as the venue reads: it has texts and signatures of its own, held here to ours.

That it trades well with a running venue is shown by the system tests.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from db.wallet_signatures import keccak_256, recover_wallet
from domain.sign_in import SignInMessage, SignInSettings, parse_sign_in, sign_in_fault
from domain.signed_text import BetText
from domain.wallet import checksum_holds, parse_signature

NOW_MS = 1_770_100_003_120
SETTINGS = SignInSettings(
    domain="127.0.0.1:8080", uri="http://127.0.0.1:8080", chain_id=31337, sign_ins_per_minute=5
)


@pytest.fixture(scope="module")
def trader() -> ModuleType:
    path = Path(__file__).parents[2] / "examples" / "trader.py"
    spec = importlib.util.spec_from_file_location("example_trader", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_its_wallet_signs_as_ours_recovers(trader: ModuleType) -> None:
    wallet = trader.Wallet()
    signature = parse_signature(wallet.sign("Grüße"))
    assert signature is not None
    assert recover_wallet("Grüße", signature) == wallet.address.lower()
    assert checksum_holds(wallet.address, keccak_256)
    assert trader.Wallet().address != wallet.address


def test_its_sign_in_text_is_one_that_we_take(trader: ModuleType) -> None:
    issued = {
        "domain": SETTINGS.domain,
        "uri": SETTINGS.uri,
        "chain_id": SETTINGS.chain_id,
        "nonce": "0123456789abcdef",
        "issued_at_ms": NOW_MS,
    }
    wallet = trader.Wallet()
    message = parse_sign_in(trader.sign_in_text(wallet.address, issued), keccak_256)
    assert isinstance(message, SignInMessage), message
    assert message.issued_at_ms == NOW_MS
    assert message.wallet == wallet.address.lower()
    assert sign_in_fault(message, SETTINGS, NOW_MS) is None


@pytest.mark.parametrize("odds", [{}, {"rate": 18_500, "quote": 812}], ids=["1", "2"])
def test_its_bet_text_is_ours(odds: dict[str, int], trader: ModuleType) -> None:
    bet: dict[str, Any] = {
        "cell_id": "1770100010_4200000_4201000",
        "amount": "1000000",
        "nonce": "7f1d7e5c-8f0a-4c39-9a4e-0d9a6d3a9d11",
        "timestamp": 1_770_100_003,
        "chain_id": 31337,
        "version": "2" if odds else "1",
        **odds,
    }
    ours = BetText(
        cell_id=bet["cell_id"],
        stake_micros=1_000_000,
        nonce=bet["nonce"],
        timestamp_s=bet["timestamp"],
        chain_id=31337,
        least_bps=odds.get("rate"),
        quote_n=odds.get("quote"),
    )
    assert trader.bet_text(bet) == ours.render()


@pytest.mark.parametrize(
    ("status", "payout_micros", "fine"),
    [
        ("won", 1_850_000, True),
        ("won", 1_849_999, False),
        ("lost", 0, True),
        ("lost", 1, False),
        ("void", 1_000_000, True),
        ("void", 0, False),
    ],
)
def test_it_notices_a_bet_that_was_not_paid_by_its_rate(
    status: str, payout_micros: int, fine: bool, trader: ModuleType
) -> None:
    bet = trader.Bet(
        number=1,
        sent={"version": "2", "rate": 18_500},
        confirmed={"stake_micros": 1_000_000, "reward_bps": 18_500},
        took_ms=9,
        ended={"status": status, "payout_micros": payout_micros},
    )
    assert trader.pays_as_quoted(bet) is fine


def test_it_notices_a_rate_below_the_one_it_signed(trader: ModuleType) -> None:
    bet = trader.Bet(
        number=1,
        sent={"version": "2", "rate": 18_501},
        confirmed={"stake_micros": 1_000_000, "reward_bps": 18_500},
        took_ms=9,
        ended={"status": "lost", "payout_micros": 0},
    )
    assert not trader.pays_as_quoted(bet)
