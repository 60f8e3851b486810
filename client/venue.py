"""A venue as anybody sees it: the market, sign-in, proofs, and bets and withdrawals that carry
their own signature.

What needs a session's token is in `client.session`. The venue's time is kept from what it answers,
and everything signed is dated by it: the machine's clock may be wrong.
"""

import json
import ssl
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote, urlencode

import trio

from client.answers import (
    Bar,
    Bars,
    FaucetGift,
    Grid,
    NonceIssued,
    Placed,
    Quote,
    SignedIn,
    Tick,
    Ticks,
    Withdrawal,
    WithdrawalRequested,
    convert,
    decode,
)
from client.chance import SYSTEM, Chance, new_nonce
from client.errors import (
    AnswerLost,
    BadAnswer,
    OutcomeUnknown,
    Refused,
    VenueError,
    refused_of,
)
from client.http import ANSWER_WITHIN_S, CONNECTIONS_MAX, HttpPool, parse_url
from client.proof import Proof
from client.session import Session
from client.session_key import KeyCaps, SessionKey
from client.signing import SignedBet, sign_in_message, sign_withdrawal
from client.wallet import Wallet
from domain.signed_text import WithdrawalText
from domain.units import BetId, EpochMs, Micros

T = TypeVar("T")

HISTORY: Final = "/api/prices/history"
PAGE_ROWS: Final = 2_000
"""The most that the venue answers of its price history at once."""
QUOTE_LOOK_EVERY_S: Final = 0.5
WITHDRAWAL_TRIES_MAX: Final = 5
WITHDRAWAL_RETRY_S: Final = 1


class Venue:
    """The venue at an origin such as `http://127.0.0.1:8080`. Close it, or use it in `async with`.

    Any number of tasks may share one. `chance` makes nonces and jitter.
    """

    def __init__(
        self,
        url: str,
        *,
        chance: Chance = SYSTEM,
        connections_max: int = CONNECTIONS_MAX,
        within_s: float = ANSWER_WITHIN_S,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.place = parse_url(url)
        self.chance = chance
        self.ssl_context = ssl_context
        self._pool = HttpPool(
            self.place,
            connections_max=connections_max,
            within_s=within_s,
            ssl_context=ssl_context,
        )
        self._chain_id: int | None = None
        self._ahead_ms: float | None = None  # of trio's clock

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the kept connections."""
        await self._pool.aclose()

    # The market

    async def grid(self) -> Grid:
        """Geometry, stakes, chain, and the newest quote."""
        began_s = trio.current_time()
        grid = await self.get("/api/grid", Grid)
        self._chain_id = grid.chain_id
        self._hear_time(grid.server_time_ms, began_s)
        return grid

    async def wait_quote(self) -> Quote:
        """The newest quote, as soon as there is one: a venue that has just started watches its
        feed for half a minute. Wait for it under a limit of your own."""
        while True:
            grid = await self.grid()
            if grid.quote is not None and grid.quote.cells:
                return grid.quote
            await trio.sleep(QUOTE_LOOK_EVERY_S)

    async def latest_price(self) -> Tick:
        """The newest accepted tick. Refused with `not_found` while there is none."""
        return await self.get("/api/prices/latest", Tick)

    async def bars(
        self,
        *,
        interval_ms: int = 1000,
        from_ms: EpochMs | None = None,
        to_ms: EpochMs | None = None,
    ) -> tuple[Bar, ...]:
        """Prices of a stretch (the last five minutes by default), at most 7 days back, asked for
        2,000 at a time."""
        found: list[Bar] = []
        while True:
            query = {"interval": interval_ms, "from": from_ms, "to": to_ms, "limit": PAGE_ROWS}
            page = (await self.get(HISTORY, Bars, query=query)).bars
            found += page
            if len(page) < PAGE_ROWS:
                return tuple(found)
            from_ms = page[-1].start_ms + interval_ms

    async def ticks(
        self, *, from_ms: EpochMs | None = None, to_ms: EpochMs | None = None
    ) -> tuple[Tick, ...]:
        """As `bars`, but the ticks themselves."""
        found: dict[Tick, None] = {}  # in order, each once
        while True:
            query = {"interval": "tick", "from": from_ms, "to": to_ms, "limit": PAGE_ROWS}
            page = (await self.get(HISTORY, Ticks, query=query)).ticks
            found |= dict.fromkeys(page)
            if len(page) < PAGE_ROWS:
                return tuple(found)
            if page[0].ts_ms == page[-1].ts_ms:
                raise BadAnswer(f"more than {PAGE_ROWS} ticks of one millisecond")
            from_ms = page[-1].ts_ms  # again: there may be more of it

    async def proof(self, bet_id: BetId) -> Proof:
        """Why a bet ended as it did. Refused with `not_found` before it has."""
        return await self.get(f"/api/bets/{quote(bet_id, safe='')}/proof", Proof)

    # Sign-in

    async def sign_in(
        self,
        wallet: Wallet,
        *,
        session_key: SessionKey | None = None,
        caps: KeyCaps | None = None,
        statement: str = "Sign in to tap.",
    ) -> Session:
        """A session of the wallet. With a session key, and `caps` for it, that key signs its bets;
        else the wallet does. The first sign-in of a wallet makes its account."""
        if (session_key is None) != (caps is None):
            raise ValueError("a session key needs caps, and caps a session key")
        began_s = trio.current_time()
        issued = await self.get("/api/auth/nonce", NonceIssued)
        self._chain_id = issued.chain_id
        self._hear_time(issued.issued_at_ms, began_s)
        resources = [session_key.resource(caps)] if session_key and caps else []
        message = sign_in_message(
            issued, address=wallet.address, statement=statement, resources=resources
        )
        body = {"message": message, "signature": wallet.sign(message)}
        signed_in = await self.post("/api/auth/login", SignedIn, body)
        return Session(self, signed_in, session_key or wallet)

    async def demo_sign_in(
        self,
        session_key: SessionKey,
        *,
        bet_max_micros: Micros | None = None,
        day_max_micros: Micros | None = None,
    ) -> Session:
        """A throwaway account with paper money, in demo mode only. The key signs its bets; caps
        that are not given are the venue's own."""
        caps = {"bet_max_micros": bet_max_micros, "day_max_micros": day_max_micros}
        body = {"public_key": session_key.public_key, **_without_none(caps)}
        signed_in = await self.post("/api/auth/demo", SignedIn, body)
        return Session(self, signed_in, session_key)

    # What carries its own signature

    async def send_bet(self, bet: SignedBet) -> Placed:
        """Send a signed bet once. `Session.place_bet` also finds out what became of it."""
        return await self.post("/api/bets", Placed, bet.fields())

    async def withdraw(
        self, wallet: Wallet, *, amount_micros: Micros, destination: str
    ) -> WithdrawalRequested:
        """Ask for money out, to an address of the chain. It leaves the balance at once and waits
        for an operator. A lost answer is asked for again: the venue takes it once.

        Raises Refused or Unreachable (nothing was taken), or OutcomeUnknown: look into
        `Session.withdrawals` for the nonce before asking anew.
        """
        text = WithdrawalText(
            amount_micros=amount_micros,
            destination=destination.lower(),
            nonce=new_nonce(self.chance),
            timestamp_s=await self.now_ms() // 1000,
            chain_id=await self.chain_id(),
        )
        fields = sign_withdrawal(wallet, text)
        try:
            return await self._withdraw(fields)
        except Refused as refused:
            if refused.is_certain:
                raise
        except (AnswerLost, BadAnswer):
            pass
        return await self._withdraw_again(fields, text.nonce)

    async def _withdraw_again(
        self, fields: Mapping[str, object], nonce: str
    ) -> WithdrawalRequested:
        """The first request may be in the ledger, or may come there yet: no refusal of a repetition
        but `replay_detected` says anything of it."""
        for _ in range(WITHDRAWAL_TRIES_MAX - 1):
            await trio.sleep(WITHDRAWAL_RETRY_S)
            with suppress(VenueError):
                return await self._withdraw(fields)
        raise OutcomeUnknown(nonce)

    async def _withdraw(self, fields: Mapping[str, object]) -> WithdrawalRequested:
        try:
            return await self.post("/api/withdrawals", WithdrawalRequested, fields)
        except Refused as refused:
            if refused.code != "replay_detected" or "withdrawal" not in refused.details:
                raise
            return WithdrawalRequested(
                withdrawal=convert(refused.details["withdrawal"], Withdrawal)
            )

    async def faucet(self, wallet: str) -> FaucetGift:
        """Paper money for a wallet, in demo mode only."""
        return await self.post("/api/faucet", FaucetGift, {"wallet": wallet})

    # Time and chain

    async def now_ms(self) -> EpochMs:
        """The venue's time; asked for once, and then kept by trio's clock."""
        while self._ahead_ms is None:
            await self.grid()
        return round(trio.current_time() * 1000 + self._ahead_ms)

    async def chain_id(self) -> int:
        """What everything signed names."""
        while self._chain_id is None:
            await self.grid()
        return self._chain_id

    def _hear_time(self, server_time_ms: EpochMs, began_s: float) -> None:
        """The venue said its time in an answer to what was sent at `began_s`: in the middle."""
        middle_s = (began_s + trio.current_time()) / 2
        self._ahead_ms = server_time_ms - middle_s * 1000

    # Calls

    async def get(
        self,
        path: str,
        kind: type[T],
        *,
        query: Mapping[str, object] | None = None,
        token: str | None = None,
    ) -> T:
        """GET; parameters that are None are left out."""
        given = _without_none(query or {})
        return await self.call("GET", f"{path}?{urlencode(given)}" if given else path, kind, token)

    async def post(
        self,
        path: str,
        kind: type[T],
        body: Mapping[str, object] | None = None,
        *,
        token: str | None = None,
    ) -> T:
        """POST a JSON object."""
        return await self.call("POST", path, kind, token, json.dumps(dict(body or {})).encode())

    async def call(
        self, method: str, path: str, kind: type[T], token: str | None, body: bytes = b""
    ) -> T:
        """Any call. Raises Refused, Unreachable, AnswerLost or BadAnswer."""
        began_s = trio.current_time()
        answer = await self._pool.request(method, path, body=body, token=token)
        try:
            if answer.status < 400:
                return decode(answer.body, kind)
            refused = refused_of(decode(answer.body, dict[str, Any]), http_status=answer.status)
        except BadAnswer as bad:
            raise BadAnswer(f"{method} {path}: HTTP {answer.status}, {bad}") from bad
        told_ms = refused.details.get("server_time_ms")
        if isinstance(told_ms, int):
            self._hear_time(told_ms, began_s)
        raise refused


def _without_none(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}
