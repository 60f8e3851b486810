"""The venue as operators see it, and their orders about betting and money as a whole."""

from functools import partial

import structlog
import trio

from actors.gateway.asking import ask_circuit, ask_money
from actors.gateway.attention import attention_json, thresholds_json
from actors.gateway.connections import Connections
from actors.gateway.health import house_position, store_answers
from actors.gateway.hub import Hub
from actors.gateway.operators import Operators, Told
from actors.gateway.ports import GatewayPorts
from actors.gateway.routes import Route, read_body, read_query
from actors.gateway.tree import rows_json
from actors.gateway.upkeep import upkeep_json
from domain.refusals import Code, Refusal
from protocols.accounts import HousePosition
from protocols.audit_log import AuditLogUnreadable, Figure
from protocols.client_market import FeedJson, feed_json, source_json
from protocols.client_ops import (
    CIRCUIT,
    DEPOSIT,
    REASON,
    REBUILD,
    CircuitRequest,
    DepositRequest,
    RebuildRequest,
)
from protocols.client_orders import AUDIT, AuditPageJson, audit_page_json
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

log = structlog.get_logger("ops")


class OpsRoutes:
    """The views below `/ops`."""

    def __init__(
        self, ports: GatewayPorts, operators: Operators, hub: Hub, connections: Connections
    ) -> None:
        self._ports = ports
        self._operators = operators
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
            (ops.AUDIT, self.audit),
        ]

    async def status(self) -> OpsStatusJson | Refusal:
        """The actor tree, and everything that it drives."""
        who = await self._operators.who()
        if isinstance(who, Refusal):
            return who
        ports, now_ms = self._ports, self._ports.clock.now_ms()
        tree, feed, hold = ports.supervisor_status(), ports.feed.value, ports.hold.value
        house, store_up = await self._asked()
        attention = attention_json(
            ports,
            tree=tree,
            house=house,
            store_up=store_up,
            connections=self._connections.count,
            now_ms=now_ms,
        )
        return {
            "venue": tree.state.value,
            "server_time_ms": now_ms,
            "version": ports.settings.version,
            "demo": ports.settings.demo,
            "operator": who,
            "draining": ports.draining.value,
            "attention": attention,
            "thresholds": thresholds_json(ports),
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
            "house": _house_json(house),
            "writer": self._writer(),
            "resolver": self._resolver(),
            **upkeep_json(self._ports, now_ms),
            "store": {"up": store_up},
            "gateway": {
                "connections": self._connections.count,
                "connections_max": ports.settings.connections,
                "sockets": self._hub.count,
            },
        }

    async def audit(self) -> AuditPageJson | Refusal:
        """A page of what operators did."""
        who, asked = await self._operators.who(), read_query(self._ports, AUDIT)
        if isinstance(who, Refusal):
            return who
        if isinstance(asked, Refusal):
            return asked
        try:
            entries = await self._ports.audit_log_worker.run(
                lambda: self._ports.audit_log.page(before=asked.before, limit=asked.limit)
            )
        except AuditLogUnreadable as error:
            return Refusal(Code.STORE_UNAVAILABLE, str(error))
        return audit_page_json(entries, asked.limit)

    async def circuit(self) -> FeedJson | Refusal:
        """Override the circuit breaker."""
        return await self._operators.order(
            partial(read_body, self._ports, CIRCUIT),
            lambda asked: Told("circuit", asked.override.value, asked.reason),
            self._override,
        )

    async def _override(self, who: str, asked: CircuitRequest) -> FeedJson | Refusal:
        command = SetOverride(override=asked.override, by=who, why=asked.reason)
        feed = await ask_circuit(self._ports, command)
        if isinstance(feed, Refusal):
            return feed
        return feed_json(feed, self._ports.clock.now_ms())

    async def hold(self) -> HeldJson | Refusal:
        """Betting off."""
        return await self._set_hold(held=True)

    async def release(self) -> HeldJson | Refusal:
        """Betting on."""
        return await self._set_hold(held=False)

    async def _set_hold(self, *, held: bool) -> HeldJson | Refusal:
        async def set_it(who: str, why: str) -> HeldJson | Refusal:
            done = await ask_money(self._ports, SetHold(held=held, by=who, why=why), HoldSet)
            return done if isinstance(done, Refusal) else {"held": done.held}

        return await self._operators.order(
            partial(read_body, self._ports, REASON),
            lambda why: Told("hold" if held else "release", why=why),
            set_it,
        )

    async def deposits(self) -> DepositedJson | Refusal:
        """Credit a wallet, once per reference."""
        return await self._operators.order(
            partial(read_body, self._ports, DEPOSIT), _deposit_told, self._deposit
        )

    async def _deposit(self, who: str, asked: DepositRequest) -> DepositedJson | Refusal:
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

    async def rebuild(self) -> RebuiltJson | Refusal:
        """Set a balance to the sum of its ledger rows. `noted_in_row` is null if it was."""
        return await self._operators.order(
            partial(read_body, self._ports, REBUILD),
            lambda asked: Told("rebuild", asked.wallet, asked.reason),
            self._rebuild,
        )

    async def _rebuild(self, who: str, asked: RebuildRequest) -> RebuiltJson | Refusal:
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

    async def _asked(self) -> tuple[HousePosition | None, bool]:
        """The house's position, and does the store answer? Both at once, and each within its
        limit: the rest is wanted most when neither does, by whoever polls every second."""
        house: HousePosition | None = None

        async def ask_ledger() -> None:
            nonlocal house
            house = await house_position(self._ports)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask_ledger)
            store_up = await store_answers(self._ports)
        return house, store_up

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


def _house_json(house: HousePosition | None) -> HouseJson | None:
    if house is None:
        return None
    return {
        "balance_micros": house.balance_micros,
        "open_payout_micros": house.open_payout_micros,
        "open_bets": house.open_bets,
    }


def _deposit_told(asked: DepositRequest) -> Told:
    figures: dict[str, Figure] = {
        "amount_micros": asked.amount_micros,
        "reference": asked.reference,
    }
    return Told("deposit", asked.wallet, asked.reason, figures=figures)
