"""Limits that a trader sets for himself hold at once."""

import pytest
from playwright.sync_api import expect

from tests.browser.stage import Stage
from tests.browser.visitor import USD, Visitor

pytestmark = [pytest.mark.slow, pytest.mark.system]


def test_a_limit_of_each_stake(stage: Stage, trader: Visitor) -> None:
    trader.choose_stake("10")
    account = trader.open_account()
    account.get_by_role("heading", name="Limits").click()
    account.get_by_label("Most per bet, USD").fill("5")
    account.get_by_role("button", name="Set: most per bet").click()
    chip = trader.stake("10")
    expect(chip).to_have_attribute("aria-disabled", "true")
    trader.shot("own-limit")
    assert trader.account()["limits"]["stake_max_micros"] == 5 * USD
    trader.tap(stage.spot())
    trader.wait_told("own limit")
    assert trader.account()["bets"] == []
    trader.choose_stake("5")
    trader.bet(stage.spot())
    trader.wait_told("Bet of 5 confirmed")


def test_a_pause(stage: Stage, trader: Visitor) -> None:
    account = trader.open_account()
    account.get_by_role("heading", name="Limits").click()
    account.get_by_role("button", name="Pause for 1 hour").click()
    account.get_by_role("button", name="Pause", exact=True).click()
    expect(trader.page.locator("#banner")).to_contain_text("You have paused betting.")
    trader.shot("paused")
    trader.tap(stage.spot())
    trader.wait_told("You have paused betting")
    assert trader.account()["bets"] == []
