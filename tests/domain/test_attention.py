"""Which figures need an operator's eye, rule by rule."""

import re
from collections.abc import Iterable

import pytest

from domain import attention
from domain.attention import Finding, Thresholds, Urgency, by_urgency
from domain.disk import DiskLevel, DiskThresholds, DiskUse
from domain.feed_health import FeedLevel
from tests.support.sources import REPOSITORY

USD = 1_000_000
LIMITS = Thresholds()
NOW_MS = 1_795_200_000_000


def said(findings: Iterable[Finding]) -> list[tuple[str, str, str]]:
    return [(f.where, f.level.value, f.text) for f in findings]


def levels(findings: Iterable[Finding]) -> list[str]:
    return [f.level.value for f in findings]


def test_what_wants_an_act_comes_first_and_else_the_order_stays() -> None:
    given = [
        Finding("a", Urgency.LOOK, ""),
        Finding("b", Urgency.ACT, ""),
        Finding("c", Urgency.LOOK, ""),
        Finding("d", Urgency.ACT, ""),
    ]
    assert [f.where for f in by_urgency(given)] == ["b", "d", "a", "c"]


# --- betting ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "age_ms", "skew_ms", "held_closed", "expected"),
    [
        (FeedLevel.HEALTHY, 200, 3, False, []),
        (FeedLevel.HEALTHY, 200, -1_000, False, []),
        (
            FeedLevel.HEALTHY,
            200,
            -1_001,
            False,
            [
                (
                    "feed.skew_ms",
                    "look",
                    "The clocks of venue and exchange are 1.0 s apart; above 2 s betting is"
                    " refused",
                )
            ],
        ),
        (
            FeedLevel.DEGRADED,
            4_200,
            0,
            False,
            [("feed.level", "look", "The newest price is 4.2 s old; at 10 s betting is refused")],
        ),
        (
            FeedLevel.CRITICAL,
            64_000,
            0,
            False,
            [("feed.level", "act", "No price for 64 s; betting is refused")],
        ),
        (FeedLevel.CRITICAL, 64_000, 0, True, [("feed.level", "act", "No price for 64 s")]),
        (
            FeedLevel.CRITICAL,
            None,
            0,
            False,
            [("feed.level", "act", "No price has come since the start; betting is refused")],
        ),
        (
            FeedLevel.CRITICAL,
            100,
            2_500,
            False,
            [
                (
                    "feed.level",
                    "act",
                    "The clocks of venue and exchange are 2.5 s apart; betting is refused",
                )
            ],
        ),
        (
            FeedLevel.CRITICAL,
            100,
            0,
            False,
            [
                (
                    "feed.level",
                    "act",
                    "Prices come again, and count after 30 s without a gap; betting is refused",
                )
            ],
        ),
    ],
)
def test_the_feed(
    level: FeedLevel,
    age_ms: int | None,
    skew_ms: int,
    held_closed: bool,
    expected: list[tuple[str, str, str]],
) -> None:
    found = attention.of_feed(level=level, age_ms=age_ms, skew_ms=skew_ms, held_closed=held_closed)
    assert said(found) == expected


def test_a_source_that_is_not_connected() -> None:
    assert said(
        attention.of_source("binance", connected=False, active=True, last_error="refused\nit")
    ) == [
        (
            "sources.binance",
            "look",
            "The source in use, binance, is not connected: refused it",
        )
    ]
    assert said(attention.of_source("coinbase", connected=False, active=False, last_error="")) == [
        ("sources.coinbase", "look", "A fallback, coinbase, is not connected")
    ]
    assert not list(attention.of_source("x", connected=True, active=True, last_error="before"))


@pytest.mark.parametrize(
    ("age_ms", "wanted", "expected"),
    [
        (200, True, []),
        (3_000, True, []),
        (3_001, True, ["act"]),
        (None, True, ["look"]),
        (None, False, []),
        (60_000, False, []),
    ],
)
def test_a_quote_is_wanted_where_the_feed_lets_there_be_one(
    age_ms: int | None, wanted: bool, expected: list[str]
) -> None:
    assert levels(attention.of_quote(age_ms=age_ms, wanted=wanted)) == expected


@pytest.mark.parametrize(
    ("override", "level", "expected"),
    [
        ("auto", FeedLevel.CRITICAL, []),
        ("open", FeedLevel.HEALTHY, ["look"]),
        ("close", FeedLevel.HEALTHY, ["look"]),
        ("close", FeedLevel.CRITICAL, ["act"]),
    ],
)
def test_an_override_is_not_forgotten(override: str, level: FeedLevel, expected: list[str]) -> None:
    found = list(attention.of_override(override, by="ann", why="drill", level=level))
    assert levels(found) == expected
    assert all("by ann: drill" in f.text for f in found)


def test_a_hold_and_a_drain() -> None:
    assert said(attention.of_hold(held=True, by="", why="")) == [
        ("hold.held", "look", "Betting is on hold by somebody; until it is released")
    ]
    assert not list(attention.of_hold(held=False, by="ann", why="before"))
    assert levels(attention.of_drain(draining=True)) == ["look"]
    assert not list(attention.of_drain(draining=False))


# --- money --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("balance_usd", "open_usd", "expected"),
    [
        (1_000, 0, []),
        (1_000, 799, []),
        (1_000, 800, ["look"]),
        (1_000, 949, ["look"]),
        (1_000, 950, ["act"]),
        (1_000, 1_200, ["act"]),
        (0, 0, ["act"]),
        (-5, 0, ["act"]),
    ],
)
def test_the_exposure_against_the_bankroll(
    balance_usd: int, open_usd: int, expected: list[str]
) -> None:
    found = attention.of_house(balance_micros=balance_usd * USD, open_payout_micros=open_usd * USD)
    assert levels(found) == expected


def test_the_exposure_is_never_rounded_up_to_a_threshold() -> None:
    almost = {"balance_micros": 100 * USD, "open_payout_micros": 95 * USD - 1}
    assert attention.exposure_percent(**almost) == 94
    assert levels(attention.of_house(**almost)) == ["look"]


def test_the_ledger_and_the_store() -> None:
    assert levels(attention.of_ledger(readable=False)) == ["act"]
    assert levels(attention.of_store(up=False)) == ["act"]
    assert not [*attention.of_ledger(readable=True), *attention.of_store(up=True)]


def test_a_clock_that_was_ahead() -> None:
    found = attention.of_writer(high_ms=NOW_MS + 720_000, rotation_failure="", now_ms=NOW_MS)
    assert said(found) == [
        (
            "writer.high_ms",
            "act",
            "The clock is 12 min behind what the ledger has seen; until it has caught up nothing"
            " can be tapped",
        )
    ]
    assert not list(attention.of_writer(high_ms=NOW_MS + 2_000, rotation_failure="", now_ms=NOW_MS))


def test_a_week_that_can_not_be_closed() -> None:
    found = attention.of_writer(high_ms=NOW_MS, rotation_failure="no room", now_ms=NOW_MS)
    assert said(found) == [
        (
            "writer.rotation_failure",
            "act",
            "The week is over, and its file can't be closed: no room",
        )
    ]


@pytest.mark.parametrize(
    ("ended_ago_ms", "expected"),
    [(None, []), (30_000, []), (30_001, ["look"]), (60_000, ["look"]), (60_001, ["act"])],
)
def test_a_column_that_waits(ended_ago_ms: int | None, expected: list[str]) -> None:
    end_ms = None if ended_ago_ms is None else NOW_MS - ended_ago_ms
    found = attention.of_resolver(oldest_open_end_ms=end_ms, now_ms=NOW_MS)
    assert levels(found) == expected


@pytest.mark.parametrize(
    ("age_s", "drifts", "failures", "expected"),
    [
        (60, 0, 0, []),
        (None, 0, 0, []),
        (60, 1, 0, [("audit.drifts", "act")]),
        (60, 0, 3, []),
        (None, 0, 1, [("audit.failures", "look")]),
        (2 * 86_400, 0, 0, []),
        (2 * 86_400 + 1, 0, 0, [("audit.age_s", "look")]),
    ],
)
def test_whether_the_money_adds_up(
    age_s: int | None, drifts: int, failures: int, expected: list[tuple[str, str]]
) -> None:
    found = attention.of_audit(
        age_s=age_s, drifts=drifts, first_drift="balance", failures=failures, limits=LIMITS
    )
    assert [(where, level) for where, level, _ in said(found)] == expected


# --- storage ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age_s", "waiting", "failure", "expected"),
    [
        (60, 0, "", []),
        (60, 1, "", []),
        (60, 0, "before", []),
        (60, 1, "no bucket", [("archive.waiting", "look")]),
        (8 * 86_400 + 1, 0, "", [("archive.age_s", "act")]),
        (None, 0, "", []),
    ],
)
def test_the_archive(
    age_s: int | None, waiting: int, failure: str, expected: list[tuple[str, str]]
) -> None:
    found = attention.of_archive(age_s=age_s, waiting=waiting, failure=failure, limits=LIMITS)
    assert [(where, level) for where, level, _ in said(found)] == expected


@pytest.mark.parametrize(
    ("failure", "ago_s", "expected"),
    [("", None, []), ("2026-11-08: gone", 60, ["look"]), ("2026-11-08: gone", 901, [])],
)
def test_a_week_that_did_not_come_back(
    failure: str, ago_s: int | None, expected: list[str]
) -> None:
    found = attention.of_restores(waiting=0, failure=failure, failed_ago_s=ago_s)
    assert levels(found) == expected


@pytest.mark.parametrize(
    ("age_s", "failure", "expected"),
    [
        (60, "", []),
        (None, "", []),
        (None, "no folder", [("backups.age_s", "act")]),
        (60, "no folder", [("backups.last_failure", "look")]),
        (10_801, "no folder", [("backups.age_s", "act")]),
    ],
)
def test_the_backups(age_s: int | None, failure: str, expected: list[tuple[str, str]]) -> None:
    found = attention.of_backups(age_s=age_s, failure=failure, limits=LIMITS)
    assert [(where, level) for where, level, _ in said(found)] == expected


def test_a_venue_that_takes_backups_seldom_is_not_told_off_for_it() -> None:
    daily = Thresholds.of(disk=DiskThresholds(), backup_every_s=86_400, check_every_s=604_800)
    assert not list(attention.of_backups(age_s=2 * 86_400, failure="", limits=daily))
    assert levels(attention.of_backups(age_s=3 * 86_400 + 1, failure="", limits=daily)) == ["act"]
    assert daily.check_age_max_s == 2 * 604_800
    hourly = Thresholds.of(disk=DiskThresholds(), backup_every_s=3_600, check_every_s=86_400)
    assert hourly == Thresholds()


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (DiskLevel.NORMAL, []),
        (DiskLevel.WARNING, [("look", "The disk is 72 % full: bets are refused at 85 %")]),
        (DiskLevel.FULL, [("act", "The disk is 72 % full: new bets are refused")]),
        (
            DiskLevel.EMERGENCY,
            [
                (
                    "act",
                    "The disk is 72 % full: new bets are refused, and the oldest archived weeks are"
                    " deleted here",
                )
            ],
        ),
    ],
)
def test_the_disk(level: DiskLevel, expected: list[tuple[str, str]]) -> None:
    use = DiskUse(total_bytes=1_000, free_bytes=275)
    found = said(attention.of_disk(level=level, use=use, limits=LIMITS))
    assert [(urgency, text) for _, urgency, text in found] == expected


# --- what runs ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "expected"), [(0, []), (79, []), (80, ["look"]), (95, ["act"]), (100, ["act"])]
)
def test_the_door(count: int, expected: list[str]) -> None:
    assert levels(attention.of_door(connections=count, connections_max=100)) == expected


@pytest.mark.parametrize(
    ("state", "failed_ago_s", "draining", "expected"),
    [
        ("running", None, False, []),
        ("ignored", None, False, []),
        ("running", 900, False, ["look"]),
        ("running", 901, False, []),
        ("starting", None, False, []),
        ("starting", 3, False, ["look"]),
        ("restarting", 3, False, ["act"]),
        ("stuck", None, False, ["act"]),
        ("stopped", None, False, ["act"]),
        ("stopped", None, True, []),
        ("stopping", None, False, []),
    ],
)
def test_an_actor(
    state: str, failed_ago_s: float | None, draining: bool, expected: list[str]
) -> None:
    found = list(
        attention.of_actor(
            "venue/market/quoter",
            state,
            failure="" if failed_ago_s is None else "ValueError: bad",
            failed_ago_s=failed_ago_s,
            retry_in_s=4.2 if state == "restarting" else None,
            draining=draining,
        )
    )
    assert levels(found) == expected
    assert {f.where for f in found} <= {"actors.venue/market/quoter"}


def test_an_actor_that_is_down_says_when_it_is_tried_again_and_why() -> None:
    found = attention.of_actor(
        "venue/batcher",
        "restarting",
        failure="OSError: disk",
        failed_ago_s=1,
        retry_in_s=4.2,
        draining=False,
    )
    assert [f.text for f in found] == ["batcher is down, is tried again in 4 s: OSError: disk"]


@pytest.mark.parametrize(("restarts", "expected"), [(0, []), (3, []), (4, ["act"]), (5, ["act"])])
def test_a_supervisor_that_is_about_to_give_up(restarts: int, expected: list[str]) -> None:
    found = attention.of_supervisor(
        "venue/market", restarts_in_window=restarts, restarts_max=5, period_s=30
    )
    assert levels(found) == expected


@pytest.mark.parametrize(
    ("depth", "capacity", "expected"),
    [
        (0, 10_000, []),
        (4_999, 10_000, []),
        (5_000, 10_000, ["look"]),
        (9_000, 10_000, ["act"]),
        (1, 1, []),
        (0, 0, []),
    ],
)
def test_a_mailbox_that_fills_up(depth: int, capacity: int, expected: list[str]) -> None:
    """A watch holds one value and is always full of it."""
    found = list(attention.of_channel("venue/batcher", "money", depth=depth, capacity=capacity))
    assert levels(found) == expected
    assert {f.where for f in found} <= {"actors.venue/batcher.money"}


def test_a_long_reason_is_cut_and_in_one_line() -> None:
    (found,) = attention.of_hold(held=True, by="ann", why="a\tb\n" + "x" * 1_000)
    assert "a b xxx" in found.text
    assert len(found.text) < 250
    assert found.text.count("…") == 1


# --- where it is written ------------------------------------------------------------------------


def everything_wrong() -> list[Finding]:
    full, use = DiskLevel.FULL, DiskUse(total_bytes=10, free_bytes=1)
    return [
        *attention.of_feed(level=FeedLevel.CRITICAL, age_ms=None, skew_ms=0, held_closed=False),
        *attention.of_feed(level=FeedLevel.HEALTHY, age_ms=1, skew_ms=1_900, held_closed=False),
        *attention.of_source("binance", connected=False, active=True, last_error=""),
        *attention.of_quote(age_ms=None, wanted=True),
        *attention.of_override("open", by="", why="", level=FeedLevel.HEALTHY),
        *attention.of_hold(held=True, by="", why=""),
        *attention.of_house(balance_micros=1, open_payout_micros=1),
        *attention.of_house(balance_micros=0, open_payout_micros=1),
        *attention.of_ledger(readable=False),
        *attention.of_store(up=False),
        *attention.of_writer(high_ms=NOW_MS, rotation_failure="no room", now_ms=0),
        *attention.of_resolver(oldest_open_end_ms=0, now_ms=NOW_MS),
        *attention.of_audit(age_s=None, drifts=2, first_drift="", failures=1, limits=LIMITS),
        *attention.of_archive(age_s=10**7, waiting=1, failure="full", limits=LIMITS),
        *attention.of_restores(waiting=1, failure="full", failed_ago_s=1),
        *attention.of_backups(age_s=None, failure="full", limits=LIMITS),
        *attention.of_disk(level=full, use=use, limits=LIMITS),
        *attention.of_supervisor("venue", restarts_in_window=5, restarts_max=5, period_s=30),
        *attention.of_channel("venue/batcher", "money", depth=9, capacity=10),
    ]


def test_every_runbook_that_is_named_is_in_the_operating_page() -> None:
    page = (REPOSITORY / "docs" / "operating.md").read_text("utf-8").lower()
    named = {finding.runbook for finding in everything_wrong()} - {""}
    assert len(named) > 8
    assert [name for name in named if not re.search(rf"^## (runbook: )?{name}$", page, re.M)] == []


def test_the_alerts_have_the_same_numbers() -> None:
    rules = (REPOSITORY / "deploy" / "prometheus-rules.yml").read_text("utf-8")
    for said_there in (
        f"> {attention.EXPOSURE_LOOK_PERCENT / 100:g} * house_balance_micros",
        f"> {attention.EXPOSURE_ACT_PERCENT / 100:g} * house_balance_micros",
        f"last_successful_archive_timestamp > {LIMITS.archive_age_max_s // 86_400} * 24 * 3600",
        f"last_successful_backup_timestamp > {LIMITS.backup_age_max_s // 3_600} * 3600",
        f"last_integrity_check_timestamp > {LIMITS.check_age_max_s // 86_400} * 24 * 3600",
    ):
        assert said_there in rules
