"""`/ops/status` in a terminal: what needs an eye, the figures, every actor; in 100 columns,
whatever the venue's version says or leaves out."""

import math
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.commands.status_fields import bar, duration, percent
from actors.commands.status_sections import SECTIONS
from actors.commands.status_table import WIDTH, everything_runs, render

MONEY = {
    "name": "money",
    "depth": 3,
    "capacity": 10_000,
    "peak": 41,
    "refused": 0,
    "dropped": 2,
    "handled": 1234,
    "handling_p50_ms": 0.512,
    "handling_p99_ms": 4.06,
}
STATUS: dict[str, Any] = {
    "venue": "running",
    "version": "0.1.0",
    "demo": False,
    "operator": "ann",
    "draining": False,
    "server_time_ms": 1_795_200_000_000,
    "attention": [
        {"where": "disk.level", "level": "act", "text": "The disk is 87 % full", "runbook": "disk"},
        {"where": "hold.held", "level": "look", "text": "Betting is on hold", "runbook": ""},
        {"where": "actors.venue/batcher", "level": "look", "text": "failed", "runbook": ""},
    ],
    "thresholds": {
        "exposure_look_percent": 80,
        "exposure_act_percent": 95,
        "disk_warning_percent": 70,
        "disk_full_percent": 85,
        "disk_emergency_percent": 95,
        "backup_age_max_s": 10_800,
    },
    "feed": {
        "level": "healthy",
        "since_ms": 1_795_199_940_000,
        "feed_age_ms": 240,
        "skew_ms": 3,
    },
    "sources": [
        {"name": "binance", "connected": True, "active": True, "reconnects": 2, "last_error": ""},
        {"name": "coinbase", "connected": False, "active": False, "last_error": "refused"},
    ],
    "quote": {"n": 1_812, "age_ms": 120, "price_cents": 6_500_012},
    "breaker": {"open": True, "override": "open", "by": "ann", "why": "drill"},
    "hold": {"held": True, "by": "bob", "why": "drift"},
    "house": {
        "balance_micros": 1_000_000_000_000,
        "open_payout_micros": 124_000_000_000,
        "open_bets": 12,
    },
    "writer": {
        "batches": 40,
        "commands": 200,
        "last_batch": 5,
        "last_commit_ms": 37.9,
        "expired": 0,
        "high_ms": 1_795_199_999_900,
        "partition": "2026-11-15.db",
        "rotation_failure": "",
    },
    "resolver": {
        "columns_settled": 30,
        "bets_won": 4,
        "bets_lost": 6,
        "bets_void": 1,
        "open_columns": 2,
        "oldest_open_end_ms": 1_795_199_996_000,
    },
    "audit": {"age_s": 3_600, "drifts": 0, "first_drift": "", "failures": 0, "verified_rowid": 87},
    "backups": {
        "age_s": 600,
        "bytes": 4_262,
        "took_ms": 12,
        "taken": 3,
        "failures": 1,
        "last_failure": "no bucket",
    },
    "archive": {
        "age_s": None,
        "waiting": 1,
        "archived": 0,
        "purged": 0,
        "now": "2026-11-08.db: upload",
        "done_bytes": 50,
        "total_bytes": 100,
        "failures": 0,
        "restores": {"waiting": 0, "restored": 0, "failures": 0},
    },
    "disk": {"level": "full", "total_bytes": 100 * 2**30, "free_bytes": 13 * 2**30},
    "store": {"up": True},
    "gateway": {"connections": 120, "connections_max": 10_000, "sockets": 80},
    "actors": [
        {
            "path": "venue",
            "state": "running",
            "uptime_s": 3_725,
            "restarts": 0,
            "restarts_in_window": 1,
            "restarts_max": 5,
        },
        {
            "path": "venue/batcher",
            "state": "restarting",
            "uptime_s": None,
            "restarts": 3,
            "retry_in_s": 4.0,
            "channels": [MONEY],
            "last_failure": {"type": "ValueError", "message": "bad\nthing", "ago_s": 65},
        },
    ],
}


def test_a_whole_status() -> None:
    assert render(STATUS) == [
        "tapgrid 0.1.0  running  production, real money  2026-11-20 18:40:00 UTC  as ann",
        "",
        "!! ACT       The disk is 87 % full (runbook: disk)",
        "!  LOOK      Betting is on hold",
        "!  LOOK      failed",
        "",
        "   feed      healthy for 1m00s, newest price 0.2s old, clocks 3 ms apart",
        "   sources   binance connected, 2 reconnects; coinbase not connected, fallback (refused)",
        "   quote     number 1,812, 0.1s old, at 65,000.12",
        "   breaker   open: bets are refused, override open by ann: drill",
        "!  hold      betting is on hold by bob: drift",
        "   house     [##..............|..|] 12 % at stake: 124,000.00 of 1,000,000.00 USD,"
        " 12 open bets",
        "   writer    200 commands in 40 batches, last of 5 in 38 ms, week 2026-11-15.db",
        "   resolver  2 columns wait, the oldest 4.0s, 30 settled: 4 won, 6 lost, 1 void",
        "   money     0 drifts, whole check 1h00m ago, adds up to row 87",
        "   backups   newest 10m00s ago, limit 3h00m, 4.2 KiB in 12 ms, 3 taken, 1 failed:"
        " no bucket",
        "   archive   last success never, weeks: 1 waiting, 0 archived, 0 purged,"
        " now 2026-11-08.db: upload",
        "             50 %",
        "!! disk      [#################|.|] 87 % used, full, 13.0 GiB free of 100 GiB",
        "   store     answers",
        "   door      120 of 10,000 connections, 80 WebSockets",
        "",
        "   actor      state          up  restarts  mailbox  waiting  peak  p50 / p99 ms",
        "   venue      running     1h02m    1 of 5",
        "!    batcher  restarting                3  money    3/10000    41     0.5 / 4.1",
        "!      tried again in 4s; failed 1m05s ago: ValueError: bad thing",
        "!      2 dropped by money",
    ]


def test_a_venue_that_is_well_says_so() -> None:
    assert "Nothing needs your eye." in render(STATUS | {"attention": []})
    assert not any(line.startswith("!") for line in render(STATUS | {"attention": []}))


def test_a_venue_that_does_not_say_what_needs_an_eye_is_not_said_to_be_well() -> None:
    older = {name: value for name, value in STATUS.items() if name != "attention"}
    assert not any("needs your eye" in line for line in render(older))


def test_what_is_counted_by_the_second_needs_the_status_before() -> None:
    later = STATUS | {
        "server_time_ms": STATUS["server_time_ms"] + 2_000,
        "writer": STATUS["writer"] | {"commands": 205},
    }
    assert any(
        "2.5 commands a second, 205 commands" in line for line in render(later, before=STATUS)
    )
    assert not any("a second" in line for line in render(STATUS, before=later))


def test_a_channel_more_has_a_line_of_its_own() -> None:
    actor = STATUS["actors"][1] | {"channels": [MONEY, MONEY | {"name": "ticks/ticks_health"}]}
    lines = render(STATUS | {"actors": [actor]})
    assert sum("batcher" in line for line in lines) == 1
    assert any(line.removeprefix("! ").split()[:1] == ["ticks_health"] for line in lines)


# --- colour -------------------------------------------------------------------------------------


def test_only_what_needs_an_eye_has_a_colour() -> None:
    for line in render(STATUS, colour=True):
        bare = re.sub(r"\x1b\[[0-9;]*m", "", line)
        assert (line != bare) is bare.startswith("!")
    assert "\x1b" not in "".join(render(STATUS))


def test_the_mark_says_the_same_without_a_colour() -> None:
    coloured = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in render(STATUS, colour=True)]
    assert coloured == render(STATUS)


# --- versions -----------------------------------------------------------------------------------


def test_the_summary_shows_what_it_does_not_know() -> None:
    lines = render({"weather": {"micros": 1_000_000, "list": [1, "a"]}, "none": None})
    assert "   weather   micros 1,000,000, list 1; a" in lines
    assert "   none      -" in lines


@pytest.mark.parametrize("name", sorted(STATUS))
def test_any_field_may_be_missing(name: str) -> None:
    assert render({key: value for key, value in STATUS.items() if key != name})


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.of)
def test_any_section_may_be_empty(section: Any) -> None:
    assert any(line[3:].startswith(section.label) for line in render(STATUS | {section.of: {}}))


def test_nothing_at_all_is_drawn_all_the_same() -> None:
    assert render({})[0] == "tapgrid  ?"
    assert render({"actors": [{}]})[-1].split() == ["?", "?"]


NUMBERS = st.integers() | st.floats() | st.sampled_from([10**400, -(10**400)])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


PLACES = [(name, None) for name in STATUS] + [
    (name, field) for name, value in STATUS.items() if isinstance(value, dict) for field in value
]


@settings(max_examples=200, deadline=None)
@given(place=st.sampled_from(PLACES), value=JSON)
def test_any_field_may_hold_anything(place: tuple[str, str | None], value: object) -> None:
    """A newer venue may have made something else of a field."""
    name, field = place
    changed = STATUS | {name: value if field is None else STATUS[name] | {field: value}}
    lines = render(changed, before=STATUS)
    assert all(len(line) <= WIDTH for line in lines)
    assert all(line.isprintable() for line in lines)
    assert render(STATUS, before=changed)


@settings(max_examples=100, deadline=None)
@given(field=st.sampled_from([*STATUS["actors"][1], *STATUS["actors"][0], *MONEY]), value=JSON)
def test_any_field_of_an_actor_may_hold_anything(field: str, value: object) -> None:
    actor = STATUS["actors"][1] | {"channels": [MONEY | {field: value}]} | {field: value}
    lines = render(STATUS | {"actors": [actor]})
    assert all(len(line) <= WIDTH for line in lines)
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, 10**400, 1e308])
def test_what_is_no_number_to_count_with_reads_as_none(number: float) -> None:
    """JSON has them: `1e999`, `NaN`, and digits without end."""
    wild = {"server_time_ms": number, "writer": {"commands": number}}
    assert render(STATUS | wild, before=STATUS | wild)
    assert any("number 0, ? old" in line for line in render({"quote": {"age_ms": number}}))


def test_a_long_text_goes_on_below_its_label() -> None:
    lines = render({"breaker": {"open": True, "override": "open", "by": "ann", "why": "x " * 90}})
    first = next(index for index, line in enumerate(lines) if "breaker" in line)
    assert lines[first + 1].startswith(" " * 13 + "x")
    assert max(map(len, lines)) <= WIDTH


def test_a_message_does_not_steer_the_terminal() -> None:
    hostile = {"type": "E", "message": "\x1b[2J\x07", "ago_s": 1}
    lines = render({"actors": [{"path": "venue", "state": "running", "last_failure": hostile}]})
    assert "\x1b" not in "".join(lines)


def test_nor_does_the_name_of_what_is_not_known_here() -> None:
    hostile = {
        "\x1b[2J\u202e": {"\x1b]0;title\x07": 1},
        "writer": {"rotation_failure": {"\x9b": 1}},
    }
    assert all(line.isprintable() for line in render(hostile))


# --- figures ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("states", "runs"),
    [
        (["running", "ignored"], True),
        (["running", "stuck"], False),
        (["stopped"], False),
        ([], False),
    ],
)
def test_everything_runs_only_if_every_actor_does(states: list[str], runs: bool) -> None:
    assert everything_runs({"actors": [{"state": state} for state in states]}) is runs


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m00s"),
        (3_599, "59m59s"),
        (3_600, "1h00m"),
        (86_400, "1d00h"),
        (None, ""),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_a_share_is_rounded_down_and_its_thresholds_stay_in_sight() -> None:
    assert [percent(part, 1_000) for part in (0, 4, 799, 800)] == ["0 %", "0.4 %", "79 %", "80 %"]
    assert bar(0, 100, (80, 95)) == "[................|..|]"
    assert bar(90, 100, (80, 95)) == "[##################.|]"
    assert bar(200, 100, (80,)) == "[####################]"
    assert bar(1, 0, ()) == "[....................]"
