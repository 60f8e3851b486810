"""What the client signs and sends is what the venue reads: the two are held to each other."""

import pytest

from client import KeyCaps, Odds, SessionKey, SignedBet, Wallet, sign_bet
from client.answers import NonceIssued
from client.signing import rfc3339, sign_in_message, sign_withdrawal
from db.wallet_signatures import keccak_256, recover_wallet
from domain.refusals import Refusal
from domain.rfc3339 import parse_date_time
from domain.sign_in import SignInMessage, SignInSettings, parse_sign_in, sign_in_fault
from domain.signed_text import WithdrawalText
from domain.wallet import parse_signature
from protocols.client_bets import BET

NOW_MS = 1_770_100_003_007
WALLET = Wallet.from_private_key(bytes(31) + b"\x01")
SETTINGS = SignInSettings(
    domain="127.0.0.1:8080", uri="http://127.0.0.1:8080", chain_id=31337, sign_ins_per_minute=5
)
ISSUED = NonceIssued(
    nonce="0123456789abcdef",
    domain=SETTINGS.domain,
    uri=SETTINGS.uri,
    chain_id=SETTINGS.chain_id,
    issued_at_ms=NOW_MS,
    expires_at_ms=NOW_MS + 300_000,
)
CAPS = KeyCaps(bet_max_micros=1, day_max_micros=2, until_s=1_770_186_400)


def a_bet(odds: Odds | None = None) -> SignedBet:
    return sign_bet(
        WALLET,
        wallet=WALLET.address,
        cell_id="1770100010_4200000_4201000",
        stake_micros=1_000_000,
        nonce="7f1d7e5c-8f0a-4c39-9a4e-0d9a6d3a9d11",
        timestamp_s=NOW_MS // 1000,
        chain_id=31337,
        odds=odds,
    )


@pytest.mark.parametrize("odds", [None, Odds(least_bps=18_500, quote_n=812)], ids=["1", "2"])
def test_a_bet_is_read_as_it_was_signed(odds: Odds | None) -> None:
    bet = a_bet(odds)
    read = BET.parse(bet.fields(), keccak=keccak_256)
    assert not isinstance(read, Refusal), read
    assert read.text() == bet.text
    assert recover_wallet(read.text().render(), read.signature) == WALLET.address.lower()


def test_a_bet_of_a_session_key_names_it() -> None:
    key = SessionKey.new()
    bet = sign_bet(
        key,
        wallet=WALLET.address,
        cell_id="1770100010_4200000_4201000",
        stake_micros=1_000_000,
        nonce="7f1d7e5c-8f0a-4c39-9a4e-0d9a6d3a9d11",
        timestamp_s=NOW_MS // 1000,
        chain_id=31337,
    )
    assert bet.text == a_bet().text
    assert (bet.fields()["key_id"], len(bet.fields()["signature"])) == (key.key_id, 130)
    assert "key_id" not in a_bet().fields()
    assert bet.signature not in repr(bet)


@pytest.mark.parametrize("with_key", [False, True])
def test_a_sign_in_message_is_one_that_the_venue_takes(with_key: bool) -> None:
    resources = [SessionKey.new().resource(CAPS)] if with_key else []
    text = sign_in_message(ISSUED, address=WALLET.address, resources=resources)
    message = parse_sign_in(text, keccak_256)
    assert isinstance(message, SignInMessage), message
    assert message.issued_at_ms == NOW_MS
    assert message.wallet == WALLET.address.lower()
    assert list(message.resources) == resources
    assert sign_in_fault(message, SETTINGS, NOW_MS) is None


@pytest.mark.parametrize("at_ms", [0, 999, NOW_MS, 1_770_100_003_000, 253_402_300_799_999])
def test_times_keep_their_milliseconds(at_ms: int) -> None:
    assert parse_date_time(rfc3339(at_ms)) == at_ms


def test_a_withdrawal_is_signed_by_the_wallet_alone() -> None:
    text = WithdrawalText(
        amount_micros=5_000_000,
        destination="0x" + "ab" * 20,
        nonce="7f1d7e5c-8f0a-4c39-9a4e-0d9a6d3a9d11",
        timestamp_s=NOW_MS // 1000,
        chain_id=31337,
    )
    fields = sign_withdrawal(WALLET, text)
    signature = parse_signature(fields["signature"])
    assert signature is not None
    assert recover_wallet(text.render(), signature) == WALLET.address.lower()
    assert (fields["amount"], fields["destination"]) == ("5000000", text.destination)
