"""The Auditor: when it checks, what it shows, and that it never corrects anything.

Most tests script what the checks find; one has a real ledger. Times are seconds of virtual time.
"""

import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import attrs
import pytest
import trio
from structlog.testing import capture_logs
from trio.testing import MockClock, wait_all_tasks_blocked

from actors import auditor
from actors.auditor import AuditorPorts, CheckAsk, MoneyAsk
from db.ledger_checks import FolderLedgerChecks
from db.partition import name_current
from domain.refusals import Code, Refusal
from protocols.accounts import Audit, Drift, IntegrityReport
from protocols.auditing import CheckIntegrity, LedgerChecks, LedgerUncheckable
from protocols.money import (
    CommandFailed,
    DriftReported,
    MarkedVerified,
    MarkVerified,
    MoneyOutcome,
    ReportDrift,
)
from protocols.ports import Work, Worker
from protocols.upkeep import AuditStatus
from supervisor import Life, Mailbox, Refused, StatusUnknown, TrioClock, Watch, WhenFull, ask
from supervisor.worker import InlineWorker, ThreadWorker
from tests.support.ledgers import ALICE, open_venue, order
from tests.support.quick_folder import quick_folder

EPOCH_MS = 1_770_000_000_000
DAY_S = 86_400
FULL_S = 300
"""When the first full check is due."""
LOST = Drift(what="balance", where="0xabc", expected=5, found=7)
BROKEN = Drift(what="chain", where="0xabc row 9", expected=5, found=7)


@attrs.define
class Scripted:
    """Checks that find what a test says, and note when they were asked for."""

    full_drifts: tuple[Drift, ...] = ()
    partial_drifts: tuple[Drift, ...] = ()
    rowid: int = 100
    failure: Exception | None = None
    asked: list[tuple[str, float]] = attrs.field(factory=list)

    def full(self, *, work: Work) -> IntegrityReport:
        self._note("full")
        return IntegrityReport(accounts=3, ledger_rows=9, bets=4, drifts=self.full_drifts)

    def partial(self, *, work: Work) -> Audit:
        self._note("partial")
        return Audit(rowid=self.rowid, drifts=self.partial_drifts)

    def _note(self, kind: str) -> None:
        self.asked.append((kind, trio.current_time()))
        if self.failure is not None:
            raise self.failure

    def times(self, kind: str) -> list[float]:
        return [at for asked, at in self.asked if asked == kind]


class Endless:
    """A check that goes on until it is told to end."""

    def __init__(self) -> None:
        self.begun = threading.Event()

    def full(self, *, work: Work) -> IntegrityReport:
        self.begun.set()
        while True:
            work.step(0, 0)

    def partial(self, *, work: Work) -> Audit:
        raise AssertionError("not asked for")


@attrs.define(kw_only=True)
class Bench:
    """What outlives the lives of an Auditor, and the Batcher's end of its mailbox."""

    checks: LedgerChecks
    worker: Worker = attrs.field(factory=InlineWorker)
    full_every_s: int = DAY_S
    partial_every_s: int = 300
    mark: Callable[[int], MoneyOutcome | None] = lambda rowid: MarkedVerified(rowid=rowid)
    marks: list[int] = attrs.field(factory=list)
    commands: Mailbox[CheckAsk] = attrs.field(factory=lambda: Mailbox("audit", 4, WhenFull.REFUSE))
    money: Mailbox[MoneyAsk] = attrs.field(factory=lambda: Mailbox("money", 4, WhenFull.REFUSE))
    status: Watch[AuditStatus] = attrs.field(factory=lambda: Watch("audit", AuditStatus()))
    life: Life = attrs.field(factory=lambda: Life("test/auditor"))
    reports: list[ReportDrift] = attrs.field(factory=list)

    async def live(self) -> None:
        ports = AuditorPorts(
            checks=self.checks,
            worker=self.worker,
            commands=self.commands,
            money=self.money,
            status=self.status,
            clock=TrioClock(EPOCH_MS),
            full_every_s=self.full_every_s,
            partial_every_s=self.partial_every_s,
        )
        await auditor.run(self.life, ports)

    async def keep_marks(self, life: Life) -> None:
        """The Batcher, as far as the Auditor goes."""
        async with self.money.reader(life) as reader:
            async for asked in reader:
                if isinstance(asked.question, ReportDrift):
                    self.reports.append(asked.question)
                    asked.answer(DriftReported())
                    continue
                assert isinstance(asked.question, MarkVerified)
                self.marks.append(asked.question.rowid)
                if (outcome := self.mark(asked.question.rowid)) is not None:
                    asked.answer(outcome)

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[None]:
        """One life, asked to stop at the end of the block and waited for."""
        self.life, others = Life("test/auditor"), Life("test/batcher")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.keep_marks, others)
            async with trio.open_nursery() as own:
                own.start_soon(self.live)
                yield
                self.life.stopping.set()
            others.stopping.set()

    async def check(
        self, *, within_s: float = 60
    ) -> IntegrityReport | Refusal | Refused | StatusUnknown:
        return await ask(self.commands, CheckIntegrity(), within_s=within_s)

    @property
    def shown(self) -> tuple[int, str]:
        return self.status.value.drifts, self.status.value.first_drift


@pytest.fixture
def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
def bench(scripted: Scripted) -> Bench:
    return Bench(checks=scripted)


# --- when -----------------------------------------------------------------------------------------


async def test_every_row_some_minutes_after_the_start_and_then_daily(
    bench: Bench, scripted: Scripted, autojump_clock: MockClock
) -> None:
    began = trio.current_time()
    async with bench.alive():
        await trio.sleep(2 * DAY_S)
    assert [at - began for at in scripted.times("full")] == [FULL_S, FULL_S + DAY_S]


async def test_new_rows_every_few_minutes(
    bench: Bench, scripted: Scripted, autojump_clock: MockClock
) -> None:
    bench.partial_every_s = 120
    began = trio.current_time()
    async with bench.alive():
        await trio.sleep(490)
    assert [at - began for at in scripted.times("partial")] == [120, 240, 360, 480]


async def test_a_later_life_counts_from_the_last_full_check(
    bench: Bench, scripted: Scripted, autojump_clock: MockClock
) -> None:
    began = trio.current_time()
    async with bench.alive():
        await trio.sleep(FULL_S + 100)
    async with bench.alive():
        await trio.sleep(DAY_S)
    assert [at - began for at in scripted.times("full")] == [FULL_S, FULL_S + DAY_S]


async def test_a_full_check_on_demand(
    bench: Bench, scripted: Scripted, autojump_clock: MockClock
) -> None:
    began = trio.current_time()
    async with bench.alive():
        await trio.sleep(10)
        report = await bench.check()
        assert isinstance(report, IntegrityReport)
        assert report.bets == 4
        assert bench.status.value.checked_at_ms == EPOCH_MS + 10_000
        await trio.sleep(DAY_S - 1)
        assert scripted.times("full") == [began + 10], "the next one is due a day after it"


async def test_a_question_that_nobody_waits_for_costs_no_check(
    bench: Bench, scripted: Scripted, autojump_clock: MockClock
) -> None:
    assert isinstance(await bench.check(within_s=1), StatusUnknown)
    async with bench.alive():
        await trio.sleep(10)
    assert scripted.asked == []


# --- what it shows --------------------------------------------------------------------------------


async def test_clean_money_moves_the_mark(
    bench: Bench, scripted: Scripted, autojump_clock: MockClock
) -> None:
    async with bench.alive():
        await trio.sleep(301)
        assert bench.status.value.verified_rowid == 100
        scripted.rowid = 250
        await trio.sleep(300)
    assert bench.marks == [100, 250]
    assert bench.status.value == AuditStatus(
        checked_at_ms=EPOCH_MS + FULL_S * 1000, verified_rowid=250
    )


async def test_drift_is_shown_logged_at_critical_and_marks_nothing(
    bench: Bench, scripted: Scripted, autojump_clock: MockClock
) -> None:
    scripted.full_drifts = (LOST, BROKEN)
    scripted.partial_drifts = (BROKEN,)
    with capture_logs() as logs:
        async with bench.alive():
            await trio.sleep(301)
    assert bench.shown == (2, "balance: 0xabc: expected 5, found 7")
    assert bench.marks == []
    critical = [entry for entry in logs if entry["log_level"] == "critical"]
    assert [entry["what"] for entry in critical] == ["balance", "chain", "chain"]
    assert (critical[0]["where"], critical[0]["expected"], critical[0]["found"]) == ("0xabc", 5, 7)


async def test_drift_in_new_rows_is_shown_at_once(
    bench: Bench, scripted: Scripted, autojump_clock: MockClock
) -> None:
    bench.partial_every_s = 60
    scripted.partial_drifts = (BROKEN,)
    async with bench.alive():
        await trio.sleep(61)
        assert bench.shown == (1, BROKEN.text)
        assert bench.status.value.checked_at_ms == 0


async def test_drift_stays_shown_until_a_full_check_is_clean(
    bench: Bench, scripted: Scripted, autojump_clock: MockClock
) -> None:
    scripted.full_drifts = (LOST,)
    async with bench.alive():
        await trio.sleep(FULL_S + 1)
        scripted.full_drifts = ()
        await trio.sleep(10 * bench.partial_every_s)
        assert bench.shown[0] == 1, "what is new is clean, but that is not what had drifted"
        assert bench.marks, "and what is new is marked"
    async with bench.alive():
        await trio.sleep(1)
        assert bench.shown[0] == 1, "a restart has repaired nothing"
        assert isinstance(await bench.check(), IntegrityReport)
        assert bench.shown == (0, "")


async def test_the_ledger_is_told_of_drift_and_once_when_it_is_gone(
    autojump_clock: MockClock, bench: Bench, scripted: Scripted
) -> None:
    async with bench.alive():
        await bench.check()
        assert bench.reports == [], "all is well, as it was"
        scripted.full_drifts = (LOST, BROKEN)
        await bench.check()
        assert bench.reports == [ReportDrift(drifts=2, first=LOST.text)]
        scripted.full_drifts = ()
        await bench.check()
        await bench.check()
    assert [report.drifts for report in bench.reports] == [2, 0]


async def test_a_thousand_drifts_are_no_thousand_lines(
    bench: Bench, scripted: Scripted, autojump_clock: MockClock
) -> None:
    scripted.full_drifts = (LOST,) * 1_000
    with capture_logs() as logs:
        async with bench.alive():
            await bench.check()
    assert bench.shown[0] == 1_000
    assert len([entry for entry in logs if entry["log_level"] == "critical"]) == 21


# --- what can't be carried out --------------------------------------------------------------------


async def test_a_check_that_fails_is_counted_and_tried_again_soon(
    bench: Bench, scripted: Scripted, autojump_clock: MockClock
) -> None:
    scripted.failure = LedgerUncheckable("2026-02-01.db is gone")
    began = trio.current_time()
    with capture_logs() as logs:
        async with bench.alive():
            await trio.sleep(FULL_S + 1)
            assert bench.status.value == AuditStatus(failures=2), "a full one and a partial one"
            scripted.failure = None
            await trio.sleep(900)
    assert [at - began for at in scripted.times("full")] == [FULL_S, FULL_S + 900]
    failed = [entry for entry in logs if entry["event"] == "ledger_not_checked"]
    assert [(entry["kind"], entry["why"]) for entry in failed] == [
        ("full", "2026-02-01.db is gone"),
        ("partial", "2026-02-01.db is gone"),
    ]


async def test_a_failure_neither_finds_drift_nor_takes_it_back(
    bench: Bench, scripted: Scripted, autojump_clock: MockClock
) -> None:
    scripted.full_drifts = (LOST,)
    async with bench.alive():
        await bench.check()
        scripted.failure = LedgerUncheckable("locked")
        answer = await bench.check()
    assert isinstance(answer, Refusal)
    assert answer.code is Code.STORE_UNAVAILABLE
    assert "locked" in answer.message
    assert bench.shown == (1, LOST.text)


@pytest.mark.parametrize(
    "outcome", [None, CommandFailed(why="a defect"), Refusal(Code.DISK_FULL)], ids=repr
)
async def test_a_mark_that_is_not_kept_is_asked_for_again(
    bench: Bench, autojump_clock: MockClock, outcome: MoneyOutcome | None
) -> None:
    bench.mark = lambda rowid: outcome
    async with bench.alive():
        await trio.sleep(310)
        assert (bench.marks, bench.status.value.verified_rowid) == ([100], 0)
        bench.mark = lambda rowid: MarkedVerified(rowid=rowid)
        await trio.sleep(300)
    assert (bench.marks, bench.status.value.verified_rowid) == ([100, 100], 100)


async def test_a_batcher_that_is_busy_loses_nothing(
    bench: Bench, scripted: Scripted, autojump_clock: MockClock
) -> None:
    bench.money = Mailbox("money", 1, WhenFull.REFUSE)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bench.live)
        # The first question waits in the mailbox that nobody reads: the second is refused.
        await trio.sleep(601)
        bench.life.stopping.set()
    assert len(scripted.times("partial")) == 2
    assert bench.status.value.verified_rowid == 0


async def test_a_check_that_takes_too_long_is_ended_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(auditor, "CHECK_WITHIN_S", 0.02)
    bench = Bench(checks=Endless(), worker=ThreadWorker())
    with trio.fail_after(5):
        async with bench.alive():
            answer = await bench.check()
    assert isinstance(answer, Refusal)
    assert answer.code is Code.STORE_UNAVAILABLE
    assert bench.status.value.failures == 1


async def test_a_stop_ends_the_check_in_hand_and_is_no_failure() -> None:
    checks = Endless()
    bench = Bench(checks=checks, worker=ThreadWorker())
    answers: list[object] = []

    async def asking() -> None:
        answers.append(await bench.check())

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery, bench.alive():
            nursery.start_soon(asking)
            assert await trio.to_thread.run_sync(checks.begun.wait, 5)
    assert answers == [Refusal(Code.DRAINING)]
    assert bench.status.value == AuditStatus()


async def test_a_defect_ends_the_life(
    bench: Bench, scripted: Scripted, autojump_clock: MockClock
) -> None:
    scripted.failure = KeyError("a defect")
    with pytest.raises(BaseExceptionGroup) as ended:
        async with bench.alive():
            await trio.sleep(400)
    assert ended.group_contains(KeyError)


# --- with a real ledger ---------------------------------------------------------------------------


@pytest.fixture
def money() -> Iterator[Path]:
    with quick_folder() as folder:
        yield folder


async def test_a_real_ledger_is_marked_and_drift_found_but_not_touched(
    money: Path, autojump_clock: MockClock
) -> None:
    file = money / "2026-02-01.db"
    with closing(open_venue(file)) as venue:
        name_current(money, file)
        venue.fund("house", 1_000_000_000)
        venue.fund(ALICE, 5_000_000)
        venue.one(order())
        bench = Bench(
            checks=FolderLedgerChecks(money),
            mark=lambda rowid: venue.one(MarkVerified(rowid=rowid)),
        )
        async with bench.alive():
            await trio.sleep(301)
            assert bench.marks == [bench.status.value.verified_rowid] == [6]
            with closing(sqlite3.connect(file)) as other, other:
                other.execute("UPDATE users SET balance = 7 WHERE wallet_address = ?", [ALICE])
            await trio.sleep(300)
            await wait_all_tasks_blocked()
            assert bench.shown == (2, f"balance: {ALICE}: expected 4000000, found 7")
        assert venue.balance(ALICE) == 7
        assert bench.marks == [6]
