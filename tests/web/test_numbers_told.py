"""What the page knows of the venue's own numbers, where no answer of the venue has them."""

import re
from pathlib import Path

from client.placing import CERTAIN_AFTER_S
from domain.limits import FEED_CRITICAL_AFTER_MS, FEED_STEADY_MS, VOID_UNJUDGED_AFTER_MS
from domain.units import MICROS_MAX

DOMAIN = Path(__file__).resolve().parents[2] / "web" / "domain"


def told(file: str, name: str) -> int:
    """The number that one module of the page has by this name."""
    found = re.search(rf"\b{name} = ([\d_]+)n?;", (DOMAIN / file).read_text(encoding="utf-8"))
    assert found is not None
    return int(found[1])


def test_how_long_prices_must_be_steady() -> None:
    assert told("suspension.js", "FEED_STEADY_S") * 1000 == FEED_STEADY_MS


def test_when_it_is_certain_that_a_request_was_not_taken() -> None:
    assert told("signed_text.js", "CERTAIN_AFTER_MS") == CERTAIN_AFTER_S * 1000


def test_the_highest_amount() -> None:
    assert told("amounts.js", "MICROS_MAX") == MICROS_MAX
    assert told("key_caps.js", "NO_CAP_MICROS") == MICROS_MAX


def test_when_the_page_judges_a_column_void() -> None:
    assert told("verdict.js", "GAP_MAX_MS") == FEED_CRITICAL_AFTER_MS
    assert told("verdict.js", "UNJUDGED_MAX_MS") == VOID_UNJUDGED_AFTER_MS
