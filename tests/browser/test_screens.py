"""Phones, wide screens, both color schemes, less motion: everything is there and fits."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stage import Stage
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.slow, pytest.mark.system]

PHONES: dict[str, dict[str, Any]] = {
    "360x640": {"viewport": {"width": 360, "height": 640}, "device_scale_factor": 3},
    "390x844": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 3},
}
TOUCH = {"has_touch": True, "is_mobile": True}
PANELS = ("History", "Help", "Account")


OUTSIDE = """() => {
  const scrolls = (element) =>
    element !== null &&
    (/auto|scroll/.test(getComputedStyle(element).overflow) || scrolls(element.parentElement));
  return [...document.querySelectorAll("button, a, input, select, summary, p, dt, dd, li, h1, h2")]
    .filter((element) => element.checkVisibility() && !element.closest(".unseen, #chart"))
    .filter((element) => !scrolls(element.parentElement))
    .map((element) => [element.outerHTML.slice(0, 120), element.getBoundingClientRect()])
    .filter(([, { left, right, top, bottom }]) =>
      left < -0.5 || top < -0.5 || right > innerWidth + 0.5 || bottom > innerHeight + 0.5)
    .map(([html, { left, right, top, bottom }]) => [html, left, right, top, bottom]);
}"""


def assert_fits(page: Page) -> None:
    """Nothing stands out of the screen, unless in a place of its own that scrolls."""
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate("() => document.scrollingElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("size", PHONES)
def test_a_bet_on_a_phone_by_touch(stage: Stage, visit: Callable[..., Visitor], size: str) -> None:
    trader = visit(**PHONES[size], **TOUCH)
    trader.open()
    trader.wait_signed_in()
    assert_fits(trader.page)
    trader.shot(f"phone-{size}")
    spot = stage.spot(columns_ahead=3)
    trader.bet(spot)
    stage.market.price_cents = spot.middle_cents
    trader.wait_told("Won")
    trader.shot(f"phone-{size}-won")
    assert_fits(trader.page)
    for name in PANELS:
        trader.page.get_by_role("navigation").get_by_role("button", name=name).tap()
        panel = trader.page.get_by_role("complementary")
        expect(panel).to_be_visible()
        assert_fits(trader.page)
        trader.shot(f"phone-{size}-{name.lower()}")
        panel.get_by_role("button", name="Close").tap()
        expect(panel).to_be_hidden()


@pytest.mark.parametrize("size", ["1024x700", "1920x1080", "2560x1300"])
def test_wide_screens(stage: Stage, visit: Callable[..., Visitor], size: str) -> None:
    width, height = map(int, size.split("x"))
    trader = visit(viewport={"width": width, "height": height})
    trader.open()
    trader.wait_signed_in()
    trader.bet(stage.spot())
    assert_fits(trader.page)
    trader.shot(f"wide-{size}")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_scheme_follows_the_system_until_the_trader_chooses(
    visit: Callable[..., Visitor], scheme: str
) -> None:
    other = {"dark": "light", "light": "dark"}[scheme]
    trader = visit(color_scheme=scheme)
    trader.open()
    trader.wait_signed_in()
    assert ground(trader.page) == GROUNDS[scheme]
    trader.shot(f"scheme-{scheme}")
    account = trader.open_account()
    account.get_by_role("heading", name="Preferences").click()
    account.get_by_label(other.capitalize()).check()
    assert ground(trader.page) == GROUNDS[other]
    trader.page.reload()
    assert ground(trader.page) == GROUNDS[other], "it is remembered"


GROUNDS = {"dark": "rgb(14, 18, 24)", "light": "rgb(244, 246, 249)"}


def ground(page: Page) -> str:
    """The color behind everything."""
    color: str = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    return color


def test_with_less_motion_nothing_is_animated(stage: Stage, visit: Callable[..., Visitor]) -> None:
    trader = visit(reduced_motion="reduce")
    trader.open()
    trader.wait_signed_in()
    trader.page.evaluate(
        """() => {
          window.testMoved = [];
          for (const type of ["transitionrun", "animationstart"]) {
            document.addEventListener(type, ({ target, type: what }) => {
              const lasts = target.getAnimations().some(
                (one) => Number(one.effect.getComputedTiming().duration) > 0);
              if (lasts) window.testMoved.push(`${what} of ${target.className}`);
            }, true);
          }
        }"""
    )
    trader.bet(stage.spot())
    trader.open_account()
    trader.page.keyboard.press("Escape")
    expect(trader.page.locator("#panel")).to_be_hidden()
    assert trader.page.evaluate("() => window.testMoved") == []
    trader.shot("reduced-motion")
