"""`/ops/status` as a table: every actor a line, whatever the venue's version says or leaves out."""

import pytest

from actors.commands.status_table import duration, everything_runs, render

MAILBOX = {
    "name": "money",
    "depth": 3,
    "capacity": 10_000,
    "peak": 41,
    "handled": 1234,
    "handling_p50_ms": 0.512,
    "handling_p99_ms": 4.06,
}


def test_a_tree_is_indented_and_aligned() -> None:
    lines = render(
        {
            "venue": "serving",
            "actors": [
                {"path": "venue", "state": "running", "uptime_s": 3_725, "restarts": 0},
                {
                    "path": "venue/batcher",
                    "state": "restarting",
                    "uptime_s": None,
                    "restarts": 3,
                    "mailbox": MAILBOX,
                    "last_failure": {"type": "ValueError", "message": "bad\nthing", "ago_s": 65},
                },
            ],
        }
    )
    assert lines == [
        "venue: serving",
        "",
        "actor      state          up  restarts  waiting  peak  handled  p50 / p99 ms"
        "  last failure",
        "venue      running     1h02m         0",
        "  batcher  restarting                3  3/10000    41     1234     0.5 / 4.1"
        "  1m05s ago ValueError: bad thing",
    ]


def test_the_summary_shows_what_it_does_not_know() -> None:
    summary = {"held": False, "new": {"micros": 1_000_000, "list": [1, "a"]}, "none": None}
    assert render(summary)[:3] == [
        "held: no",
        "new: micros 1,000,000, list 1; a",
        "none: -",
    ]


def test_what_is_missing_is_left_blank() -> None:
    assert render({"actors": [{}]})[-1].split() == ["?", "?"]


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
