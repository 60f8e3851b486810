"""The venue goes away and comes back: so does the page, by itself, with all that was open."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.stage import Stage
from tests.browser.visitor import LINE_IS_CUT, Visitor

pytestmark = [pytest.mark.slow, pytest.mark.system]

ENDS: dict[str, Callable[[Stage], None]] = {"drained": Stage.stop, "killed": Stage.kill}


@pytest.mark.parametrize("end", ENDS)
def test_the_page_comes_back_with_the_open_bet_and_its_result(
    stage: Stage, trader: Visitor, end: str
) -> None:
    trader.tolerate(LINE_IS_CUT)
    # So far ahead that it is still open when the page is back, which waits longer with each try.
    trader.show_table()
    spot = stage.spot(columns_ahead=10)
    trader.press(spot)
    trader.wait_told("Bet of 1 confirmed")
    trader.show_chart()
    banner = trader.page.locator("#banner")

    ENDS[end](stage)
    expect(banner).to_contain_text(
        "The venue is restarting." if end == "drained" else "The connection to the venue is lost."
    )
    trader.shot(f"venue-{end}")
    stage.start()

    expect(banner).to_be_hidden()
    expect(trader.figure("Open stakes")).to_have_text("1.00")
    stage.market.price_cents = spot.middle_cents
    trader.wait_told("Won", within_s=25)
