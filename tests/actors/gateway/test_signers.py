"""Bets signed by session keys: what is confirmed, and every way in which a key is no signer.

The wallet's own signatures, and all that does not depend on the signer, are in `test_bets`.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from actors.gateway.signers import Signers
from db.key_signatures import ORDER, public_key_of, sign_with_key
from db.wallet_signatures import keccak_256, wallet_of
from domain.quotes import QuoteBook
from domain.refusals import TABLE, Code, Refusal
from domain.session_keys import key_id_of
from protocols.account_commands import KeyGrant
from protocols.accounts import SessionKey
from protocols.client_bets import BET, BetRequest
from protocols.money import OpenAccount
from tests.support.door import (
    EPOCH_MS,
    KEY,
    OTHER_KEY,
    WALLET,
    Door,
    make_quote,
    open_door,
)
from tests.support.http_client import Response
from tests.support.session_keys import SECRET, by_key, sign_in_with_key

BROWSERS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "session_key_bets.json").read_text()
)["keys"]
USD = 1_000_000
KEY_ID = key_id_of(public_key_of(SECRET))


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(tmp_path) as door:
        await door.fund()
        yield door


def assert_refused(answer: Response, code: Code, **details: object) -> None:
    body = answer.json
    assert (answer.status, body["error"]) == (TABLE[code].http_status, code.value), body
    assert details.items() <= body.items()


def assert_nothing_happened(door: Door) -> None:
    """No bet is on record, and nothing was counted against the wallet."""
    assert door.ports.ledger.bets(WALLET) == []
    account = door.ports.ledger.account(WALLET)
    assert account is not None
    assert account.balance_micros == 100 * USD


# --- confirmed --------------------------------------------------------------------------------


@pytest.mark.parametrize("odds", [False, True], ids=["version 1", "version 2"])
async def test_a_bet_that_a_session_key_signed_is_confirmed(door: Door, odds: bool) -> None:
    await sign_in_with_key(door)
    answer = await door.post("/api/bets", by_key(door.bet(odds=odds)))
    assert answer.status == 202, answer.body
    [bet] = door.ports.ledger.bets(WALLET)
    assert (bet.bet_id, bet.key_id) == (answer.json["bet_id"], KEY_ID)


@pytest.mark.slow
@pytest.mark.parametrize("half", ["low_s", "high_s"])
@pytest.mark.parametrize("number", [0, 1], ids=["version 1", "version 2"])
async def test_a_bet_that_a_browser_signed_is_confirmed(door: Door, number: int, half: str) -> None:
    key = BROWSERS[0]
    grant = KeyGrant(
        key_id=key["key_id"],
        public_key=bytes.fromhex(key["public_key"]),
        session_id="0" * 32,
        bet_max_micros=100 * USD,
        day_max_micros=100 * USD,
        expires_at_ms=EPOCH_MS + 60_000,
    )
    await door.order(OpenAccount(wallet=WALLET, key=grant))
    bet = key["bets"][number]
    signed = {name: bet[name] for name in bet if name not in ("text", "signatures")}
    fields = {"wallet": WALLET, "key_id": key["key_id"], **signed}
    answer = await door.post("/api/bets", {**fields, "signature": bet["signatures"][half]})
    assert answer.status == 202, answer.body


async def test_the_socket_takes_the_same_bet_with_the_same_answer(door: Door) -> None:
    await sign_in_with_key(door)
    async with door.socket() as talk:
        first = by_key(door.bet())
        reply = await talk.ask("bet", **first)
        assert reply["ok"], reply
        replayed = await talk.ask("bet", **first)
        assert replayed["error"] == "replay_detected"
        tampered = await talk.ask("bet", **by_key(door.bet(), amount="5000000"))
        assert tampered["error"] == "invalid_signature"


async def test_a_retry_gets_the_first_bet_whoever_signs_it(door: Door) -> None:
    signed_in = await sign_in_with_key(door)
    fields = door.bet()
    first = (await door.post("/api/bets", by_key(fields))).json
    bet = {"bet_id": first["bet_id"], "status": "confirmed"}
    assert_refused(await door.post("/api/bets", by_key(fields)), Code.REPLAY_DETECTED, bet=bet)
    assert_refused(await door.post("/api/bets", fields), Code.REPLAY_DETECTED, bet=bet)
    found = await door.get(f"/api/bets/by-nonce/{fields['nonce']}", token=signed_in["token"])
    assert found.json["bet_id"] == first["bet_id"]


async def test_wallet_and_key_bet_side_by_side(door: Door) -> None:
    await sign_in_with_key(door)
    assert (await door.post("/api/bets", door.bet(cell=door.cell(row=1)))).status == 202
    assert (await door.post("/api/bets", by_key(door.bet(cell=door.cell(row=2))))).status == 202
    by_wallet, by_session_key = door.ports.ledger.bets(WALLET)[::-1]
    assert (by_wallet.key_id, by_session_key.key_id) == (None, KEY_ID)


# --- well formed ------------------------------------------------------------------------------


async def test_a_key_with_a_signature_as_long_as_a_wallets_is_refused(door: Door) -> None:
    await sign_in_with_key(door)
    answer = await door.post("/api/bets", {**door.bet(), "key_id": KEY_ID})
    assert_refused(answer, Code.BAD_REQUEST, field="signature")


async def test_a_wallet_with_a_signature_as_long_as_a_keys_is_refused(door: Door) -> None:
    await sign_in_with_key(door)
    fields = by_key(door.bet())
    del fields["key_id"]
    assert_refused(await door.post("/api/bets", fields), Code.BAD_REQUEST, field="signature")


async def test_a_malformed_key_id_is_refused(door: Door) -> None:
    answer = await door.post("/api/bets", by_key(door.bet(), key_id=KEY_ID.upper()))
    assert_refused(answer, Code.BAD_REQUEST, field="key_id")


# --- not the signer ---------------------------------------------------------------------------


async def test_a_key_that_nobody_authorised_is_refused(door: Door) -> None:
    assert_refused(await door.post("/api/bets", by_key(door.bet())), Code.INVALID_SIGNATURE)
    assert_nothing_happened(door)


async def test_the_key_of_another_wallet_is_refused(door: Door) -> None:
    await sign_in_with_key(door, key=OTHER_KEY)
    assert_refused(await door.post("/api/bets", by_key(door.bet())), Code.INVALID_SIGNATURE)
    assert_nothing_happened(door)


async def test_another_key_of_the_same_wallet_is_refused(door: Door) -> None:
    await sign_in_with_key(door, SECRET)
    await sign_in_with_key(door, SECRET + 1)
    fields = by_key(door.bet(), SECRET + 1, key_id=KEY_ID)
    assert_refused(await door.post("/api/bets", fields), Code.INVALID_SIGNATURE)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed",
    [
        {"cell_id": "1770100020_4200000_4201000"},
        {"amount": "5000000"},
        {"nonce": "00000000-0000-4000-8000-999999999999"},
        {"timestamp": EPOCH_MS // 1000 + 1},
        {"rate": 18_400},
        {"quote": 811},
    ],
    ids=lambda changed: next(iter(changed)),
)
@pytest.mark.parametrize("signer", ["wallet", "key"])
async def test_a_bet_of_version_2_changed_after_signing_is_refused(
    door: Door, signer: str, changed: dict[str, object]
) -> None:
    await sign_in_with_key(door)
    fields = door.bet(odds=True) if signer == "wallet" else by_key(door.bet(odds=True))
    answer = await door.post("/api/bets", {**fields, **changed})
    assert_refused(answer, Code.INVALID_SIGNATURE)
    assert_nothing_happened(door)


@pytest.mark.parametrize("signer", ["wallet", "key"])
async def test_a_bet_of_version_2_sent_as_version_1_is_refused(door: Door, signer: str) -> None:
    await sign_in_with_key(door)
    fields = dict(door.bet(odds=True) if signer == "wallet" else by_key(door.bet(odds=True)))
    for name in ("rate", "quote"):
        del fields[name]
    answer = await door.post("/api/bets", {**fields, "version": "1"})
    assert_refused(answer, Code.INVALID_SIGNATURE)


@pytest.mark.parametrize("signer", ["wallet", "key"])
async def test_a_bet_of_version_1_sent_as_version_2_is_refused(door: Door, signer: str) -> None:
    await sign_in_with_key(door)
    fields = door.bet() if signer == "wallet" else by_key(door.bet())
    answer = await door.post("/api/bets", {**fields, "version": "2", "rate": 1, "quote": 812})
    assert_refused(answer, Code.INVALID_SIGNATURE)


async def test_a_bet_that_eth_account_signed_is_confirmed_in_both_versions(door: Door) -> None:
    for odds in (False, True):
        fields = door.bet(odds=odds, cell=door.cell(row=int(odds)))
        theirs = Account.sign_message(encode_defunct(text=text_of(fields)), private_key=KEY)
        signature = "0x" + bytes(theirs.signature).hex()
        answer = await door.post("/api/bets", {**fields, "signature": signature})
        assert answer.status == 202, answer.body


async def test_high_s_is_refused_of_a_wallet(door: Door) -> None:
    order = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
    fields = door.bet()
    made = bytes.fromhex(str(fields["signature"])[2:])
    s, v = order - int.from_bytes(made[32:64], "big"), 55 - made[64]
    twin = "0x" + (made[:32] + s.to_bytes(32, "big") + bytes([v])).hex()
    account = Account.recover_message(encode_defunct(text=text_of(fields)), signature=twin)
    assert account.lower() == WALLET, "others take it"
    answer = await door.post("/api/bets", {**fields, "signature": twin})
    assert_refused(answer, Code.INVALID_SIGNATURE)


@pytest.mark.slow
@pytest.mark.parametrize("v", [2, 26, 29, 37])
async def test_a_bad_v_is_refused_of_a_wallet(door: Door, v: int) -> None:
    fields = door.bet()
    signature = f"{str(fields['signature'])[:-2]}{v:02x}"
    answer = await door.post("/api/bets", {**fields, "signature": signature})
    assert_refused(answer, Code.INVALID_SIGNATURE)


async def test_both_halves_of_s_are_taken_of_a_key(door: Door) -> None:
    await sign_in_with_key(door)
    for row in range(2):
        fields = by_key(door.bet(cell=door.cell(row=row)))
        made = bytes.fromhex(str(fields["signature"])[2:])
        s = int.from_bytes(made[32:], "big")
        s = min(s, ORDER - s) if row == 0 else max(s, ORDER - s)
        signature = "0x" + (made[:32] + s.to_bytes(32, "big")).hex()
        answer = await door.post("/api/bets", {**fields, "signature": signature})
        assert answer.status == 202, answer.body


@pytest.mark.slow
@pytest.mark.parametrize("signature", ["00" * 64, "ff" * 64, f"{ORDER:064x}{1:064x}"])
async def test_numbers_beyond_the_group_are_refused_of_a_key(door: Door, signature: str) -> None:
    await sign_in_with_key(door)
    answer = await door.post("/api/bets", by_key(door.bet(), signature="0x" + signature))
    assert_refused(answer, Code.INVALID_SIGNATURE)


async def test_a_signature_of_mine_is_worth_nothing_under_another_wallet(door: Door) -> None:
    await door.fund(wallet_of(OTHER_KEY))
    await sign_in_with_key(door)
    await sign_in_with_key(door, SECRET + 1, key=OTHER_KEY)
    for fields in (door.bet(), by_key(door.bet())):
        answer = await door.post("/api/bets", {**fields, "wallet": wallet_of(OTHER_KEY)})
        assert_refused(answer, Code.INVALID_SIGNATURE)
    assert door.ports.ledger.bets(wallet_of(OTHER_KEY)) == []


async def test_a_nonce_that_another_has_used_is_free_for_me(door: Door) -> None:
    await door.fund(wallet_of(OTHER_KEY))
    await sign_in_with_key(door)
    await sign_in_with_key(door, SECRET + 1, key=OTHER_KEY)
    mine = door.bet()
    door.nonces -= 1
    others = door.bet(key=OTHER_KEY)
    assert mine["nonce"] == others["nonce"]
    assert (await door.post("/api/bets", by_key(mine))).status == 202
    assert (await door.post("/api/bets", by_key(others, SECRET + 1))).status == 202


# --- checked in order -------------------------------------------------------------------------


async def of_age(door: Door, age_s: int, *, signer: str) -> Response:
    """The answer to a bet that was signed so long ago."""
    await sign_in_with_key(door)
    door.clock.at_ms -= age_s * 1000
    fields = door.bet(cell=door.cell(columns_ahead=9))
    door.clock.at_ms += age_s * 1000
    return await door.post("/api/bets", by_key(fields) if signer == "key" else fields)


@pytest.mark.parametrize("signer", ["wallet", "key"])
async def test_a_stale_bet_is_refused(door: Door, signer: str) -> None:
    answer = await of_age(door, 31, signer=signer)
    assert_refused(answer, Code.SIGNATURE_EXPIRED, server_time_ms=door.clock.at_ms)


@pytest.mark.parametrize("signer", ["wallet", "key"])
async def test_a_bet_of_the_future_is_refused(door: Door, signer: str) -> None:
    answer = await of_age(door, -6, signer=signer)
    assert_refused(answer, Code.SIGNATURE_EXPIRED, server_time_ms=door.clock.at_ms)


async def test_a_bet_of_a_key_for_another_chain_is_refused(door: Door) -> None:
    await sign_in_with_key(door)
    answer = await door.post("/api/bets", by_key(door.bet(), chain_id=1))
    assert_refused(answer, Code.BAD_REQUEST, field="chain_id")


async def test_a_stranger_cannot_use_up_the_rate_of_a_wallet_by_its_key(tmp_path: Path) -> None:
    async with open_door(tmp_path, bets_per_minute=6, bets_burst=1) as door:
        await door.fund()
        await sign_in_with_key(door)
        for _ in range(5):
            forged = by_key(door.bet(), SECRET + 1, key_id=KEY_ID)
            assert_refused(await door.post("/api/bets", forged), Code.INVALID_SIGNATURE)
        assert (await door.post("/api/bets", by_key(door.bet()))).status == 202


@pytest.mark.parametrize("how", ["revoked", "expired"])
async def test_a_key_that_has_ended_cannot_use_up_the_rate_of_its_wallet(
    tmp_path: Path, how: str
) -> None:
    """Or whoever has stolen one could mute its trader for good, revoked though it is."""
    async with open_door(tmp_path, bets_per_minute=6, bets_burst=2) as door:
        await door.fund()
        signed_in = await sign_in_with_key(door, valid_s=60)
        if how == "revoked":  # the first one is with the ledger before the door knows
            await door.post("/api/auth/logout", token=signed_in["token"])
        else:
            door.clock.at_ms += 60_000
            door.channels.book.set(QuoteBook(quotes=(make_quote(813, door.clock.at_ms),)))
        for _ in range(5):
            answer = await door.post("/api/bets", by_key(door.bet()))
            assert_refused(answer, Code.UNAUTHORIZED, key_id=KEY_ID)
        assert (await door.post("/api/bets", door.bet())).status == 202


async def test_one_bet_finds_out_that_a_remembered_key_was_revoked(tmp_path: Path) -> None:
    async with open_door(tmp_path, bets_per_minute=6, bets_burst=3) as door:
        await door.fund()
        signed_in = await sign_in_with_key(door)
        assert (await door.post("/api/bets", by_key(door.bet()))).status == 202
        await door.post("/api/auth/logout", token=signed_in["token"])
        for _ in range(5):
            answer = await door.post("/api/bets", by_key(door.bet(cell=door.cell(row=1))))
            assert_refused(answer, Code.UNAUTHORIZED, key_id=KEY_ID)
        assert (await door.post("/api/bets", door.bet(cell=door.cell(row=1)))).status == 202


async def test_a_retry_gets_the_first_bet_though_its_key_has_ended(door: Door) -> None:
    signed_in = await sign_in_with_key(door)
    fields = by_key(door.bet())
    first = (await door.post("/api/bets", fields)).json
    await door.post("/api/auth/logout", token=signed_in["token"])
    ended = await door.post("/api/bets", by_key(door.bet(cell=door.cell(row=1))))
    assert_refused(ended, Code.UNAUTHORIZED)
    bet = {"bet_id": first["bet_id"], "status": "confirmed"}
    for _ in range(2):
        assert_refused(await door.post("/api/bets", fields), Code.REPLAY_DETECTED, bet=bet)


# --- refused in the deduction -------------------------------------------------------------------


async def test_a_revoked_key_is_refused_though_it_is_remembered(door: Door) -> None:
    signed_in = await sign_in_with_key(door)
    assert (await door.post("/api/bets", by_key(door.bet()))).status == 202
    out = await door.post("/api/auth/logout", token=signed_in["token"])
    assert out.status == 200
    answer = await door.post("/api/bets", by_key(door.bet(cell=door.cell(row=1))))
    assert_refused(answer, Code.UNAUTHORIZED, key_id=KEY_ID)
    assert len(door.ports.ledger.bets(WALLET)) == 1


async def test_an_expired_key_is_refused(door: Door) -> None:
    await sign_in_with_key(door, valid_s=60)
    door.clock.at_ms += 60_000
    door.channels.book.set(QuoteBook(quotes=(make_quote(813, door.clock.at_ms),)))
    answer = await door.post("/api/bets", by_key(door.bet()))
    assert_refused(answer, Code.UNAUTHORIZED, key_id=KEY_ID)
    assert_nothing_happened(door)


async def test_a_stake_above_the_keys_cap_is_refused(door: Door) -> None:
    await sign_in_with_key(door, bet_max_micros=5 * USD)
    over = by_key(door.bet(stake_micros=10 * USD))
    answer = await door.post("/api/bets", over)
    assert_refused(answer, Code.LIMIT_REACHED, limit="key_bet", max_micros=5 * USD)
    assert_nothing_happened(door)
    assert (await door.post("/api/bets", by_key(door.bet(stake_micros=5 * USD)))).status == 202


async def test_stakes_above_the_keys_day_are_refused_and_the_wallets_own_are_not(
    door: Door,
) -> None:
    await sign_in_with_key(door, day_max_micros=6 * USD)
    for row, stake_micros in enumerate([5 * USD, USD]):
        fields = door.bet(cell=door.cell(row=row), stake_micros=stake_micros)
        assert (await door.post("/api/bets", by_key(fields))).status == 202
    more = door.bet(cell=door.cell(row=2))
    answer = await door.post("/api/bets", by_key(more))
    assert_refused(answer, Code.LIMIT_REACHED, limit="key_day", max_micros=6 * USD)
    assert (await door.post("/api/bets", door.bet(cell=door.cell(row=2)))).status == 202


# --- keys that are remembered ---------------------------------------------------------------------


@attrs.define
class CountingLedger:
    """A ledger that knows some keys, and counts how often it is asked for one."""

    keys: dict[str, SessionKey]
    reads: int = 0

    def session_key(self, key_id: str) -> SessionKey | None:
        self.reads += 1
        return self.keys.get(key_id)


def known(secret: int) -> SessionKey:
    point = public_key_of(secret)
    return SessionKey(
        key_id=key_id_of(point),
        wallet=WALLET,
        session_id="0" * 32,
        public_key=point,
        bet_max_micros=1,
        day_max_micros=1,
        created_at_ms=0,
        expires_at_ms=1,
    )


@pytest.fixture
async def signing(door: Door) -> tuple[Signers, CountingLedger, Door]:
    """Signers that remember two keys, of a ledger that knows three."""
    ledger = CountingLedger({key.key_id: key for key in map(known, (1, 2, 3))})
    ports: Any = attrs.evolve(door.ports, ledger=ledger)  # type: ignore[arg-type]
    return Signers(ports, keys_kept_max=2), ledger, door


def request(door: Door, secret: int, **changed: object) -> BetRequest:
    bet = BET.parse(by_key(door.bet(), secret, **changed), keccak=keccak_256)
    assert isinstance(bet, BetRequest)
    return bet


def text_of(fields: dict[str, object]) -> str:
    bet = BET.parse(fields, keccak=keccak_256)
    assert not isinstance(bet, Refusal)
    return bet.text().render()


async def test_a_key_that_has_signed_is_looked_up_once(
    signing: tuple[Signers, CountingLedger, Door],
) -> None:
    signers, ledger, door = signing
    for _ in range(3):
        assert await signers.has_signed(request(door, 1))
    assert ledger.reads == 1


async def test_keys_that_have_not_signed_are_not_remembered(
    signing: tuple[Signers, CountingLedger, Door],
) -> None:
    signers, ledger, door = signing
    assert await signers.has_signed(request(door, 1))
    wrong = sign_with_key("another text", 2).hex()
    for secret in (2, 3, 2, 3):
        assert not await signers.has_signed(request(door, secret, signature="0x" + wrong))
    assert not await signers.has_signed(request(door, 9))
    reads = ledger.reads
    assert await signers.has_signed(request(door, 1))
    assert ledger.reads == reads, "naming keys pushed none out"


async def test_the_key_that_signed_longest_ago_is_forgotten(
    signing: tuple[Signers, CountingLedger, Door],
) -> None:
    signers, ledger, door = signing
    for secret in (1, 2, 1, 3, 1):
        assert await signers.has_signed(request(door, secret))
    assert ledger.reads == 3
    assert await signers.has_signed(request(door, 2))
    assert ledger.reads == 4
