"""SessionManager: nonces, sign-ins with a wallet, and whose token a token is.

It keeps no state: sessions are in the store, accounts and session keys in the ledger. Every command
runs in a task of its own, under the deadline of its asker: a login that waits for the ledger holds
nobody up.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeAlias, TypeVar

import attrs
import structlog
import trio

from actors.session_manager.accounts import MoneyMailbox, ask_ledger
from actors.session_manager.sessions import Sessions
from domain.limits import SIGN_IN_NONCE_TTL_S
from domain.refusals import Code, Refusal, bad_request
from domain.session_keys import AskedKey, asked_key
from domain.sign_in import SignInMessage, SignInSettings, parse_sign_in, sign_in_fault
from domain.wallet import Keccak, parse_signature
from protocols.money import Deposit, Deposited
from protocols.ports import Chance, Clock, KeyValueStore, StoreUnavailable
from protocols.sign_in import (
    Authenticate,
    DemoSignIn,
    EndSession,
    IssueNonce,
    ListSessions,
    Login,
    Logout,
    NonceIssued,
    SessionEnded,
    SessionsListed,
    SignedIn,
    SignInCommand,
    SignInOutcome,
)
from supervisor import Ask, Life, Mailbox, Topic

log = structlog.get_logger("session_manager")

A = TypeVar("A")

RecoverWallet: TypeAlias = Callable[[str, bytes], str | None]
"""The wallet that signed this text by `personal_sign`, lower-case, or None."""
SignInAsk: TypeAlias = Ask[SignInCommand, SignInOutcome]

COMMANDS_AT_ONCE_MAX: Final = 200
"""Commands in hand; the next ones wait in the mailbox."""
LOGINS_AT_ONCE_MAX: Final = 50
"""... of which at most so many are sign-ins, however slow the ledger is,"""
ENDS_AT_ONCE_MAX: Final = 50
"""... and so many ends of sessions, which no flood of sign-ins may hold up."""
LAST_WITHIN_S: Final = 0.4
"""Of the stop, for what is in hand by then. A store that is slow, or a ledger that has ended, may
take longer than a drain can wait for; whoever asked has no answer then, and finds out."""
NONCE_BYTES: Final = 16
WALLET_BYTES: Final = 20
DEMO_BY: Final = "demo"

assert LOGINS_AT_ONCE_MAX + ENDS_AT_ONCE_MAX < COMMANDS_AT_ONCE_MAX, "the ledger holds nobody up"


@attrs.frozen(kw_only=True)
class SessionManagerPorts:
    """Everything the SessionManager needs; the wiring fills it."""

    commands: Mailbox[SignInAsk]
    ends: Topic[SessionEnded]
    store: KeyValueStore
    money: MoneyMailbox
    recover_wallet: RecoverWallet
    keccak: Keccak
    clock: Clock
    chance: Chance
    settings: SignInSettings


async def run(life: Life, *, ports: SessionManagerPorts) -> None:
    """One life. It keeps no state: all there is to recover is in the store.

    Asked to stop, it answers what had arrived, as far as there is time.
    """
    desk = _Desk(ports)
    places = trio.Semaphore(COMMANDS_AT_ONCE_MAX)
    async with ports.commands.reader(life) as reader, trio.open_nursery() as nursery:
        nursery.start_soon(_end_in_time, life, nursery.cancel_scope)
        life.ready()
        async for asked in reader:
            with life.idle():  # not hung: each place is free again by a deadline
                await places.acquire()
            nursery.start_soon(_serve, desk, asked, places)
    if nursery.cancel_scope.cancelled_caught:
        log.warning(
            "not_all_answered", why="the venue stops, and a store or the ledger does not answer"
        )


async def _end_in_time(life: Life, commands: trio.CancelScope) -> None:
    await life.stopping.wait()
    commands.deadline = trio.current_time() + LAST_WITHIN_S


async def _serve(desk: "_Desk", asked: SignInAsk, places: trio.Semaphore) -> None:
    try:
        with trio.move_on_at(asked.deadline):
            asked.answer(await desk.answer(asked.question))
    finally:
        asked.discard()  # past the deadline, or this life ends: no answer will come
        places.release()


@attrs.define
class _Turns:
    """At most so many commands of a kind wait for the ledger; one more is refused at once."""

    most: int
    taken: int = 0

    async def take(self, work: Callable[[], Awaitable[A | Refusal]]) -> A | Refusal:
        """What the work gives, or `overloaded`."""
        if self.taken >= self.most:
            return Refusal(Code.OVERLOADED)
        self.taken += 1
        try:
            return await work()
        finally:
            self.taken -= 1


class _Desk:
    """Answers one command at a time for each of its callers."""

    def __init__(self, ports: SessionManagerPorts) -> None:
        self._ports = ports
        self._settings = ports.settings
        self._sessions = Sessions(
            store=ports.store,
            money=ports.money,
            ends=ports.ends,
            clock=ports.clock,
            chance=ports.chance,
        )
        self._logins = _Turns(LOGINS_AT_ONCE_MAX)
        self._ends = _Turns(ENDS_AT_ONCE_MAX)

    async def answer(self, command: SignInCommand) -> SignInOutcome:
        """The outcome of any command; a store that does not answer is a refusal too."""
        try:
            match command:
                case IssueNonce():
                    return await self._issue_nonce(command)
                case Login():
                    return await self._logins.take(partial(self._login, command))
                case DemoSignIn():
                    return await self._logins.take(partial(self._demo_sign_in, command))
                case Authenticate():
                    return await self._sessions.whose(command.token)
                case ListSessions():
                    return SessionsListed(sessions=await self._sessions.of(command.wallet))
                case EndSession(wallet=wallet, session_id=session_id):
                    return await self._ends.take(partial(self._sessions.end, wallet, session_id))
                case Logout():
                    return await self._ends.take(partial(self._log_out, command))
        except StoreUnavailable:
            return Refusal(Code.STORE_UNAVAILABLE)

    async def _issue_nonce(self, command: IssueNonce) -> NonceIssued | Refusal:
        limited = await self._limit("nonce", command.address)
        if limited is not None:
            return limited
        nonce = self._ports.chance.token_bytes(NONCE_BYTES).hex()
        now_ms = self._ports.clock.now_ms()
        await self._ports.store.put(_nonce_key(nonce), str(now_ms), ttl_s=SIGN_IN_NONCE_TTL_S)
        return NonceIssued(
            nonce=nonce,
            domain=self._settings.domain,
            uri=self._settings.uri,
            chain_id=self._settings.chain_id,
            issued_at_ms=now_ms,
            expires_at_ms=now_ms + SIGN_IN_NONCE_TTL_S * 1000,
        )

    # Signing in

    async def _login(self, command: Login) -> SignedIn | Refusal:
        """Cheapest check first; the nonce is spent only by a message that its wallet signed."""
        message = parse_sign_in(command.message, self._ports.keccak)
        if isinstance(message, Refusal):
            return message
        signature = parse_signature(command.signature)
        if signature is None:
            return bad_request("signature", "must be 0x and 130 hexadecimal digits")
        limited = await self._limit("login", command.address)
        if limited is not None:
            return limited
        now_ms = self._ports.clock.now_ms()
        misplaced = sign_in_fault(message, self._settings, now_ms)
        if misplaced is not None:
            return misplaced
        key = asked_key(message.resources, now_ms)
        if isinstance(key, Refusal):
            return key
        refused = self._signature_fault(message, command.message, signature)
        refused = refused or await self._spend_nonce(message.nonce)
        if refused is not None:
            return refused
        return await self._sessions.begin(message.wallet, key, address=command.address)

    def _signature_fault(
        self, message: SignInMessage, text: str, signature: bytes
    ) -> Refusal | None:
        if self._ports.recover_wallet(text, signature) == message.wallet:
            return None
        return Refusal(Code.INVALID_SIGNATURE)

    async def _spend_nonce(self, nonce: str) -> Refusal | None:
        if await self._ports.store.take(_nonce_key(nonce)) is not None:
            return None
        why = "nonce: is not one of ours, was used before, or is too old"
        return Refusal(Code.UNAUTHORIZED, why, {"field": "nonce"})

    async def _demo_sign_in(self, command: DemoSignIn) -> SignedIn | Refusal:
        """A wallet that nobody can sign for, but by the session key: it lasts a session."""
        if not self._settings.demo:
            return Refusal(Code.FORBIDDEN, "There are throwaway accounts in demo mode only.")
        limited = await self._limit("login", command.address)
        if limited is not None:
            return limited
        wallet = "0x" + self._ports.chance.token_bytes(WALLET_BYTES).hex()
        key = AskedKey(
            public_key=command.public_key,
            bet_max_micros=command.bet_max_micros,
            day_max_micros=command.day_max_micros,
        )
        signed_in = await self._sessions.begin(wallet, key, address=command.address)
        if isinstance(signed_in, SignedIn):
            return await self._give_paper(signed_in)
        if signed_in.code is Code.BAD_REQUEST:  # of the ledger, which knows of resources only
            return bad_request("public_key", "was used before")
        return signed_in

    async def _give_paper(self, signed_in: SignedIn) -> SignedIn | Refusal:
        """What a throwaway account begins with; without it the session is taken back."""
        wallet = signed_in.wallet
        deposit = Deposit(
            wallet=wallet,
            amount_micros=self._settings.demo_micros,
            reference=f"{DEMO_BY}:{wallet}",
            by=DEMO_BY,
        )
        given = await ask_ledger(self._ports.money, deposit, Deposited)
        if isinstance(given, Refusal):
            await self._sessions.end(wallet, signed_in.session_id)
            return given
        return attrs.evolve(signed_in, balance_micros=given.balance_micros)

    # The end of a session, and limits

    async def _log_out(self, command: Logout) -> SessionEnded | Refusal:
        session = await self._sessions.whose(command.token)
        if isinstance(session, Refusal):
            return session
        return await self._sessions.end(session.wallet, session.session_id)

    async def _limit(self, what: str, address: str) -> Refusal | None:
        per_minute = self._settings.sign_ins_per_minute
        allowance = await self._ports.store.take_token(
            f"sign_in_limit:{what}:{address}", per_minute=per_minute, burst=per_minute
        )
        if allowance.allowed:
            return None
        return Refusal(Code.RATE_LIMITED, details={"retry_after": allowance.retry_after_s})


def _nonce_key(nonce: str) -> str:
    return f"sign_in_nonce:{nonce}"
