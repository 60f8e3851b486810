"""One WebSocket client: what it asks for, and what it is sent.

Two tasks: one reads frames and starts a task for each bet, one empties the outbox. A client that
goes away takes neither its bets with it, which belong to the Batcher, nor their bookkeeping, which
ends with their answers.
"""

from collections.abc import Mapping
from typing import Final

import trio

from actors.gateway.addresses import OpenConnections
from actors.gateway.asgi import Receive, Scope, Send, reject_socket
from actors.gateway.asking import authenticate
from actors.gateway.bets import BetDesk
from actors.gateway.hub import Client, Hub
from actors.gateway.limits import take_request
from actors.gateway.outbox import NOT_TEXT, TOO_LARGE, TOO_MANY_FRAMES, Close, encode
from actors.gateway.ports import GatewayPorts
from actors.gateway.private_streams import PrivateStream
from actors.gateway.reads import read_account, read_snapshot
from actors.gateway.unreadable import unreadable
from domain.limits import BODY_BYTES_MAX
from domain.refusals import Code, Refusal, bad_request
from protocols.client_answers import account_json
from protocols.client_frames import refusal_frame, reply_frame
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
)
from protocols.ports import LedgerUnreadable, StoreUnavailable

BETS_AT_ONCE_MAX: Final = 64
"""Bets of one socket on their way at once; the next frames wait in the client's own network."""
OVER_LIMIT_MAX: Final = 100
"""By so many more refused frames than served ones a client may go over the rate limit."""
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
        self._over_limit = 0  # refused for the rate limit, less served since

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
                outbox.close(NOT_TEXT)
            elif len(text) > BODY_BYTES_MAX or len(text.encode()) > BODY_BYTES_MAX:
                self._refuse(None, Refusal(Code.TOO_LARGE))
                outbox.close(TOO_LARGE)
            else:
                await self._handle(parse_op(text), bets)

    async def _handle(self, op: SocketOp, bets: trio.Nursery) -> None:
        if isinstance(op, BetOp):  # the desk counts it, once its shape is right
            self._client.heard_at = trio.current_time()
            await self._bets_left.acquire()
            bets.start_soon(self._bet, op)
        elif isinstance(op, BadOp):
            self._refuse(op.id, await self._over() or op.refusal)
        elif (refused := await self._over(needs_store=isinstance(op, AuthOp | ResumeOp))) is None:
            self._client.heard_at = trio.current_time()
            try:
                await self._serve(op)
            except LedgerUnreadable as error:
                self._refuse(op.id, unreadable(error))
        else:
            self._refuse(op.id, refused)

    async def _over(self, *, needs_store: bool = False) -> Refusal | None:
        """Every frame is a request of its address. Without a store that counts them, what needs no
        store goes on."""
        try:
            _, refused = await take_request(self._ports, self._address)
        except StoreUnavailable:
            return Refusal(Code.STORE_UNAVAILABLE) if needs_store else None
        return refused

    async def _serve(self, op: SubscribeOp | PingOp | AuthOp | ResumeOp) -> None:
        match op:
            case SubscribeOp():
                self._reply(op.id, {"channels": list(op.channels)})
                self._hub.subscribe(self._client, frozenset(op.channels))
            case PingOp():
                self._reply(op.id, {"server_time_ms": self._ports.clock.now_ms()})
            case AuthOp():
                await self._auth(op)
            case ResumeOp():
                await self._resume(op)

    # Bets

    async def _bet(self, op: BetOp) -> None:
        try:
            answered = await self._desk.place(op.fields, address=self._address)
            result = answered.result
            if answered.counted is None:
                result = await self._over() or result
            else:
                self._client.has_bet = True
            self._answer(op.id, result)
        finally:
            self._bets_left.release()

    # The private stream

    async def _auth(self, op: AuthOp) -> None:
        session = await authenticate(self._ports, op.token)
        if isinstance(session, Refusal):
            self._refuse(op.id, session)
            return
        stream = self._hub.sign_in(self._client, session)
        if stream is None:
            self._refuse(op.id, Refusal(Code.UNAUTHORIZED))
        elif op.seq is not None:
            who = {"wallet": session.wallet, "expires_at_ms": session.expires_at_ms}
            await self._catch_up(stream, op.seq, op.id, who)
        else:
            account = await read_account(self._ports, session.wallet)
            found = account_json(session.wallet, account)
            answer = {"expires_at_ms": session.expires_at_ms, **found}
            self._begin(stream, found["seq"], op.id, answer)

    async def _resume(self, op: ResumeOp) -> None:
        stream = self._client.following()
        if stream is None:
            self._refuse(op.id, Refusal(Code.UNAUTHORIZED, "Send `auth` first."))
        else:
            await self._catch_up(stream, op.seq, op.id, {})

    async def _catch_up(
        self, stream: PrivateStream, seq: int, request_id: RequestId, body: Mapping[str, object]
    ) -> None:
        """What came after `seq` and then the reply; or the reply with all that stands for it."""
        streams, wallet = self._hub.streams, stream.session.wallet
        current = streams.replay(stream, seq)
        if current is not None:
            self._reply(request_id, {**body, "resync_required": False, "seq": current})
            return
        streams.hold(stream)
        account = await read_account(self._ports, wallet)
        if seq == (0 if account is None else account.seq):
            answer = {**body, "resync_required": False, "seq": seq}
            self._begin(stream, seq, request_id, answer)
        else:
            snapshot = await read_snapshot(self._ports, wallet)
            answer = {**body, "resync_required": True, "snapshot": snapshot}
            self._begin(stream, snapshot["seq"], request_id, answer)

    def _begin(
        self,
        stream: PrivateStream,
        seq: int,
        request_id: RequestId,
        answer: Mapping[str, object],
    ) -> None:
        """Tell the state as of `seq`; what follows in the outbox is what followed it."""
        if stream.is_over:  # while the state was read
            self._refuse(request_id, Refusal(Code.UNAUTHORIZED))
        else:
            self._reply(request_id, answer)
            self._hub.streams.follow(stream, seq)

    # Replies

    def _answer(self, request_id: RequestId, result: Mapping[str, object] | Refusal) -> None:
        if isinstance(result, Refusal):
            self._refuse(request_id, result)
        else:
            self._reply(request_id, result)

    def _reply(self, request_id: RequestId, body: Mapping[str, object]) -> None:
        self._over_limit = max(0, self._over_limit - 1)
        self._client.outbox.put(encode(reply_frame(request_id, body, ok=True)))

    def _refuse(self, request_id: RequestId, refusal: Refusal) -> None:
        self._client.outbox.put(encode(refusal_frame(request_id, refusal)))
        if refusal.code is Code.RATE_LIMITED:
            self._over_limit += 1
        else:
            self._over_limit = max(0, self._over_limit - 1)
        if self._over_limit >= OVER_LIMIT_MAX:
            self._client.outbox.close(TOO_MANY_FRAMES)
