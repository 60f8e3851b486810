"""The plain oracle of who wins: cases from the rules, and the feed's level as the rules have it."""

from collections.abc import Sequence

import pytest

from simulation.oracle.feed import FeedOracle
from simulation.oracle.verdicts import (
    Price,
    Seen,
    end_of_cell,
    may_be_judged,
    paid,
    seen,
    why_void_by_ticks,
)

START_MS = 100_000
END_MS = 105_000
LO, HI = 1_000, 2_000
EPOCH_MS = 1_770_100_000_000


def record(*ticks: tuple[int, int], source: str = "a") -> list[Price]:
    return [
        Price(source, START_MS + at_ms, price, number)
        for number, (at_ms, price) in enumerate(ticks)
    ]


def window(ticks: Sequence[Price], *, watermark_ms: int = 1 << 60, read_at_ms: int = 0) -> Seen:
    read_at_ms = read_at_ms or END_MS + 3_000
    return seen(ticks, START_MS, END_MS, watermark_ms=watermark_ms, read_at_ms=read_at_ms)


@pytest.mark.parametrize(
    ("rule", "ticks", "due"),
    [
        pytest.param("touch", [(-1, 500), (1_000, 1_500), (5_001, 500)], "won", id="inside"),
        pytest.param("touch", [(-1, 500), (1_000, LO), (5_001, 500)], "won", id="lower_edge"),
        pytest.param("touch", [(-1, 500), (1_000, HI), (5_001, 500)], "won", id="upper_edge"),
        pytest.param("touch", [(-1, 500), (1_000, LO - 1), (5_001, 500)], "lost", id="below"),
        pytest.param("touch", [(-1, 500), (1_000, HI + 1), (5_001, 500)], "lost", id="above"),
        pytest.param("touch", [(-1, 1_500), (1_000, 500), (5_001, 500)], "won", id="carry_in"),
        pytest.param("touch", [(-2, 1_500), (-1, 500), (5_001, 500)], "lost", id="carry_in_last"),
        pytest.param("touch", [(-1, 500), (0, 1_500), (5_001, 500)], "won", id="at_the_start"),
        pytest.param(
            "touch", [(-1, 500), (4_999, 1_500), (5_001, 500)], "won", id="just_before_end"
        ),
        pytest.param("touch", [(-1, 500), (5_000, 1_500)], "lost", id="at_the_end"),
        pytest.param("touch", [(-1, 500), (1_000, 2_500), (5_001, 500)], "lost", id="crossed"),
        pytest.param("path", [(-1, 500), (1_000, 2_500), (5_001, 500)], "won", id="path_up"),
        pytest.param("path", [(-1, 2_500), (1_000, 500), (5_001, 500)], "won", id="path_down"),
        pytest.param("path", [(-1, 500), (5_000, 2_500)], "lost", id="path_after_the_end"),
        pytest.param("path", [(-1, 500), (1_000, 999), (5_001, 2_500)], "lost", id="path_not_over"),
    ],
)
def test_how_a_cell_ends(rule: str, ticks: list[tuple[int, int]], due: str) -> None:
    judged = window(record(*ticks))

    assert why_void_by_ticks(judged) == set()
    assert end_of_cell(rule, judged, LO, HI) == due


@pytest.mark.parametrize(
    ("ticks", "read_at_ms", "reasons"),
    [
        pytest.param([(0, 1)], END_MS + 3_000, {"no_price"}, id="nothing_before"),
        pytest.param([(-5_000, 1), (5_000, 1)], 0, set(), id="ten_seconds"),
        pytest.param([(-5_000, 1), (5_001, 1)], 0, {"tick_gap"}, id="over_ten_seconds"),
        pytest.param([(-1, 1), (4_000, 1)], END_MS + 9_001, {"tick_gap"}, id="silence_until_read"),
        pytest.param([(-1, 1), (4_000, 1)], END_MS + 9_000, set(), id="silence_not_yet"),
    ],
)
def test_what_ticks_say_against_judging(
    ticks: list[tuple[int, int]], read_at_ms: int, reasons: set[str]
) -> None:
    assert why_void_by_ticks(window(record(*ticks), read_at_ms=read_at_ms)) == reasons


def test_a_source_that_changes_with_the_first_tick_after_is_a_reason() -> None:
    ticks = [*record((-1, 1), (4_000, 1)), *record((5_000, 1), source="b")]

    assert why_void_by_ticks(window(ticks)) == {"source_changed"}


def test_the_window_is_seen_up_to_the_watermark() -> None:
    ticks = record((-1, 1), (1_000, 2), (4_000, 3), (6_000, 4))

    judged = window(ticks, watermark_ms=START_MS + 1_000)

    assert [tick.price_cents for tick in judged.known()] == [1, 2]
    assert judged.after is None


@pytest.mark.parametrize(
    ("watermark_ms", "read_at_ms", "due"),
    [
        (END_MS + 1_999, END_MS + 9_999, False),
        (END_MS + 2_000, END_MS, True),
        (START_MS, END_MS + 10_000, True),
    ],
)
def test_when_a_column_may_be_judged(watermark_ms: int, read_at_ms: int, due: bool) -> None:
    judged = window(record((-1, 1)), read_at_ms=read_at_ms)

    assert may_be_judged(judged, watermark_ms=watermark_ms, delay_ms=2_000) is due


def test_what_is_paid() -> None:
    assert paid("won", 1_000_001, 18_500) == 1_850_001
    assert paid("void", 1_000_001, 18_500) == 1_000_001
    assert paid("lost", 1_000_001, 18_500) == 0


# --- the feed's level ---------------------------------------------------------------------------


class Feed:
    """An oracle that hears ticks at true times; clocks agree unless told otherwise."""

    def __init__(self) -> None:
        self.oracle = FeedOracle()
        self.oracle.begin(EPOCH_MS, is_process=True)

    def tick(self, at_s: float, *, lag_ms: int = 0) -> None:
        at_ms = EPOCH_MS + round(at_s * 1000)
        self.oracle.tick("a", at_ms - lag_ms, at_ms, now_ms=at_ms, at_ms=at_ms)

    def ticks(self, from_s: float, until_s: float, *, lag_ms: int = 0) -> None:
        """Each half second."""
        for number in range(round((until_s - from_s) * 2) + 1):
            self.tick(from_s + number / 2, lag_ms=lag_ms)

    def look(self, at_s: float) -> None:
        at_ms = EPOCH_MS + round(at_s * 1000)
        self.oracle.look(at_ms, at_ms)

    @property
    def is_critical(self) -> bool | None:
        """None: either."""
        if self.oracle.strict.is_critical != self.oracle.lenient.is_critical:
            return None
        return self.oracle.strict.is_critical


def test_a_new_folder_is_well_from_the_first_tick() -> None:
    feed = Feed()
    assert feed.is_critical

    feed.tick(1)

    assert feed.is_critical is False


@pytest.mark.parametrize(("silent_s", "due"), [(9.5, False), (10.0, None), (10.5, True)])
def test_silence(silent_s: float, due: bool | None) -> None:
    feed = Feed()
    feed.ticks(0, 20)

    feed.look(20 + silent_s)

    assert feed.is_critical is due


def test_critical_ends_after_a_steady_run_of_thirty_seconds() -> None:
    feed = Feed()
    feed.ticks(0, 20)
    feed.ticks(35, 64.5)
    before = feed.is_critical

    feed.tick(65)

    assert (before, feed.is_critical) == (True, False)
    assert feed.oracle.must_be_critical(EPOCH_MS + 31_000, EPOCH_MS + 32_000)
    assert not feed.oracle.may_be_critical(EPOCH_MS + 29_000, EPOCH_MS + 29_800)


def test_a_pause_of_more_than_three_seconds_begins_the_run_anew() -> None:
    feed = Feed()
    feed.ticks(0, 20)
    feed.ticks(35, 60)
    feed.ticks(63.5, 80)

    assert feed.is_critical


def test_clocks_that_differ_are_critical() -> None:
    feed = Feed()
    feed.ticks(0, 20)

    feed.ticks(20.5, 60, lag_ms=2_001)

    assert feed.is_critical


def test_a_restart_of_a_well_venue_spares_the_run() -> None:
    feed = Feed()
    feed.ticks(0, 20)

    feed.oracle.process_ended(EPOCH_MS + 20_500)
    feed.oracle.begin(EPOCH_MS + 21_000, is_process=True)
    assert feed.is_critical
    feed.tick(23)

    assert feed.is_critical is False


@pytest.mark.parametrize(("killed_s", "due"), [(0.1, None), (3, False)])
def test_what_ended_just_before_a_kill_may_not_be_on_record(
    killed_s: float, due: bool | None
) -> None:
    """However long the venue is down after it."""
    feed = Feed()
    feed.ticks(0, 20, lag_ms=3_000)
    at_s = 20.0
    while feed.is_critical is not False:
        at_s += 0.5
        feed.tick(at_s)
    feed.ticks(at_s + 0.5, at_s + killed_s)

    killed_ms = EPOCH_MS + round((at_s + killed_s) * 1000)
    feed.oracle.process_ended(killed_ms)
    feed.oracle.begin(killed_ms + 5_000, is_process=True)
    feed.tick(at_s + killed_s + 5.5)

    assert feed.is_critical is due


def test_a_restart_while_critical_spares_nothing() -> None:
    feed = Feed()
    feed.ticks(0, 20)
    feed.ticks(35, 40)

    feed.oracle.begin(EPOCH_MS + 41_000, is_process=True)
    feed.ticks(42, 60)

    assert feed.is_critical


def test_a_restart_after_ten_seconds_of_silence_spares_nothing() -> None:
    feed = Feed()
    feed.ticks(0, 20)

    feed.oracle.begin(EPOCH_MS + 22_000, is_process=True)
    feed.tick(31)

    assert feed.is_critical


def test_a_restart_within_a_minute_of_a_long_silence_may_spare_nothing() -> None:
    """The silence may have begun before that minute."""
    feed = Feed()
    feed.ticks(0, 20)
    feed.ticks(55, 103)
    assert feed.is_critical is False

    feed.oracle.begin(EPOCH_MS + 104_000, is_process=True)
    feed.tick(105)

    assert feed.is_critical is None
