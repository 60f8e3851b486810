"""The sources that the settings name."""

from pathlib import Path

import pytest

from actors.price_feed import SourceSettings, build_sources
from protocols.ports import TickSource
from supervisor import SeededChance, TrioClock

CLOCK = TrioClock(1_780_000_000_000)


def built(source: str, *fallbacks: str, settings: SourceSettings) -> tuple[TickSource, ...]:
    return build_sources(source, fallbacks, settings=settings, clock=CLOCK, chance=SeededChance(1))


def test_each_source_is_built_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "day.csv"
    file.write_text("ts_ms,price,qty\n1693929601000,100,1\n")
    for spec, name in {
        "simulator": "simulator",
        f"replay:{file}": "replay:day.csv",
        f"replay:{file}@10": "replay:day.csv",
        "binance": "binance",
        "coinbase": "coinbase",
    }.items():
        (source,) = built(spec, settings=SourceSettings())
        assert source.name == name
        assert source.unreadable == 0


def test_fallbacks_follow_in_their_order() -> None:
    sources = built("binance", "coinbase", settings=SourceSettings(known_skew_ms=-1_270))
    assert [source.name for source in sources] == ["binance", "coinbase"]
    assert [source.known_skew_ms for source in sources] == [-1_270, -1_270]


def test_what_is_played_has_no_skew() -> None:
    (source,) = built("simulator", settings=SourceSettings(known_skew_ms=5_000))
    assert source.known_skew_ms == 0


@pytest.mark.parametrize(
    ("specs", "why"),
    [
        (("kraken",), "no such source: 'kraken'"),
        (("",), "no such source"),
        (("binance:x",), "no such source"),
        (("replay",), "no such source"),
        (("replay:",), "needs a file"),
        (("replay:/nowhere/day.csv",), "no such file"),
        (("replay:/nowhere/day.csv@0",), "above 0"),
        (("simulator", "binance"), "only live sources"),
        (("binance", "simulator"), "only live sources"),
        (("binance", "binance"), "stands twice"),
    ],
)
def test_what_names_no_source_is_refused(specs: tuple[str, ...], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        built(*specs, settings=SourceSettings())


@pytest.mark.parametrize(
    "url",
    ["http://a.example/", "ws://a.example/", "wss://", "stream.binance.com", "ws://10.0.0.1:80/"],
)
def test_an_exchange_is_spoken_to_over_tls_only(url: str) -> None:
    with pytest.raises(ValueError, match=r"TLS only|not the URL"):
        built("binance", settings=SourceSettings(binance_url=url))


@pytest.mark.parametrize("wrong", [{"price_cents": 0}, {"ticks_per_s": 0}])
def test_a_market_that_makes_no_sense_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"price|ticks_per_s"):
        built("simulator", settings=SourceSettings(**wrong))  # type: ignore[arg-type]
