"""The operators' page: who has no token sees nothing, who has one sees all and can act."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.axe import assert_accessible
from tests.browser.stage import Stage
from tests.browser.visitor import REFUSED, Visitor
from tests.support.venue_process import OPS_TOKEN

pytestmark = [pytest.mark.slow, pytest.mark.system]


@pytest.fixture
def operator(visit: Callable[..., Visitor]) -> Visitor:
    """An operator who has been let in."""
    operator = visit(viewport={"width": 1440, "height": 900})
    enter(operator)
    return operator


def enter(operator: Visitor) -> None:
    operator.open("/operate")
    operator.page.get_by_label("Operator token").fill(OPS_TOKEN)
    operator.page.get_by_role("button", name="Sign in").click()
    expect(operator.page.get_by_role("region", name="Actors")).to_be_visible()


def order(page: Page, action: str, *, confirm: str, reason: str) -> None:
    """Open an action, say why, and type what confirms it."""
    desk = page.get_by_role("region", name="Desk")
    desk.get_by_role("button", name=re.compile(f"^{action}")).click()
    desk.get_by_label("Reason").fill(reason)
    desk.get_by_label(f"Type {confirm} to confirm").fill(confirm)
    desk.get_by_role("button", name=action, exact=True).click()


def test_a_wrong_token_opens_nothing(visit: Callable[..., Visitor]) -> None:
    stranger = visit()
    stranger.tolerate(REFUSED)
    stranger.open("/operate")
    token = stranger.page.get_by_label("Operator token")
    token.fill("a-guess-that-is-long-enough-to-be-a-token")
    stranger.page.get_by_role("button", name="Sign in").click()
    expect(stranger.page.get_by_role("alert")).not_to_be_empty()
    expect(token).to_be_focused()
    expect(stranger.page.get_by_role("region", name="Actors")).to_be_hidden()
    stranger.shot("operate-wrong-token")


def test_the_actor_tree_and_the_figures_are_live(stage: Stage, operator: Visitor) -> None:
    page = operator.page
    tree = page.get_by_role("table", name="Actors with their mailboxes")
    for actor in ("gateway", "batcher", "resolver", "price_feed", "quoter"):
        row = tree.get_by_role("row", name=re.compile(actor))
        expect(row).to_contain_text("running")
    figures = page.get_by_role("region", name="Figures")
    expect(figures).to_contain_text("binance")
    operator.shot("operate")
    stage.market.is_silent = True
    expect(page.get_by_role("region", name="Attention")).to_contain_text(
        re.compile("feed|price", re.I), timeout=15_000
    )
    operator.shot("operate-attention")


def test_betting_is_held_and_released_with_a_reason(
    stage: Stage, operator: Visitor, trader: Visitor
) -> None:
    banner = trader.page.locator("#banner")
    order(operator.page, "Hold betting", confirm="hold", reason="a wrong price was seen")
    expect(operator.page.get_by_text("Done. Betting is on hold.")).to_be_visible()
    expect(banner).to_contain_text("Betting is on hold: a wrong price was seen.")
    operator.shot("operate-held")
    operator.page.get_by_role("button", name="Back", exact=True).click()
    order(operator.page, "Release the hold", confirm="release", reason="it was mended")
    expect(operator.page.get_by_text("Done. The hold is released.")).to_be_visible()
    expect(banner).to_be_hidden()
    log = operator.page.get_by_role("region", name="Log")
    expect(log).to_contain_text("a wrong price was seen")


def test_the_breaker_is_overridden_only_with_its_word_typed(
    stage: Stage, operator: Visitor, trader: Visitor
) -> None:
    page = operator.page
    desk = page.get_by_role("region", name="Desk")
    desk.get_by_role("button", name=re.compile("^Open the breaker")).click()
    desk.get_by_label("Reason").fill("a drill")
    desk.get_by_label(re.compile("^Type .* to confirm")).fill("yes")
    desk.get_by_role("button", name="Open the breaker", exact=True).click()
    expect(desk).to_contain_text("Type exactly: open")
    operator.shot("operate-not-confirmed")
    assert stage.offered(), "nothing was sent"

    desk.get_by_label(re.compile("^Type .* to confirm")).fill("open")
    desk.get_by_role("button", name="Open the breaker", exact=True).click()
    banner = trader.page.locator("#banner")
    expect(banner).to_contain_text("An operator has suspended betting.")
    desk.get_by_role("button", name="Back", exact=True).click()
    order(page, "Breaker to auto", confirm="auto", reason="the drill is over")
    expect(banner).to_be_hidden()


def test_an_order_goes_once_and_is_answered_where_it_was_asked(operator: Visitor) -> None:
    held: list[Route] = []
    operator.page.route("**/ops/integrity", lambda route: held.append(route))
    desk = operator.page.get_by_role("region", name="Desk")
    desk.get_by_role("button", name=re.compile("^Check the money")).click()
    desk.get_by_label("Reason").fill("a drill")
    confirm = desk.get_by_label("Type check to confirm")
    confirm.fill("check")
    for _ in range(3):
        confirm.press("Enter")
    desk.get_by_role("button", name="Check the money", exact=True).dblclick(force=True)
    expect(desk.get_by_text("Asking…")).to_be_visible()

    desk.get_by_role("button", name="Back", exact=True).click()
    desk.get_by_role("button", name=re.compile("^Take a backup")).click()
    desk.get_by_label("Reason").fill("another drill")
    [asked] = held
    asked.continue_()
    expect(operator.page.get_by_role("region", name="Log")).to_contain_text("Zero drift in")
    expect(desk).not_to_contain_text("Zero drift in")
    expect(desk.get_by_label("Reason")).to_have_value("another drill")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_axe_finds_nothing(visit: Callable[..., Visitor], scheme: str) -> None:
    operator = visit(color_scheme=scheme, bypass_csp=True, viewport={"width": 1440, "height": 900})
    operator.open("/operate")
    assert_accessible(operator.page, "before the token")
    enter(operator)
    assert_accessible(operator.page, "the dashboard")
    desk = operator.page.get_by_role("region", name="Desk")
    desk.get_by_role("button", name=re.compile("^Hold betting")).click()
    assert_accessible(operator.page, "an action")
    operator.shot(f"operate-action-{scheme}")


@pytest.mark.parametrize("width", [360, 768, 1920])
def test_it_fits(visit: Callable[..., Visitor], width: int) -> None:
    operator = visit(viewport={"width": width, "height": 800})
    enter(operator)
    assert operator.page.evaluate("() => document.scrollingElement.scrollWidth") <= width
    operator.shot(f"operate-{width}")
