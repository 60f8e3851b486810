"""What operators can see and do. Each has a token of his own; each action is logged with who, what
and why before it is asked for, so that even one whose answer is lost is on record."""

import structlog

from actors.gateway.asking import ask_circuit, ask_money
from actors.gateway.connections import Connections
from actors.gateway.hub import Hub
from actors.gateway.operators import operator, operator_asks
from actors.gateway.ports import GatewayPorts
from actors.gateway.routes import Route
from actors.gateway.tree import rows_json
from actors.gateway.upkeep import upkeep_json
from domain.refusals import Refusal
from protocols.client_market import FeedJson, feed_json, source_json
from protocols.client_ops import CIRCUIT, DEPOSIT, REASON, REBUILD
from protocols.client_status import (
    DepositedJson,
    HeldJson,
    HouseJson,
    NewestQuoteJson,
    OpsStatusJson,
    RebuiltJson,
    ResolverJson,
    WriterJson,
)
from protocols.market import SetOverride
from protocols.money import (
    BalanceRebuilt,
    Deposit,
    Deposited,
    HoldSet,
    RebuildBalance,
    SetHold,
)
from protocols.operations import ops
from protocols.ports import LedgerUnreadable

log = structlog.get_logger("ops")


class OpsRoutes:
    """The views below `/ops`."""

    def __init__(self, ports: GatewayPorts, hub: Hub, connections: Connections) -> None:
        self._ports = ports
        self._hub = hub
        self._connections = connections

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            (ops.STATUS, self.status),
            (ops.CIRCUIT, self.circuit),
            (ops.DEPOSITS, self.deposits),
            (ops.HOLD, self.hold),
            (ops.RELEASE, self.release),
            (ops.REBUILD, self.rebuild),
        ]

    async def status(self) -> OpsStatusJson | Refusal:
        """The actor tree, and everything that it drives."""
        who = operator(self._ports)
        if isinstance(who, Refusal):
            return who
        ports, now_ms = self._ports, self._ports.clock.now_ms()
        tree, feed, hold = ports.supervisor_status(), ports.feed.value, ports.hold.value
        return {
            "venue": tree.state.value,
            "server_time_ms": now_ms,
            "version": ports.settings.version,
            "draining": ports.draining.value,
            "actors": rows_json(tree),
            "feed": {**feed_json(feed, now_ms), "skew_ms": feed.skew_ms},
            "breaker": {
                "open": feed.breaker_open(),
                "override": feed.override,
                "by": feed.override_by,
                "why": feed.override_why,
            },
            "hold": {"held": hold.held, "by": hold.by, "why": hold.why},
            "sources": [source_json(source) for source in ports.sources.value],
            "quote": self._quote(now_ms),
            "house": await self._house(),
            "writer": self._writer(),
            "resolver": self._resolver(),
            **upkeep_json(self._ports, now_ms),
            "gateway": {"connections": self._connections.count, "sockets": self._hub.count},
        }

    async def circuit(self) -> FeedJson | Refusal:
        """Override the circuit breaker."""
        request = await operator_asks(self._ports, CIRCUIT)
        if isinstance(request, Refusal):
            return request
        who, asked = request
        log.warning("ops_circuit", who=who, what=asked.override.value, why=asked.reason)
        feed = await ask_circuit(
            self._ports, SetOverride(override=asked.override, by=who, why=asked.reason)
        )
        if isinstance(feed, Refusal):
            return feed
        return feed_json(feed, self._ports.clock.now_ms())

    async def deposits(self) -> DepositedJson | Refusal:
        """Credit a wallet, once per reference."""
        request = await operator_asks(self._ports, DEPOSIT)
        if isinstance(request, Refusal):
            return request
        who, asked = request
        log.warning(
            "ops_deposit",
            who=who,
            what=f"{asked.amount_micros} micros to {asked.wallet} as {asked.reference}",
            why=asked.reason,
        )
        command = Deposit(
            wallet=asked.wallet,
            amount_micros=asked.amount_micros,
            reference=asked.reference,
            by=who,
        )
        done = await ask_money(self._ports, command, Deposited)
        if isinstance(done, Refusal):
            return done
        return {
            "wallet": done.wallet,
            "amount_micros": done.amount_micros,
            "reference": done.reference,
            "balance_micros": done.balance_micros,
            "repeated": done.repeated,
        }

    async def hold(self) -> HeldJson | Refusal:
        """Betting off."""
        return await self._set_hold(held=True)

    async def release(self) -> HeldJson | Refusal:
        """Betting on."""
        return await self._set_hold(held=False)

    async def rebuild(self) -> RebuiltJson | Refusal:
        """Set a balance to the sum of its ledger rows. `noted_in_row` is null if it was."""
        request = await operator_asks(self._ports, REBUILD)
        if isinstance(request, Refusal):
            return request
        who, asked = request
        log.warning("ops_rebuild", who=who, what=f"balance of {asked.wallet}", why=asked.reason)
        command = RebuildBalance(wallet=asked.wallet, by=who, why=asked.reason)
        done = await ask_money(self._ports, command, BalanceRebuilt)
        if isinstance(done, Refusal):
            return done
        return {
            "wallet": done.wallet,
            "balance_before_micros": done.before_micros,
            "balance_micros": done.after_micros,
            "noted_in_row": done.rowid,
        }

    async def _set_hold(self, *, held: bool) -> HeldJson | Refusal:
        request = await operator_asks(self._ports, REASON)
        if isinstance(request, Refusal):
            return request
        who, why = request
        log.warning("ops_hold", who=who, what="hold" if held else "release", why=why)
        done = await ask_money(self._ports, SetHold(held=held, by=who, why=why), HoldSet)
        return done if isinstance(done, Refusal) else {"held": done.held}

    async def _house(self) -> HouseJson | None:
        """Null where the ledger can't be read: that is when the rest is wanted most."""
        try:
            house = await self._ports.ledger_worker.run(self._ports.ledger.house)
        except LedgerUnreadable as error:
            log.error("ledger_unreadable", why=str(error))
            return None
        return {
            "balance_micros": house.balance_micros,
            "open_payout_micros": house.open_payout_micros,
            "open_bets": house.open_bets,
        }

    def _quote(self, now_ms: int) -> NewestQuoteJson | None:
        quote = self._ports.book.value.newest
        if quote is None:
            return None
        age_ms = now_ms - quote.published_at_ms
        return {"n": quote.n, "age_ms": age_ms, "price_cents": quote.price_cents}

    def _writer(self) -> WriterJson:
        writer = self._ports.writer.value
        return {
            "batches": writer.batches,
            "commands": writer.commands,
            "last_batch": writer.last_batch,
            "last_commit_ms": writer.last_commit_ms,
            "expired": writer.expired,
            "high_ms": writer.high_ms,
            "synchronous": writer.synchronous,
            "partition": writer.partition,
            "rotations": writer.rotations,
            "last_rotation_ms": writer.last_rotation_ms,
            "rotation_failure": writer.rotation_failure,
        }

    def _resolver(self) -> ResolverJson:
        resolver = self._ports.resolver.value
        return {
            "columns_settled": resolver.columns_settled,
            "bets_won": resolver.bets_won,
            "bets_lost": resolver.bets_lost,
            "bets_void": resolver.bets_void,
            "open_columns": resolver.open_columns,
            "oldest_open_end_ms": resolver.oldest_open_end_ms,
        }
