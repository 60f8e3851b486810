"""Sessions: listed, ended, at most fifty of a wallet; what happens when others fail half-way.

On the store in memory and on a real Redis, with a real ledger behind the mailbox.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from functools import partial

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.session_manager import ENDS_AT_ONCE_MAX, SESSIONS_MAX
from actors.session_manager.sessions import session_id_of
from db.key_signatures import public_key_of
from db.memory_store import MemoryStore
from db.redis_store import open_redis_store
from db.sqlite_connection import Memory
from db.wallet_signatures import wallet_of
from domain.refusals import Code, Refusal
from domain.session_keys import AskedKey, key_resource
from protocols.account_commands import RevokeKeys
from protocols.money import MoneyCommand, MoneyOutcome
from protocols.ports import KeyValueStore, StoreUnavailable
from protocols.sign_in import (
    Authenticate,
    EndSession,
    ListSessions,
    Logout,
    Session,
    SessionEnded,
    SessionsListed,
    SignedIn,
)
from supervisor import StatusUnknown, TrioClock
from tests.support.ledgers import Venue, open_venue
from tests.support.redis_server import RedisServer, redis_server
from tests.support.sign_in_desk import (
    DAY_S,
    EPOCH_MS,
    KEY,
    OTHER_KEY,
    SETTINGS,
    Answer,
    Desk,
    desk,
    known_account,
    refused_with,
    sign_in_text,
)

WALLET = wallet_of(KEY)
OFTEN = attrs.evolve(SETTINGS, sign_ins_per_minute=10_000)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@asynccontextmanager
async def opened_store(server: RedisServer | None) -> AsyncIterator[KeyValueStore]:
    clock = TrioClock(EPOCH_MS)
    if server is None:
        yield MemoryStore(clock)
    else:
        server.run("FLUSHALL")
        async with open_redis_store(server.url, clock, answer_within_ms=5_000) as store:
            yield store


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.slow)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[KeyValueStore]:
    server = request.getfixturevalue("server") if request.param == "redis" else None
    async with opened_store(server) as opened:
        yield opened


@pytest.fixture
def ledger(request: pytest.FixtureRequest) -> Iterator[Venue]:
    with closing(open_venue(Memory(f"sessions-{abs(hash(request.node.nodeid))}"))) as venue:
        yield venue


@pytest.fixture
async def venue(store: KeyValueStore, ledger: Venue) -> AsyncIterator[Desk]:
    async with desk(store=store, accounts=books(ledger), settings=OFTEN) as made:
        yield made


def books(ledger: Venue) -> Callable[[MoneyCommand], MoneyOutcome]:
    return partial(_applied, ledger)


def _applied(ledger: Venue, command: MoneyCommand) -> MoneyOutcome:
    return ledger.one(command, at_ms=TrioClock(EPOCH_MS).now_ms())  # type: ignore[arg-type]


def resource(secret: int) -> str:
    """What authorises the session key of that private key for a day and more."""
    until_s = TrioClock(EPOCH_MS).now_ms() // 1000 + 2 * DAY_S
    key = AskedKey(public_key=public_key_of(secret), bet_max_micros=5_000_000, day_max_micros=10**8)
    return key_resource(key, until_s)


async def listed(venue: Desk, wallet: str = WALLET) -> tuple[Session, ...]:
    outcome = await venue.ask(ListSessions(wallet=wallet))
    assert isinstance(outcome, SessionsListed), outcome
    return outcome.sessions


async def ids(venue: Desk, wallet: str = WALLET) -> list[str]:
    return [session.session_id for session in await listed(venue, wallet)]


async def end(venue: Desk, signed_in: SignedIn, *, wallet: str = WALLET) -> Answer:
    return await venue.ask(EndSession(wallet=wallet, session_id=signed_in.session_id))


def is_revoked(ledger: Venue, session_id: str) -> bool:
    [key] = [key for key in ledger.reader.session_keys(WALLET) if key.session_id == session_id]
    return key.revoked_at_ms is not None


# --- the list ---------------------------------------------------------------------------------


async def test_all_sessions_of_a_wallet_are_listed_newest_first(venue: Desk) -> None:
    made = [await venue.signed_in(f"198.51.100.{number}") for number in range(3)]
    other = await venue.signed_in(key=OTHER_KEY)
    assert await listed(venue) == tuple(
        [await venue.whose(signed_in.token) for signed_in in reversed(made)]
    )
    assert [session.network for session in await listed(venue)] == ["198.51.100.0/24"] * 3
    assert await ids(venue, wallet_of(OTHER_KEY)) == [other.session_id]


async def test_a_session_is_named_by_the_hash_of_its_token(venue: Desk) -> None:
    signed_in = await venue.signed_in()
    assert signed_in.session_id == session_id_of(signed_in.token)
    assert signed_in.session_id not in signed_in.token


async def test_a_wallet_that_never_signed_in_has_no_sessions(venue: Desk) -> None:
    assert await listed(venue) == ()


async def test_sessions_that_are_over_leave_the_list(autojump_clock: MockClock) -> None:
    async with desk() as venue:
        first = await venue.signed_in()
        await trio.sleep(DAY_S - 60)
        second = await venue.signed_in()
        assert await ids(venue) == [second.session_id, first.session_id]
        await trio.sleep(60)
        assert await ids(venue) == [second.session_id]
        assert await venue.store.members(f"sessions:{WALLET}") == {second.session_id}
        await trio.sleep(DAY_S)
        assert await ids(venue) == []


# --- ending one -------------------------------------------------------------------------------


async def test_a_logout_takes_this_session_off_the_list_and_no_other(venue: Desk) -> None:
    first, second = await venue.signed_in(), await venue.signed_in()
    ended = SessionEnded(session_id=first.session_id, wallet=WALLET)
    assert await venue.ask(Logout(token=first.token)) == ended
    assert await ids(venue) == [second.session_id]
    refused_with(Code.UNAUTHORIZED, await venue.whose(first.token))
    assert isinstance(await venue.whose(second.token), Session)


async def test_a_session_is_ended_from_another(venue: Desk, ledger: Venue) -> None:
    lost = await venue.signed_in(resources=[resource(1)])
    kept = await venue.signed_in(resources=[resource(2)])
    assert isinstance(await end(venue, lost), SessionEnded)
    refused_with(Code.UNAUTHORIZED, await venue.whose(lost.token))
    assert await ids(venue) == [kept.session_id]
    assert is_revoked(ledger, lost.session_id)
    assert not is_revoked(ledger, kept.session_id)


async def test_whoever_serves_a_session_hears_of_its_end_when_it_is_over(venue: Desk) -> None:
    ends = venue.ends.subscribe("test", 10)
    signed_in = await venue.signed_in()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(end, venue, signed_in)
        with trio.fail_after(10):
            heard = await ends.receive()
        assert heard == SessionEnded(session_id=signed_in.session_id, wallet=WALLET)
        refused_with(Code.UNAUTHORIZED, await venue.whose(signed_in.token))


async def test_the_session_of_another_wallet_is_not_found(venue: Desk, ledger: Venue) -> None:
    signed_in = await venue.signed_in(resources=[resource(1)])
    refused_with(Code.NOT_FOUND, await end(venue, signed_in, wallet=wallet_of(OTHER_KEY)))
    assert isinstance(await venue.whose(signed_in.token), Session)
    assert not is_revoked(ledger, signed_in.session_id)


@pytest.mark.parametrize("session_id", ["", "0" * 31, "0" * 33, "F" * 32, "\ud800" * 32, "0" * 32])
async def test_a_session_that_never_was_is_not_found(venue: Desk, session_id: str) -> None:
    await venue.signed_in()
    outcome = await venue.ask(EndSession(wallet=WALLET, session_id=session_id))
    refused_with(Code.NOT_FOUND, outcome)


async def test_a_session_ends_once(venue: Desk) -> None:
    signed_in = await venue.signed_in(resources=[resource(1)])
    assert isinstance(await end(venue, signed_in), SessionEnded)
    refused_with(Code.NOT_FOUND, await end(venue, signed_in))
    refused_with(Code.UNAUTHORIZED, await venue.ask(Logout(token=signed_in.token)))


async def test_a_key_whose_session_the_store_lost_is_ended_by_its_name(
    venue: Desk, ledger: Venue
) -> None:
    signed_in = await venue.signed_in(resources=[resource(1)])
    await venue.store.delete(f"session:{signed_in.session_id}")
    refused_with(Code.UNAUTHORIZED, await venue.whose(signed_in.token))
    assert isinstance(await end(venue, signed_in), SessionEnded)
    assert is_revoked(ledger, signed_in.session_id)
    refused_with(Code.NOT_FOUND, await end(venue, signed_in))


# --- at most fifty ----------------------------------------------------------------------------


async def test_one_session_too_many_ends_the_oldest_with_its_key(
    venue: Desk, ledger: Venue
) -> None:
    ends = venue.ends.subscribe("test", 10)
    first = await venue.signed_in(resources=[resource(1)])
    for _ in range(SESSIONS_MAX - 1):
        await venue.signed_in()
    assert len(await listed(venue)) == SESSIONS_MAX
    assert isinstance(await venue.whose(first.token), Session)
    newest = await venue.signed_in()
    assert len(await listed(venue)) == SESSIONS_MAX
    assert (await ids(venue))[0] == newest.session_id
    refused_with(Code.UNAUTHORIZED, await venue.whose(first.token))
    assert is_revoked(ledger, first.session_id)
    assert ends.receive_nowait() == SessionEnded(session_id=first.session_id, wallet=WALLET)


async def test_many_logins_at_once_are_all_listed_and_never_too_many(venue: Desk) -> None:
    tokens: list[str] = []

    async def login() -> None:
        tokens.append((await venue.signed_in()).token)

    for _ in range(3):
        async with trio.open_nursery() as nursery:
            for _ in range(25):
                nursery.start_soon(login)
    alive = [token for token in tokens if isinstance(await venue.whose(token), Session)]
    assert {session_id_of(token) for token in alive} == set(await ids(venue))
    assert len(alive) == SESSIONS_MAX


async def test_logins_ends_and_lists_at_once_leave_no_session_unlisted(venue: Desk) -> None:
    tokens: list[str] = []

    async def come_and_go(number: int) -> None:
        signed_in = await venue.signed_in(resources=[resource(number + 1)])
        tokens.append(signed_in.token)
        for other in await listed(venue):
            if int(other.session_id, 16) % 3 == 0:
                await venue.ask(EndSession(wallet=WALLET, session_id=other.session_id))
        if number % 4 == 0:
            await venue.ask(Logout(token=signed_in.token))

    async with trio.open_nursery() as nursery:
        for number in range(40):
            nursery.start_soon(come_and_go, number)
    alive = {
        session_id_of(token) for token in tokens if isinstance(await venue.whose(token), Session)
    }
    assert alive == set(await ids(venue))
    assert alive


# --- when others fail half-way ------------------------------------------------------------------


async def test_a_ledger_that_does_not_revoke_leaves_the_session_as_it_was(
    store: KeyValueStore, ledger: Venue
) -> None:
    answers = [Refusal(Code.OVERLOADED), Refusal(Code.DRAINING)]

    def stubborn(command: MoneyCommand) -> MoneyOutcome:
        if isinstance(command, RevokeKeys) and answers:
            return answers.pop(0)
        return _applied(ledger, command)

    async with desk(store=store, accounts=stubborn) as venue:
        ends = venue.ends.subscribe("test", 10)
        signed_in = await venue.signed_in(resources=[resource(1)])
        refused_with(Code.OVERLOADED, await end(venue, signed_in))
        refused_with(Code.DRAINING, await venue.ask(Logout(token=signed_in.token)))
        assert isinstance(await venue.whose(signed_in.token), Session)
        assert await ids(venue) == [signed_in.session_id]
        assert ends.receive_nowait() is None
        assert isinstance(await end(venue, signed_in), SessionEnded)


async def test_a_silent_ledger_is_told_and_the_session_goes_on(autojump_clock: MockClock) -> None:
    async with desk(accounts=None) as venue:
        session = '{"wallet":"%s","user_id":7,"created_at_ms":0,"expires_at_ms":%d,"network":""}'
        name = session_id_of("A" * 43)
        await venue.store.put(f"session:{name}", session % (WALLET, 2**60), ttl_s=DAY_S)
        refused_with(Code.STATUS_UNKNOWN, await venue.ask(Logout(token="A" * 43)))
        assert isinstance(await venue.whose("A" * 43), Session)


@attrs.define
class FailingStore:
    """A store that fails at a call of that name, once its turn has come."""

    store: KeyValueStore
    fails_at: str = ""
    does_it_all_the_same: bool = False

    def __getattr__(self, name: str) -> object:
        if name != self.fails_at:
            return getattr(self.store, name)
        return self._fail

    async def _fail(self, *arguments: object, **named: object) -> object:
        if self.does_it_all_the_same:
            await getattr(self.store, self.fails_at)(*arguments, **named)
        raise StoreUnavailable(self.fails_at)


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("call", ["put_if_absent", "add_member"])
async def test_a_login_that_the_store_broke_off_leaves_no_key(
    store: KeyValueStore, ledger: Venue, call: str, done: bool
) -> None:
    failing = FailingStore(store)
    async with desk(store=failing, accounts=books(ledger)) as venue:  # type: ignore[arg-type]
        text = sign_in_text(await venue.nonce(), resources=[resource(1)])
        failing.fails_at, failing.does_it_all_the_same = call, done
        refused_with(Code.STORE_UNAVAILABLE, await venue.login(text))
        failing.fails_at = ""
        [key] = ledger.reader.session_keys(WALLET)
        assert key.revoked_at_ms is not None
        # What the store may hold now opens for nobody: its token was not handed out.
        assert len(await listed(venue)) <= 1


@pytest.mark.parametrize("done", [True, False])
async def test_an_end_that_the_store_broke_off_is_heard_of_and_can_be_repeated(
    store: KeyValueStore, ledger: Venue, done: bool
) -> None:
    failing = FailingStore(store)
    async with desk(store=failing, accounts=books(ledger)) as venue:  # type: ignore[arg-type]
        ends = venue.ends.subscribe("test", 10)
        signed_in = await venue.signed_in(resources=[resource(1)])
        failing.fails_at, failing.does_it_all_the_same = "put", done
        refused_with(Code.STORE_UNAVAILABLE, await end(venue, signed_in))
        assert ends.receive_nowait() is not None
        assert is_revoked(ledger, signed_in.session_id)
        failing.fails_at = ""
        assert isinstance(await venue.whose(signed_in.token), Refusal if done else Session)
        again = await end(venue, signed_in)
        assert isinstance(again, Refusal if done else SessionEnded)
        refused_with(Code.UNAUTHORIZED, await venue.whose(signed_in.token))
        assert await ids(venue) == []


async def test_room_that_the_ledger_does_not_make_lets_nobody_in(
    store: KeyValueStore, ledger: Venue
) -> None:
    stubborn = False

    def accounts(command: MoneyCommand) -> MoneyOutcome:
        if isinstance(command, RevokeKeys) and stubborn:
            return Refusal(Code.OVERLOADED)
        return _applied(ledger, command)

    async with desk(store=store, accounts=accounts, settings=OFTEN) as venue:
        for _ in range(SESSIONS_MAX):
            await venue.signed_in()
        before = await ids(venue)
        stubborn = True
        text = sign_in_text(await venue.nonce())
        refused_with(Code.OVERLOADED, await venue.login(text))
        assert await ids(venue) == before
        stubborn = False
        newest = await venue.signed_in()
        assert await ids(venue) == [newest.session_id, *before[:-1]]


@attrs.define
class PausingStore:
    """A store that waits before it stores a session."""

    store: KeyValueStore
    reached: trio.Event = attrs.field(factory=trio.Event)
    goes_on: trio.Event = attrs.field(factory=trio.Event)

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)

    async def put_if_absent(self, key: str, value: str, *, ttl_s: int) -> str | None:
        self.reached.set()
        await self.goes_on.wait()
        return await self.store.put_if_absent(key, value, ttl_s=ttl_s)


async def test_a_session_ended_while_it_begins_never_begins(
    store: KeyValueStore, ledger: Venue
) -> None:
    """Its key can be seen, and revoked, before the session is stored."""
    pausing, outcomes = PausingStore(store), list[Answer]()
    async with desk(store=pausing, accounts=books(ledger)) as venue:  # type: ignore[arg-type]
        text = sign_in_text(await venue.nonce(), resources=[resource(1)])

        async def login() -> None:
            outcomes.append(await venue.login(text))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(login)
            await pausing.reached.wait()
            [key] = ledger.reader.session_keys(WALLET)
            command = EndSession(wallet=WALLET, session_id=key.session_id)
            assert isinstance(await venue.ask(command), SessionEnded)
            pausing.goes_on.set()
        refused_with(Code.UNAUTHORIZED, outcomes[0])
        assert await listed(venue) == ()
        assert is_revoked(ledger, key.session_id)


async def test_an_end_is_finished_though_its_asker_has_gone(autojump_clock: MockClock) -> None:
    class SlowStore(PausingStore):
        async def put(self, key: str, value: str, *, ttl_s: int) -> None:
            if value == "null":
                await trio.sleep(0.5)
            await self.store.put(key, value, ttl_s=ttl_s)

    slow = SlowStore(MemoryStore(TrioClock(EPOCH_MS)))
    slow.goes_on.set()
    async with desk(store=slow) as venue:  # type: ignore[arg-type]
        ends = venue.ends.subscribe("test", 10)
        signed_in = await venue.signed_in()
        command = EndSession(wallet=WALLET, session_id=signed_in.session_id)
        assert await venue.ask(command, within_s=0.1) == StatusUnknown()
        await trio.sleep(1)
        assert ends.receive_nowait() is not None
        refused_with(Code.UNAUTHORIZED, await venue.whose(signed_in.token))
        assert await listed(venue) == ()


async def test_slow_ends_hold_nobody_up(autojump_clock: MockClock) -> None:
    def silent(command: MoneyCommand) -> MoneyOutcome | None:
        return None if isinstance(command, RevokeKeys) else known_account(command)

    async with desk(accounts=silent, settings=OFTEN) as venue, trio.open_nursery() as nursery:
        signed_in = await venue.signed_in()
        for _ in range(ENDS_AT_ONCE_MAX):
            nursery.start_soon(end, venue, signed_in)
        await wait_all_tasks_blocked()
        began_s = trio.current_time()
        refused_with(Code.OVERLOADED, await venue.ask(Logout(token=signed_in.token)))
        assert isinstance(await venue.whose(signed_in.token), Session)
        assert isinstance(await venue.signed_in(), SignedIn)
        assert trio.current_time() == began_s


async def test_a_store_that_hangs_at_an_end_is_told(autojump_clock: MockClock) -> None:
    class HangingStore(PausingStore):
        async def put(self, key: str, value: str, *, ttl_s: int) -> None:
            if value == "null":
                await trio.sleep_forever()
            await self.store.put(key, value, ttl_s=ttl_s)

    hanging = HangingStore(MemoryStore(TrioClock(EPOCH_MS)))
    hanging.goes_on.set()
    async with desk(store=hanging) as venue:  # type: ignore[arg-type]
        signed_in = await venue.signed_in()
        refused_with(Code.STORE_UNAVAILABLE, await end(venue, signed_in))


@pytest.mark.parametrize("text", ['{"wallet":"0x"}', "[]", "1", "", "no JSON"])
async def test_what_another_version_or_nobody_of_ours_wrote_is_no_session(
    venue: Desk, text: str
) -> None:
    signed_in = await venue.signed_in()
    await venue.store.put(f"session:{signed_in.session_id}", text, ttl_s=60)
    refused_with(Code.UNAUTHORIZED, await venue.ask(Authenticate(token=signed_in.token)))
    assert await listed(venue) == ()
