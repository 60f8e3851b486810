"""Sessions, session keys and throwaway accounts over HTTP."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from db.key_signatures import public_key_of
from db.memory_store import MemoryStore
from domain.refusals import TABLE, Code
from domain.session_keys import key_id_of, key_resource, point_text
from tests.support.door import (
    EPOCH_MS,
    OTHER_KEY,
    WALLET,
    BrokenStore,
    Door,
    login_body,
    open_door,
)
from tests.support.http_client import Response
from tests.support.session_keys import SECRET, asked, by_key, sign_in_with_key

USD = 1_000_000
DAY_MS = 86_400_000
KEY_ID = key_id_of(public_key_of(SECRET))


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(tmp_path) as door:
        yield door


def assert_refused(answer: Response, code: Code, **details: object) -> None:
    body = answer.json
    assert (answer.status, body["error"]) == (TABLE[code].http_status, code.value), body
    assert details.items() <= body.items()


async def listed(door: Door, token: str) -> list[dict[str, Any]]:
    answer = await door.get("/api/auth/sessions", token=token)
    assert answer.status == 200, answer.body
    return list(answer.json["sessions"])


# --- signing in -------------------------------------------------------------------------------


async def test_a_sign_in_with_a_key_tells_its_name_its_caps_and_its_end(door: Door) -> None:
    answer = await sign_in_with_key(door, bet_max_micros=5 * USD, day_max_micros=50 * USD)
    assert re.fullmatch("[0-9a-f]{32}", answer["session_id"])
    assert answer["session_key"] == {
        "key_id": KEY_ID,
        "bet_max_micros": 5 * USD,
        "day_max_micros": 50 * USD,
        "expires_at_ms": EPOCH_MS + 3_600_000,
    }


@pytest.mark.parametrize(
    "wallet",
    [
        "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf",
        "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf",
        "0x7E5F4552091A69125D5DFCB7B8C2659029395BDF",
    ],
)
async def test_a_wallet_that_is_named_is_spelled_as_its_message_must(
    door: Door, wallet: str
) -> None:
    issued = (await door.get(f"/api/auth/nonce?wallet={wallet}")).json
    assert issued["address"] == "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"


async def test_without_a_wallet_there_is_no_address(door: Door) -> None:
    assert (await door.get("/api/auth/nonce")).json["address"] is None


@pytest.mark.parametrize("wallet", ["", "0x12", "0x7E5F4552091A69125d5DfCb7b8C2659029395bdf"])
async def test_what_is_no_wallet_gets_no_nonce(door: Door, wallet: str) -> None:
    answer = await door.get(f"/api/auth/nonce?wallet={wallet}")
    assert_refused(answer, Code.BAD_REQUEST, field="wallet")


async def test_a_sign_in_without_a_key_has_none(door: Door) -> None:
    issued = (await door.get("/api/auth/nonce")).json
    answer = (await door.post("/api/auth/login", login_body(issued))).json
    assert answer["session_key"] is None
    assert answer["user"] == {"wallet": WALLET, "balance_micros": 0}


async def test_a_malformed_key_is_refused_by_the_field_resources(door: Door) -> None:
    issued = (await door.get("/api/auth/nonce")).json
    resource = key_resource(asked(), 10).replace("bet=", "bat=")
    answer = await door.post("/api/auth/login", login_body(issued, resources=[resource]))
    assert_refused(answer, Code.BAD_REQUEST, field="resources")


async def test_a_key_that_was_used_before_is_refused(door: Door) -> None:
    await sign_in_with_key(door)
    issued = (await door.get("/api/auth/nonce")).json
    resource = key_resource(asked(), EPOCH_MS // 1000 + 60)
    answer = await door.post("/api/auth/login", login_body(issued, OTHER_KEY, resources=[resource]))
    assert_refused(answer, Code.BAD_REQUEST, field="resources")


async def test_the_limit_on_sign_ins_is_told_by_the_headers(tmp_path: Path) -> None:
    async with open_door(tmp_path, sign_ins_per_minute=2) as door:
        for _ in range(2):
            assert (await door.get("/api/auth/nonce")).status == 200
        answer = await door.get("/api/auth/nonce")
        assert_refused(answer, Code.RATE_LIMITED, retry_after=30)
        assert answer.headers["retry-after"] == "30"
        assert answer.headers["ratelimit-policy"].startswith('"sign_ins"')
        assert answer.headers["ratelimit-remaining"] == "0"


# --- the session at hand ------------------------------------------------------------------------


async def test_a_session_tells_what_its_key_may_still_do(door: Door) -> None:
    await door.fund()
    signed_in = await sign_in_with_key(door)
    await door.post("/api/bets", by_key(door.bet(stake_micros=5 * USD)))
    answer = await door.get("/api/auth/session", token=signed_in["token"])
    assert answer.json == {
        "session_id": signed_in["session_id"],
        "wallet": WALLET,
        "created_at_ms": EPOCH_MS,
        "expires_at_ms": signed_in["expires_at_ms"],
        "session_key": {**signed_in["session_key"], "staked_today_micros": 5 * USD},
    }


async def test_a_new_day_begins_with_nothing_staked(door: Door) -> None:
    await door.fund()
    signed_in = await sign_in_with_key(door, valid_s=2 * 86_400)
    await door.post("/api/bets", by_key(door.bet()))
    door.clock.at_ms += DAY_MS - door.clock.at_ms % DAY_MS - 1
    session = (await door.get("/api/auth/session", token=signed_in["token"])).json
    assert session["session_key"]["staked_today_micros"] == USD
    door.clock.at_ms += 1
    session = (await door.get("/api/auth/session", token=signed_in["token"])).json
    assert session["session_key"]["staked_today_micros"] == 0


# --- the list ---------------------------------------------------------------------------------


async def test_the_list_shows_each_session_with_its_key(door: Door) -> None:
    await door.fund()
    with_key = await sign_in_with_key(door)
    await door.post("/api/bets", by_key(door.bet(stake_micros=5 * USD)))
    door.clock.at_ms += 1
    token = await door.sign_in()
    newest, oldest = await listed(door, token)
    assert oldest == {
        "session_id": with_key["session_id"],
        "created_at_ms": EPOCH_MS,
        "expires_at_ms": with_key["expires_at_ms"],
        "network": "127.0.0.0/24",
        "current": False,
        "signed_in": True,
        "session_key": {**with_key["session_key"], "staked_today_micros": 5 * USD},
    }
    assert (newest["current"], newest["session_key"]) == (True, None)


async def test_the_list_shows_ones_own_sessions_only(door: Door) -> None:
    await sign_in_with_key(door, SECRET + 1, key=OTHER_KEY)
    token = await door.sign_in()
    assert [session["current"] for session in await listed(door, token)] == [True]


async def test_a_key_whose_session_the_store_lost_is_listed_and_can_be_revoked(
    tmp_path: Path,
) -> None:
    async with open_door(tmp_path) as door:
        await door.fund()
        lost = await sign_in_with_key(door)
        store = door.ports.store
        assert isinstance(store, MemoryStore)
        await store.delete(f"session:{lost['session_id']}")
        await store.drop_member(f"sessions:{WALLET}", lost["session_id"])
        door.clock.at_ms += 1
        token = await door.sign_in()
        _, row = await listed(door, token)
        assert row == {
            "session_id": lost["session_id"],
            "created_at_ms": EPOCH_MS,
            "expires_at_ms": EPOCH_MS + 3_600_000,
            "network": "",
            "current": False,
            "signed_in": False,
            "session_key": {**lost["session_key"], "staked_today_micros": 0},
        }
        path = f"/api/auth/sessions/{lost['session_id']}/revoke"
        assert (await door.post(path, token=token)).status == 200
        assert len(await listed(door, token)) == 1
        answer = await door.post("/api/bets", by_key(door.bet()))
        assert_refused(answer, Code.UNAUTHORIZED, key_id=KEY_ID)


async def test_a_key_that_has_expired_leaves_the_list_and_its_session_stays(door: Door) -> None:
    signed_in = await sign_in_with_key(door, valid_s=60)
    door.clock.at_ms += 60_000
    [row] = await listed(door, signed_in["token"])
    assert (row["session_id"], row["session_key"]) == (signed_in["session_id"], None)


# --- revoking ---------------------------------------------------------------------------------


async def test_a_revoked_session_is_over_and_its_key_signs_nothing(door: Door) -> None:
    await door.fund()
    lost = await sign_in_with_key(door)
    token = await door.sign_in()
    path = f"/api/auth/sessions/{lost['session_id']}/revoke"
    answer = await door.post(path, token=token)
    assert (answer.status, answer.json) == (
        200,
        {"session_id": lost["session_id"], "revoked": True},
    )
    assert_refused(await door.get("/api/account", token=lost["token"]), Code.UNAUTHORIZED)
    assert_refused(
        await door.post("/api/bets", by_key(door.bet())), Code.UNAUTHORIZED, key_id=KEY_ID
    )
    assert [row["current"] for row in await listed(door, token)] == [True]
    assert_refused(await door.post(path, token=token), Code.NOT_FOUND)


async def test_a_session_may_revoke_itself(door: Door) -> None:
    signed_in = await sign_in_with_key(door)
    path = f"/api/auth/sessions/{signed_in['session_id']}/revoke"
    assert (await door.post(path, token=signed_in["token"])).status == 200
    assert_refused(await door.post(path, token=signed_in["token"]), Code.UNAUTHORIZED)


async def test_the_session_of_another_is_not_found(door: Door) -> None:
    other = await sign_in_with_key(door, SECRET + 1, key=OTHER_KEY)
    token = await door.sign_in()
    path = f"/api/auth/sessions/{other['session_id']}/revoke"
    assert_refused(await door.post(path, token=token), Code.NOT_FOUND)
    assert len(await listed(door, other["token"])) == 1


@pytest.mark.parametrize("session_id", ["x", "0" * 32, "..%2f.."])
async def test_a_session_that_never_was_is_not_found(door: Door, session_id: str) -> None:
    token = await door.sign_in()
    answer = await door.post(f"/api/auth/sessions/{session_id}/revoke", token=token)
    assert_refused(answer, Code.NOT_FOUND)


async def test_a_logout_tells_when_the_ledger_does_not_answer_and_the_session_goes_on(
    door: Door,
) -> None:
    signed_in = await sign_in_with_key(door)
    door.channels.money.close()
    answer = await door.post("/api/auth/logout", token=signed_in["token"])
    assert_refused(answer, Code.DRAINING)
    assert (await door.get("/api/auth/session", token=signed_in["token"])).status == 200


async def test_a_streams_socket_is_told_that_its_session_was_revoked(door: Door) -> None:
    lost = await sign_in_with_key(door)
    token = await door.sign_in()
    async with door.socket() as talk:
        assert (await talk.ask("auth", token=lost["token"]))["ok"]
        await door.post(f"/api/auth/sessions/{lost['session_id']}/revoke", token=token)
        await talk.next_of("session:expired")


@pytest.mark.parametrize("path", ["/api/auth/session", "/api/auth/sessions"])
async def test_without_its_store_nobody_is_signed_in(tmp_path: Path, path: str) -> None:
    async with open_door(tmp_path, store=BrokenStore()) as door:
        assert_refused(await door.get(path, token="A" * 43), Code.STORE_UNAVAILABLE)


# --- throwaway accounts -------------------------------------------------------------------------


async def test_a_throwaway_account_bets_at_once(door: Door) -> None:
    body = {"public_key": point_text(public_key_of(SECRET))}
    answer = await door.post("/api/auth/demo", body)
    assert answer.status == 200, answer.body
    wallet, paper = answer.json["user"]["wallet"], answer.json["user"]["balance_micros"]
    assert paper > 0
    assert answer.json["session_key"]["key_id"] == KEY_ID
    account = await door.get("/api/account", token=answer.json["token"])
    assert (account.json["wallet"], account.json["balance_micros"]) == (wallet, paper)
    placed = await door.post("/api/bets", by_key({**door.bet(), "wallet": wallet}))
    assert placed.status == 202, placed.body
    assert placed.json["balance_micros"] == paper - USD


async def test_a_throwaway_account_has_the_caps_that_it_asked_for(door: Door) -> None:
    body = {"public_key": point_text(public_key_of(SECRET)), "bet_max_micros": "5000000"}
    answer = await door.post("/api/auth/demo", {**body, "day_max_micros": 7 * USD})
    key = answer.json["session_key"]
    assert (key["bet_max_micros"], key["day_max_micros"]) == (5 * USD, 7 * USD)
    assert key["expires_at_ms"] == answer.json["expires_at_ms"]


async def test_what_is_no_point_of_the_curve_is_refused(door: Door) -> None:
    answer = await door.post("/api/auth/demo", {"public_key": "B" * 87})
    assert_refused(answer, Code.BAD_REQUEST, field="public_key")


async def test_a_key_serves_one_throwaway_account(door: Door) -> None:
    body = {"public_key": point_text(public_key_of(SECRET))}
    assert (await door.post("/api/auth/demo", body)).status == 200
    answer = await door.post("/api/auth/demo", body)
    assert_refused(answer, Code.BAD_REQUEST, field="public_key")


async def test_there_are_no_throwaway_accounts_with_real_money(tmp_path: Path) -> None:
    async with open_door(tmp_path, demo=False) as door:
        body = {"public_key": point_text(public_key_of(SECRET))}
        assert_refused(await door.post("/api/auth/demo", body), Code.FORBIDDEN)
