"""Sources are spelled in one way each; only a number after the last @ is a speed."""

import pytest

from config.feeds import FeedKind, FeedName, parse_feed


@pytest.mark.parametrize("word", ["simulator", "binance", "coinbase"])
def test_a_source_without_a_file_is_its_kind(word: str) -> None:
    assert parse_feed(word) == FeedName(kind=FeedKind(word))


@pytest.mark.parametrize(
    ("text", "file", "speed"),
    [
        ("replay:day.csv", "day.csv", 1.0),
        ("replay:day.csv@20", "day.csv", 20.0),
        ("replay:day.csv@0.5", "day.csv", 0.5),
        ("replay:a@b/day.csv", "a@b/day.csv", 1.0),
        ("replay:a@2/day.csv@3", "a@2/day.csv", 3.0),
        ("replay:C:/day.csv", "C:/day.csv", 1.0),
    ],
)
def test_a_replay_names_a_file_and_perhaps_a_speed(text: str, file: str, speed: float) -> None:
    assert parse_feed(text) == FeedName(kind=FeedKind.REPLAY, file=file, speed=speed)


@pytest.mark.parametrize(
    "text",
    ["", "kraken", "replay", "replay:", "replay:@2", "replay:f@0", "replay:f@1001", "binance:x"],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no "):
        parse_feed(text)


def test_only_exchanges_are_live() -> None:
    assert [kind for kind in FeedKind if kind.live] == [FeedKind.BINANCE, FeedKind.COINBASE]
