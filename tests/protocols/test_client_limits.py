"""Limits that traders set for themselves: what they send, and what they are shown."""

import pytest
from eth_hash.auto import keccak

from domain.self_limits import LimitsAsked, MaxAsked, PendingMax, SelfLimits
from protocols.client_limits import LIMITS, limits_json
from tests.support.client_json import field_of


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({"stake_max_micros": 5}, LimitsAsked(stake_max=MaxAsked(micros=5))),
        ({"stake_max_micros": "5"}, LimitsAsked(stake_max=MaxAsked(micros=5))),
        ({"stake_max_micros": 0}, LimitsAsked(stake_max=MaxAsked(micros=0))),
        ({"stake_max_micros": None}, LimitsAsked(stake_max=MaxAsked(micros=None))),
        ({"loss_day_max_micros": 7}, LimitsAsked(loss_day_max=MaxAsked(micros=7))),
        ({"loss_day_max_micros": None}, LimitsAsked(loss_day_max=MaxAsked(micros=None))),
        ({"paused_until_ms": 9}, LimitsAsked(paused_until_ms=9)),
    ],
)
def test_what_is_left_out_is_not_what_is_null(
    fields: dict[str, object], asked: LimitsAsked
) -> None:
    assert LIMITS.parse(fields, keccak=keccak) == asked


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "stake_max_micros"),
        ({"other": 5}, "stake_max_micros"),
        ({"stake_max_micros": -1}, "stake_max_micros"),
        ({"stake_max_micros": 10**15 + 1}, "stake_max_micros"),
        ({"loss_day_max_micros": True}, "loss_day_max_micros"),
        ({"paused_until_ms": None}, "paused_until_ms"),
        ({"paused_until_ms": 10**13}, "paused_until_ms"),
    ],
)
def test_the_limit_at_fault_is_named(fields: dict[str, object], field: str) -> None:
    assert field_of(LIMITS.parse(fields, keccak=keccak)) == field


def test_limits_are_shown_with_what_becomes_of_them() -> None:
    limits = SelfLimits(
        stake_max_micros=5, paused_until_ms=9, next_stake_max=PendingMax(micros=None, from_ms=7)
    )
    assert limits_json(limits) == {
        "stake_max_micros": 5,
        "loss_day_max_micros": None,
        "paused_until_ms": 9,
        "next_stake_max": {"micros": None, "from_ms": 7},
        "next_loss_day_max": None,
    }
