"""The Batcher: the only writer of money.

Everything that changes money is a typed command in its mailbox. It gathers commands into batches,
judges each bet once, at one clock reading taken when its transaction begins, hands the batch to the
ledger, and answers only after COMMIT. While a flush runs the next batch gathers.

A crash in the middle of a flush leaves its commands in hand to the next life, which hands them to
the ledger again: whatever was committed is found there by its id, nothing is done twice.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import attrs
import structlog
import trio

from domain.batching import BatchRule
from domain.grid import current_ms
from domain.placement import Rules, judge
from domain.quotes import QuoteBook, Rate
from domain.refusals import Code, Refusal
from domain.units import EpochMs
from protocols.account_commands import (
    AccountChanged,
    Adjusted,
    WithdrawalDecided,
    WithdrawalRequested,
)
from protocols.market import FeedStatus, Hold, betting_gate
from protocols.money import (
    BalanceRebuilt,
    BetConfirmed,
    BetOrder,
    BetRefused,
    ColumnSettled,
    CommandFailed,
    Deposited,
    EventsLost,
    HoldSet,
    LedgerCommand,
    MoneyCommand,
    MoneyOutcome,
    PlaceBet,
    SetHold,
    StreamEntry,
    UserEvent,
    WriterStatus,
)
from protocols.ports import Clock, Ledger, Worker
from protocols.upkeep import DiskStatus
from supervisor import Ask, EndOfMailbox, Life, Mailbox, Reader, Topic, Watch

log = structlog.get_logger("batcher")

MoneyAsk: TypeAlias = Ask[MoneyCommand, MoneyOutcome]


@attrs.frozen(kw_only=True)
class BatcherPorts:
    """What the Batcher needs of the venue."""

    commands: Mailbox[MoneyAsk]
    events: Topic[StreamEntry]
    feed: Watch[FeedStatus]
    hold: Watch[Hold]
    disk: Watch[DiskStatus]
    book: Watch[QuoteBook]
    writer: Watch[WriterStatus]
    ledger: Ledger
    worker: Worker
    clock: Clock
    rules: Rules
    batch: BatchRule


async def run(life: Life, ports: BatcherPorts) -> None:
    """One life: recover from the ledger, finish what the last life had in hand, then serve."""
    async with ports.commands.reader(life) as reader:
        recovered_ms = await _recover(ports)
        # Not all that a life has carried out left its time in the ledger.
        batcher = _Batcher(ports, high_ms=max(recovered_ms, ports.writer.value.high_ms))
        left = reader.left_in_hand()
        life.ready()
        if left:
            log.info("batcher_settles_what_was_in_hand", commands=len(left))
            # While they are in hand, so that if this life ends here the next one tells it;
            # and before what they may yet lead to, which does not follow the event told last.
            await ports.events.publish(EventsLost())
            await batcher.flush(left)
            reader.done()
        await _serve(reader, batcher, ports.batch)


async def _recover(ports: BatcherPorts) -> EpochMs:
    began = trio.current_time()
    recovered = await ports.worker.run(ports.ledger.recover)
    operators = recovered.operators
    ports.writer.set(attrs.evolve(ports.writer.value, synchronous=recovered.synchronous))
    _look_at_weeks(ports, took_s=trio.current_time() - began)
    ports.hold.set(Hold(held=operators.held, by=operators.held_by, why=operators.held_why))
    return recovered.high_ms


async def _serve(reader: Reader[MoneyAsk], batcher: "_Batcher", rule: BatchRule) -> None:
    while True:
        try:
            batch = await _gather(reader, rule)
        except EndOfMailbox:
            return
        await batcher.flush(batch)
        reader.done()


async def _gather(reader: Reader[MoneyAsk], rule: BatchRule) -> list[MoneyAsk]:
    """The next batch: one command, and what comes until it is full or has lingered."""
    batch = [await reader.receive()]
    due_at = rule.due_at(reader.arrived_at)  # its wait for the last flush counts
    try:
        while not rule.is_full(len(batch)):
            asked = await reader.receive_before(due_at)
            if asked is None:
                break
            batch.append(asked)
    except EndOfMailbox:
        pass  # draining: this batch is the last one, and the next receive says so again
    return batch


class _Batcher:
    """Judges, commits, answers. Its only state of its own is the highest time ever judged by."""

    def __init__(self, ports: BatcherPorts, *, high_ms: EpochMs) -> None:
        self._ports = ports
        self._high_ms = high_ms

    async def flush(self, batch: Sequence[MoneyAsk]) -> None:
        """One transaction for the batch; answers and events after it.

        What a life before has answered, and was cut off while it told events, is done with. Carried
        out anew, a bet or a withdrawal that its trader knows as refused could go through.
        """
        waiting = [asked for asked in batch if not asked.answered()]
        live = [asked for asked in waiting if not asked.expired()]
        if len(live) < len(waiting):
            self._count_expired(len(waiting) - len(live))
        if live:
            at_ms = self._reading_ms()
            orders = [self._order(asked, at_ms) for asked in live]
            began = trio.current_time()
            outcomes = await self._ports.worker.run(
                lambda: self._ports.ledger.apply(orders, at_ms=at_ms)
            )
            took_s = trio.current_time() - began
            self._answer(live, outcomes)
            self._report(live, took_s=took_s)
            _look_at_weeks(self._ports, took_s=took_s)
            await self._tell(outcomes)

    def _reading_ms(self) -> EpochMs:
        """The one clock reading by which this transaction judges. It never goes back, also if this
        life ends before the transaction does."""
        self._high_ms = current_ms(
            now_ms=self._ports.clock.now_ms(),
            newest_tick_ms=self._ports.feed.value.last_tick_ms or 0,
            high_ms=self._high_ms,
        )
        self._ports.writer.set(attrs.evolve(self._ports.writer.value, high_ms=self._high_ms))
        return self._high_ms

    def _order(self, asked: MoneyAsk, at_ms: EpochMs) -> LedgerCommand:
        """The command as the ledger takes it: a bet with its rate or the rule that refuses it."""
        command = asked.question
        if not isinstance(command, PlaceBet):
            return command
        order = BetOrder(
            bet=command, column_s=self._ports.rules.grid.column_s, rule=self._ports.rules.rule
        )
        judged = self._judge(command, at_ms)
        if isinstance(judged, Refusal):
            return attrs.evolve(order, refusal=judged)
        return attrs.evolve(order, reward_bps=judged.reward_bps, quote_n=judged.quote_n)

    def _judge(self, command: PlaceBet, at_ms: EpochMs) -> Rate | Refusal:
        ports = self._ports
        return judge(
            ports.rules,
            betting_gate(ports.feed.value, ports.hold.value, ports.disk.value),
            ports.book.value,
            cell=command.cell,
            stake_micros=command.stake_micros,
            named_quote_n=command.named_quote_n,
            least_bps=command.least_bps,
            at_ms=at_ms,
        )

    def _answer(self, live: Sequence[MoneyAsk], outcomes: Sequence[MoneyOutcome]) -> None:
        for asked, outcome in zip(live, outcomes, strict=True):
            if isinstance(outcome, CommandFailed):
                log.error("command_failed", command=type(asked.question).__name__, why=outcome.why)
            if isinstance(outcome, HoldSet) and isinstance(asked.question, SetHold):
                held = asked.question
                self._ports.hold.set(Hold(held=held.held, by=held.by, why=held.why))
            if _is_own_replay(outcome):
                asked.discard()  # the life before had committed it: the asker looks it up by its id
            else:
                asked.answer(outcome)

    def _count_expired(self, commands: int) -> None:
        log.warning("commands_expired_unwritten", commands=commands)
        before = self._ports.writer.value
        self._ports.writer.set(attrs.evolve(before, expired=before.expired + commands))

    def _report(self, live: Sequence[MoneyAsk], *, took_s: float) -> None:
        before = self._ports.writer.value
        self._ports.writer.set(
            attrs.evolve(
                before,
                batches=before.batches + 1,
                commands=before.commands + len(live),
                last_batch=len(live),
                last_commit_ms=round(took_s * 1000, 3),
            )
        )

    async def _tell(self, outcomes: Iterable[MoneyOutcome]) -> None:
        for outcome in outcomes:
            for event in _events(outcome):
                await self._ports.events.publish(event)
            if isinstance(outcome, BalanceRebuilt) and outcome.rowid is not None:
                # A balance that no event explains: whoever shows it takes a snapshot.
                await self._ports.events.publish(EventsLost())


def _look_at_weeks(ports: BatcherPorts, *, took_s: float) -> None:
    """Say it when the ledger has begun a new week in the call that took so long, or could not."""
    before = ports.writer.value
    partition, failure = ports.ledger.partition(), ports.ledger.rotation_failure()
    after = attrs.evolve(before, partition=partition, rotation_failure=failure)
    if before.partition and partition != before.partition:
        took_ms = round(took_s * 1000, 3)
        log.info("week_turned", before=before.partition, now=partition, took_ms=took_ms)
        after = attrs.evolve(after, rotations=before.rotations + 1, last_rotation_ms=took_ms)
    if failure and failure != before.rotation_failure:
        log.error("week_not_turned", partition=partition, why=failure)
    if after != before:
        ports.writer.set(after)


def _events(outcome: MoneyOutcome) -> Iterable[UserEvent]:
    """What the users concerned are told of an outcome: whatever raised their version."""
    if isinstance(outcome, BetConfirmed):
        return (outcome,)
    if isinstance(outcome, BetRefused):
        return (outcome,) if outcome.seq is not None else ()
    if isinstance(outcome, Deposited):
        return () if outcome.repeated else (outcome,)
    if isinstance(outcome, ColumnSettled):
        return outcome.resolved
    if isinstance(outcome, AccountChanged):
        return (outcome,)
    if isinstance(outcome, WithdrawalRequested | WithdrawalDecided | Adjusted):
        return (outcome.event,) if outcome.event is not None else ()
    return ()


def _is_own_replay(outcome: MoneyOutcome) -> bool:
    """Did the ledger find this very bet, committed by an earlier life?"""
    if not isinstance(outcome, BetRefused) or outcome.refusal.code is not Code.REPLAY_DETECTED:
        return False
    first = outcome.refusal.details.get("bet")
    return isinstance(first, dict) and first.get("bet_id") == outcome.bet_id
