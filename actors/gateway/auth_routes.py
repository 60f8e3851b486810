"""Sign-in and sessions over HTTP."""

from actors.gateway.asking import ask_sign_in, session_of
from actors.gateway.ports import GatewayPorts
from actors.gateway.routes import Route, bearer, client, read_body
from domain.refusals import Refusal
from protocols.client_sessions import (
    LoggedOutJson,
    NonceJson,
    SessionJson,
    SignedInJson,
    nonce_json,
    signed_in_json,
)
from protocols.client_sign_in import LOGIN
from protocols.operations import sign_in
from protocols.sign_in import IssueNonce, LoggedOut, Login, Logout, NonceIssued, SignedIn


class AuthRoutes:
    """The views below `/api/auth`."""

    def __init__(self, ports: GatewayPorts) -> None:
        self._ports = ports

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            (sign_in.NONCE, self.nonce),
            (sign_in.LOGIN, self.login),
            (sign_in.SESSION, self.session),
            (sign_in.LOGOUT, self.logout),
        ]

    async def nonce(self) -> NonceJson | Refusal:
        """What a sign-in message must hold."""
        issued = await ask_sign_in(self._ports, IssueNonce(address=client()), NonceIssued)
        return issued if isinstance(issued, Refusal) else nonce_json(issued)

    async def login(self) -> SignedInJson | Refusal:
        """A signed message for a session token."""
        login = await read_body(self._ports, LOGIN)
        if isinstance(login, Refusal):
            return login
        command = Login(message=login.message, signature=login.signature, address=client())
        signed_in = await ask_sign_in(self._ports, command, SignedIn)
        return signed_in if isinstance(signed_in, Refusal) else signed_in_json(signed_in)

    async def session(self) -> SessionJson | Refusal:
        """Whose token this is, and until when."""
        session = await session_of(self._ports)
        if isinstance(session, Refusal):
            return session
        return {"wallet": session.wallet, "expires_at_ms": session.expires_at_ms}

    async def logout(self) -> LoggedOutJson | Refusal:
        """End the session."""
        token = bearer()
        if isinstance(token, Refusal):
            return token
        out = await ask_sign_in(self._ports, Logout(token=token), LoggedOut)
        return out if isinstance(out, Refusal) else {"logged_out": True}
