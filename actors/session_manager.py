"""SessionManager: nonces, sign-ins with a wallet, and whose token a token is.

A session is a key in the store, named by the hash of its token; so a store that leaks opens no
session, and one that is lost signs everybody out and does nothing worse. Every command runs in a
task of its own, under the deadline of its asker: a login that waits for the ledger holds nobody up.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from typing import Final, TypeAlias

import attrs
import structlog
import trio

from domain.limits import SESSION_TTL_S, SIGN_IN_NONCE_TTL_S
from domain.refusals import Code, Refusal, bad_request
from domain.sign_in import SignInMessage, SignInSettings, parse_sign_in, sign_in_fault
from domain.wallet import Keccak, parse_signature
from protocols.money import AccountOpened, MoneyCommand, MoneyOutcome, OpenAccount
from protocols.ports import Chance, Clock, KeyValueStore, StoreUnavailable
from protocols.sign_in import (
    Authenticate,
    IssueNonce,
    LoggedOut,
    Login,
    Logout,
    NonceIssued,
    Session,
    SignedIn,
    SignInCommand,
    SignInOutcome,
)
from supervisor import Ask, Life, Mailbox, Refused, RefusedBecause, StatusUnknown, ask

log = structlog.get_logger("session_manager")

RecoverWallet: TypeAlias = Callable[[str, bytes], str | None]
"""The wallet that signed this text by `personal_sign`, lower-case, or None."""
SignInAsk: TypeAlias = Ask[SignInCommand, SignInOutcome]
MoneyMailbox: TypeAlias = Mailbox[Ask[MoneyCommand, MoneyOutcome]]

COMMANDS_AT_ONCE_MAX: Final = 200
"""Commands in hand; the next ones wait in the mailbox."""
LOGINS_AT_ONCE_MAX: Final = 50
"""... of which at most so many are logins, however slow the ledger is."""
OPEN_ACCOUNT_WITHIN_S: Final = 5
NONCE_BYTES: Final = 16
TOKEN_BYTES: Final = 32

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")

assert LOGINS_AT_ONCE_MAX < COMMANDS_AT_ONCE_MAX, "logins never take every place"


async def run(
    life: Life,
    *,
    commands: Mailbox[SignInAsk],
    store: KeyValueStore,
    money: MoneyMailbox,
    recover_wallet: RecoverWallet,
    keccak: Keccak,
    clock: Clock,
    chance: Chance,
    settings: SignInSettings,
) -> None:
    """One life. It keeps no state: all there is to recover is in the store.

    Asked to stop, it answers what had arrived, each within its asker's deadline.
    """
    desk = _Desk(
        store=store,
        money=money,
        recover_wallet=recover_wallet,
        keccak=keccak,
        clock=clock,
        chance=chance,
        settings=settings,
    )
    places = trio.Semaphore(COMMANDS_AT_ONCE_MAX)
    async with commands.reader(life) as reader, trio.open_nursery() as nursery:
        life.ready()
        async for asked in reader:
            with life.idle():  # not hung: each place is free again by a deadline
                await places.acquire()
            nursery.start_soon(_serve, desk, asked, places)


async def _serve(desk: "_Desk", asked: SignInAsk, places: trio.Semaphore) -> None:
    try:
        with trio.move_on_at(asked.deadline):
            asked.answer(await desk.answer(asked.question))
    finally:
        asked.discard()  # past the deadline, or this life ends: no answer will come
        places.release()


@attrs.define(kw_only=True)
class _Desk:
    """Answers one command at a time for each of its callers."""

    store: KeyValueStore
    money: MoneyMailbox
    recover_wallet: RecoverWallet
    keccak: Keccak
    clock: Clock
    chance: Chance
    settings: SignInSettings
    logins: int = 0

    async def answer(self, command: SignInCommand) -> SignInOutcome:
        """The outcome of any command; a store that does not answer is a refusal too."""
        try:
            match command:
                case IssueNonce():
                    return await self._issue_nonce(command)
                case Login():
                    return await self._login_in_turn(command)
                case Authenticate():
                    return await self._authenticate(command)
                case Logout():
                    return await self._log_out(command)
        except StoreUnavailable:
            return Refusal(Code.STORE_UNAVAILABLE)

    async def _issue_nonce(self, command: IssueNonce) -> NonceIssued | Refusal:
        limited = await self._limit("nonce", command.address)
        if limited is not None:
            return limited
        nonce = self.chance.token_bytes(NONCE_BYTES).hex()
        now_ms = self.clock.now_ms()
        await self.store.put(_nonce_key(nonce), str(now_ms), ttl_s=SIGN_IN_NONCE_TTL_S)
        return NonceIssued(
            nonce=nonce,
            domain=self.settings.domain,
            uri=self.settings.uri,
            chain_id=self.settings.chain_id,
            issued_at_ms=now_ms,
            expires_at_ms=now_ms + SIGN_IN_NONCE_TTL_S * 1000,
        )

    async def _login_in_turn(self, command: Login) -> SignedIn | Refusal:
        if self.logins >= LOGINS_AT_ONCE_MAX:
            return Refusal(Code.OVERLOADED)
        self.logins += 1
        try:
            return await self._login(command)
        finally:
            self.logins -= 1

    async def _login(self, command: Login) -> SignedIn | Refusal:
        """Cheapest check first; the nonce is spent only by a message that its wallet signed."""
        message = parse_sign_in(command.message, self.keccak)
        if isinstance(message, Refusal):
            return message
        signature = parse_signature(command.signature)
        if signature is None:
            return bad_request("signature", "must be 0x and 130 hexadecimal digits")
        refused = (
            await self._limit("login", command.address)
            or sign_in_fault(message, self.settings, self.clock.now_ms())
            or self._signature_fault(message, command.message, signature)
            or await self._spend_nonce(message.nonce)
        )
        if refused is not None:
            return refused
        account = await self._open_account(message.wallet)
        return account if isinstance(account, Refusal) else await self._begin_session(account)

    def _signature_fault(
        self, message: SignInMessage, text: str, signature: bytes
    ) -> Refusal | None:
        if self.recover_wallet(text, signature) == message.wallet:
            return None
        return Refusal(Code.INVALID_SIGNATURE)

    async def _spend_nonce(self, nonce: str) -> Refusal | None:
        if await self.store.take(_nonce_key(nonce)) is not None:
            return None
        why = "nonce: is not one of ours, was used before, or is too old"
        return Refusal(Code.UNAUTHORIZED, why, {"field": "nonce"})

    async def _open_account(self, wallet: str) -> AccountOpened | Refusal:
        command = OpenAccount(wallet=wallet)
        outcome = await ask(self.money, command, within_s=OPEN_ACCOUNT_WITHIN_S)
        match outcome:
            case AccountOpened() | Refusal():
                return outcome
            case Refused(reason=RefusedBecause.CLOSED):
                return Refusal(Code.DRAINING)
            case Refused():
                return Refusal(Code.OVERLOADED)
            case StatusUnknown():
                why = "The account could not be opened in time; sign in again."
                return Refusal(Code.STATUS_UNKNOWN, why)
        log.error("account_not_opened", wallet=wallet, outcome=repr(outcome)[:200])
        return Refusal(Code.INTERNAL)

    async def _begin_session(self, account: AccountOpened) -> SignedIn:
        token = _token_text(self.chance.token_bytes(TOKEN_BYTES))
        session = Session(
            wallet=account.wallet,
            user_id=account.user_id,
            expires_at_ms=self.clock.now_ms() + SESSION_TTL_S * 1000,
        )
        await self.store.put(_session_key(token), _session_text(session), ttl_s=SESSION_TTL_S)
        log.info("signed_in", wallet=account.wallet, first_time=account.created)
        return SignedIn(
            token=token,
            wallet=session.wallet,
            user_id=session.user_id,
            expires_at_ms=session.expires_at_ms,
            balance_micros=account.balance_micros,
        )

    async def _authenticate(self, command: Authenticate) -> Session | Refusal:
        text = None
        if _TOKEN.fullmatch(command.token):
            text = await self.store.get(_session_key(command.token))
        session = None if text is None else _parse_session(text)
        if session is None or session.expires_at_ms <= self.clock.now_ms():
            return Refusal(Code.UNAUTHORIZED)
        return session

    async def _log_out(self, command: Logout) -> LoggedOut | Refusal:
        is_token = _TOKEN.fullmatch(command.token)
        if is_token and await self.store.take(_session_key(command.token)) is not None:
            return LoggedOut()
        return Refusal(Code.UNAUTHORIZED)

    async def _limit(self, what: str, address: str) -> Refusal | None:
        per_minute = self.settings.sign_ins_per_minute
        allowance = await self.store.take_token(
            f"sign_in_limit:{what}:{address}", per_minute=per_minute, burst=per_minute
        )
        if allowance.allowed:
            return None
        return Refusal(Code.RATE_LIMITED, details={"retry_after": allowance.retry_after_s})


def _nonce_key(nonce: str) -> str:
    return f"sign_in_nonce:{nonce}"


def _session_key(token: str) -> str:
    """A token has 256 random bits, so a plain hash of it is as hard to turn round as it gets."""
    return f"session:{hashlib.sha256(token.encode()).hexdigest()}"


def _token_text(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def _session_text(session: Session) -> str:
    return json.dumps(attrs.asdict(session), separators=(",", ":"))


def _parse_session(text: str) -> Session | None:
    """The stored session; None for one that another version of the venue wrote differently."""
    stored = json.loads(text)
    match stored:
        case {"wallet": str(wallet), "user_id": int(user_id), "expires_at_ms": int(expires_at_ms)}:
            return Session(wallet=wallet, user_id=user_id, expires_at_ms=expires_at_ms)
    return None
