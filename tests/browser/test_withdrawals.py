"""Money out: the wallet signs for it, and it is taken once."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.visitor import LINE_IS_CUT, REFUSED, Visitor
from tests.browser.wallet_stub import WalletStub

pytestmark = [pytest.mark.slow, pytest.mark.system]


@pytest.fixture
def wallet() -> WalletStub:
    """A wallet that the venue has never seen."""
    return WalletStub()


@pytest.fixture
def trader(visit: Callable[..., Visitor], wallet: WalletStub) -> Visitor:
    """Somebody who has signed in with it, and has 1,000 USD of paper."""
    visitor = visit()
    wallet.install(visitor.context)
    visitor.open()
    visitor.wait_signed_in()
    account = visitor.open_account()
    account.get_by_role("button", name="Use your own wallet").click()
    visitor.page.get_by_role("button", name="Sign in with Test wallet").click()
    expect(account.get_by_role("heading", name="Wallet account")).to_be_visible()
    account.get_by_role("button", name="Get more paper money").click()
    expect(visitor.figure("Balance")).to_have_text("1,000.00")
    return visitor


@pytest.fixture
def form(trader: Visitor) -> Locator:
    """The account's panel, with the withdrawals open."""
    account = trader.page.get_by_role("complementary", name="Account")
    account.get_by_role("heading", name="Withdrawals").click()
    return account


def test_what_is_signed_is_what_was_typed(
    trader: Visitor, form: Locator, wallet: WalletStub
) -> None:
    form.get_by_label("Amount, USD").fill("10.123456")
    form.get_by_role("button", name="Sign and request").click()
    expect(form.get_by_text("Requested. The amount has left your balance")).to_be_visible()
    expect(trader.figure("Balance")).to_have_text("989.87")
    lines = wallet.signed[-1].splitlines()
    assert lines[2:4] == ["Amount: 10123456", f"Destination: {wallet.address.lower()}"]
    trader.shot("withdrawal")


def test_what_is_wrong_is_said_and_what_was_typed_stays(form: Locator, wallet: WalletStub) -> None:
    signed = len(wallet.signed)
    amount = form.get_by_label("Amount, USD")
    for typed, problem in (
        ("1,5", "Write an amount like 25 or 1,000.50."),
        ("1000.01", "Your balance is 1,000.00 USD."),
    ):
        amount.fill(typed)
        form.get_by_role("button", name="Sign and request").click()
        expect(form.get_by_text(problem)).to_be_visible()
        expect(amount).to_be_focused()
    assert len(wallet.signed) == signed
    wallet.rejects = True
    amount.fill("5")
    form.get_by_role("button", name="Sign and request").click()
    expect(form.get_by_text("You declined in your wallet.")).to_be_visible()
    expect(amount).to_have_value("5")


def test_an_answer_that_is_lost_is_asked_for_again_and_nothing_is_taken_twice(
    trader: Visitor, form: Locator, wallet: WalletStub
) -> None:
    trader.tolerate(LINE_IS_CUT, REFUSED)

    def lose(route: Route) -> None:
        route.fetch()  # the venue has it
        route.abort()

    trader.page.route("**/api/withdrawals", lose, times=1)
    form.get_by_label("Amount, USD").fill("5")
    form.get_by_role("button", name="Sign and request").click()
    expect(form.get_by_text("The venue did not answer.")).to_be_visible()
    trader.shot("withdrawal-unanswered")
    signed = len(wallet.signed)
    form.get_by_role("button", name="Ask again").click()
    expect(form.get_by_text("Requested. The amount has left your balance")).to_be_visible()
    expect(trader.figure("Balance")).to_have_text("995.00")
    expect(form.get_by_text("Waiting to be paid")).to_have_count(1)
    assert len(wallet.signed) == signed, "the same request was sent again"


def test_what_one_account_has_not_settled_is_not_asked_about_as_another(
    trader: Visitor, form: Locator, wallet: WalletStub
) -> None:
    trader.tolerate(LINE_IS_CUT, REFUSED)
    trader.page.route("**/api/withdrawals", lambda route: route.abort(), times=1)
    form.get_by_label("Amount, USD").fill("5")
    form.get_by_role("button", name="Sign and request").click()
    expect(form.get_by_role("button", name="Ask again")).to_be_visible()
    wallet.key = WalletStub().key
    form.get_by_role("button", name="Renew the key").click()
    trader.page.get_by_role("button", name="Sign in with Test wallet").click()
    expect(form.get_by_role("heading", name="Wallet account")).to_be_visible()
    form.get_by_role("heading", name="Withdrawals").click()
    address = form.get_by_label("To this address")
    expect(address).to_have_value(wallet.address.lower())
    expect(form.get_by_role("button", name="Ask again")).to_be_hidden()
    expect(form.get_by_text("The venue did not answer.")).to_be_hidden()
    expect(form.get_by_label("Amount, USD")).to_be_empty()
