"""History over HTTP: bets and entries of earlier weeks, and what is said of archived ones."""

from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import pytest

from db.weekly_reader import RESTORED
from domain.grid import Cell
from domain.refusals import TABLE, Code
from protocols.money import BetOrder, PlaceBet
from tests.support.door import OTHER_KEY, REWARD_BPS, WALLET, Door, open_door
from tests.support.http_client import Response

WEEK_MS = 7 * 86_400_000
FIRST, SECOND, THIRD = "2026-02-01", "2026-02-08", "2026-02-15"


@attrs.define
class Past:
    """Three weeks, and the fourth is now. In each a bet was won, `ended`, and another was open at
    its end, `carried`: it was won in the next."""

    door: Door
    token: str = ""
    ended: list[PlaceBet] = attrs.field(factory=list)
    carried: list[PlaceBet] = attrs.field(factory=list)
    placed_ms: dict[str, int] = attrs.field(factory=dict)

    async def live(self) -> None:
        await self.door.fund()
        for _ in range(3):
            near, far = self.door.cell(), self.door.cell(columns_ahead=6)
            self.ended.append(self._place(near))
            self.carried.append(self._place(far))
            await self.door.settle(near)
            self.door.clock.at_ms += WEEK_MS
            await self.door.settle(far)
        self.token = await self.door.sign_in()

    def _place(self, cell: Cell) -> PlaceBet:
        door = self.door
        door.clock.at_ms += 10
        nonce = f"00000000-0000-4000-8000-{len(self.placed_ms):012}"
        bet = PlaceBet(
            bet_id=door.ports.new_bet_id(),
            wallet=WALLET,
            nonce=nonce,
            cell=cell,
            stake_micros=1_000_000,
        )
        order = BetOrder(bet=bet, column_s=5, rule=door.ports.rules.rule, reward_bps=REWARD_BPS)
        door.writer.apply([order], at_ms=door.clock.at_ms)
        self.placed_ms[bet.bet_id] = door.clock.at_ms
        return bet

    async def get(self, path: str) -> Response:
        return await self.door.get(path, token=self.token)

    async def bets(self, query: str = "") -> tuple[list[str], list[str] | None]:
        """The ids of a page, and the weeks that it is said to lack."""
        answer = await self.get(f"/api/bets?{query}")
        assert answer.status == 200, answer.body
        return [bet["bet_id"] for bet in answer.json["bets"]], answer.json.get("archived")

    async def entries(self, query: str = "") -> tuple[list[str], list[str] | None]:
        """The kinds of a statement's entries, and the weeks that it is said to lack."""
        answer = await self.get(f"/api/ledger?{query}")
        assert answer.status == 200, answer.body
        return [row["ref_type"] for row in answer.json["entries"]], answer.json.get("archived")

    def all_ids(self) -> list[str]:
        pairs = zip(self.ended, self.carried, strict=True)
        return [bet.bet_id for pair in pairs for bet in pair][::-1]

    def archive(self, *sundays: str) -> dict[str, bytes]:
        """Take the weeks' files away; what was in them."""
        paths = [self.door.money / f"{sunday}.db" for sunday in sundays]
        contents = {path.name: path.read_bytes() for path in paths}
        for path in paths:
            path.unlink()
        return contents

    def restore(self, contents: dict[str, bytes]) -> None:
        folder = self.door.money / RESTORED
        folder.mkdir(exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)


@pytest.fixture
async def past(tmp_path: Path) -> AsyncIterator[Past]:
    async with open_door(tmp_path) as door:
        past = Past(door)
        await past.live()
        yield past


def assert_archived(answer: Response, *sundays: str) -> None:
    body = answer.json
    assert (answer.status, body["error"]) == (TABLE[Code.ARCHIVED].http_status, "archived"), body
    assert body["partitions"] == list(sundays)


# --- all weeks are here ----------------------------------------------------------------------


async def test_the_bets_of_all_weeks_are_one_list(past: Past) -> None:
    assert await past.bets() == (past.all_ids(), None)
    assert await past.bets("from=0") == (past.all_ids(), None)
    assert await past.bets("status=won&limit=4") == (past.all_ids()[:4], None)
    assert await past.bets("status=confirmed") == ([], None)


async def test_a_statement_goes_on_over_the_weeks(past: Past) -> None:
    assert await past.entries() == (["PAYOUT", "PAYOUT", "BET", "BET"] * 3 + ["DEPOSIT"], None)


async def test_an_old_bet_is_found_and_proved(past: Past) -> None:
    for bet in (*past.ended, *past.carried):
        found = (await past.get(f"/api/bets/{bet.bet_id}")).json
        assert (found["status"], found["placed_at_ms"]) == ("won", past.placed_ms[bet.bet_id])
        assert (await past.get(f"/api/bets/by-nonce/{bet.nonce}")).json == found
        proof = (await past.door.get(f"/api/bets/{bet.bet_id}/proof")).json
        assert (proof["outcome"], proof["faults"]) == ("won", [])


# --- some are in the archive -----------------------------------------------------------------


async def test_a_range_in_the_archive_names_the_weeks_it_needs(past: Past) -> None:
    past.archive(FIRST, SECOND)
    first_ms, second_ms, third_ms = (past.placed_ms[bet.bet_id] for bet in past.ended)
    assert_archived(await past.get(f"/api/bets?from={first_ms}"), FIRST, SECOND)
    assert_archived(await past.get(f"/api/bets?to={first_ms}"), FIRST)
    assert_archived(await past.get(f"/api/bets?from={second_ms}&to={third_ms}"), SECOND)
    assert await past.bets(f"from={third_ms}") == (past.all_ids()[:2], None)


async def test_a_range_of_no_time_at_all_is_not_archived(past: Past) -> None:
    past.archive(FIRST)
    at_ms = past.placed_ms[past.ended[0].bet_id]
    assert await past.bets(f"from={at_ms}&to={at_ms}") == ([], None)
    assert await past.bets(f"from={at_ms}&to=0") == ([], None)


async def test_a_page_without_a_range_says_what_it_lacks(past: Past) -> None:
    past.archive(FIRST, SECOND)
    # The second week's carried bet was won in the third, and is there.
    here = past.all_ids()[:3]
    assert await past.bets() == (here, [FIRST, SECOND])
    assert await past.bets("status=won") == (here, [FIRST, SECOND])
    assert await past.bets("limit=2") == (here[:2], None)


async def test_the_last_page_says_what_is_older(past: Past) -> None:
    past.archive(FIRST, SECOND)
    cursor = (await past.get("/api/bets?limit=2")).json["next_cursor"]
    assert await past.bets(f"limit=2&cursor={cursor}") == (past.all_ids()[2:3], [FIRST, SECOND])


async def test_what_is_open_is_never_in_the_archive(past: Past) -> None:
    past.archive(FIRST)
    assert await past.bets("status=confirmed") == ([], None)
    assert await past.bets("status=confirmed&from=0") == ([], None)
    assert (await past.bets("status=confirmed,won"))[1] == [FIRST]


async def test_a_page_that_passes_over_an_archived_week_says_so(past: Past) -> None:
    past.archive(SECOND)
    # Of the first week's bets one ended in the second.
    ids = past.all_ids()
    assert await past.bets("limit=4") == ([*ids[:3], ids[5]], [SECOND])
    cursor = (await past.get("/api/bets?limit=2")).json["next_cursor"]
    assert await past.bets("limit=2") == (ids[:2], None)
    assert await past.bets(f"limit=2&cursor={cursor}") == ([ids[2], ids[5]], [SECOND])


async def test_a_restored_week_is_shown_again(past: Past) -> None:
    contents = past.archive(FIRST, SECOND)
    past.restore(contents)
    assert await past.bets("from=0") == (past.all_ids(), None)
    assert (await past.entries())[1] is None
    bet = past.ended[0]
    assert (await past.get(f"/api/bets/{bet.bet_id}")).status == 200


async def test_a_statement_begins_with_what_there_was(past: Past) -> None:
    past.archive(FIRST, SECOND)
    third = ["PAYOUT", "BET", "BET", "PAYOUT", "CARRY"]
    assert await past.entries() == (["PAYOUT", *third], [FIRST, SECOND])
    opening = (await past.get("/api/ledger")).json["entries"][-1]
    assert opening["amount_micros"] == opening["balance_after_micros"]


async def test_pages_of_a_statement_say_what_each_lacks(past: Past) -> None:
    past.archive(SECOND)
    kinds: list[str] = []
    lacking: list[list[str] | None] = []
    cursor: str | None = ""
    while cursor is not None:
        query = f"limit=3&cursor={cursor}" if cursor else "limit=3"
        page = (await past.get(f"/api/ledger?{query}")).json
        kinds += [row["ref_type"] for row in page["entries"]]
        lacking.append(page.get("archived"))
        cursor = page["next_cursor"]
    assert kinds == (await past.entries())[0]
    assert kinds[5:7] == ["CARRY", "PAYOUT"]
    assert lacking == [None, None, [SECOND], None]


# --- single bets -----------------------------------------------------------------------------


async def test_a_bet_of_an_archived_week_is_archived(past: Past) -> None:
    past.archive(FIRST)
    bet_id = past.ended[0].bet_id
    assert_archived(await past.get(f"/api/bets/{bet_id}"), FIRST)
    assert_archived(await past.door.get(f"/api/bets/{bet_id}/proof"), FIRST)
    others = await past.door.sign_in(OTHER_KEY)
    assert_archived(await past.door.get(f"/api/bets/{bet_id}", token=others), FIRST)


async def test_a_bet_that_went_on_into_an_archived_week_is_archived(past: Past) -> None:
    past.archive(SECOND)
    bet_id = past.carried[0].bet_id
    assert_archived(await past.get(f"/api/bets/{bet_id}"), SECOND)
    assert_archived(await past.door.get(f"/api/bets/{bet_id}/proof"), SECOND)
    assert (await past.get(f"/api/bets/{past.ended[0].bet_id}")).status == 200


async def test_a_bet_that_never_was_is_not_found(past: Past) -> None:
    past.archive(FIRST)
    known = past.ended[2].bet_id
    never = [known[:-1] + ("0" if known[-1] != "0" else "1"), "0" * 26, "7" + "Z" * 25]
    for bet_id in never:
        for path in (f"/api/bets/{bet_id}", f"/api/bets/{bet_id}/proof"):
            answer = await past.get(path)
            assert (answer.status, answer.json["error"]) == (404, "not_found")


async def test_anothers_bet_is_not_found_whatever_is_archived(past: Past) -> None:
    past.archive(FIRST)
    others = await past.door.sign_in(OTHER_KEY)
    bet = past.ended[2]
    for path in (bet.bet_id, f"by-nonce/{bet.nonce}"):
        answer = await past.door.get(f"/api/bets/{path}", token=others)
        assert (answer.status, answer.json["error"]) == (404, "not_found")


async def test_a_nonce_that_is_not_found_names_the_weeks_that_were_not_searched(
    past: Past,
) -> None:
    path = f"/api/bets/by-nonce/{past.ended[0].nonce}"
    assert (await past.get(path)).json["bet_id"] == past.ended[0].bet_id
    unknown = "/api/bets/by-nonce/ffffffff-ffff-4fff-8fff-ffffffffffff"
    assert "archived" not in (await past.get(unknown)).json
    past.archive(FIRST)
    for gone in (path, unknown):
        answer = await past.get(gone)
        assert (answer.status, answer.json["error"]) == (404, "not_found")
        assert answer.json["archived"] == [FIRST]


async def test_a_snapshot_shows_last_results_of_earlier_weeks(past: Past) -> None:
    async with past.door.socket() as talk:
        assert (await talk.ask("auth", token=past.token))["ok"]
        snapshot = (await talk.ask("resume", seq=0))["snapshot"]
        assert [bet["bet_id"] for bet in snapshot["last"]] == past.all_ids()
