"""What traders can ask over HTTP besides placing bets."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.evidence import ticks_sha256
from domain.quotes import QuoteBook
from domain.refusals import TABLE, Code
from tests.support.door import (
    CHAIN_ID,
    EPOCH_MS,
    OTHER_KEY,
    PRICE_CENTS,
    REWARD_BPS,
    WALLET,
    BrokenStore,
    Door,
    login_body,
    make_tick,
    open_door,
)
from tests.support.http_client import Response


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(tmp_path) as door:
        yield door


def assert_refused(answer: Response, code: Code, **details: object) -> None:
    body = answer.json
    assert (answer.status, body["error"]) == (TABLE[code].http_status, code.value), body
    assert details.items() <= body.items()


# --- sign-in ----------------------------------------------------------------------------------


async def test_signing_in_gives_a_token_and_the_user(door: Door) -> None:
    await door.fund()
    issued = (await door.get("/api/auth/nonce")).json
    assert (issued["domain"], issued["uri"], issued["chain_id"]) == (
        "test",
        "http://test",
        CHAIN_ID,
    )
    answer = await door.post("/api/auth/login", login_body(issued))
    assert answer.status == 200
    assert answer.json["user"] == {"wallet": WALLET, "balance_micros": 100_000_000}
    session = await door.get("/api/auth/session", token=answer.json["token"])
    assert session.json["wallet"] == WALLET
    assert session.json["expires_at_ms"] == answer.json["expires_at_ms"]


async def test_a_first_sign_in_makes_the_account(door: Door) -> None:
    token = await door.sign_in()
    account = (await door.get("/api/account", token=token)).json
    assert (account["wallet"], account["balance_micros"], account["open_bets"]) == (WALLET, 0, 0)


async def test_a_nonce_serves_once(door: Door) -> None:
    issued = (await door.get("/api/auth/nonce")).json
    assert (await door.post("/api/auth/login", login_body(issued))).status == 200
    assert_refused(await door.post("/api/auth/login", login_body(issued)), Code.UNAUTHORIZED)


async def test_a_message_for_another_venue_is_refused(door: Door) -> None:
    issued = (await door.get("/api/auth/nonce")).json
    answer = await door.post("/api/auth/login", login_body(issued, domain="evil.example"))
    assert_refused(answer, Code.BAD_REQUEST, field="domain")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (None, "message"),
        (b"{", "body"),
        ({"message": 5}, "message"),
        ({"message": "m"}, "signature"),
    ],
)
async def test_a_login_that_is_not_well_formed(door: Door, body: object, field: str) -> None:
    answer = await door.post("/api/auth/login", body)
    assert_refused(answer, Code.BAD_REQUEST, field=field)


async def test_after_logging_out_the_token_is_worth_nothing(door: Door) -> None:
    token = await door.sign_in()
    assert (await door.post("/api/auth/logout", token=token)).status == 200
    answer = await door.get("/api/auth/session", token=token)
    assert_refused(answer, Code.UNAUTHORIZED)
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "path",
    ["/api/auth/session", "/api/account", "/api/ledger", "/api/bets", "/api/bets/" + "0" * 26],
)
@pytest.mark.parametrize("token", [None, "x", "A" * 43, "A" * 300])
async def test_what_is_private_needs_a_token(door: Door, path: str, token: str | None) -> None:
    assert_refused(await door.get(path, token=token), Code.UNAUTHORIZED)


async def test_without_the_store_nobody_is_known(tmp_path: Path) -> None:
    async with open_door(tmp_path, store=BrokenStore()) as door:
        answer = await door.get("/api/account", token="A" * 43)
        assert_refused(answer, Code.STORE_UNAVAILABLE)
        assert answer.headers["retry-after"] == "2"


async def test_requests_of_an_address_are_limited(tmp_path: Path) -> None:
    async with open_door(tmp_path, requests_per_minute=6, requests_burst=1) as door:
        allowed = await door.get("/api/grid")
        assert (allowed.status, allowed.headers["ratelimit-remaining"]) == (200, "0")
        assert_refused(await door.get("/api/grid"), Code.RATE_LIMITED, retry_after=10)
        assert (await door.get("/healthz")).status == 200


# --- the market -------------------------------------------------------------------------------


async def test_the_grid_has_geometry_presets_and_the_quote(door: Door) -> None:
    grid = (await door.get("/api/grid")).json
    quote = grid.pop("quote")
    assert grid == {
        "server_time_ms": EPOCH_MS,
        "chain_id": CHAIN_ID,
        "column_s": 5,
        "row_cents": 1_000,
        "lockout_columns": 1,
        "horizon_columns": 12,
        "presets_micros": [1_000_000, 5_000_000, 10_000_000, 25_000_000, 100_000_000],
        "rule": "touch",
    }
    assert (quote["n"], quote["published_at_ms"], quote["price_cents"]) == (
        812,
        EPOCH_MS,
        PRICE_CENTS,
    )
    assert len(quote["cells"]) == 480
    assert quote["cells"][0] == {
        "cell_id": "1770100010_4180000_4181000",
        "reward_bps": REWARD_BPS,
        "max_stake_micros": 10_000_000_000 * 10_000 // REWARD_BPS,
    }


async def test_without_a_quote_the_grid_has_null(door: Door) -> None:
    door.channels.book.set(QuoteBook())
    assert (await door.get("/api/grid")).json["quote"] is None


async def test_the_latest_price(door: Door) -> None:
    assert (await door.get("/api/prices/latest")).json["price_cents"] == PRICE_CENTS


async def test_before_the_first_tick_there_is_no_price(door: Door) -> None:
    door.channels.sources.set(())
    assert_refused(await door.get("/api/prices/latest"), Code.NOT_FOUND)


async def test_price_history_in_bars_and_in_ticks(door: Door) -> None:
    door.prices.found += [make_tick(EPOCH_MS - 500, PRICE_CENTS, 1), make_tick(EPOCH_MS - 1)]
    bars = (await door.get("/api/prices/history?interval=5000")).json
    assert (bars["interval_ms"], bars["bars"][0]["ticks"]) == (5_000, 2)
    ticks = (await door.get("/api/prices/history?interval=tick")).json["ticks"]
    assert [tick["ts_ms"] for tick in ticks] == [EPOCH_MS - 500, EPOCH_MS - 1]


@pytest.mark.parametrize(
    ("query", "field"),
    [("from=x", "from"), ("interval=7", "interval"), ("limit=0", "limit"), ("to=1&to=2", "to")],
)
async def test_a_query_that_is_not_well_formed(door: Door, query: str, field: str) -> None:
    answer = await door.get(f"/api/prices/history?{query}")
    assert_refused(answer, Code.BAD_REQUEST, field=field)


async def test_prices_before_the_record_are_archived(door: Door) -> None:
    assert_refused(await door.get("/api/prices/history?from=0"), Code.ARCHIVED)


# --- own bets and money -----------------------------------------------------------------------


async def test_the_account_counts_what_is_open(door: Door) -> None:
    await door.fund()
    token = await door.sign_in()
    await door.post("/api/bets", door.bet())
    account = (await door.get("/api/account", token=token)).json
    assert (account["balance_micros"], account["open_stake_micros"], account["open_bets"]) == (
        99_000_000,
        1_000_000,
        1,
    )


async def test_a_bet_is_found_by_its_id_and_by_its_nonce(door: Door) -> None:
    await door.fund()
    token, fields = await door.sign_in(), door.bet()
    placed = (await door.post("/api/bets", fields)).json
    by_id = await door.get(f"/api/bets/{placed['bet_id']}", token=token)
    by_nonce = await door.get(f"/api/bets/by-nonce/{fields['nonce']}", token=token)
    assert by_id.json == by_nonce.json
    assert by_id.json["status"] == "confirmed"
    assert by_id.json["payout_micros"] is None
    assert by_id.json["cell_id"] == fields["cell_id"]


async def test_another_ones_bet_is_not_found(door: Door) -> None:
    await door.fund()
    fields = door.bet()
    placed = (await door.post("/api/bets", fields)).json
    token = await door.sign_in(OTHER_KEY)
    for path in (placed["bet_id"], f"by-nonce/{fields['nonce']}", "0" * 26, "nonsense"):
        assert_refused(await door.get(f"/api/bets/{path}", token=token), Code.NOT_FOUND)


async def test_a_nonce_in_another_spelling_is_refused(door: Door) -> None:
    token = await door.sign_in()
    answer = await door.get("/api/bets/by-nonce/NOPE", token=token)
    assert_refused(answer, Code.BAD_REQUEST, field="nonce")


async def test_bets_come_in_pages_newest_first(door: Door) -> None:
    await door.fund()
    token = await door.sign_in()
    for row in range(5):
        door.clock.at_ms += 10
        assert (await door.post("/api/bets", door.bet(cell=door.cell(row=row)))).status == 202
    pages, path = list[list[int]](), "/api/bets?limit=2"
    while path:
        page = (await door.get(path, token=token)).json
        pages.append([bet["placed_at_ms"] - EPOCH_MS for bet in page["bets"]])
        cursor = page["next_cursor"]
        path = f"/api/bets?limit=2&cursor={cursor}" if cursor else ""
    assert pages == [[50, 40], [30, 20], [10]]


async def test_bets_are_filtered_by_status_and_time(door: Door) -> None:
    await door.fund()
    token, cell = await door.sign_in(), door.cell(columns_ahead=2)
    await door.post("/api/bets", door.bet(cell=cell))
    await door.post("/api/bets", door.bet(cell=door.cell(columns_ahead=5)))
    await door.settle(cell)
    counts = {
        query: len((await door.get(f"/api/bets?{query}", token=token)).json["bets"])
        for query in ("status=won", "status=confirmed", "status=won,confirmed", "from=1", "to=1")
    }
    assert list(counts.values()) == [1, 1, 2, 2, 0]
    answer = await door.get("/api/bets?status=happy", token=token)
    assert_refused(answer, Code.BAD_REQUEST, field="status")


async def test_the_statement_tells_where_the_money_went(door: Door) -> None:
    await door.fund()
    token, cell = await door.sign_in(), door.cell()
    await door.post("/api/bets", door.bet(cell=cell))
    await door.settle(cell)
    rows = (await door.get("/api/ledger", token=token)).json["entries"]
    assert [(row["ref_type"], row["amount_micros"]) for row in rows] == [
        ("PAYOUT", 1_850_000),
        ("BET", -1_000_000),
        ("DEPOSIT", 100_000_000),
    ]
    first = (await door.get("/api/ledger?limit=1", token=token)).json
    second = (await door.get(f"/api/ledger?cursor={first['next_cursor']}", token=token)).json
    assert [*first["entries"], *second["entries"]] == rows


# --- proof ------------------------------------------------------------------------------------


async def test_a_proof_holds_all_that_a_result_rests_on(door: Door) -> None:
    await door.fund()
    cell = door.cell()
    placed = (await door.post("/api/bets", door.bet(cell=cell))).json
    await door.settle(cell)
    proof = (await door.get(f"/api/bets/{placed['bet_id']}/proof")).json
    settled = door.ports.ledger.settled_bet(placed["bet_id"])
    assert settled is not None
    assert (proof["outcome"], proof["status"], proof["faults"]) == ("won", "won", [])
    assert (proof["rule"], proof["source"]) == ("touch", "test")
    assert (proof["window_start_ms"], proof["window_end_ms"]) == (
        cell.column_start_s * 1000,
        cell.column_start_s * 1000 + 5_000,
    )
    assert (proof["tick_count"], len(proof["ticks"])) == (5, 5)
    assert (proof["low_cents"], proof["high_cents"]) == (PRICE_CENTS, PRICE_CENTS)
    assert proof["carry_in"]["ts_ms"] == cell.column_start_s * 1000 - 500
    assert proof["deciding_tick"] == proof["carry_in"]
    assert proof["ticks_sha256"] == ticks_sha256(settled.evidence.record)


async def test_a_proof_names_nobody_and_needs_no_token(door: Door) -> None:
    await door.fund()
    cell = door.cell()
    placed = (await door.post("/api/bets", door.bet(cell=cell))).json
    await door.settle(cell, price_cents=PRICE_CENTS + 5_000)
    answer = await door.get(f"/api/bets/{placed['bet_id']}/proof")
    assert answer.json["outcome"] == "lost"
    assert answer.json["deciding_tick"] is None
    assert WALLET[2:] not in json.dumps(answer.json).lower()


async def test_an_open_bet_has_no_proof_yet(door: Door) -> None:
    await door.fund()
    cell = door.cell()
    placed = (await door.post("/api/bets", door.bet(cell=cell))).json
    answer = await door.get(f"/api/bets/{placed['bet_id']}/proof")
    assert_refused(answer, Code.NOT_FOUND)
    assert "no verdict yet" in answer.json["message"]
    # What its link may show until it has one.
    assert answer.json["bet"] == {
        "status": "confirmed",
        "rule": "touch",
        "cell_id": cell.id,
        "column_start_s": cell.column_start_s,
        "column_s": 5,
        "lo_cents": cell.lo_cents,
        "hi_cents": cell.hi_cents,
    }
    assert WALLET[2:] not in json.dumps(answer.json).lower()


@pytest.mark.parametrize("bet_id", ["0" * 26, "nonsense", "%00", "%ed%a0%80", "..%2f"])
async def test_a_bet_that_never_was_has_no_proof(door: Door, bet_id: str) -> None:
    assert_refused(await door.get(f"/api/bets/{bet_id}/proof"), Code.NOT_FOUND)


# --- the faucet -------------------------------------------------------------------------------


async def test_the_faucet_fills_the_wallet_that_is_named(door: Door) -> None:
    answer = await door.post("/api/faucet", {"wallet": WALLET})
    assert answer.json == {
        "wallet": WALLET,
        "amount_micros": 1_000_000_000,
        "balance_micros": 1_000_000_000,
    }


async def test_the_faucet_fills_the_wallet_of_the_token(door: Door) -> None:
    token = await door.sign_in()
    assert (await door.post("/api/faucet", token=token)).json["wallet"] == WALLET


async def test_the_faucet_needs_a_wallet_or_a_token(door: Door) -> None:
    assert_refused(await door.post("/api/faucet"), Code.UNAUTHORIZED)
    answer = await door.post("/api/faucet", {"wallet": "0x12"})
    assert_refused(answer, Code.BAD_REQUEST, field="wallet")


async def test_the_faucet_stops_at_its_limit(tmp_path: Path) -> None:
    async with open_door(tmp_path, faucet_balance_max_micros=1_500_000_000) as door:
        balances = [
            (await door.post("/api/faucet", {"wallet": WALLET})).json["balance_micros"]
            for _ in range(2)
        ]
        assert balances == [1_000_000_000, 1_500_000_000]
        answer = await door.post("/api/faucet", {"wallet": WALLET})
        assert_refused(answer, Code.LIMIT_REACHED, balance_max_micros=1_500_000_000)


async def test_outside_demo_mode_there_is_no_faucet(tmp_path: Path) -> None:
    async with open_door(tmp_path, demo=False) as door:
        assert_refused(await door.post("/api/faucet", {"wallet": WALLET}), Code.FORBIDDEN)
