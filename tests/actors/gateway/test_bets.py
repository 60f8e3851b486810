"""Placing bets over HTTP: every refusal in the order of the checks, and what is written."""

from pathlib import Path

import pytest

from tests.support.door import REWARD_BPS, WALLET, open_door


async def test_a_well_signed_bet_is_confirmed(tmp_path: Path) -> None:
    async with open_door(tmp_path) as door:
        await door.fund()
        answer = await door.post("/api/bets", door.bet())
        assert answer.status == 202, answer.body
        assert answer.json["status"] == "confirmed"
        assert answer.json["reward_bps"] == REWARD_BPS
        assert answer.json["balance_micros"] == 99_000_000
