"""A tap that is refused: the page says why, in words, and nothing is charged."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.stage import Stage
from tests.browser.visitor import USD, Visitor

pytestmark = [pytest.mark.slow, pytest.mark.system]


@pytest.fixture
def uncharged(trader: Visitor) -> Iterator[Visitor]:
    """A trader who has no bet, open or ended, when the test is over."""
    yield trader
    account = trader.account()
    assert account["bets"] == []
    assert trader.balance_micros() == account["balance_micros"]


def test_a_cell_that_is_too_soon(stage: Stage, uncharged: Visitor) -> None:
    uncharged.tap(stage.spot_at(columns_ahead=1, rows_up=0))
    uncharged.wait_told("can't be tapped|closed|too late")
    uncharged.shot("refused-locked-out")
    assert uncharged.account()["balance_micros"] == 1_000 * USD


def test_a_cell_that_is_not_on_offer(stage: Stage, uncharged: Visitor) -> None:
    smaller = uncharged.page.get_by_role("button", name="Smaller cells, more of them")
    while smaller.is_enabled():
        smaller.click()
    far = next(
        spot
        for rows_up in range(1, 19)
        if (spot := stage.spot_at(columns_ahead=3, rows_up=rows_up)).cell_id not in stage.offered()
    )
    uncharged.tap(far)
    uncharged.wait_told("No rate is offered on this cell")
    assert uncharged.account()["balance_micros"] == 1_000 * USD


def test_a_stake_above_the_balance(stage: Stage, uncharged: Visitor) -> None:
    stage.operate(
        "adjustments", wallet=uncharged.wallet, amount_micros=-999_500_000, reference="all-but-0.5"
    )
    expect(uncharged.figure("Balance")).to_have_text("0.50")
    uncharged.tap(stage.spot())
    uncharged.wait_told("Your balance does not cover this stake")
    uncharged.shot("refused-balance")
    assert uncharged.account()["balance_micros"] == 500_000


def test_a_rate_that_has_moved(stage: Stage, uncharged: Visitor) -> None:
    spot = stage.spot(columns_ahead=5)
    rate = stage.offered()[spot.cell_id]
    with stage.holding_replies():
        stage.market.price_cents = spot.middle_cents
        stage.wait(
            lambda: stage.offered().get(spot.cell_id, rate) < rate * 0.95, "the rate to move"
        )
        uncharged.tap(spot)
    uncharged.wait_told(r"Rate moved to \d+\.\d\dx: tap again")
    uncharged.shot("refused-rate-moved")
    assert uncharged.account()["balance_micros"] == 1_000 * USD


def test_betting_on_hold(stage: Stage, uncharged: Visitor) -> None:
    spot = stage.spot(columns_ahead=6)
    stage.operate("hold", reason="a drill")
    banner = uncharged.page.locator("#banner")
    expect(banner).to_contain_text("Betting is on hold: a drill.")
    expect(banner).to_contain_text("An operator opens it again.")
    uncharged.tap(spot)
    uncharged.wait_told("Betting is on hold")
    uncharged.shot("on-hold")
    stage.operate("release")
    expect(banner).to_be_hidden()
    assert uncharged.account()["balance_micros"] == 1_000 * USD


def test_a_cell_that_another_tab_has_just_tapped(stage: Stage, trader: Visitor) -> None:
    spot = stage.spot()
    other = trader.context.new_page()
    trader.open(page=other)
    trader.wait_signed_in(page=other)
    with stage.holding_replies():
        trader.tap(spot)
        trader.tap(spot, page=other)
    trader.wait_told("confirmed")
    trader.wait_told("confirmed|You hold a bet on this cell already", page=other)
    expect(trader.figure("Open stakes", page=other)).to_have_text("1.00")
    assert len(trader.account()["bets"]) == 1


def test_a_double_tap_is_one_bet(stage: Stage, trader: Visitor) -> None:
    x, y = trader.place_of(stage.spot())
    trader.page.mouse.dblclick(x, y)
    trader.wait_told("confirmed")
    expect(trader.figure("Open stakes")).to_have_text(re.compile("1.00"))
    assert len(trader.account()["bets"]) == 1
