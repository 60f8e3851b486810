"""What traders, and anybody, can ask over HTTP."""

from typing import Final

import msgspec

from actors.gateway.asgi import Answer, json_answer
from actors.gateway.asking import ask_money, session_of
from actors.gateway.ports import GatewayPorts
from actors.gateway.reads import (
    read_account,
    read_bet,
    read_bet_by_nonce,
    read_bets,
    read_proof,
    read_statement,
)
from actors.gateway.routes import Route, read_body, read_query
from domain.quotes import Quote
from domain.refusals import Code, Refusal, bad_request
from protocols.client_account import FAUCET
from protocols.client_answers import (
    AccountJson,
    BetJson,
    BetsJson,
    CreditedJson,
    ProofJson,
    StatementJson,
    account_json,
)
from protocols.client_bets import BET_ID, NONCE
from protocols.client_market import (
    BarsJson,
    TickJson,
    TicksJson,
    bar_json,
    grid_json,
    quote_json,
    tick_json,
)
from protocols.client_queries import BETS, HISTORY, STATEMENT, history_range
from protocols.money import Deposit, Deposited
from protocols.operations import account, bets, market

FAUCET_BY: Final = "faucet"


class TraderRoutes:
    """The views below `/api`."""

    def __init__(self, ports: GatewayPorts) -> None:
        self._ports = ports
        self._quote: tuple[int, msgspec.Raw] | None = None  # the newest, encoded once

    def routes(self) -> list[Route]:
        """All of them; the bet itself is placed elsewhere."""
        return [
            (market.GRID, self.grid),
            (market.LATEST_PRICE, self.latest_price),
            (market.PRICE_HISTORY, self.price_history),
            (bets.BETS, self.bets),
            (bets.BET_BY_ID, self.bet),
            (bets.BET_BY_NONCE, self.bet_by_nonce),
            (bets.PROOF, self.proof),
            (account.ACCOUNT, self.account),
            (account.STATEMENT, self.statement),
            (account.FAUCET, self.faucet),
        ]

    # The market

    async def grid(self) -> Answer:
        """Geometry, presets, and the newest quote with every rate, or null."""
        ports = self._ports
        quote = ports.book.value.newest
        return json_answer(
            grid_json(
                ports.rules,
                chain_id=ports.settings.chain_id,
                now_ms=ports.clock.now_ms(),
                encoded_quote=None if quote is None else self._encoded(quote),
            )
        )

    def _encoded(self, quote: Quote) -> msgspec.Raw:
        """Some 480 cells, encoded once for all who ask."""
        if self._quote is None or self._quote[0] != quote.n:
            self._quote = quote.n, msgspec.Raw(msgspec.json.encode(quote_json(quote)))
        return self._quote[1]

    async def latest_price(self) -> TickJson | Refusal:
        """The newest accepted tick."""
        active = [source for source in self._ports.sources.value if source.active]
        tick = active[0].last_tick if active else None
        return (
            Refusal(Code.NOT_FOUND, "There is no price yet.") if tick is None else tick_json(tick)
        )

    async def price_history(self) -> BarsJson | TicksJson | Refusal:
        """Bars, or ticks, of a stretch of the last seven days."""
        ports = self._ports
        asked = read_query(ports, HISTORY)
        if isinstance(asked, Refusal):
            return asked
        within = history_range(asked, now_ms=ports.clock.now_ms())
        if isinstance(within, Refusal):
            return within
        if asked.interval_ms == 0:
            ticks = await ports.prices_worker.run(
                lambda: ports.prices.ticks(
                    from_ms=within.from_ms, to_ms=within.to_ms, limit=asked.limit
                )
            )
            return {"ticks": [tick_json(tick) for tick in ticks]}
        bars = await ports.prices_worker.run(
            lambda: ports.prices.bars(
                from_ms=within.from_ms,
                to_ms=within.to_ms,
                interval_ms=asked.interval_ms,
                limit=asked.limit,
            )
        )
        return {"interval_ms": asked.interval_ms, "bars": [bar_json(bar) for bar in bars]}

    # Own money and bets

    async def account(self) -> AccountJson | Refusal:
        """Balance, open stakes and bets."""
        session = await session_of(self._ports)
        if isinstance(session, Refusal):
            return session
        account = await read_account(self._ports, session.wallet)
        return account_json(session.wallet, account)

    async def statement(self) -> StatementJson | Refusal:
        """Where did my money go?"""
        session, asked = await session_of(self._ports), read_query(self._ports, STATEMENT)
        if isinstance(session, Refusal):
            return session
        if isinstance(asked, Refusal):
            return asked
        return await read_statement(self._ports, session.wallet, asked)

    async def bets(self) -> BetsJson | Refusal:
        """A page of the trader's bets, newest first."""
        session, asked = await session_of(self._ports), read_query(self._ports, BETS)
        if isinstance(session, Refusal):
            return session
        if isinstance(asked, Refusal):
            return asked
        return await read_bets(self._ports, session.wallet, asked)

    async def bet(self, bet_id: str) -> BetJson | Refusal:
        """One of the trader's own bets. Another's is not found, like one that never was."""
        session = await session_of(self._ports)
        if isinstance(session, Refusal):
            return session
        if not BET_ID.holds(bet_id):
            return Refusal(Code.NOT_FOUND)
        return await read_bet(self._ports, session.wallet, bet_id)

    async def bet_by_nonce(self, nonce: str) -> BetJson | Refusal:
        """For a client that signed a bet and lost the answer."""
        session = await session_of(self._ports)
        if isinstance(session, Refusal):
            return session
        if not NONCE.holds(nonce):
            return bad_request("nonce", NONCE.why)
        return await read_bet_by_nonce(self._ports, session.wallet, nonce)

    async def proof(self, bet_id: str) -> ProofJson | Refusal:
        """Why a bet ended as it did. For anybody who has the link."""
        if not BET_ID.holds(bet_id):
            return Refusal(Code.NOT_FOUND)
        return await read_proof(self._ports, bet_id)

    # Paper money

    async def faucet(self) -> CreditedJson | Refusal:
        """Paper money for the token's wallet, or for the one that the body names."""
        settings = self._ports.settings
        if not settings.demo:
            return Refusal(Code.FORBIDDEN, "There is a faucet in demo mode only.")
        wallet = await self._faucet_wallet()
        if isinstance(wallet, Refusal):
            return wallet
        # The ledger gives no more than brings the balance to its limit, also of two at once.
        command = Deposit(
            wallet=wallet,
            amount_micros=settings.faucet_micros,
            reference=f"{FAUCET_BY}:{self._ports.chance.token_bytes(16).hex()}",
            by=FAUCET_BY,
            balance_max_micros=settings.faucet_balance_max_micros,
        )
        given = await ask_money(self._ports, command, Deposited)
        if isinstance(given, Refusal):
            return given
        return {
            "wallet": given.wallet,
            "amount_micros": given.amount_micros,
            "balance_micros": given.balance_micros,
        }

    async def _faucet_wallet(self) -> str | Refusal:
        wallet = await read_body(self._ports, FAUCET)
        if wallet is not None:
            return wallet
        session = await session_of(self._ports)
        return session if isinstance(session, Refusal) else session.wallet
