"""What clients are told of rate limits, and whom they are counted against."""

import re
from pathlib import Path

import pytest

from actors.gateway.limits import Counted, limit_headers, sign_in_headers
from domain.refusals import Code, Refusal
from protocols.ports import Allowance
from tests.support.door import OTHER_KEY, WALLET, open_door
from tests.support.http_client import Response, once


def told(answer: Response) -> dict[str, str]:
    """The headers that tell of a limit, without their common beginning."""
    return {key: text for key, text in answer.headers.items() if key.startswith("ratelimit")}


async def test_an_answer_tells_of_the_addresss_limit(tmp_path: Path) -> None:
    async with open_door(tmp_path, requests_per_minute=120, requests_burst=20) as door:
        assert told(await door.get("/api/grid")) == {
            "ratelimit-policy": '"requests";q=20;w=10',
            "ratelimit": '"requests";r=19;t=1',
            "ratelimit-limit": "20",
            "ratelimit-remaining": "19",
            "ratelimit-reset": "1",
        }


async def test_a_bet_tells_of_its_wallets_limit(tmp_path: Path) -> None:
    async with open_door(tmp_path, bets_per_minute=120, bets_burst=20) as door:
        await door.fund()
        answer = await door.post("/api/bets", door.bet())
        assert answer.status == 202
        assert told(answer)["ratelimit-policy"] == '"bets";q=20;w=10'
        assert told(answer)["ratelimit"] == '"bets";r=19;t=1'


async def test_a_bet_that_fails_before_its_signature_holds_tells_of_the_addresss(
    tmp_path: Path,
) -> None:
    async with open_door(tmp_path, bets_burst=1) as door:
        for _ in range(3):
            answer = await door.post("/api/bets", door.bet(key=OTHER_KEY, wallet=WALLET))
            assert answer.error == "invalid_signature"
            assert told(answer)["ratelimit"].startswith('"requests";')
        await door.fund()
        assert (await door.post("/api/bets", door.bet())).status == 202, "nothing was counted"


async def test_who_is_refused_is_told_when_to_come_back(tmp_path: Path) -> None:
    async with open_door(tmp_path, requests_per_minute=6, requests_burst=1) as door:
        assert (await door.get("/api/grid")).status == 200
        for answer in (await door.get("/api/grid"), await door.post("/api/bets", door.bet())):
            assert (answer.status, answer.error) == (429, "rate_limited")
            wait_s = answer.headers["retry-after"]
            assert wait_s == "10"
            assert answer.json["retry_after"] == 10
            assert told(answer) == {
                "ratelimit-policy": '"requests";q=1;w=10',
                "ratelimit": f'"requests";r=0;t={wait_s}',
                "ratelimit-limit": "1",
                "ratelimit-remaining": "0",
                "ratelimit-reset": wait_s,
            }


async def test_a_wallet_that_is_refused_is_told_the_same_way(tmp_path: Path) -> None:
    async with open_door(tmp_path, bets_per_minute=6, bets_burst=1) as door:
        await door.fund()
        assert (await door.post("/api/bets", door.bet())).status == 202
        answer = await door.post("/api/bets", door.bet(cell=door.cell(row=1)))
        assert (answer.status, answer.headers["retry-after"]) == (429, "10")
        assert told(answer)["ratelimit"] == '"bets";r=0;t=10'


async def test_clients_of_one_network_share_a_limit(tmp_path: Path) -> None:
    proxied = open_door(
        tmp_path, trusted_proxies=("127.0.0.1",), requests_per_minute=6, requests_burst=1
    )
    async with proxied as door:

        async def status(client: str) -> int:
            headers = {"x-forwarded-for": client}
            return (await once(door.port, "GET", "/api/grid", headers=headers)).status

        assert await status("2001:db8:1:2::1") == 200
        assert await status("2001:db8:1:2:ffff::9") == 429
        assert await status("2001:db8:1:3::1") == 200
        assert await status("198.51.100.7") == 200
        assert await status("::ffff:198.51.100.7") == 429


@pytest.mark.parametrize(
    ("limit", "per_minute", "window_s"),
    [(20, 120, 10), (5, 5, 60), (1, 7, 9), (2_000, 12_000, 10), (1, 1_000_000, 1)],
)
def test_the_window_is_the_time_that_an_empty_bucket_takes(
    limit: int, per_minute: int, window_s: int
) -> None:
    allowance = Allowance(allowed=True, limit=limit, remaining=1, reset_s=1, retry_after_s=0)
    counted = Counted(policy="x", per_minute=per_minute, allowance=allowance)
    assert dict(limit_headers(counted))[b"ratelimit-policy"] == b'"x";q=%d;w=%d' % (limit, window_s)


def test_what_was_not_counted_tells_nothing() -> None:
    assert limit_headers(None) == ()


async def test_a_refused_sign_in_tells_of_its_own_limit(tmp_path: Path) -> None:
    async with open_door(tmp_path, sign_ins_per_minute=5) as door:
        refusal = Refusal(Code.RATE_LIMITED, details={"retry_after": 12})
        assert dict(sign_in_headers(door.ports, refusal)) == {
            b"ratelimit-policy": b'"sign_ins";q=5;w=60',
            b"ratelimit": b'"sign_ins";r=0;t=12',
            b"ratelimit-limit": b"5",
            b"ratelimit-remaining": b"0",
            b"ratelimit-reset": b"12",
        }
        assert sign_in_headers(door.ports, Refusal(Code.UNAUTHORIZED)) == ()


async def test_the_fields_are_structured(tmp_path: Path) -> None:
    """RFC 9651: a list of items, each a string with integers as parameters."""
    async with open_door(tmp_path) as door:
        headers = told(await door.get("/api/grid"))
    for name in ("ratelimit-policy", "ratelimit"):
        assert re.fullmatch(r'"[a-z_]+"(;[a-z]+=[0-9]{1,15})+', headers[name])
