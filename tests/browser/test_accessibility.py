"""axe-core finds nothing to complain about, on any screen or panel, in either color scheme."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.axe import assert_accessible
from tests.browser.stage import Stage
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.slow, pytest.mark.system]

PANELS = {"History": "History", "Help": "How it works", "Account": "Account"}


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_every_screen_and_panel(stage: Stage, visit: Callable[..., Visitor], scheme: str) -> None:
    # axe is injected as a script of the test's own, which the page's policy would refuse.
    trader = visit(color_scheme=scheme, bypass_csp=True)
    trader.open()
    trader.wait_signed_in()
    page = trader.page
    assert_accessible(page, "at first")
    wins, loses = stage.spot(rows_up=1, columns_ahead=3), stage.spot(rows_up=-1, columns_ahead=3)
    trader.bet(wins)
    trader.bet(loses)
    expect(trader.figure("Open stakes")).to_have_text("2.00")
    stage.market.price_cents = wins.middle_cents
    trader.show_table()
    assert_accessible(page, "the table")
    trader.shot(f"table-{scheme}")
    trader.show_chart()
    trader.wait_told("1 won, 1 lost")
    assert_accessible(page, "with results")
    for name, title in PANELS.items():
        page.get_by_role("navigation").get_by_role("button", name=name).click()
        expect(page.get_by_role("complementary", name=title)).to_be_visible()
        assert_accessible(page, name)
        trader.shot(f"panel-{name.lower()}-{scheme}")
        page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("^Won")).click()
    panel = page.get_by_role("complementary", name="Evidence")
    panel.get_by_role("button", name="Check it yourself").click()
    expect(panel).to_contain_text("It holds.")
    assert_accessible(page, "the evidence")
    trader.shot(f"panel-evidence-{scheme}")
    stage.operate("hold", reason="a drill")
    expect(page.locator("#banner")).to_be_visible()
    assert_accessible(page, "on hold")
