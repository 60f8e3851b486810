"""Prices stop: the page says how it stands, and what becomes of the bets that this touches."""

import pytest
from playwright.sync_api import expect

from tests.browser.stage import Stage
from tests.browser.visitor import USD, Visitor

pytestmark = [pytest.mark.slow, pytest.mark.system]

STEADY_S = 30
"""Betting opens again only after so long of steady prices."""


def test_betting_is_suspended_touched_bets_are_refunded_and_it_opens_again(
    stage: Stage, trader: Visitor
) -> None:
    trader.bet(stage.spot(columns_ahead=7))
    banner = trader.page.locator("#banner")

    stage.market.is_silent = True
    expect(trader.page.locator(".top-feed")).to_have_attribute("data-look", "true", timeout=8_000)
    trader.shot("feed-slow")
    expect(banner).to_contain_text("prices do not come reliably", timeout=15_000)
    expect(banner).to_contain_text("It opens by itself after 30 s of steady prices.")
    trader.wait_told(r"Void on .*, stake refunded", within_s=20)
    expect(trader.figure("Balance")).to_have_text("1,000.00")
    trader.shot("suspended-and-refunded")

    trader.tap(stage.spot_at(columns_ahead=5, rows_up=1))
    trader.wait_told("Betting is suspended: prices do not come reliably")
    assert trader.account()["balance_micros"] == 1_000 * USD

    stage.market.is_silent = False
    expect(banner).to_be_hidden(timeout=(STEADY_S + 15) * 1_000)
    trader.wait_told("Betting is open again")
    stage.wait(stage.offered, "betting to be open")
    trader.bet(stage.spot())
    expect(trader.figure("Open stakes")).to_have_text("1.00")
