"""One trader: his wallet, his session and key, his socket, and what he knows.

What he does with them is in `tapping.py` and `errands.py`.
"""

from contextlib import suppress
from typing import Any, Final

import attrs
import trio

from client.signing import Signer
from domain.signed_text import BetText
from simulation.people.board import Board
from simulation.people.books import PrivateStream, Ticket, Tickets
from simulation.people.bounds import Bounds, Cashing
from simulation.people.keys import Keys
from simulation.people.person import WAIT_S_MAX, WAIT_S_MIN, Person
from simulation.people.wallets import (
    CHAIN_ID,
    SessionKey,
    Wallet,
    bet_request,
    new_nonce,
    sign_in_request,
)
from simulation.wire import Lost, Socket
from simulation.world import World

REPLY_WITHIN_S: Final = 12.0
SILENT_S_MAX: Final = 30.0
PING_EVERY_S: Final = 11.0
LOOKS_AT_KEY_EVERY_S: Final = 7.0


@attrs.define(eq=False)
class _Reply:
    """Waits for the answer to one frame."""

    frame: dict[str, Any] | None = None
    is_here: trio.Event = attrs.field(factory=trio.Event)


class Trader(Person):
    """A person with money."""

    def __init__(self, world: World, who: int, board: Board) -> None:
        super().__init__(world, who)
        self.board = board
        self.wallet = Wallet(self.draws)
        self.tickets = Tickets(self._complain)
        self.stream = PrivateStream(self._complain)
        self.token: str | None = None
        self.session_id = ""
        self.key: SessionKey | None = None
        self.keys = Keys(self.draws, world.draws("key ends", who))
        self.outgoing = world.draws("withdrawals", who)
        self.mischief = world.draws("intrusions", who)
        self.bounds = Bounds(self._complain)
        self.ended_tokens: list[str] = []
        """Of sessions that have ended, says the venue."""
        self.gifts_asked = self.gifts_given = 0
        self.withdrawals: dict[str, Cashing] = {}
        """Each that he asked for, by its nonce."""
        self.told_to_wait_until_s = 0.0
        """By the answer to his last bet."""
        self.is_watching = who == 0
        """Is his socket sent the public channels? One is enough."""
        self._ahead_ms = 0
        self._socket: Socket | None = None
        self._is_ready = False
        self._replies: dict[str, _Reply] = {}
        self._signing_in = trio.Lock()
        self._frames = 0
        self._drained_s = 0.0

    def _complain(self, what: str, details: object) -> None:
        self.world.violated(what, (self.who, details))

    # Time

    def told_time(self, server_time_ms: int) -> None:
        """He signs by the venue's time, as far as he knows it."""
        self._ahead_ms = server_time_ms - self.world.true_clock.now_ms()

    @property
    def venue_ms(self) -> int:
        """The venue's time, he believes."""
        return self.world.true_clock.now_ms() + self._ahead_ms

    # Signing

    def signer(self, way: str) -> Signer:
        """His key, or his wallet if that is the way or there is no key."""
        return self.key if self.key is not None and "wallet" not in way else self.wallet

    def ticket(
        self,
        cell_id: str,
        stake_micros: int,
        signer: Signer,
        *,
        least_bps: int | None = None,
        quote_n: int | None = None,
        age_s: int = 0,
    ) -> Ticket:
        """A new signed bet."""
        text = BetText(
            cell_id=cell_id,
            stake_micros=stake_micros,
            nonce=new_nonce(self.draws),
            timestamp_s=self.venue_ms // 1000 - age_s,
            chain_id=CHAIN_ID,
            least_bps=least_bps,
            quote_n=quote_n,
        )
        fields = bet_request(signer, self.wallet.address, text)
        return Ticket(fields=fields)

    async def send(self, ticket: Ticket, way: str) -> str:
        """Send it once; the refusal's code, "" if it was taken, `lost` if nobody knows."""
        sent_s = trio.current_time()
        self.tickets.sent(ticket, sent_s)
        over_socket = "ws" in way and self._is_ready
        try:
            if over_socket:
                body = await self._over_socket(ticket)
                code = "" if body["ok"] else str(body["error"])
            else:
                answer = await self.ask("POST", "/api/bets", ticket.fields)
                body, code = answer.body, answer.code
        except Lost as lost:
            if not lost.was_sent:
                self.tickets.never_left(ticket)
            self.happened("bet.no_answer", ticket.nonce[:8], lost.was_sent)
            return "lost"
        self.heard(0, code, body, "bet")
        self.tickets.answered(ticket, code, body)
        self.told_to_wait_until_s = trio.current_time() + body.get("retry_after", 0)
        self.happened(f"bet.{code or 'placed'}", ticket.nonce[:8], ticket.cell_id, ticket.bet_id)
        if not code:
            self._is_allowed(ticket, sent_s, body)
            self.world.witness.acknowledged(self.wallet.address, str(ticket.bet_id), body)
        return code

    def _is_allowed(self, ticket: Ticket, sent_s: float, taken: dict[str, Any]) -> None:
        """A bet was taken: nothing that he knows of forbids it."""
        held_since_s = self.board.held_since_s
        self.bounds.bet_taken(ticket, taken, sent_s=sent_s, held_since_s=held_since_s)
        outlived = self.keys.outlived(ticket.fields.get("key_id"), taken)
        if outlived is not None:
            self._complain("a_key_outlives_its_end", (outlived.until_s, ticket.fields, taken))

    async def _over_socket(self, ticket: Ticket) -> dict[str, Any]:
        self._frames += 1
        name = f"{ticket.nonce}.{self._frames}"
        reply = self._replies[name] = _Reply()
        try:
            await self.say({**ticket.fields, "op": "bet", "id": name})
            with trio.move_on_after(REPLY_WITHIN_S):
                await reply.is_here.wait()
        finally:
            self._replies.pop(name, None)
        if reply.frame is None:
            raise Lost("no reply over the socket", was_sent=True)
        return reply.frame

    async def say(self, frame: object) -> None:
        """Send a frame. Raises Lost."""
        socket = self._socket
        if socket is None:
            raise Lost("there is no socket", was_sent=False)
        await socket.send(frame)

    # Sessions

    async def sign_in(self) -> str:
        """A token: that which he has, or that of a new session with a new key. Never gives up."""
        async with self._signing_in:
            wait_s = WAIT_S_MIN
            while self.token is None:
                with suppress(Lost):
                    await self._sign_in()
                if self.token is None:
                    await trio.sleep(wait_s * self.draws.uniform(0.5, 1.5))
                    wait_s = min(2 * wait_s, WAIT_S_MAX)
            return self.token

    async def _sign_in(self) -> None:
        answer = await self.ask("GET", "/api/auth/nonce")
        if answer.code:
            return
        self.told_time(answer.body["issued_at_ms"])
        key = self.keys.make(answer.body["issued_at_ms"])
        body = sign_in_request(self.wallet, answer.body, key)
        signed_in = await self.ask("POST", "/api/auth/login", body)
        self.happened(f"sign_in.{signed_in.code or 'done'}")
        if not signed_in.code:
            self.token, self.key = signed_in.body["token"], key
            self.keys.add(key)
            self.session_id = signed_in.body["session_id"]

    async def _renew(self) -> None:
        """Sign in anew some time after his key has ended: until then he goes on tapping with it."""
        while True:
            await trio.sleep(LOOKS_AT_KEY_EVERY_S)
            key = self.key
            if key is not None and key.until_s * 1000 <= self.venue_ms:
                self.happened("key_ended")
                self.token = None
                await self.sign_in()

    def forget_session(self, token: str | None) -> None:
        """It has ended, says the venue; a newer one has not."""
        if token == self.token:
            self.token = None

    async def ask_own(self, method: str, path: str, body: object = None) -> Any:
        """Ask as himself, signing in as often as needed; the answer, or None if it was lost."""
        for _ in range(3):
            token = await self.sign_in()
            try:
                answer = await self.ask(method, path, body, token=token)
            except Lost:
                return None
            if answer.code != "unauthorized":
                return answer
            self.forget_session(token)
        return None

    # The socket

    @property
    def is_following(self) -> bool:
        """Is he told of his events?"""
        return self._is_ready

    def drop_socket(self) -> None:
        """Hang up; he comes back by himself."""
        if self._socket is not None:
            self._socket.hang_up()

    async def follow(self) -> None:
        """His socket, made anew whenever it is lost. Ends only by cancellation."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._ping)
            nursery.start_soon(self._renew)
            wait_s = WAIT_S_MIN
            while True:
                await self.sign_in()
                if await self._converse():
                    wait_s = WAIT_S_MIN
                await trio.sleep(max(self._drained_s, wait_s * self.draws.uniform(0.5, 1.5)))
                self._drained_s = 0.0
                wait_s = min(2 * wait_s, WAIT_S_MAX)

    async def _converse(self) -> bool:
        """One socket, to its end. Did it get as far as the private stream?"""
        socket = Socket(self.world.network, who=self.who, address=self.address)
        began = False
        try:
            await socket.open()
            self._socket, self.stream.resumes_asked = socket, 0
            if self.is_watching:
                await socket.send({"op": "subscribe", "id": "subscribe", "channels": ["grid"]})
            await self._auth(socket)
            while True:
                frame = await socket.receive(within_s=SILENT_S_MAX)
                await self._take(socket, frame)
                began = began or self._is_ready
        except Lost:
            self.happened("socket_lost", socket.closed)
        finally:
            socket.hang_up()
            self._socket, self._is_ready = None, False
            for reply in self._replies.values():
                reply.is_here.set()
        return began

    async def _auth(self, socket: Socket) -> None:
        since = {} if self.stream.seq is None else {"seq": self.stream.seq}
        if since:
            self.stream.resumes_asked += 1
        token = await self.sign_in()
        await socket.send({"op": "auth", "id": f"auth {token}", "token": token, **since})

    async def _take(self, socket: Socket, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "reply":
                await self._take_reply(socket, frame)
            case "grid":
                self.board.frame(frame, trio.current_time())
            case "drain":
                self._drained_s = frame["reconnect_in_ms"] / 1000
            case "resync_required":
                self.happened("resync_required")
                self.stream.is_lost = True
                self.stream.resumes_asked += 1
                await socket.send({"op": "resume", "id": "resume", "seq": self.stream.seq})
            case "session:expired":
                self.happened("session_expired")
                self._is_ready = False
                self.token = None
                await self._auth(socket)
            case _:
                if self.stream.event(frame):
                    self.world.witness.event(self.wallet.address, frame)

    async def _take_reply(self, socket: Socket, frame: dict[str, Any]) -> None:
        name = str(frame["id"])
        waiting = self._replies.get(name)
        if waiting is not None:
            waiting.frame = frame
            waiting.is_here.set()
        elif not frame["ok"]:
            await self._refused(socket, name, frame)
        elif name.startswith("auth") or name == "resume":
            self._stands(frame)
        elif name == "ping":
            self.told_time(frame["server_time_ms"])

    async def _refused(self, socket: Socket, name: str, frame: dict[str, Any]) -> None:
        """Something that he asked for himself."""
        self.heard(0, frame["error"], frame, name)
        if name.startswith("auth") or name == "resume":
            self.stream.resumes_asked = max(0, self.stream.resumes_asked - 1)
            if frame["error"] == "unauthorized":
                self.forget_session(name.removeprefix("auth "))
            await trio.sleep(self.draws.uniform(0.2, 1.0))
            await self._auth(socket)

    def _stands(self, frame: dict[str, Any]) -> None:
        """He is told where his stream stands."""
        if "resync_required" not in frame:
            self.stream.began(frame)
        elif frame["resync_required"]:
            self.happened("snapshot")
            self.stream.began(frame["snapshot"])
        else:
            self.stream.caught_up(frame["seq"])
        self._is_ready = True

    async def _ping(self) -> None:
        while True:
            await trio.sleep(PING_EVERY_S)
            socket = self._socket
            if socket is not None and self._is_ready:
                try:
                    await socket.send({"op": "ping", "id": "ping"})
                except Lost:
                    socket.hang_up()
