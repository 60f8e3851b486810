"""Sign-in and sessions over HTTP."""

from collections.abc import Sequence
from typing import Final

from actors.gateway.asgi import Answer, refusal_answer
from actors.gateway.asking import ask_sign_in, session_of
from actors.gateway.limits import sign_in_headers
from actors.gateway.ports import GatewayPorts
from actors.gateway.routes import Route, bearer, client, read_body, read_query
from domain.refusals import Refusal
from domain.wallet import checksummed
from protocols.accounts import SessionKey
from protocols.client_sessions import (
    LoggedOutJson,
    NonceJson,
    RevokedJson,
    SessionJson,
    SessionsJson,
    SignedInJson,
    nonce_json,
    session_json,
    sessions_json,
    signed_in_json,
)
from protocols.client_sign_in import DEMO, LOGIN, NONCE
from protocols.operations import sign_in
from protocols.sign_in import (
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
)

KEYS_READ_MAX: Final = 1_000
"""A wallet's newest keys: the live ones are among them unless it signs in that often in a day."""


class AuthRoutes:
    """The views below `/api/auth`."""

    def __init__(self, ports: GatewayPorts) -> None:
        self._ports = ports

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            (sign_in.NONCE, self.nonce),
            (sign_in.LOGIN, self.login),
            (sign_in.DEMO, self.demo),
            (sign_in.SESSION, self.session),
            (sign_in.LOGOUT, self.logout),
            (sign_in.SESSIONS, self.sessions),
            (sign_in.REVOKE, self.revoke),
        ]

    # Signing in

    async def nonce(self) -> NonceJson | Refusal | Answer:
        """What a sign-in message must hold."""
        asked = read_query(self._ports, NONCE)
        if isinstance(asked, Refusal):
            return asked
        issued = await ask_sign_in(self._ports, IssueNonce(address=client()), NonceIssued)
        if isinstance(issued, Refusal):
            return self._refused(issued)
        wallet = asked.wallet
        address = None if wallet is None else checksummed(wallet, self._ports.keccak)
        return nonce_json(issued, address)

    async def login(self) -> SignedInJson | Refusal | Answer:
        """A signed message for a session token."""
        asked = await read_body(self._ports, LOGIN)
        if isinstance(asked, Refusal):
            return asked
        command = Login(message=asked.message, signature=asked.signature, address=client())
        return await self._sign_in(command)

    async def demo(self) -> SignedInJson | Refusal | Answer:
        """A throwaway account with paper money, for a session key."""
        asked = await read_body(self._ports, DEMO)
        if isinstance(asked, Refusal):
            return asked
        command = DemoSignIn(
            public_key=asked.public_key,
            bet_max_micros=asked.bet_max_micros,
            day_max_micros=asked.day_max_micros,
            address=client(),
        )
        return await self._sign_in(command)

    async def _sign_in(self, command: Login | DemoSignIn) -> SignedInJson | Answer:
        signed_in = await ask_sign_in(self._ports, command, SignedIn)
        if isinstance(signed_in, Refusal):
            return self._refused(signed_in)
        return signed_in_json(signed_in)

    def _refused(self, refusal: Refusal) -> Answer:
        return refusal_answer(refusal, headers=sign_in_headers(self._ports, refusal))

    # Sessions

    async def session(self) -> SessionJson | Refusal:
        """Whose token this is, until when, and what its key may do."""
        session = await session_of(self._ports)
        if isinstance(session, Refusal):
            return session
        keys = await self._keys(session.wallet)
        return session_json(session, keys, self._ports.clock.now_ms())

    async def sessions(self) -> SessionsJson | Refusal:
        """All sessions of the trader."""
        session = await session_of(self._ports)
        if isinstance(session, Refusal):
            return session
        command = ListSessions(wallet=session.wallet)
        listed = await ask_sign_in(self._ports, command, SessionsListed)
        if isinstance(listed, Refusal):
            return listed
        return sessions_json(
            listed.sessions,
            await self._keys(session.wallet),
            current_id=session.session_id,
            now_ms=self._ports.clock.now_ms(),
        )

    async def revoke(self, session_id: str) -> RevokedJson | Refusal:
        """End one of the trader's sessions, which may be this one."""
        session = await session_of(self._ports)
        if isinstance(session, Refusal):
            return session
        command = EndSession(wallet=session.wallet, session_id=session_id)
        ended = await ask_sign_in(self._ports, command, SessionEnded)
        if isinstance(ended, Refusal):
            return ended
        return {"session_id": ended.session_id, "revoked": True}

    async def logout(self) -> LoggedOutJson | Refusal:
        """End the session."""
        token = bearer()
        if isinstance(token, Refusal):
            return token
        ended = await ask_sign_in(self._ports, Logout(token=token), SessionEnded)
        return ended if isinstance(ended, Refusal) else {"logged_out": True}

    async def _keys(self, wallet: str) -> Sequence[SessionKey]:
        """The wallet's keys, read after its sessions: one that began meanwhile is among them."""
        ledger = self._ports.ledger
        return await self._ports.ledger_worker.run(
            lambda: ledger.session_keys(wallet, limit=KEYS_READ_MAX)
        )
