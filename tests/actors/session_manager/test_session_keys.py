"""Session keys at sign-in, and throwaway accounts, which only a session key bets for."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import attrs
import pytest
import trio
from eth_account import Account
from eth_account.messages import encode_defunct
from trio.testing import wait_all_tasks_blocked

from db.key_signatures import public_key_of
from db.sqlite_connection import Memory
from db.wallet_signatures import wallet_of
from domain.refusals import Code, Refusal
from domain.session_keys import AskedKey, key_id_of, key_resource
from domain.units import MICROS_MAX
from protocols.account_commands import KeyGrant
from protocols.money import Deposit, MoneyCommand, MoneyOutcome
from protocols.sign_in import DemoSignIn, ListSessions, Login, Session, SessionsListed, SignedIn
from supervisor import TrioClock
from tests.support.ledgers import Venue, open_venue
from tests.support.sign_in_desk import (
    ADDRESS,
    DAY_S,
    EPOCH_MS,
    KEY,
    OTHER_KEY,
    SETTINGS,
    Desk,
    desk,
    refused_with,
    sign_in_text,
)

WALLET = wallet_of(KEY)
POINT = public_key_of(7)
DEMO = attrs.evolve(SETTINGS, demo=True, demo_micros=250_000_000)


@pytest.fixture
def ledger(request: pytest.FixtureRequest) -> Iterator[Venue]:
    with closing(open_venue(Memory(f"keys-{abs(hash(request.node.nodeid))}"))) as venue:
        yield venue


@pytest.fixture
async def venue(ledger: Venue) -> AsyncIterator[Desk]:
    async with desk(accounts=lambda command: applied(ledger, command), settings=DEMO) as made:
        yield made


def applied(ledger: Venue, command: MoneyCommand) -> MoneyOutcome:
    return ledger.one(command, at_ms=now_ms())  # type: ignore[arg-type]


def now_ms() -> int:
    return TrioClock(EPOCH_MS).now_ms()


def resource(*, point: bytes = POINT, until_s: int | None = None) -> str:
    key = AskedKey(public_key=point, bet_max_micros=5_000_000, day_max_micros=100_000_000)
    return key_resource(key, now_ms() // 1000 + 3_600 if until_s is None else until_s)


async def refused_text(venue: Desk, *resources: str) -> str:
    """Why a login with these resources is refused; it costs no nonce and opens nothing."""
    nonce = await venue.nonce()
    refusal = refused_with(
        Code.BAD_REQUEST,
        await venue.login(sign_in_text(nonce, resources=resources)),
        "resources",
    )
    assert venue.ordered == []
    assert isinstance(await venue.login(sign_in_text(nonce)), SignedIn), "the nonce was not spent"
    return refusal.message


# --- named in the message -----------------------------------------------------------------------


async def test_a_login_authorises_the_key_that_its_message_names(
    venue: Desk, ledger: Venue
) -> None:
    until_s = now_ms() // 1000 + 3_600
    signed_in = await venue.signed_in(
        resources=["https://example.com/tos", resource(until_s=until_s)]
    )
    assert signed_in.key == KeyGrant(
        key_id=key_id_of(POINT),
        public_key=POINT,
        session_id=signed_in.session_id,
        bet_max_micros=5_000_000,
        day_max_micros=100_000_000,
        expires_at_ms=until_s * 1000,
    )
    kept = ledger.reader.session_key(key_id_of(POINT))
    assert kept is not None
    assert (kept.wallet, kept.session_id) == (WALLET, signed_in.session_id)
    assert kept.expires_at_ms == until_s * 1000


async def test_a_login_without_a_key_authorises_none(venue: Desk, ledger: Venue) -> None:
    assert (await venue.signed_in(resources=["https://example.com/tos"])).key is None
    assert ledger.reader.session_keys(WALLET) == []


async def test_a_key_ends_with_its_session_at_the_latest(venue: Desk) -> None:
    until_s = now_ms() // 1000 + 7 * DAY_S
    signed_in = await venue.signed_in(resources=[resource(until_s=until_s)])
    assert signed_in.key is not None
    assert signed_in.key.expires_at_ms == signed_in.expires_at_ms


async def test_a_message_with_a_key_that_eth_account_signed(venue: Desk) -> None:
    text = sign_in_text(await venue.nonce(), resources=[resource()])
    theirs = Account.sign_message(encode_defunct(text=text), private_key=KEY)
    signature = "0x" + bytes(theirs.signature).hex()
    signed_in = await venue.ask(Login(message=text, signature=signature, address=ADDRESS))
    assert isinstance(signed_in, SignedIn)
    assert signed_in.key is not None


async def test_caps_changed_after_signing_are_refused(venue: Desk) -> None:
    text = sign_in_text(await venue.nonce(), resources=[resource()])
    theirs = Account.sign_message(encode_defunct(text=text), private_key=KEY)
    signature = "0x" + bytes(theirs.signature).hex()
    raised = text.replace("?bet=5000000", "?bet=50000000")
    refused_with(
        Code.INVALID_SIGNATURE,
        await venue.ask(Login(message=raised, signature=signature, address=ADDRESS)),
    )
    assert venue.ordered == []


async def test_a_malformed_key_is_refused(venue: Desk) -> None:
    await refused_text(venue, resource().replace("&day=", "&week="))


async def test_two_keys_are_refused(venue: Desk) -> None:
    await refused_text(venue, resource(), resource(point=public_key_of(8)))


async def test_a_key_whose_end_has_passed_is_refused(venue: Desk) -> None:
    await refused_text(venue, resource(until_s=now_ms() // 1000))


@pytest.mark.parametrize("again", [KEY, OTHER_KEY], ids=["his own", "another wallet's"])
async def test_a_key_that_was_used_before_is_refused_for_ever(venue: Desk, again: bytes) -> None:
    first = await venue.signed_in(resources=[resource()])
    text = sign_in_text(await venue.nonce(), key=again, resources=[resource()])
    refused_with(Code.BAD_REQUEST, await venue.login(text, key=again), "resources")
    listed = await venue.ask(ListSessions(wallet=wallet_of(again)))
    assert isinstance(listed, SessionsListed)
    ids = [session.session_id for session in listed.sessions]
    assert ids == ([first.session_id] if again == KEY else [])


# --- throwaway accounts -------------------------------------------------------------------------


def demo(*, secret: int = 7, address: str = ADDRESS) -> DemoSignIn:
    return DemoSignIn(
        public_key=public_key_of(secret),
        bet_max_micros=MICROS_MAX,
        day_max_micros=MICROS_MAX,
        address=address,
    )


async def test_a_demo_sign_in_is_an_account_with_paper_and_a_key(
    venue: Desk, ledger: Venue
) -> None:
    signed_in = await venue.ask(demo())
    assert isinstance(signed_in, SignedIn)
    assert re.fullmatch("0x[0-9a-f]{40}", signed_in.wallet)
    assert signed_in.balance_micros == 250_000_000 == ledger.balance(signed_in.wallet)
    assert signed_in.key is not None
    assert signed_in.key.key_id == key_id_of(POINT)
    assert signed_in.key.expires_at_ms == signed_in.expires_at_ms
    session = await venue.whose(signed_in.token)
    assert isinstance(session, Session)
    assert session.wallet == signed_in.wallet


async def test_each_demo_sign_in_is_another_account(venue: Desk) -> None:
    first, second = await venue.ask(demo(secret=7)), await venue.ask(demo(secret=8))
    assert isinstance(first, SignedIn)
    assert isinstance(second, SignedIn)
    assert first.wallet != second.wallet


async def test_a_demo_sign_in_with_a_key_that_was_used_before_is_refused(venue: Desk) -> None:
    await venue.signed_in(resources=[resource()])
    refused_with(Code.BAD_REQUEST, await venue.ask(demo()), "public_key")
    assert not [command for command in venue.ordered if isinstance(command, Deposit)]


async def test_demo_sign_in_is_forbidden_where_it_is_off(ledger: Venue) -> None:
    async with desk(accounts=lambda command: applied(ledger, command)) as venue:
        refused_with(Code.FORBIDDEN, await venue.ask(demo()))
        assert venue.ordered == []


async def test_demo_sign_ins_and_logins_of_an_address_have_one_limit(venue: Desk) -> None:
    for secret in range(1, 5):
        assert isinstance(await venue.ask(demo(secret=secret)), SignedIn)
    await venue.signed_in()
    refused_with(Code.RATE_LIMITED, await venue.ask(demo(secret=6)))
    assert isinstance(await venue.ask(demo(secret=6, address="192.0.2.8")), SignedIn)


async def test_without_its_paper_a_demo_account_is_taken_back(ledger: Venue) -> None:
    def no_paper(command: MoneyCommand) -> MoneyOutcome:
        if isinstance(command, Deposit):
            return Refusal(Code.OVERLOADED)
        return applied(ledger, command)

    async with desk(accounts=no_paper, settings=DEMO) as venue:
        refused_with(Code.OVERLOADED, await venue.ask(demo()))
        key = ledger.reader.session_key(key_id_of(POINT))
        assert key is not None
        assert key.revoked_at_ms is not None
        listed = await venue.ask(ListSessions(wallet=key.wallet))
        assert listed == SessionsListed(sessions=())


async def test_demo_sign_ins_take_the_places_of_logins(ledger: Venue) -> None:
    """However slow the ledger is, they hold nobody else up."""
    often = attrs.evolve(DEMO, sign_ins_per_minute=1_000)
    async with desk(accounts=None, settings=often) as venue, trio.open_nursery() as nursery:
        for secret in range(1, 51):
            nursery.start_soon(venue.ask, demo(secret=secret))
        await wait_all_tasks_blocked()
        refused_with(Code.OVERLOADED, await venue.ask(demo(secret=99)))
        refused_with(Code.UNAUTHORIZED, await venue.whose("A" * 43))
        nursery.cancel_scope.cancel()
