"""All of it by the keyboard alone."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stage import Stage
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.slow, pytest.mark.system]

STOPS_MAX = 40


def tab_to(page: Page, name: str) -> None:
    """Press Tab until that control has the focus."""
    for _ in range(STOPS_MAX):
        page.keyboard.press("Tab")
        if re.search(name, focused(page)):
            return
    raise AssertionError(f"no way to {name!r} by Tab")


def focused(page: Page) -> str:
    """What has the focus, as a screen reader would name it."""
    name: str = page.evaluate(
        """() => {
          const focused = document.activeElement;
          return (focused.getAttribute("aria-label") ?? focused.textContent).trim();
        }"""
    )
    return name


def test_a_bet_from_the_table_and_its_result_heard(stage: Stage, trader: Visitor) -> None:
    page = trader.page
    tab_to(page, "^Table$")
    page.keyboard.press("Enter")
    tab_to(page, r"to [\d,]+, opens in")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    assert re.search(r"pays \d", focused(page))
    page.keyboard.press("Enter")
    trader.wait_told("Bet of 1 confirmed")
    trader.shot("table-by-keyboard")
    assert re.search(r"your bet at [\d.]+x, 1 placed", focused(page))
    trader.wait_told("Lost on|Won", within_s=25)


def test_a_bet_from_the_chart(stage: Stage, trader: Visitor) -> None:
    page = trader.page
    tab_to(page, "^Grid of cells")
    for key in ("ArrowRight", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
    trader.shot("chart-by-keyboard")
    page.keyboard.press("Enter")
    trader.wait_told("Bet of 1 confirmed")


def test_digits_choose_the_stake(trader: Visitor) -> None:
    trader.page.keyboard.press("3")
    chip = trader.stake("10")
    expect(chip).to_have_attribute("aria-pressed", "true")


def test_a_panel_takes_the_focus_and_gives_it_back(trader: Visitor) -> None:
    page = trader.page
    tab_to(page, "^History$")
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary", name="History")).to_be_visible()
    assert focused(page) == "History"
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    assert focused(page) == "History"
    expect(page.get_by_role("button", name="History")).to_be_focused()
