"""The table's cells stay under the finger and the focus while time goes by."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stage import COLUMN_S, Stage
from tests.browser.visitor import REFUSED, Visitor

pytestmark = [pytest.mark.slow, pytest.mark.system]

FOCUSED = "() => document.activeElement.dataset.cell ?? ''"


def start_s(page: Page) -> int:
    """When the focused cell's column begins."""
    cell: str = page.evaluate(FOCUSED)
    return int(cell.partition("_")[0])


def row(page: Page) -> str:
    """The focused cell's price range."""
    cell: str = page.evaluate(FOCUSED)
    return cell.partition("_")[2]


def test_the_focus_stays_on_its_cell_and_goes_on_when_that_is_over(trader: Visitor) -> None:
    page = trader.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Use the table instead of the chart")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    first_s, first_row = start_s(page), row(page)
    trader.wait_told("is closed for taps now")
    assert start_s(page) == first_s, "while it is closed it keeps the focus"
    expect(page.locator(":focus")).to_have_attribute("aria-disabled", "true")
    page.wait_for_function(f"first => ({FOCUSED})() !== first", arg=f"{first_s}_{first_row}")
    assert start_s(page) > first_s + COLUMN_S
    assert row(page) == first_row
    expect(page.locator(":focus")).to_have_attribute(
        "aria-label", re.compile("opens in .* seconds?, pays ")
    )


def test_only_one_cell_is_a_stop_of_the_tab_key(trader: Visitor) -> None:
    trader.show_table()
    expect(trader.page.locator(".table-cell[tabindex='0']")).to_have_count(1)


def test_a_cell_that_is_held_opens_its_evidence(stage: Stage, trader: Visitor) -> None:
    trader.tolerate(REFUSED)  # there is no proof of an open bet
    trader.show_table()
    spot = stage.spot()
    trader.press(spot)
    trader.wait_told("Bet of 1 confirmed")
    trader.press(spot)
    expect(trader.page.get_by_role("complementary", name="Evidence")).to_be_visible()
    assert len(trader.account()["bets"]) == 1


def test_headings_say_the_price_range_and_the_time(stage: Stage, trader: Visitor) -> None:
    trader.show_table()
    page = trader.page
    low = stage.spot().lo_cents // 100
    expect(page.get_by_role("rowheader", name=f"{low:,} to {low + 10:,}")).to_be_attached()
    expect(page.get_by_role("columnheader", name=re.compile(r"^in \d+ s")).first).to_be_visible()
