"""The bet desk: the one way by which a bet enters the venue, over HTTP and over the WebSocket.

The checks stand in the order of the API's description, cheapest first, and nothing is written or
counted against a wallet before its signature holds. From the moment a bet is in the Batcher's
mailbox it is the Batcher's: whether the client still listens makes no difference any more.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import attrs
import structlog
import trio

from actors.gateway.limits import Counted, take_bet, take_request
from actors.gateway.metrics import Metrics
from actors.gateway.ports import GatewayPorts
from actors.gateway.reads import read_account
from actors.gateway.signed_requests import refused_unsigned
from actors.gateway.signers import Signers
from actors.gateway.ulid import made_at_ms
from actors.gateway.unreadable import unreadable
from domain.grid import current_ms
from domain.limits import NONCE_TTL_S
from domain.placement import early_refusal
from domain.refusals import Code, Refusal
from domain.session_keys import key_ended
from domain.units import BetId
from protocols.client_answers import PlacedJson, bet_json, confirmed_json
from protocols.client_bets import BET, BetRequest
from protocols.client_fields import Fields, Json
from protocols.market import betting_gate
from protocols.money import (
    BetConfirmed,
    BetRefused,
    BetStatus,
    CommandFailed,
    MoneyOutcome,
    PlaceBet,
)
from protocols.ports import LedgerUnreadable, StoreUnavailable
from supervisor import Refused, RefusedBecause, StatusUnknown, ask

log = structlog.get_logger("gateway")

COMMIT_MARGIN_S: Final = 30
"""A bet whose answer did not come may still be in a flush that began before its deadline. After so
long no flush is that old, and a bet that is not in the ledger was not written."""


@attrs.frozen(kw_only=True)
class Answered:
    """What the client is told of its bet."""

    result: PlacedJson | Refusal
    """The confirmed bet, or why not."""
    counted: Counted | None = None
    """The last rate limit it was counted against: the address's, then the wallet's."""


class BetDesk:
    """Takes bets. One for each life of the Gateway."""

    def __init__(self, ports: GatewayPorts, metrics: Metrics) -> None:
        self._ports = ports
        self._metrics = metrics
        self._signers = Signers(ports)
        self._began_ms = ports.clock.now_ms()
        self._in_flight = 0
        self._unsettled: dict[BetId, float] = {}  # until when each may still come; oldest first
        self._idle = trio.lowlevel.ParkingLot()

    async def wait_idle(self) -> None:
        """Wait until no bet is in flight; each is answered within its own limit."""
        while self._in_flight:
            await self._idle.park()

    async def place(self, fields: Fields, *, address: str) -> Answered:
        """Place one bet; never raises for anything that a client sends."""
        try:
            answered = await self._place(fields, address)
        except StoreUnavailable:
            answered = Answered(result=Refusal(Code.STORE_UNAVAILABLE))
        except LedgerUnreadable as error:
            answered = Answered(result=unreadable(error))
        result = answered.result
        outcome = result.code.value if isinstance(result, Refusal) else "confirmed"
        self._metrics.bets_placed.labels(outcome).inc()
        return answered

    async def _place(self, fields: Fields, address: str) -> Answered:
        ports = self._ports
        bet = BET.parse(fields, keccak=ports.keccak)
        if isinstance(bet, Refusal):
            return Answered(result=bet)
        counted, refused = await take_request(ports, address)
        refused = refused or self._refused_early(bet)
        if refused is not None:
            return Answered(result=refused, counted=counted)
        if not await self._signers.has_signed(bet):
            return Answered(result=Refusal(Code.INVALID_SIGNATURE), counted=counted)
        if bet.key_id is not None and self._signers.has_ended(bet):
            return Answered(result=await self._too_late(bet, bet.key_id), counted=counted)
        counted, refused = await take_bet(ports, bet.wallet)
        result = refused or await self._enter(bet)
        if isinstance(result, Refusal):  # what was confirmed is in the ledger; this is not
            cell, code = bet.cell.id, result.code.value
            log.info("bet_refused", wallet=bet.wallet, nonce=bet.nonce, cell=cell, code=code)
        return Answered(result=result, counted=counted)

    async def _too_late(self, bet: BetRequest, key_id: str) -> Refusal:
        """The key has ended; but a retry is told of the bet that it placed before."""
        first_id = await self._ports.store.get(_nonce_key(bet))
        return key_ended(key_id) if first_id is None else await self._replayed(bet, first_id)

    def _refused_early(self, bet: BetRequest) -> Refusal | None:
        """All that can be said against a bet without touching its signature."""
        ports = self._ports
        refused = refused_unsigned(ports, timestamp_s=bet.timestamp_s, chain_id=bet.chain_id)
        if refused is not None:
            return refused
        feed, now_ms = ports.feed.value, ports.clock.now_ms()
        at_ms = current_ms(now_ms=now_ms, newest_tick_ms=feed.last_tick_ms or 0, high_ms=0)
        gate = betting_gate(feed, ports.hold.value, ports.disk.value)
        return early_refusal(ports.rules, gate, bet.cell, at_ms=at_ms)

    async def _enter(self, bet: BetRequest) -> PlacedJson | Refusal:
        """Use the nonce up, and hand the bet to the Batcher."""
        bet_id = self._ports.new_bet_id()
        with self._flight(bet_id):
            first_id = await self._use_up(bet, bet_id)
            if first_id is None:
                result = await self._ask(bet, bet_id)
            else:
                result = await self._replayed(bet, first_id)
        if not (isinstance(result, Refusal) and result.code is Code.STATUS_UNKNOWN):
            self._unsettled.pop(bet_id, None)
        return result

    async def _use_up(self, bet: BetRequest, bet_id: BetId) -> BetId | None:
        """The bet that has used the nonce up before; None if it is this one."""
        store = self._ports.store
        try:
            return await store.put_if_absent(_nonce_key(bet), bet_id, ttl_s=NONCE_TTL_S)
        except StoreUnavailable:
            self._unsettled.pop(bet_id, None)  # it is not asked of the Batcher, wherever it stands
            raise

    async def _ask(self, bet: BetRequest, bet_id: BetId) -> PlacedJson | Refusal:
        if self._ports.draining.value:  # since the early look; nothing is awaited from here on
            return Refusal(Code.DRAINING)
        command = PlaceBet(
            bet_id=bet_id,
            wallet=bet.wallet,
            nonce=bet.nonce,
            cell=bet.cell,
            stake_micros=bet.stake_micros,
            named_quote_n=bet.quote_n,
            least_bps=bet.least_bps,
            key_id=bet.key_id,
        )
        within_s = self._ports.settings.answer_within_ms / 1000
        outcome = await ask(self._ports.money, command, within_s=within_s)
        if isinstance(outcome, StatusUnknown):
            return await self._look_up(bet, bet_id)
        result = self._told(outcome)
        if isinstance(result, Refusal) and result.code is Code.UNAUTHORIZED and bet.key_id:
            self._signers.forget(bet.key_id)
        return result

    def _told(self, outcome: MoneyOutcome | Refused) -> PlacedJson | Refusal:
        """The client's words for what the Batcher said."""
        if isinstance(outcome, BetConfirmed):
            return confirmed_json(outcome)
        if isinstance(outcome, BetRefused):
            return outcome.refusal
        if isinstance(outcome, Refused):
            return refusal_of(outcome, draining=self._ports.draining.value)
        if isinstance(outcome, CommandFailed):
            log.error("bet_failed", why=outcome.why)
            return Refusal(Code.INTERNAL)
        raise TypeError(f"the Batcher answered a bet with {type(outcome).__name__}")

    async def _look_up(self, bet: BetRequest, bet_id: BetId) -> PlacedJson | Refusal:
        """No answer came: the ledger may have it all the same."""
        try:
            found = await self._found(bet, bet_id)
        except LedgerUnreadable as error:
            unreadable(error)  # which says nothing of this bet
            found = None
        return Refusal(Code.STATUS_UNKNOWN, details={"bet_id": bet_id}) if found is None else found

    async def _found(self, bet: BetRequest, bet_id: BetId) -> PlacedJson | Refusal | None:
        found = await self._ports.ledger_worker.run(lambda: self._ports.ledger.bet(bet_id))
        if found is None:
            return None
        if found.status is BetStatus.INSUFFICIENT_FUNDS:
            return Refusal(Code.INSUFFICIENT_FUNDS)
        account = await read_account(self._ports, bet.wallet)
        return {
            **bet_json(found),
            "balance_micros": account.balance_micros if account is not None else 0,
        }

    async def _replayed(self, bet: BetRequest, first_id: BetId) -> Refusal:
        """409 with the first bet: its status, `unknown` while in flight, or null if there is none.

        The ledger is asked for the nonce, not for `first_id`: where the store was lost, that one
        may be a retry, too. And it is asked last, or a bet that commits meanwhile could be taken
        for one that was never written.
        """
        may_come = self._may_still_come(first_id)
        found = await self._ports.ledger_worker.run(
            lambda: self._ports.ledger.bet_by_nonce(bet.wallet, bet.nonce)
        )
        first: Json | None = None
        if found is not None:
            first = _first_json(found.bet_id, found.status.value)
        elif may_come:
            first = _first_json(first_id, "unknown")
        return Refusal(Code.REPLAY_DETECTED, details={"bet": first})

    def _may_still_come(self, bet_id: BetId) -> bool:
        """May this bet, not in the ledger now, be written yet?

        Not if this life of the Gateway has a certain answer to it. Of a bet that an earlier life
        made the answer is not known, but it can't be older than its deadline and a flush.
        """
        if self._unsettled.get(bet_id, 0.0) > trio.current_time():
            return True
        made_ms = made_at_ms(bet_id)
        limit_ms = self._ports.settings.answer_within_ms + COMMIT_MARGIN_S * 1000
        return made_ms < self._began_ms and self._ports.clock.now_ms() < made_ms + limit_ms

    @contextmanager
    def _flight(self, bet_id: BetId) -> Iterator[None]:
        """While inside, the bet is in flight. It stays unsettled until its answer is certain: left
        by cancellation it may be with the Batcher already."""
        self._forget_settled()
        within_s = self._ports.settings.answer_within_ms / 1000 + COMMIT_MARGIN_S
        self._unsettled[bet_id] = trio.current_time() + within_s
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.unpark_all()

    def _forget_settled(self) -> None:
        """Drop those whose time is over: each was put in with the same limit, so oldest first."""
        now = trio.current_time()
        while self._unsettled:
            oldest = next(iter(self._unsettled))
            if self._unsettled[oldest] > now:
                return
            del self._unsettled[oldest]


def refusal_of(refused: Refused, *, draining: bool) -> Refusal:
    """What a client is told when an actor did not take a question: nothing has happened."""
    if draining or refused.reason is RefusedBecause.CLOSED:
        return Refusal(Code.DRAINING)
    return Refusal(Code.OVERLOADED)


def _nonce_key(bet: BetRequest) -> str:
    return f"nonce:{bet.wallet}:{bet.nonce}"


def _first_json(bet_id: BetId, status: str) -> Json:
    return {"bet_id": bet_id, "status": status}
