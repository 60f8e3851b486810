"""SessionManager: from a nonce to a session and its end, and every way in which it says no."""

import re
from collections.abc import Sequence

import attrs
import pytest
import trio
from eth_account import Account
from eth_account.messages import encode_defunct
from trio.testing import MockClock

from actors.session_manager import (
    COMMANDS_AT_ONCE_MAX,
    LAST_WITHIN_S,
    LOGINS_AT_ONCE_MAX,
    SignInAsk,
)
from db.memory_store import MemoryStore
from db.wallet_signatures import wallet_of
from domain.refusals import Code, Refusal
from protocols.money import CommandFailed, OpenAccount
from protocols.ports import Allowance, KeyValueStore, StoreUnavailable
from protocols.sign_in import (
    Authenticate,
    IssueNonce,
    Login,
    Logout,
    NonceIssued,
    Session,
    SessionEnded,
    SignedIn,
)
from supervisor import Ask, Refused, StatusUnknown, TrioClock
from tests.support.sign_in_desk import (
    ADDRESS,
    DAY_S,
    EPOCH_MS,
    KEY,
    OTHER_KEY,
    SETTINGS,
    Answer,
    Desk,
    desk,
    refused_with,
    sign_in_text,
    signed,
)

# --- signing in -------------------------------------------------------------------------------


async def test_nonce_comes_with_all_that_the_message_must_say(autojump_clock: MockClock) -> None:
    async with desk() as venue:
        issued = await venue.ask(IssueNonce(address=ADDRESS))
        assert isinstance(issued, NonceIssued)
        assert re.fullmatch("[0-9a-f]{32}", issued.nonce)
        assert (issued.domain, issued.uri) == ("127.0.0.1:8080", "http://127.0.0.1:8080")
        assert issued.chain_id == 31337
        assert issued.issued_at_ms == EPOCH_MS
        assert issued.expires_at_ms == EPOCH_MS + 300_000
        assert await venue.nonce() != issued.nonce


async def test_login_opens_the_account_and_gives_a_session(autojump_clock: MockClock) -> None:
    async with desk() as venue:
        signed_in = await venue.signed_in()
        assert venue.opened == [OpenAccount(wallet=wallet_of(KEY))]
        assert re.fullmatch("[A-Za-z0-9_-]{43}", signed_in.token)
        assert (signed_in.wallet, signed_in.user_id) == (wallet_of(KEY), 7)
        assert signed_in.balance_micros == 42
        assert signed_in.expires_at_ms == EPOCH_MS + DAY_S * 1000
        assert await venue.whose(signed_in.token) == Session(
            session_id=signed_in.session_id,
            wallet=wallet_of(KEY),
            user_id=7,
            created_at_ms=EPOCH_MS,
            expires_at_ms=EPOCH_MS + DAY_S * 1000,
            network="192.0.2.0/24",
        )


async def test_login_with_a_message_that_eth_account_signed(autojump_clock: MockClock) -> None:
    async with desk() as venue:
        text = sign_in_text(await venue.nonce())
        theirs = Account.sign_message(encode_defunct(text=text), private_key=KEY)
        signature = "0x" + bytes(theirs.signature).hex()
        outcome = await venue.ask(Login(message=text, signature=signature, address=ADDRESS))
        assert isinstance(outcome, SignedIn)


async def test_each_login_is_a_session_of_its_own(autojump_clock: MockClock) -> None:
    async with desk() as venue:
        first, second = await venue.signed_in(), await venue.signed_in()
        assert first.token != second.token
        ended = SessionEnded(session_id=first.session_id, wallet=first.wallet)
        assert await venue.ask(Logout(token=first.token)) == ended
        assert isinstance(await venue.whose(second.token), Session)


async def test_session_outlives_the_life_that_began_it(autojump_clock: MockClock) -> None:
    store = MemoryStore(TrioClock(EPOCH_MS))
    async with desk(store=store) as venue:
        token = (await venue.signed_in()).token
    async with desk(store=store) as venue:
        assert isinstance(await venue.whose(token), Session)


async def test_session_ends_after_24_hours(autojump_clock: MockClock) -> None:
    async with desk() as venue:
        token = (await venue.signed_in()).token
        await trio.sleep(DAY_S - 0.001)
        assert isinstance(await venue.whose(token), Session)
        await trio.sleep(0.001)
        refused_with(Code.UNAUTHORIZED, await venue.whose(token))


async def test_session_ends_on_time_even_if_the_store_keeps_it(autojump_clock: MockClock) -> None:
    async with desk() as venue:
        token = (await venue.signed_in()).token
        (key,) = [key for key in _stored(venue.store) if key.startswith("session:")]
        await venue.store.put(key, await venue.store.get(key) or "", ttl_s=2 * DAY_S)
        await trio.sleep(DAY_S)
        refused_with(Code.UNAUTHORIZED, await venue.whose(token))


async def test_session_written_by_another_version_is_none(autojump_clock: MockClock) -> None:
    async with desk() as venue:
        token = (await venue.signed_in()).token
        (key,) = [key for key in _stored(venue.store) if key.startswith("session:")]
        await venue.store.put(key, '{"wallet":"0x00"}', ttl_s=DAY_S)
        refused_with(Code.UNAUTHORIZED, await venue.whose(token))


async def test_logout_ends_a_session_at_once(autojump_clock: MockClock) -> None:
    async with desk() as venue:
        token = (await venue.signed_in()).token
        assert isinstance(await venue.ask(Logout(token=token)), SessionEnded)
        refused_with(Code.UNAUTHORIZED, await venue.whose(token))
        refused_with(Code.UNAUTHORIZED, await venue.ask(Logout(token=token)))


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 42, "A" * 44, "é" * 43, "\ud800" * 43])
async def test_token_of_nobody_is_refused(token: str, autojump_clock: MockClock) -> None:
    async with desk() as venue:
        await venue.signed_in()
        refused_with(Code.UNAUTHORIZED, await venue.whose(token))
        refused_with(Code.UNAUTHORIZED, await venue.ask(Logout(token=token)))


async def test_the_store_holds_the_token_as_a_hash_only(autojump_clock: MockClock) -> None:
    async with desk() as venue:
        token = (await venue.signed_in()).token
        stored = _stored(venue.store)
        assert any(key.startswith("session:") for key in stored)
        assert token not in repr(stored)


async def test_no_message_shows_a_secret_in_its_repr(autojump_clock: MockClock) -> None:
    async with desk() as venue:
        nonce = await venue.nonce()
        text = sign_in_text(nonce)
        login = Login(message=text, signature="0xabc", address=ADDRESS)
        signed_in = await venue.signed_in()
        shown = repr([login, signed_in, Authenticate(token="tok"), Logout(token="tok")])
        assert not any(secret in shown for secret in (nonce, "0xabc", signed_in.token, "'tok'"))


def _stored(store: KeyValueStore) -> dict[str, object]:
    """All that a store in memory holds, keys and values."""
    assert isinstance(store, MemoryStore)
    tables = store._texts.tables.values()
    return {key: value for table in tables for key, (value, _) in table._entries.items()}


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        ("account:\n", "account!\n", Code.BAD_REQUEST, "domain"),
        ("Version: 1", "Version: 2", Code.BAD_REQUEST, "version"),
        ("127.0.0.1:8080 wants", "evil.example wants", Code.BAD_REQUEST, "domain"),
        ("URI: http://127.0.0.1:8080", "URI: http://evil.example", Code.BAD_REQUEST, "uri"),
        ("Chain ID: 31337", "Chain ID: 1", Code.BAD_REQUEST, "chain_id"),
        ("Issued At: 2", "Issued At: 1", Code.SIGNATURE_EXPIRED, "issued_at"),
        ("Issued At: 2", "Issued At: 3", Code.SIGNATURE_EXPIRED, "issued_at"),
        ("Nonce: ", "Nonce: 0", Code.UNAUTHORIZED, "nonce"),
    ],
)
async def test_login_refused_by_what_the_message_says(
    old: str, new: str, code: Code, field: str, autojump_clock: MockClock
) -> None:
    async with desk() as venue:
        text = sign_in_text(await venue.nonce())
        refused_with(code, await venue.login(text.replace(old, new)), field)
        assert venue.opened == []
        assert isinstance(await venue.login(text), SignedIn), "the nonce was not spent"


async def test_login_refused_when_another_wallet_signed(autojump_clock: MockClock) -> None:
    async with desk() as venue:
        text = sign_in_text(await venue.nonce())
        refused_with(Code.INVALID_SIGNATURE, await venue.login(text, key=OTHER_KEY))
        assert venue.opened == []
        assert isinstance(await venue.login(text), SignedIn), "the nonce was not spent"


@pytest.mark.parametrize("signature", ["", "0x", "0x" + "0" * 130, "00" * 65])
async def test_login_refused_without_a_signature(signature: str, autojump_clock: MockClock) -> None:
    async with desk() as venue:
        text = sign_in_text(await venue.nonce())
        outcome = await venue.ask(Login(message=text, signature=signature, address=ADDRESS))
        well_formed = len(signature) == 132
        code = Code.INVALID_SIGNATURE if well_formed else Code.BAD_REQUEST
        refused_with(code, outcome, None if well_formed else "signature")


async def test_message_signs_in_once(autojump_clock: MockClock) -> None:
    async with desk() as venue:
        text = sign_in_text(await venue.nonce())
        assert isinstance(await venue.login(text), SignedIn)
        refused_with(Code.UNAUTHORIZED, await venue.login(text), "nonce")


async def test_message_sent_many_times_at_once_signs_in_once(autojump_clock: MockClock) -> None:
    outcomes: list[Answer] = []
    async with desk(settings=attrs.evolve(SETTINGS, sign_ins_per_minute=100)) as venue:
        text = sign_in_text(await venue.nonce())

        async def login() -> None:
            outcomes.append(await venue.login(text))

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(login)
        assert len([outcome for outcome in outcomes if isinstance(outcome, SignedIn)]) == 1
        for outcome in outcomes:
            if not isinstance(outcome, SignedIn):
                refused_with(Code.UNAUTHORIZED, outcome, "nonce")
        assert len(venue.opened) == 1


@pytest.mark.parametrize(("after_s", "taken"), [(299.999, True), (300, False)])
async def test_nonce_lives_for_5_minutes(
    after_s: float, taken: bool, autojump_clock: MockClock
) -> None:
    async with desk() as venue:
        nonce = await venue.nonce()
        await trio.sleep(after_s)
        outcome = await venue.login(sign_in_text(nonce))
        if taken:
            assert isinstance(outcome, SignedIn)
        else:
            refused_with(Code.UNAUTHORIZED, outcome, "nonce")


async def test_sign_ins_are_limited_per_address(autojump_clock: MockClock) -> None:
    async with desk() as venue:
        nonces = [await venue.nonce() for _ in range(5)]
        refusal = refused_with(Code.RATE_LIMITED, await venue.ask(IssueNonce(address=ADDRESS)))
        assert refusal.details == {"retry_after": 12}
        await venue.nonce("192.0.2.8")
        for nonce in nonces:
            assert isinstance(await venue.login(sign_in_text(nonce)), SignedIn)
        await trio.sleep(12)
        text = sign_in_text(await venue.nonce())
        assert isinstance(await venue.login(text), SignedIn)
        refusal = refused_with(Code.RATE_LIMITED, await venue.login(text))
        assert refusal.details == {"retry_after": 12}


async def test_failed_logins_count_against_their_address_only(autojump_clock: MockClock) -> None:
    async with desk() as venue:
        text = sign_in_text(await venue.nonce())
        for _ in range(5):
            refused_with(Code.INVALID_SIGNATURE, await venue.login(text, key=OTHER_KEY))
        refused_with(Code.RATE_LIMITED, await venue.login(text))
        assert isinstance(await venue.login(text, address="192.0.2.8"), SignedIn)


async def test_malformed_messages_are_refused_before_any_limit(autojump_clock: MockClock) -> None:
    async with desk() as venue:
        for _ in range(10):
            refused_with(Code.BAD_REQUEST, await venue.login("nonsense"), "domain")
        await venue.signed_in()


# --- when others fail -------------------------------------------------------------------------


class DownStore:
    """A store that nobody reaches."""

    async def get_many(self, keys: Sequence[str]) -> Sequence[str | None]:
        raise StoreUnavailable

    async def add_member(self, key: str, member: str, *, ttl_s: int) -> frozenset[str]:
        raise StoreUnavailable

    async def drop_member(self, key: str, member: str) -> None:
        raise StoreUnavailable

    async def members(self, key: str) -> frozenset[str]:
        raise StoreUnavailable

    async def publish(self, channel: str, message: str) -> None:
        raise StoreUnavailable

    async def put_if_absent(self, key: str, value: str, *, ttl_s: int) -> str | None:
        raise StoreUnavailable

    async def put(self, key: str, value: str, *, ttl_s: int) -> None:
        raise StoreUnavailable

    async def get(self, key: str) -> str | None:
        raise StoreUnavailable

    async def take(self, key: str) -> str | None:
        raise StoreUnavailable

    async def delete(self, key: str) -> None:
        raise StoreUnavailable

    async def take_token(self, key: str, *, per_minute: int, burst: int) -> Allowance:
        raise StoreUnavailable


async def test_every_command_is_refused_without_the_store(autojump_clock: MockClock) -> None:
    async with desk(store=DownStore()) as venue:
        outcomes = [
            await venue.ask(IssueNonce(address=ADDRESS)),
            await venue.login(sign_in_text("0123456789abcdef")),
            await venue.whose("A" * 43),
            await venue.ask(Logout(token="A" * 43)),
        ]
        for outcome in outcomes:
            refused_with(Code.STORE_UNAVAILABLE, outcome)
        assert not venue.ended.is_set()


async def test_login_passes_on_what_the_ledger_refuses(autojump_clock: MockClock) -> None:
    async with desk(accounts=lambda _: Refusal(Code.FROZEN)) as venue:
        refused_with(Code.FROZEN, await venue.login(sign_in_text(await venue.nonce())))


async def test_login_of_a_failed_command_is_an_internal_error(autojump_clock: MockClock) -> None:
    async with desk(accounts=lambda _: CommandFailed(why="a defect")) as venue:
        refused_with(Code.INTERNAL, await venue.login(sign_in_text(await venue.nonce())))


async def test_login_refused_when_the_money_mailbox_is_full(autojump_clock: MockClock) -> None:
    async with desk(accounts=None, money_waiting_max=1) as venue:
        assert venue.money.offer(Ask(OpenAccount(wallet="0x"), trio.current_time() + 60))
        refused_with(Code.OVERLOADED, await venue.login(sign_in_text(await venue.nonce())))


async def test_login_refused_when_the_venue_drains(autojump_clock: MockClock) -> None:
    async with desk(accounts=None) as venue:
        venue.money.close()
        refused_with(Code.DRAINING, await venue.login(sign_in_text(await venue.nonce())))


async def test_login_is_status_unknown_when_the_ledger_is_silent(autojump_clock: MockClock) -> None:
    async with desk(accounts=None) as venue:
        began_s = trio.current_time()
        outcome = await venue.login(sign_in_text(await venue.nonce()))
        refused_with(Code.STATUS_UNKNOWN, outcome)
        assert trio.current_time() - began_s == 4
        assert not [key for key in _stored(venue.store) if key.startswith("session:")]


# --- many at once -----------------------------------------------------------------------------


async def test_slow_logins_hold_nobody_up(autojump_clock: MockClock) -> None:
    busy = attrs.evolve(SETTINGS, sign_ins_per_minute=1_000)
    outcomes: list[Answer] = []
    async with desk(accounts=None, settings=busy) as venue, trio.open_nursery() as nursery:

        async def login(text: str) -> None:
            outcomes.append(await venue.login(text))

        for _ in range(LOGINS_AT_ONCE_MAX):
            nursery.start_soon(login, sign_in_text(await venue.nonce()))
        await trio.testing.wait_all_tasks_blocked()
        began_s = trio.current_time()
        refused_with(Code.UNAUTHORIZED, await venue.whose("A" * 43))
        refused_with(Code.OVERLOADED, await venue.login(sign_in_text(await venue.nonce())))
        assert trio.current_time() == began_s
    assert len(outcomes) == LOGINS_AT_ONCE_MAX
    for outcome in outcomes:
        refused_with(Code.STATUS_UNKNOWN, outcome)


class StuckStore(DownStore):
    """A store that never answers."""

    async def get(self, key: str) -> str | None:
        await trio.sleep_forever()
        raise AssertionError


async def test_askers_of_a_stuck_store_wait_for_their_deadline_and_no_longer(
    autojump_clock: MockClock,
) -> None:
    answered_at_s: list[float] = []
    async with desk(store=StuckStore()) as venue, trio.open_nursery() as nursery:

        async def whose() -> None:
            assert await venue.ask(Authenticate(token="A" * 43), within_s=3) == StatusUnknown()
            answered_at_s.append(trio.current_time())

        for _ in range(COMMANDS_AT_ONCE_MAX + 50):
            nursery.start_soon(whose)
    assert answered_at_s == [3.0] * (COMMANDS_AT_ONCE_MAX + 50)


# --- stopping and crashing --------------------------------------------------------------------


async def test_asked_to_stop_it_answers_what_had_arrived(autojump_clock: MockClock) -> None:
    async with desk() as venue:
        texts = [sign_in_text(await venue.nonce()) for _ in range(3)]
        until = trio.current_time() + 10
        arrived: list[SignInAsk] = [Ask(signed(text), until) for text in texts]
        for asked in arrived:
            assert venue.commands.offer(asked)
        venue.life.stopping.set()
        late = await venue.login(sign_in_text("0123456789abcdef"))
        assert isinstance(late, Refused)
        await venue.ended.wait()
        assert [type(await asked.wait_answer()) for asked in arrived] == [SignedIn] * 3


async def test_a_store_that_does_not_answer_holds_up_no_stop(autojump_clock: MockClock) -> None:
    async with desk(store=StuckStore()) as venue:
        asked: SignInAsk = Ask(Authenticate(token="A" * 43), trio.current_time() + 10)
        assert venue.commands.offer(asked)
        await trio.testing.wait_all_tasks_blocked()
        venue.life.stopping.set()
        await venue.ended.wait()
        assert trio.current_time() == pytest.approx(LAST_WITHIN_S)
        assert await asked.wait_answer() == StatusUnknown()


async def test_it_is_ready_when_its_loop_runs(autojump_clock: MockClock) -> None:
    async with desk() as venue:
        await trio.testing.wait_all_tasks_blocked()
        assert venue.life.is_ready()


async def test_a_crash_leaves_no_asker_waiting(autojump_clock: MockClock) -> None:
    def broken(text: str, signature: bytes) -> str | None:
        raise ZeroDivisionError

    async def whose(venue: Desk) -> None:
        assert await venue.ask(Authenticate(token="A" * 43), within_s=60) == StatusUnknown()
        assert trio.current_time() == 0

    with pytest.RaisesGroup(pytest.RaisesGroup(ZeroDivisionError)):
        async with desk(store=StuckUntilLogin(), recover=broken) as venue:
            with trio.CancelScope(shield=True), trio.fail_after(120):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(whose, venue)
                    await trio.testing.wait_all_tasks_blocked()
                    outcome = await venue.login(sign_in_text("0123456789abcdef"))
                    assert outcome == StatusUnknown()


class StuckUntilLogin(StuckStore):
    """A store that never answers a read and lets every login try."""

    async def take_token(self, key: str, *, per_minute: int, burst: int) -> Allowance:
        return Allowance(allowed=True, limit=1, remaining=1, reset_s=0, retry_after_s=0)
