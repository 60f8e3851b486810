"""One WebSocket client: what it asks for, and what it is sent.

Two tasks: one reads frames and starts a task for each bet, one empties the outbox. A client that
goes away takes neither its bets with it, which belong to the Batcher, nor their bookkeeping, which
ends with their answers.
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import trio

from actors.gateway.addresses import OpenConnections
from actors.gateway.asgi import Receive, Scope, Send, reject_socket
from actors.gateway.asking import authenticate
from actors.gateway.bets import BetDesk
from actors.gateway.hub import Client, Hub, encode
from actors.gateway.limits import take_request
from actors.gateway.outbox import POLICY, TOO_BIG, Close
from actors.gateway.ports import GatewayPorts
from actors.gateway.reads import read_account, read_snapshot
from domain.limits import BODY_BYTES_MAX
from domain.refusals import Code, Refusal, bad_request
from protocols.client_answers import account_json
from protocols.client_fields import Json
from protocols.client_socket import (
    AuthOp,
    BadOp,
    BetOp,
    PingOp,
    RequestId,
    ResumeOp,
    SocketOp,
    SubscribeOp,
    parse_op,
    refusal_frame,
    reply_frame,
)
from protocols.ports import StoreUnavailable

T = TypeVar("T")

BETS_AT_ONCE_MAX: Final = 64
"""Bets of one socket on their way at once; the next frames wait in the client's own network."""
CLOSED_WITHIN_S: Final = 2
"""How long a client may take to answer our close with its own."""


class Sockets:
    """Serves `/ws`."""

    def __init__(self, ports: GatewayPorts, hub: Hub, desk: BetDesk) -> None:
        self._ports = ports
        self._hub = hub
        self._desk = desk
        self._addresses = OpenConnections(ports.settings.connections_per_address)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One client, from its handshake to its end."""
        await receive()  # websocket.connect
        address: str = scope["state"]["address"]
        with self._addresses.one_more(address) as is_allowed:
            if self._hub.is_draining:
                await reject_socket(send, Refusal(Code.DRAINING))
            elif not is_allowed:
                await reject_socket(send, Refusal(Code.RATE_LIMITED, "Too many sockets."))
            else:
                await send({"type": "websocket.accept", "headers": []})
                await Conversation(self._ports, self._hub, self._desk, address).run(receive, send)


class Conversation:
    """What is said between one client and the venue."""

    def __init__(self, ports: GatewayPorts, hub: Hub, desk: BetDesk, address: str) -> None:
        self._ports = ports
        self._hub = hub
        self._desk = desk
        self._address = address
        self._client = Client()
        self._bets_left = trio.Semaphore(BETS_AT_ONCE_MAX)

    async def run(self, receive: Receive, send: Send) -> None:
        """Talk until either side closes; then wait for the answers of bets on their way."""
        async with trio.open_nursery() as bets:
            with self._hub.connected(self._client):
                async with trio.open_nursery() as talk:
                    talk.start_soon(self._send_frames, send, talk.cancel_scope)
                    await self._read_frames(receive, bets)
                    talk.cancel_scope.cancel()

    async def _send_frames(self, send: Send, talk: trio.CancelScope) -> None:
        while not isinstance(frame := await self._client.outbox.next(), Close):
            await send({"type": "websocket.send", "text": frame})
        await send({"type": "websocket.close", "code": frame.code, "reason": frame.reason})
        await trio.sleep(CLOSED_WITHIN_S)  # for the client's own close, which ends the reading
        talk.cancel()

    async def _read_frames(self, receive: Receive, bets: trio.Nursery) -> None:
        while (event := await receive())["type"] != "websocket.disconnect":
            text, outbox = event.get("text"), self._client.outbox
            if outbox.closing is not None:
                continue
            if text is None:
                self._refuse(None, bad_request("body", "frames must be text"))
                outbox.close(Close(POLICY, "frames must be text"))
            elif len(text) > BODY_BYTES_MAX or len(text.encode()) > BODY_BYTES_MAX:
                self._refuse(None, Refusal(Code.TOO_LARGE))
                outbox.close(Close(TOO_BIG, "the frame is too large"))
            else:
                await self._handle(parse_op(text), bets)

    async def _handle(self, op: SocketOp, bets: trio.Nursery) -> None:
        match op:
            case BetOp():
                await self._bets_left.acquire()
                bets.start_soon(self._bet, op)
            case SubscribeOp():
                self._reply(op.id, {"channels": list(op.channels)})
                self._hub.subscribe(self._client, frozenset(op.channels))
            case PingOp():
                self._reply(op.id, {"server_time_ms": self._ports.clock.now_ms()})
            case AuthOp():
                self._answer(op.id, await self._limited(self._auth, op.token))
            case ResumeOp():
                self._answer(op.id, await self._limited(self._resume, op.seq))
            case BadOp():
                self._refuse(op.id, op.refusal)

    async def _bet(self, op: BetOp) -> None:
        try:
            answered = await self._desk.place(op.fields, address=self._address)
            self._answer(op.id, answered.result)
        finally:
            self._bets_left.release()

    async def _limited(
        self, serve: Callable[[T], Awaitable[Json | Refusal]], argument: T
    ) -> Json | Refusal:
        """Serve what costs a look into a store, if the address may have it."""
        try:
            _, refused = await take_request(self._ports, self._address)
            return refused or await serve(argument)
        except StoreUnavailable:
            return Refusal(Code.STORE_UNAVAILABLE)

    async def _auth(self, token: str) -> Json | Refusal:
        """The private stream begins before the account is read: an event in between is sent, and
        the client, who sees that its seq is not above the account's, has it already."""
        session = await authenticate(self._ports, token)
        if isinstance(session, Refusal):
            return session
        self._hub.sign_in(self._client, session.wallet, session.expires_at_ms)
        account = await read_account(self._ports, session.wallet)
        return {
            "expires_at_ms": session.expires_at_ms,
            **account_json(session.wallet, account),
        }

    async def _resume(self, seq: int) -> Json | Refusal:
        """Nothing missed, or the snapshot that stands for it."""
        wallet = self._client.wallet
        if wallet is None:
            return Refusal(Code.UNAUTHORIZED, "Send `auth` first.")
        account = await read_account(self._ports, wallet)
        if account is not None and account.seq == seq:
            return {"resync_required": False, "seq": seq}
        return {"resync_required": True, "snapshot": await read_snapshot(self._ports, wallet)}

    def _answer(self, request_id: RequestId, result: Json | Refusal) -> None:
        if isinstance(result, Refusal):
            self._refuse(request_id, result)
        else:
            self._reply(request_id, result)

    def _reply(self, request_id: RequestId, body: Json) -> None:
        self._client.outbox.put(encode(reply_frame(request_id, body, ok=True)))

    def _refuse(self, request_id: RequestId, refusal: Refusal) -> None:
        self._client.outbox.put(encode(refusal_frame(request_id, refusal)))
