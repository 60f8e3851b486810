"""Sessions: begun with an account and perhaps a key, found by their tokens, listed, ended.

A session is an entry of the store under its id, which is part of the hash of its token: a store
that leaks opens no session, and one that is lost signs everybody out and does nothing worse. The
ids of a wallet's sessions are a set of the store. Keys are the ledger's; that of a session that the
store has lost is still on record there, with the session's id.

What always holds, whatever happens at the same time and wherever it is broken off:

* A token that was handed out opens a session that is in its wallet's set: it is put there first.
  Ids are taken out of the set only once there is no session of theirs any more.
* A session is ended after its keys, so that none is left of a session that is gone.
* A session that is ended leaves a mark for a minute: a login that is still on its way then, and
  whose key could be seen and revoked already, finds the mark and hands nothing out.
"""

import base64
import hashlib
import json
import re
from collections.abc import Collection
from typing import Final

import attrs
import structlog
import trio

from actors.session_manager.accounts import MoneyMailbox, ask_ledger
from domain.limits import SESSION_TTL_S
from domain.refusals import Code, Refusal
from domain.session_keys import AskedKey
from domain.sign_in import network_of
from domain.units import EpochMs
from protocols.account_commands import KeyGrant, KeysRevoked, RevokeKeys
from protocols.money import AccountOpened, OpenAccount
from protocols.ports import Chance, Clock, KeyValueStore, StoreUnavailable
from protocols.sign_in import Session, SessionEnded, SignedIn
from supervisor import Topic

log = structlog.get_logger("session_manager")

SESSIONS_MAX: Final = 50
"""Of one wallet: every device of a busy trader, and few enough to be listed on one page."""
TOKEN_BYTES: Final = 32
SESSION_ID_CHARS: Final = 32
ENDED_MARK_TTL_S: Final = 60
"""A login is over within the seconds that its asker waits."""
END_WITHIN_S: Final = 1.0
"""For the store, which has a limit of its own for each call."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_SESSION_ID: Final = re.compile(f"[0-9a-f]{{{SESSION_ID_CHARS}}}")
_ENDED: Final = "null"


@attrs.frozen(kw_only=True)
class Sessions:
    """All sessions of the venue. Every method may raise StoreUnavailable."""

    store: KeyValueStore
    money: MoneyMailbox
    ends: Topic[SessionEnded]
    clock: Clock
    chance: Chance

    async def begin(self, wallet: str, key: AskedKey | None, *, address: str) -> SignedIn | Refusal:
        """A session of this wallet, which has proved itself; its account, if it is new, and its key
        are made with it. If part of it does not come about nothing is handed out, and the key is
        taken back as far as the ledger answers; until then it stands in the list."""
        token = _token_text(self.chance.token_bytes(TOKEN_BYTES))
        session_id, now_ms = session_id_of(token), self.clock.now_ms()
        end_ms = now_ms + SESSION_TTL_S * 1000
        grant = None if key is None else _grant(key, session_id, end_ms)
        account = await ask_ledger(self.money, OpenAccount(wallet=wallet, key=grant), AccountOpened)
        if isinstance(account, Refusal):
            return account
        session = Session(
            session_id=session_id,
            wallet=wallet,
            user_id=account.user_id,
            created_at_ms=now_ms,
            expires_at_ms=end_ms,
            network=network_of(address),
        )
        refused = await self._keep(session, has_key=grant is not None)
        if refused is not None:
            return refused
        log.info("signed_in", wallet=wallet, session=session_id, first_time=account.created)
        return SignedIn(
            token=token,
            session_id=session_id,
            wallet=wallet,
            user_id=account.user_id,
            expires_at_ms=end_ms,
            balance_micros=account.balance_micros,
            key=grant,
        )

    async def whose(self, token: str) -> Session | Refusal:
        """The live session that this token opens, or `unauthorized`."""
        session = None
        if _TOKEN.fullmatch(token):
            session = await self._find(session_id_of(token))
        return Refusal(Code.UNAUTHORIZED) if session is None else session

    async def of(self, wallet: str) -> tuple[Session, ...]:
        """The wallet's live sessions, newest first."""
        return await self._those(wallet, await self.store.members(_set_key(wallet)))

    async def end(self, wallet: str, session_id: str) -> SessionEnded | Refusal:
        """End one session of this wallet: its keys in the ledger, then itself, then its streams.

        `not_found` for one that is another's, or has ended with all its keys. If the ledger does
        not revoke the keys, or the store fails, the session goes on: ending it again does the rest.
        """
        if not _SESSION_ID.fullmatch(session_id):
            return Refusal(Code.NOT_FOUND)
        session = await self._find(session_id)
        if session is not None and session.wallet != wallet:
            return Refusal(Code.NOT_FOUND)
        revoked = await self._revoke_keys(wallet, session_id)
        if isinstance(revoked, Refusal):
            return revoked
        if session is None and not revoked.count:
            return Refusal(Code.NOT_FOUND)
        ended = SessionEnded(session_id=session_id, wallet=wallet)
        # Finished though the asker may be gone: else its streams could go on without a session.
        with trio.move_on_after(END_WITHIN_S, shield=True):
            await self._forget(ended)
            log.info("session_ended", wallet=wallet, session=session_id, keys=revoked.count)
            return ended
        raise StoreUnavailable("the store did not answer in time")

    # Steps

    async def _keep(self, session: Session, *, has_key: bool) -> Refusal | None:
        """Put a session that has its account and key into the store, or take the key back."""
        try:
            refused = await self._put(session)
            if refused is not None:
                await self.store.delete(_session_key(session.session_id))
                await self.store.drop_member(_set_key(session.wallet), session.session_id)
        except StoreUnavailable:
            if has_key:
                await self._revoke_keys(session.wallet, session.session_id)
            raise
        if refused is not None and has_key:
            await self._revoke_keys(session.wallet, session.session_id)
        return refused

    async def _put(self, session: Session) -> Refusal | None:
        """First the session, then its id into the wallet's set."""
        wallet, session_id = session.wallet, session.session_id
        key, text = _session_key(session_id), _session_text(session)
        if await self.store.put_if_absent(key, text, ttl_s=SESSION_TTL_S) is not None:
            return Refusal(Code.UNAUTHORIZED, "This session was ended while it began.")
        ids = await self.store.add_member(_set_key(wallet), session_id, ttl_s=SESSION_TTL_S)
        if len(ids) <= SESSIONS_MAX:
            return None
        return await self._make_room(wallet, ids - {session_id})

    async def _make_room(self, wallet: str, ids: Collection[str]) -> Refusal | None:
        """End the oldest of these, so that there is room for one more."""
        for surplus in (await self._those(wallet, ids))[SESSIONS_MAX - 1 :]:
            ended = await self.end(wallet, surplus.session_id)
            if isinstance(ended, Refusal) and ended.code is not Code.NOT_FOUND:
                return ended
        return None

    async def _forget(self, ended: SessionEnded) -> None:
        """Mark it as ended, tell whoever serves it, and take it off the list."""
        try:
            await self.store.put(_session_key(ended.session_id), _ENDED, ttl_s=ENDED_MARK_TTL_S)
        finally:  # a store that does not answer may have done it all the same
            await self.ends.publish(ended)
        await self.store.drop_member(_set_key(ended.wallet), ended.session_id)

    async def _find(self, session_id: str) -> Session | None:
        text = await self.store.get(_session_key(session_id))
        return self._live(session_id, text)

    async def _those(self, wallet: str, ids: Collection[str]) -> tuple[Session, ...]:
        """The live ones among these, newest first; the others are taken out of the wallet's set."""
        named = sorted(ids)
        texts = await self.store.get_many([_session_key(session_id) for session_id in named])
        live: list[Session] = []
        for session_id, text in zip(named, texts, strict=True):
            session = self._live(session_id, text)
            if session is not None:
                live.append(session)
            else:
                await self.store.drop_member(_set_key(wallet), session_id)
        return tuple(sorted(live, key=_by_age, reverse=True))

    def _live(self, session_id: str, text: str | None) -> Session | None:
        session = None if text is None else _parse_session(session_id, text)
        if session is None or session.expires_at_ms <= self.clock.now_ms():
            return None
        return session

    async def _revoke_keys(self, wallet: str, session_id: str) -> KeysRevoked | Refusal:
        command = RevokeKeys(wallet=wallet, session_id=session_id)
        return await ask_ledger(self.money, command, KeysRevoked)


def _grant(key: AskedKey, session_id: str, session_end_ms: EpochMs) -> KeyGrant:
    return KeyGrant(
        key_id=key.key_id,
        public_key=key.public_key,
        session_id=session_id,
        bet_max_micros=key.bet_max_micros,
        day_max_micros=key.day_max_micros,
        expires_at_ms=key.end_ms(session_end_ms),
    )


def _by_age(session: Session) -> tuple[EpochMs, str]:
    return session.created_at_ms, session.session_id


# --- names and texts in the store ---------------------------------------------------------------


def session_id_of(token: str) -> str:
    """A token has 256 random bits, so a plain hash of it is as hard to turn round as it gets."""
    return hashlib.sha256(token.encode()).hexdigest()[:SESSION_ID_CHARS]


def _session_key(session_id: str) -> str:
    return f"session:{session_id}"


def _set_key(wallet: str) -> str:
    return f"sessions:{wallet}"


def _token_text(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def _session_text(session: Session) -> str:
    return json.dumps(attrs.asdict(session), separators=(",", ":"))


def _parse_session(session_id: str, text: str) -> Session | None:
    """The stored session; None for the mark of one that was ended, and for what is no session or
    one that another version of the venue wrote differently."""
    try:
        stored = json.loads(text)
    except ValueError:
        return None
    match stored:
        case {
            "wallet": str(wallet),
            "user_id": int(user_id),
            "created_at_ms": int(created_at_ms),
            "expires_at_ms": int(expires_at_ms),
            "network": str(network),
        }:
            return Session(
                session_id=session_id,
                wallet=wallet,
                user_id=user_id,
                created_at_ms=created_at_ms,
                expires_at_ms=expires_at_ms,
                network=network,
            )
    return None
