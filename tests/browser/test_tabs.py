"""Two tabs of one browser are one trader."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stage import Stage
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.slow, pytest.mark.system]


@pytest.fixture
def second(trader: Visitor) -> Page:
    """Another tab."""
    tab = trader.context.new_page()
    trader.open(page=tab)
    trader.wait_signed_in(page=tab)
    return tab


def test_a_bet_in_one_shows_in_the_other(stage: Stage, trader: Visitor, second: Page) -> None:
    assert trader.sign_ins == 1
    trader.bet(stage.spot())
    trader.wait_told("Bet of 1 confirmed", page=second)
    expect(trader.figure("Balance", page=second)).to_have_text("999.00")
    expect(trader.figure("Open stakes", page=second)).to_have_text("1.00")


def test_signing_out_in_one_ends_both(trader: Visitor, second: Page) -> None:
    trader.open_account()
    trader.page.get_by_role("button", name="Sign out").first.click()
    trader.shot("sign-out-of-a-demo")
    trader.page.get_by_role("button", name="Sign out for good").click()
    for tab in (trader.page, second):
        expect(trader.figure("Balance", page=tab)).to_have_text("–")
        expect(tab.get_by_role("button", name="Sign in").first).to_be_visible()
    trader.shot("signed-out")
