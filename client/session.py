"""One trader's session: his bets, his money, his limits, his other sessions."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import attrs
import trio

from client.answers import (
    Account,
    Bet,
    BetsPage,
    CurrentSession,
    FaucetGift,
    GrantedKey,
    LedgerPage,
    Placed,
    SessionInfo,
    Sessions,
    SignedIn,
    Withdrawal,
    WithdrawalsPage,
)
from client.chance import new_nonce
from client.errors import NotPlaced, Refused
from client.placing import Carrier, place
from client.signing import Odds, SignedBet, Signer, sign_bet
from domain.refusals import Code
from domain.units import BetId, EpochMs, Micros

if TYPE_CHECKING:
    from client.venue import Venue

SIGN_ANEW_WITHIN_S: Final = 10
"""A bet that was certainly not written is signed anew so long; later it is the trader's to say."""


PAGE_ROWS: Final = 200


class Unchanged:
    """Says of a limit that it stays as it is: None says that there is to be none."""


UNCHANGED: Final = Unchanged()


@attrs.define
class Session:
    """From sign-in to logout. `signer` signs its bets: the wallet, or the session key."""

    venue: "Venue"
    signed_in: SignedIn
    signer: Signer = attrs.field(repr=False)

    @property
    def wallet(self) -> str:
        """The address whose session it is, in lower case."""
        return self.signed_in.user.wallet

    @property
    def token(self) -> str:
        """The bearer token. Whoever has it sees everything here."""
        return self.signed_in.token

    @property
    def key(self) -> GrantedKey | None:
        """The session key with its caps."""
        return self.signed_in.session_key

    # Bets

    async def sign_bet(
        self, cell_id: str, *, stake_micros: Micros, odds: Odds | None = None
    ) -> SignedBet:
        """A bet that is signed and not sent. It must be sent within 30 s."""
        return sign_bet(
            self.signer,
            wallet=self.wallet,
            cell_id=cell_id,
            stake_micros=stake_micros,
            nonce=new_nonce(self.venue.chance),
            timestamp_s=await self.venue.now_ms() // 1000,
            chain_id=await self.venue.chain_id(),
            odds=odds,
        )

    async def place_bet(
        self,
        cell_id: str,
        *,
        stake_micros: Micros,
        odds: Odds | None = None,
        over: Carrier | None = None,
    ) -> Placed:
        """Place a bet, paid the rate of the moment, or with `odds` no less than what they say.

        `over` a `Stream` it goes through the WebSocket. Raises Refused when the venue says no,
        Unreachable if nothing could be sent, OutcomeUnknown if it can't be told for over a minute;
        an answer that is lost on the way is looked up first. What was certainly not written, or
        was dated by a wrong idea of the venue's time, is signed anew once.
        """
        began_s = trio.current_time()
        bet = await self.sign_bet(cell_id, stake_micros=stake_micros, odds=odds)
        try:
            return await self.place(bet, over=over)
        except NotPlaced:
            if trio.current_time() > began_s + SIGN_ANEW_WITHIN_S:
                raise
        except Refused as refused:
            if refused.code != Code.SIGNATURE_EXPIRED:
                raise
        bet = await self.sign_bet(cell_id, stake_micros=stake_micros, odds=odds)
        return await self.place(bet, over=over)

    async def place(self, bet: SignedBet, *, over: Carrier | None = None) -> Placed:
        """Send a signed bet and find out what became of it, whatever is lost on the way."""
        return await place(
            bet,
            over=over or self.venue,
            again_over=self.venue,
            look_up=self.by_nonce,
            now_ms=self.venue.now_ms,
        )

    async def bet(self, bet_id: BetId) -> Bet:
        """One of his own bets."""
        return await self.venue.get(f"/api/bets/{bet_id}", Bet, token=self.token)

    async def by_nonce(self, nonce: str) -> Bet:
        """The bet that used up a nonce. Refused with `not_found` if there is none (yet)."""
        return await self.venue.get(f"/api/bets/by-nonce/{nonce}", Bet, token=self.token)

    async def bets(
        self,
        *,
        status: Sequence[str] = (),
        from_ms: EpochMs | None = None,
        to_ms: EpochMs | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> BetsPage:
        """A page of his bets, newest first; `cursor` is the `next_cursor` of the one before."""
        query = {
            "status": ",".join(status) or None,
            "from": from_ms,
            "to": to_ms,
            "cursor": cursor,
            "limit": limit,
        }
        return await self.venue.get("/api/bets", BetsPage, query=query, token=self.token)

    async def all_bets(self, *, status: Sequence[str] = ()) -> AsyncIterator[Bet]:
        """Every bet that is not in the archive, newest first, page by page."""
        page = await self.bets(status=status, limit=PAGE_ROWS)
        while True:
            for bet in page.bets:
                yield bet
            if page.next_cursor is None:
                return
            page = await self.bets(status=status, cursor=page.next_cursor, limit=PAGE_ROWS)

    # Money

    async def account(self) -> Account:
        """Balance, open bets and limits."""
        return await self.venue.get("/api/account", Account, token=self.token)

    async def ledger(self, *, cursor: str | None = None, limit: int | None = None) -> LedgerPage:
        """A page of the statement, newest first: where did the money go?"""
        query = {"cursor": cursor, "limit": limit}
        return await self.venue.get("/api/ledger", LedgerPage, query=query, token=self.token)

    async def faucet(self) -> FaucetGift:
        """Paper money, in demo mode only."""
        return await self.venue.post("/api/faucet", FaucetGift, token=self.token)

    async def withdrawals(
        self, *, status: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> WithdrawalsPage:
        """His withdrawals, newest first. `Venue.withdraw` asks for one."""
        query = {"status": status, "cursor": cursor, "limit": limit}
        return await self.venue.get(
            "/api/withdrawals", WithdrawalsPage, query=query, token=self.token
        )

    async def withdrawal(self, withdrawal_id: str) -> Withdrawal:
        """One of his own."""
        path = f"/api/withdrawals/{withdrawal_id}"
        return await self.venue.get(path, Withdrawal, token=self.token)

    async def set_limits(
        self,
        *,
        stake_max_micros: Micros | Unchanged | None = UNCHANGED,
        loss_day_max_micros: Micros | Unchanged | None = UNCHANGED,
        paused_until_ms: EpochMs | Unchanged = UNCHANGED,
    ) -> Account:
        """Limits that he sets for himself; None takes one away. Lowering holds at once, raising
        after a day. A pause can be made longer and not shorter."""
        asked = {
            "stake_max_micros": stake_max_micros,
            "loss_day_max_micros": loss_day_max_micros,
            "paused_until_ms": paused_until_ms,
        }
        body = {name: value for name, value in asked.items() if not isinstance(value, Unchanged)}
        return await self.venue.post("/api/account/limits", Account, body, token=self.token)

    # Sessions

    async def sessions(self) -> tuple[SessionInfo, ...]:
        """All live sessions of his wallet, and keys that may still bet without one."""
        answer = await self.venue.get("/api/auth/sessions", Sessions, token=self.token)
        return answer.sessions

    async def key_now(self) -> GrantedKey | None:
        """His session key as the venue has it now, with what it has staked today; None once it is
        revoked or has expired."""
        answer = await self.venue.get("/api/auth/session", CurrentSession, token=self.token)
        return answer.session_key

    async def revoke(self, session_id: str) -> None:
        """End one of his sessions, and its key, at once."""
        path = f"/api/auth/sessions/{session_id}/revoke"
        await self.venue.post(path, dict[str, Any], token=self.token)

    async def logout(self) -> None:
        """End this session, and its key, at once."""
        await self.venue.post("/api/auth/logout", dict[str, Any], token=self.token)
