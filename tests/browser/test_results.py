"""From a tap to its result, and to the evidence that anybody can check."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from domain.units import payout_micros
from tests.browser.stage import Stage
from tests.browser.visitor import REFUSED, USD, Visitor

pytestmark = [pytest.mark.slow, pytest.mark.system]


def test_a_touched_cell_pays_its_rate_and_an_untouched_one_nothing(
    stage: Stage, trader: Visitor
) -> None:
    wins, loses = stage.spot(rows_up=1), stage.spot(rows_up=-1)
    trader.choose_stake("5")
    trader.bet(wins)
    trader.bet(loses)
    expect(trader.figure("Open stakes")).to_have_text("10.00")
    trader.shot("confirmed")
    assert trader.balance_micros() == 990 * USD
    rates = {bet["cell_id"]: bet["reward_bps"] for bet in trader.account()["bets"]}

    stage.market.price_cents = wins.middle_cents

    trader.wait_told(r"2 bets ended: 1 won, 1 lost")
    trader.shot("won-and-lost")
    paid = payout_micros(5 * USD, rates[wins.cell_id])
    result = f"+{(paid - 5 * USD) // 10_000 / 100:.2f}"
    results = trader.page.get_by_role("list", name="Last results")
    expect(results.get_by_role("button", name=re.compile("^Won"))).to_contain_text(result)
    expect(results.get_by_role("button", name=re.compile("^Lost"))).to_contain_text("−5.00")
    expect(trader.figure("Open stakes")).to_have_text("0.00")
    assert trader.account()["balance_micros"] == 990 * USD + paid
    shown_usd = (990 * USD + paid) // 10_000 / 100
    expect(trader.figure("Balance")).to_contain_text(f"{shown_usd:,.2f}")


def test_a_tap_is_drawn_as_sent_before_the_venue_has_answered(
    stage: Stage, trader: Visitor
) -> None:
    spot = stage.spot()
    with stage.holding_replies():
        trader.tap(spot)
        trader.shot("pending")
        assert trader.balance_micros() == 1_000 * USD, "nothing is claimed before the venue's word"
    trader.wait_told("confirmed")
    expect(trader.figure("Balance")).to_have_text("999.00")


def test_the_evidence_of_a_result_holds_for_anybody_who_has_its_link(
    stage: Stage, visit: Callable[..., Visitor]
) -> None:
    trader = visit(permissions=["clipboard-read", "clipboard-write"])
    trader.open()
    trader.wait_signed_in()
    spot = stage.spot()
    trader.bet(spot)
    stage.market.price_cents = spot.middle_cents
    trader.wait_told("Won")

    trader.page.get_by_role("button", name=re.compile("^Won")).click()
    panel = trader.page.get_by_role("complementary", name="Evidence")
    expect(panel).to_contain_text("Won")
    panel.get_by_role("button", name="Check it yourself").click()
    expect(panel).to_contain_text("It holds. Your browser came to the same result.")
    trader.shot("evidence")
    panel.get_by_role("button", name="Copy link to this evidence").click()
    link = trader.page.evaluate("() => navigator.clipboard.readText()")

    stranger = visit()
    stranger.context.route("**/api/auth/**", lambda route: route.abort())
    stranger.tolerate(re.compile("Failed to load resource: net::ERR_FAILED"))
    stranger.page.goto(link)
    panel = stranger.page.get_by_role("complementary", name="Evidence")
    expect(panel).to_contain_text("Won")
    panel.get_by_role("button", name="Check it yourself").click()
    expect(panel).to_contain_text("It holds. Your browser came to the same result.")
    assert stranger.sign_ins == 0


def test_a_link_to_a_bet_that_never_was_says_so(visit: Callable[..., Visitor]) -> None:
    stranger = visit()
    stranger.tolerate(REFUSED)
    stranger.open("/#bet=01KGH6JZ9W5Q8XN4T2R7V3M1CA")
    panel = stranger.page.get_by_role("complementary", name="Evidence")
    expect(panel).to_contain_text("There is no bet with this id.")
    stranger.shot("evidence-unknown")
