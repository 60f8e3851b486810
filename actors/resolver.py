"""The Resolver: judges columns whose windows have passed and has the Batcher settle them.

One that an operator has ordered to be given back is settled at once, whether or not it has begun.

It decides nothing of its own: `domain.resolution` says when a window may be judged and how each of
its cells ends. It remembers nothing either: what is open is read from the ledger each round, so a
restart picks up where the last life stopped, and settling twice changes nothing.
"""

from typing import TypeAlias

import attrs
import structlog

from domain.evidence import gather
from domain.limits import JUDGE_WITHOUT_TICK_AFTER_MS
from domain.refusals import Code, Refusal
from domain.resolution import Judgeable, Record, judge_cells, may_judge
from domain.units import EpochMs
from protocols.accounts import OpenColumn
from protocols.market import FeedLevel, FeedStatus, Watermark
from protocols.money import (
    BetStatus,
    ColumnSettled,
    MoneyCommand,
    MoneyOutcome,
    ResolverStatus,
    SettleColumn,
)
from protocols.ports import Clock, LedgerReader, PriceReader, Worker
from supervisor import Ask, Life, Mailbox, Watch, ask

log = structlog.get_logger("resolver")

MoneyAsk: TypeAlias = Ask[MoneyCommand, MoneyOutcome]

ROUND_S = 0.25
"""A column is judged at most this long after it may be: under the 2 s settle delay nobody feels it,
and a round costs one indexed read."""
SETTLE_WITHIN_S = 10.0
DISK_FULL_PAUSE_S = 5.0
"""A verdict for which the disk has no room will find none in the next quarter of a second either,
and each try is a line in a log that may lie on the same disk."""


@attrs.frozen(kw_only=True)
class ResolverPorts:
    """What the Resolver needs of the venue."""

    watermark: Watch[Watermark]
    feed: Watch[FeedStatus]
    money: Mailbox[MoneyAsk]
    status: Watch[ResolverStatus]
    ledger: LedgerReader
    ledger_worker: Worker
    prices: PriceReader
    prices_worker: Worker
    clock: Clock
    settle_delay_ms: int


async def run(life: Life, ports: ResolverPorts) -> None:
    """Settle what is due, round after round; asked to stop, finish the column in hand."""
    life.ready()
    while True:
        life.beat()
        has_room = await _settle_due(life, ports)
        if await life.sleep_or_stop(ROUND_S if has_room else DISK_FULL_PAUSE_S):
            return


async def _settle_due(life: Life, ports: ResolverPorts) -> bool:
    """One round; False if it ended early because the disk is full."""
    now_ms = ports.clock.now_ms()
    known_ms = max(now_ms, ports.watermark.value.ts_ms)
    columns = await ports.ledger_worker.run(
        lambda: ports.ledger.open_columns(before_s=known_ms // 1000)
    )
    ended = [column for column in columns if _end_ms(column) <= known_ms]
    _show_waiting(ports.status, ended)
    for column in columns:
        if life.stopping.is_set():
            break
        life.beat()
        if _may_be_due(column, ports, known_ms) and not await _settle(column, ports):
            return False
    return True


def _may_be_due(column: OpenColumn, ports: ResolverPorts, known_ms: EpochMs) -> bool:
    """A cheap look that spares reading the record of a column that only waits for its delay."""
    end_ms = _end_ms(column)
    return column.void_ordered or (
        end_ms <= known_ms
        and (
            ports.watermark.value.ts_ms >= end_ms + ports.settle_delay_ms
            or ports.clock.now_ms() >= end_ms + JUDGE_WITHOUT_TICK_AFTER_MS
            or ports.feed.value.level is FeedLevel.CRITICAL
        )
    )


async def _settle(column: OpenColumn, ports: ResolverPorts) -> bool:
    """Settle the column if its record may be judged; False if the disk has no room for it."""
    record = await _read_record(column, ports)
    judgeable = may_judge(
        record,
        settle_delay_ms=ports.settle_delay_ms,
        feed_critical=ports.feed.value.level is FeedLevel.CRITICAL,
        void_ordered=column.void_ordered,
    )
    if judgeable is None:
        return True
    outcome = await ask(ports.money, _verdict(column, record, judgeable), within_s=SETTLE_WITHIN_S)
    if isinstance(outcome, ColumnSettled):
        _show_settled(ports.status, outcome)
    else:
        # The column stays open in the ledger, so the next round tries again.
        log.warning("column_not_settled", column=column.key.start_s, outcome=repr(outcome)[:200])
    return not (isinstance(outcome, Refusal) and outcome.code is Code.DISK_FULL)


async def _read_record(column: OpenColumn, ports: ResolverPorts) -> Record:
    start_ms = column.key.start_s * 1000
    return await ports.prices_worker.run(
        lambda: ports.prices.record(
            start_ms=start_ms, end_ms=_end_ms(column), read_at_ms=ports.clock.now_ms()
        )
    )


def _verdict(column: OpenColumn, record: Record, judgeable: Judgeable) -> SettleColumn:
    results = judge_cells(column.key.rule, record, column.ranges, void=judgeable.void)
    return SettleColumn(
        key=column.key,
        evidence=gather(column.key.rule, record, judgeable),
        results=dict(zip(column.ranges, results, strict=True)),
    )


def _end_ms(column: OpenColumn) -> EpochMs:
    return (column.key.start_s + column.key.column_s) * 1000


def _show_waiting(status: Watch[ResolverStatus], ended: list[OpenColumn]) -> None:
    oldest = min((_end_ms(column) for column in ended), default=None)
    before = status.value
    if (before.open_columns, before.oldest_open_end_ms) != (len(ended), oldest):
        status.set(attrs.evolve(before, open_columns=len(ended), oldest_open_end_ms=oldest))


def _show_settled(status: Watch[ResolverStatus], settled: ColumnSettled) -> None:
    ends = [bet.status for bet in settled.resolved]
    before = status.value
    status.set(
        attrs.evolve(
            before,
            columns_settled=before.columns_settled + 1,
            bets_won=before.bets_won + ends.count(BetStatus.WON),
            bets_lost=before.bets_lost + ends.count(BetStatus.LOST),
            bets_void=before.bets_void + ends.count(BetStatus.VOID),
        )
    )
    log.info(
        "column_settled",
        column=settled.key.start_s,
        bets=len(ends),
        won=ends.count(BetStatus.WON),
        void=ends.count(BetStatus.VOID),
    )
