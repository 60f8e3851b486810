"""Somebody who has never been here opens the page of a demo venue."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.browser.stage import Stage
from tests.browser.visitor import USD, Visitor

pytestmark = [pytest.mark.slow, pytest.mark.system]


def test_he_has_an_account_and_money_without_doing_anything(visit: Callable[..., Visitor]) -> None:
    newcomer = visit()
    newcomer.open()
    newcomer.wait_signed_in()
    assert newcomer.balance_micros() == 1_000 * USD
    assert newcomer.account()["balance_micros"] == 1_000 * USD
    expect(newcomer.page.locator("#panel")).to_be_hidden()
    expect(newcomer.page.get_by_role("banner").get_by_text("Paper money")).to_be_visible()
    newcomer.shot("first-visit")


def test_a_second_visit_finds_the_same_account(trader: Visitor) -> None:
    before = trader.account()
    trader.page.reload()
    trader.wait_signed_in()
    assert trader.account() == before


def test_two_tabs_opened_at_once_are_one_account(visit: Callable[..., Visitor]) -> None:
    newcomer = visit()
    asked: list[Route] = []
    newcomer.context.route("**/api/auth/demo", lambda route: asked.append(route))
    tabs = [newcomer.page, newcomer.context.new_page()]
    for tab in tabs:
        newcomer.open(page=tab)
        expect(tab.get_by_text("Betting open")).to_be_visible()
    assert len(asked) == 1, "the second waits for the first"
    asked[0].continue_()
    for tab in tabs:
        newcomer.wait_signed_in(page=tab)
    assert (len(asked), newcomer.sign_ins) == (1, 1)


def test_the_first_tap_needs_no_word_of_the_hints(stage: Stage, trader: Visitor) -> None:
    hints = trader.page.locator("#chart").get_by_text("Tap a cell:")
    expect(hints).to_be_visible()
    trader.bet(stage.spot())
    expect(hints).to_be_hidden()
    trader.page.reload()
    trader.wait_signed_in()
    expect(hints).to_be_hidden()
