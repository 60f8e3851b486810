"""Sign in with a wallet that really signs, and the ways in which a session ends."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.stage import Stage
from tests.browser.visitor import REFUSED, USD, Visitor
from tests.browser.wallet_stub import WalletStub

pytestmark = [pytest.mark.slow, pytest.mark.system]


@pytest.fixture
def wallet() -> WalletStub:
    """A wallet that the venue has never seen."""
    return WalletStub()


@pytest.fixture
def come_with(visit: Callable[..., Visitor]) -> Callable[[WalletStub], Visitor]:
    """Somebody at the sign-in panel, with that wallet in his browser."""

    def come(wallet: WalletStub) -> Visitor:
        visitor = visit()
        wallet.install(visitor.context)
        visitor.open()
        visitor.wait_signed_in()
        return visitor

    return come


def sign_in_panel(visitor: Visitor) -> Locator:
    """The panel with the ways in, opened from the account."""
    visitor.open_account().get_by_role("button", name="Use your own wallet").click()
    return visitor.page.get_by_role("complementary", name="Sign in")


def sign_in(visitor: Visitor, *, bet_max: str = "5 USD") -> None:
    """Sign in with the wallet; its key may stake so much a bet."""
    panel = sign_in_panel(visitor)
    panel.get_by_label("Each bet").select_option(label=bet_max)
    panel.get_by_role("button", name="Sign in with Test wallet").click()
    expect(visitor.page.get_by_role("complementary", name="Account")).to_be_visible()


def test_a_wallet_signs_in_once_and_its_key_taps_within_its_caps(
    stage: Stage, come_with: Callable[[WalletStub], Visitor], wallet: WalletStub
) -> None:
    trader = come_with(wallet)
    panel = sign_in_panel(trader)
    trader.shot("sign-in")
    panel.get_by_label("Each bet").select_option(label="5 USD")
    panel.get_by_role("button", name="Sign in with Test wallet").click()
    account = trader.page.get_by_role("complementary", name="Account")
    expect(account).to_be_visible()
    assert trader.wallet == wallet.address.lower()
    [text] = wallet.signed
    assert text.startswith(f"127.0.0.1:{stage.proxy.port} wants you to sign in with your Ethereum")
    assert wallet.address in text
    assert re.search(
        r"^- urn:tapgrid:session-key:p256:[\w-]+\?bet=5000000&day=\d+&until=", text, re.M
    )

    account.get_by_role("button", name="Get more paper money").click()
    expect(trader.figure("Balance")).to_have_text("1,000.00")
    trader.shot("signed-in-by-wallet")
    trader.choose_stake("5")
    trader.bet(stage.spot())
    trader.wait_told("Bet of 5 confirmed")
    chip = trader.stake("10")
    expect(chip).to_have_attribute("aria-disabled", "true")
    chip.click(force=True)
    trader.wait_told("More than your wallet lets this browser stake: 5.00 USD a bet")
    assert len(wallet.signed) == 1, "taps are signed by the key"
    [bet] = trader.account()["bets"]
    assert bet["key_id"] is not None


def test_who_cancels_in_his_wallet_is_told_that_nothing_was_signed(
    come_with: Callable[[WalletStub], Visitor], wallet: WalletStub
) -> None:
    trader = come_with(wallet)
    before = trader.wallet
    wallet.rejects = True
    panel = sign_in_panel(trader)
    panel.get_by_role("button", name="Sign in with Test wallet").click()
    expect(panel.get_by_role("status")).to_have_text(
        "You declined in your wallet. Nothing was signed."
    )
    trader.shot("sign-in-declined")
    assert trader.wallet == before
    wallet.rejects = False
    panel.get_by_role("button", name="Sign in with Test wallet").click()
    expect(trader.page.get_by_role("complementary", name="Account")).to_be_visible()


def test_a_wallet_that_comes_later_is_not_chosen_in_place_of_another(
    come_with: Callable[[WalletStub], Visitor], wallet: WalletStub
) -> None:
    trader = come_with(wallet)
    panel = sign_in_panel(trader)
    chosen = panel.get_by_role("radio", name="Test wallet")
    expect(chosen).to_be_checked()
    trader.page.evaluate(
        """() => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: {
            info: { uuid: "late", name: "A\u202e wallet", icon: "data:text/html,x", rdns: "a.a" },
            provider: { request: () => new Promise(() => {}) },
        } }))"""
    )
    expect(panel.get_by_role("radio", name="A wallet")).not_to_be_checked()
    expect(chosen).to_be_checked()
    expect(panel.get_by_role("button", name="Sign in with Test wallet")).to_be_visible()


def test_without_a_wallet_it_is_said_where_to_get_one(trader: Visitor) -> None:
    panel = sign_in_panel(trader)
    expect(panel).to_contain_text("No wallet was found in this browser.")


def test_a_session_ended_on_another_device_ends_here(
    stage: Stage, come_with: Callable[[WalletStub], Visitor], wallet: WalletStub
) -> None:
    here, there = come_with(wallet), come_with(wallet)
    here.tolerate(REFUSED)
    sign_in(here)
    sign_in(there)
    assert here.wallet == there.wallet == wallet.address.lower()
    there.page.get_by_role("heading", name="Sessions and keys").click()
    there.page.get_by_role("button", name=re.compile("^End the session")).click()
    expect(here.page.get_by_role("button", name="Sign in again")).to_be_visible()
    here.shot("session-ended")
    here.tap(stage.spot())
    here.wait_told("Sign in to tap|session has ended")
    assert stage.account(there.wallet)["bets"] == []


def test_signed_out_by_the_venue_a_demo_account_can_be_begun_anew(
    stage: Stage, visit: Callable[..., Visitor]
) -> None:
    trader = visit()
    trader.tolerate(REFUSED)
    with trader.page.expect_response("**/api/auth/demo") as signed_in:
        trader.open()
    token = signed_in.value.json()["token"]
    trader.wait_signed_in()
    assert stage.ask("POST", "/api/auth/logout", {}, token=token).status == 200
    again = trader.page.get_by_role("button", name="Sign in again")
    expect(again).to_be_visible()
    again.click()
    trader.shot("demo-session-ended")
    with trader.page.expect_response("**/api/auth/demo"):
        trader.page.get_by_role("button", name="Start a new demo account").click()
    expect(again).to_be_hidden()
    trader.wait_signed_in()
    assert trader.account()["balance_micros"] == 1_000 * USD
