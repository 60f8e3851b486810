"""What the composition root makes of the settings."""

import pytest

from actors.commands.opening import venue_settings
from config.settings import load


@pytest.mark.parametrize(
    ("source", "looks_back_s"),
    [("binance", 600), ("coinbase", 600), ("simulator", 0), ("replay:day.csv@10", 0)],
)
def test_only_a_live_market_is_known_from_the_record_of_an_earlier_process(
    source: str, looks_back_s: int
) -> None:
    """A played one begins anew: the jump from where it ended to where it begins is no move."""
    settings = load(sets=[f"feed.source={source}"]).settings
    made = venue_settings(settings, token="t" * 32, version="1")
    assert made.quotes.warm_up_s == looks_back_s
