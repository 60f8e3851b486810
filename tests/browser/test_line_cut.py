"""The connection breaks while a bet is on its way, or open: nothing is claimed, nothing is lost."""

import pytest
from playwright.sync_api import expect

from domain.units import payout_micros
from tests.browser.stage import Stage
from tests.browser.visitor import ASKED_IN_VAIN, LINE_IS_CUT, USD, Visitor

pytestmark = [pytest.mark.slow, pytest.mark.system]


@pytest.fixture
def cut_off(trader: Visitor) -> Visitor:
    """A trader whose line will be cut, once the page has loaded all that it has."""
    trader.tolerate(LINE_IS_CUT, ASKED_IN_VAIN)
    assert trader.wallet
    return trader


def test_a_bet_that_the_venue_has_is_confirmed_after_the_resync(
    stage: Stage, cut_off: Visitor
) -> None:
    spot = stage.spot(columns_ahead=8)
    stage.proxy.drop_replies = True
    cut_off.tap(spot)
    stage.wait(lambda: cut_off.account()["bets"], "the bet to be on the venue's disk")
    stage.cut(stays_cut=True)
    banner = cut_off.page.locator("#banner")
    expect(banner).to_contain_text("The connection to the venue is lost.")
    expect(banner).to_contain_text("Your open bets are safe on its disk.")
    cut_off.show_table()
    expect(cut_off.table_cell(spot)).to_have_attribute("data-kind", "unknown")
    cut_off.show_chart()
    cut_off.shot("unknown")
    stage.mend()
    expect(banner).to_be_hidden()
    cut_off.wait_told("Bet of 1 confirmed")
    expect(cut_off.figure("Open stakes")).to_have_text("1.00")
    assert len(cut_off.account()["bets"]) == 1


def test_a_bet_that_never_reached_the_venue_is_not_placed(stage: Stage, cut_off: Visitor) -> None:
    spot = stage.spot(columns_ahead=8)
    cut_off.show_table()
    stage.proxy.drop_requests = True
    cut_off.press(spot)
    expect(cut_off.table_cell(spot)).to_have_attribute("data-kind", "pending")
    stage.cut(stays_cut=True)
    expect(cut_off.table_cell(spot)).to_have_attribute("data-kind", "unknown")
    stage.mend()
    cut_off.wait_told("Not placed")
    cut_off.shot("not-placed")
    expect(cut_off.figure("Open stakes")).to_have_text("0.00")
    account = cut_off.account()
    assert (account["bets"], account["balance_micros"]) == ([], 1_000 * USD)
    cut_off.show_chart()
    cut_off.bet(stage.spot())


def test_an_answer_that_never_comes_is_asked_for(stage: Stage, cut_off: Visitor) -> None:
    """The line looks sound and swallows the bet: after a while the page does not believe in it."""
    spot = stage.spot(columns_ahead=11)
    cut_off.show_table()
    stage.proxy.drop_requests = True
    cut_off.press(spot)
    expect(cut_off.table_cell(spot)).to_have_attribute("data-kind", "unknown", timeout=10_000)
    stage.mend()
    cut_off.wait_told("Not placed")
    assert cut_off.account()["bets"] == []


def test_what_was_won_while_the_line_was_cut_is_there_afterwards(
    stage: Stage, cut_off: Visitor
) -> None:
    spot = stage.spot()
    cut_off.bet(spot)
    [bet] = cut_off.account()["bets"]
    stage.cut(stays_cut=True)
    expect(cut_off.page.locator("#banner")).to_contain_text("The connection to the venue is lost.")
    stage.market.price_cents = spot.middle_cents
    won_micros = 999 * USD + payout_micros(USD, bet["reward_bps"])
    stage.wait(
        lambda: cut_off.account()["balance_micros"] == won_micros, "the venue to pay the bet"
    )
    cut_off.shot("cut-off")
    assert cut_off.balance_micros() == 999 * USD, "it is not known here yet"
    stage.mend()
    cut_off.wait_told("Won")
    expect(cut_off.figure("Open stakes")).to_have_text("0.00")
    stage.wait(
        lambda: cut_off.balance_micros() == won_micros // 10_000 * 10_000, "the balance to be new"
    )
