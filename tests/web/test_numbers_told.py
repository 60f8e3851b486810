"""What the page says of the venue's own numbers, where no answer of the venue has them."""

import re
from pathlib import Path

from domain.limits import FEED_STEADY_MS

WEB = Path(__file__).resolve().parents[2] / "web"


def test_how_long_prices_must_be_steady() -> None:
    text = (WEB / "domain" / "suspension.js").read_text(encoding="utf-8")
    told = re.search(r"FEED_STEADY_S = (\d+);", text)
    assert told is not None
    assert int(told[1]) * 1000 == FEED_STEADY_MS
