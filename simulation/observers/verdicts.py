"""Every settled column judged once more, by `simulation.oracle.verdicts`.

From the ticks on disk, read by SQL of its own, and from those that the feed was heard to accept;
from the CRITICAL stretches of `simulation.oracle.feed`; from what was not running, as told by the
keeper and the supervisors. Where an instant can't be known from outside, either is right: that is
counted (`verdict_either`), and must be rare.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from protocols.market import FeedLevel
from protocols.money import (
    ColumnKey,
    ColumnSettled,
    LedgerCommand,
    MoneyOutcome,
)
from simulation.observers.feed import FeedObserver
from simulation.observers.lives import CLOCKS, Lives
from simulation.observers.unheard import settled_on_disk
from simulation.oracle import verdicts as rules
from simulation.oracle.feed import LOOKS_EVERY_MS, RECORDED_WITHIN_MS
from simulation.oracle.price_record import (
    LedgerOnDisk,
    RecordOnDisk,
    Stretch,
    Verdict,
    verdict_of,
)
from simulation.oracle.verdicts import Price, Seen
from simulation.scenario import FaultKind
from simulation.witness import Observer
from simulation.world import World

if TYPE_CHECKING:
    from simulation.process import VenueProcess

DISTURBING: Final = CLOCKS | {
    FaultKind.ACTOR_CRASH,
    FaultKind.ACTOR_HANG,
    FaultKind.DISK_FULL,
    FaultKind.DISK_SLOW,
    FaultKind.DRAIN,
    FaultKind.KILL,
}
ROUND_MS: Final = 2_000
"""A round of the Resolver, and the steps of a settlement."""
READ_BEFORE_MS: Final = 30_000
"""How long before it is on disk the record of a column may have been read."""
READ_BEFORE_HUNG_MS: Final = 100_000
"""Where a call has hung: for up to 45 s, and what waited behind it is carried out after it."""


class VerdictObserver(Observer):
    """Looks at each column in the step in which its verdict is on disk."""

    def __init__(self, world: World, lives: Lives, feed: FeedObserver) -> None:
        self._world = world
        self._lives = lives
        self._feed = feed
        self._record: RecordOnDisk | None = None
        self._ledger: LedgerOnDisk | None = None
        self._heard: dict[ColumnKey, None] = {}
        """Columns whose settlement was heard of."""

    def committed(
        self,
        process: "VenueProcess",
        commands: Sequence[LedgerCommand],
        outcomes: Sequence[MoneyOutcome],
        at_ms: int,
    ) -> None:
        for outcome in outcomes:
            if isinstance(outcome, ColumnSettled):
                self._heard[outcome.key] = None
                if outcome.resolved:
                    self._check(process, process.data, outcome)

    def venue_ended(self, process: "VenueProcess", how: str) -> None:
        """One that was killed may have settled a column that nobody has heard of."""
        self._close()
        if how in ("killed", "forced") and (process.left / "money" / "manifest.json").is_file():
            for settled in settled_on_disk(self._ledger_of(process.left), self._heard):
                self._heard[settled.key] = None
                self._world.happened("column_settled_unheard", settled.key.start_s)
                self._check(process, process.left, settled)
            self._close()

    def finish(self) -> None:
        self._close()

    # --- one column -------------------------------------------------------------------------

    def _check(self, process: "VenueProcess", data: Path, settled: ColumnSettled) -> None:
        ledger = self._ledger_of(data)
        record = self._record_of(data)
        key = settled.key
        stored = verdict_of(ledger, key.start_s, key.column_s, key.rule.value)
        if stored is None:
            self._violated("verdict_missing", key, "")
            return
        if (stored.start_ms, stored.end_ms) != _window(key):
            self._violated("evidence_differs_from_record", key, "of another window")
        disk = record.around(stored.start_ms, stored.end_ms)
        window = self._window_on_disk(key, stored, disk)
        self._check_evidence(key, stored, disk, record)
        delay_ms = process.settings.feed.settle_delay_ms
        ordered = ledger.execute("SELECT 1 FROM column_voids WHERE start_s = ?", (key.start_s,))
        judged = _Judged(key, stored, window, ordered.fetchone() is not None, delay_ms)
        on_disk = record.stretches(stored.start_ms, stored.end_ms)
        if stored.void_reason is None:
            self._check_judged(judged, on_disk)
        else:
            self._check_void(judged, on_disk)
        self._check_bets(ledger, settled, stored, window)
        self._check_in_time(process, judged)

    def _window_on_disk(self, key: ColumnKey, stored: Verdict, disk: list[Price]) -> Seen:
        """The window as the disk showed it when it was read; it has to be what was stored."""
        named = [stored.carry_in, *stored.ticks, stored.after]
        # One more of the watermark's own millisecond may have been committed since.
        then = [tick for tick in disk if tick.ts_ms != stored.watermark_ms or tick in named]
        window = rules.seen(
            then,
            stored.start_ms,
            stored.end_ms,
            watermark_ms=stored.watermark_ms,
            read_at_ms=stored.read_at_ms,
        )
        if window.known() != [tick for tick in named if tick is not None]:
            self._violated(
                "evidence_differs_from_record", key, f"stored {named}, on disk {window.known()}"
            )
        return window

    def _check_evidence(
        self, key: ColumnKey, stored: Verdict, disk: list[Price], record: RecordOnDisk
    ) -> None:
        if stored.sha256 != stored.due_sha256():
            self._violated("evidence_hash_wrong", key, stored.sha256)
        priced = stored.ticks[-1] if stored.ticks else stored.carry_in
        if stored.source != (priced.source if priced is not None else None):
            self._violated("evidence_source_wrong", key, stored.source)
        if stored.watermark_ms > record.newest_ms():
            self._violated("watermark_not_on_disk", key, stored.watermark_ms)
        hangs = self._lives.disturbed(frozenset({FaultKind.ACTOR_HANG}), back_s=60)
        back_ms = READ_BEFORE_HUNG_MS if hangs else READ_BEFORE_MS
        offsets = self._lives.offsets_ms(back_ms)
        now_ms = self._lives.now_ms()
        if not now_ms + min(offsets) - back_ms <= stored.read_at_ms <= now_ms + max(offsets):
            self._violated("read_at_wrong", key, f"{stored.read_at_ms}, now {now_ms} {offsets}")
        for one in stored.stretches:
            # It may have ended since, even before the window: a recorder that comes back commits
            # what has waited for it, and its first tick ends the stretch.
            on_disk = record.stretches(one.from_ms, one.from_ms + 1)
            if not any(_is_same(one, other) for other in on_disk):
                self._violated("evidence_differs_from_record", key, f"{one} is not in {on_disk}")

    # --- won or lost ------------------------------------------------------------------------

    def _check_judged(self, judged: "_Judged", on_disk: list[Stretch]) -> None:
        """Nothing may speak for void, and it must have been time."""
        key, stored, window = judged.key, judged.stored, judged.window
        self._world.counts["column_judged"] += 1
        by_ticks = rules.why_void_by_ticks(window)
        if by_ticks:
            self._violated("void_rule_broken", key, f"{by_ticks}: {window}")
        if judged.is_ordered:
            self._violated("void_order_ignored", key, stored)
        known = [one for one in on_disk if not self._was_told_later(one, stored)]
        if known:
            self._violated("void_rule_broken", key, f"impaired: {known}")
        elif on_disk:
            self._either(key)
        if stored.read_at_ms >= stored.end_ms + rules.UNJUDGED_MAX_MS:
            self._violated("void_rule_broken", key, f"read after a minute: {stored.read_at_ms}")
        if not rules.may_be_judged(
            window, watermark_ms=stored.watermark_ms, delay_ms=judged.delay_ms
        ):
            self._violated("judged_too_early", key, f"watermark {stored.watermark_ms}")
        pause = self._lives.must_void(stored.start_ms, stored.end_ms)
        if pause is not None:
            self._violated("void_rule_broken", key, f"not running: {pause}")
        self._check_not_critical(key, stored)
        self._check_ticks_heard(key, stored)

    def _check_not_critical(self, key: ColumnKey, stored: Verdict) -> None:
        oracle = self._feed.oracle
        offsets = self._lives.offsets_ms(self._lives.now_ms() - stored.start_ms + 60_000)
        if offsets != [0]:
            return  # stretches are kept by the venue's clock
        if oracle.must_be_critical(stored.start_ms, stored.end_ms - 1):
            self._violated(
                "void_rule_broken", key, f"CRITICAL: {list(oracle.lenient.stretches)[-3:]}"
            )
        elif oracle.may_be_critical(stored.start_ms, stored.end_ms):
            self._either(key)

    def _check_ticks_heard(self, key: ColumnKey, stored: Verdict) -> None:
        """All that the feed accepted in the window was judged by, and nothing else."""
        heard = [
            Price(tick.source, tick.ts_ms, tick.price_cents, tick.trade_id)
            for tick in self._feed.accepted
            if stored.start_ms <= tick.ts_ms < stored.end_ms
        ]
        extra = [tick for tick in stored.ticks if tick not in heard]
        missing = [tick for tick in heard if tick not in stored.ticks]
        late = [tick.trade_id for tick in self._feed.behind]
        if any(tick.trade_id not in late for tick in extra) or missing:
            self._violated(
                "ticks_of_window_wrong", key, f"missing {missing}, never accepted {extra}"
            )

    def _was_told_later(self, one: Stretch, stored: Verdict) -> bool:
        """A clock that was stepped back dates a stretch before what was judged when it began."""
        if one.kind != "critical" or any(_is_same(other, one) for other in stored.stretches):
            return False
        return min(self._lives.offsets_ms(READ_BEFORE_MS)) < 0

    # --- void -------------------------------------------------------------------------------

    def _check_void(self, judged: "_Judged", on_disk: list[Stretch]) -> None:
        """The reason given must be one, and it must have been time."""
        key, stored = judged.key, judged.stored
        reason = str(stored.void_reason)
        self._world.counts[f"void.{reason}"] += 1
        holds = {
            "operator": self._was_ordered,
            "not_judged_in_time": self._was_late,
            "feed_critical": self._was_critical,
            "not_running": self._was_not_running,
        }.get(reason, self._is_by_ticks)
        if not holds(judged, on_disk):
            self._violated("void_without_reason", key, f"{stored}; on disk {on_disk}")
        if reason != "operator" and not self._was_time(judged):
            self._violated("judged_too_early", key, stored)

    def _was_ordered(self, judged: "_Judged", on_disk: list[Stretch]) -> bool:
        return judged.is_ordered

    def _was_late(self, judged: "_Judged", on_disk: list[Stretch]) -> bool:
        return judged.stored.read_at_ms >= judged.stored.end_ms + rules.UNJUDGED_MAX_MS

    def _was_critical(self, judged: "_Judged", on_disk: list[Stretch]) -> bool:
        stored = judged.stored
        offsets = self._lives.offsets_ms(self._lives.now_ms() - stored.start_ms + 60_000)
        from_ms = stored.start_ms - max(offsets) - ROUND_MS
        until_ms = stored.end_ms - min(offsets) + ROUND_MS
        is_on_record = any(one.kind == "critical" for one in (*on_disk, *stored.stretches))
        drains_ms = self._feed.ended_in_drains_ms
        may_be = self._feed.oracle.may_be_critical(from_ms, until_ms)
        return is_on_record and (may_be or any(from_ms <= at < until_ms for at in drains_ms))

    def _was_not_running(self, judged: "_Judged", on_disk: list[Stretch]) -> bool:
        seen = (*on_disk, *judged.stored.stretches)
        down = [one for one in seen if one.kind == "down"]
        explained = [self._lives.explains(one.from_ms, one.until_ms) for one in down]
        return bool(down) and all(explained)

    def _is_by_ticks(self, judged: "_Judged", on_disk: list[Stretch]) -> bool:
        return judged.stored.void_reason in rules.why_void_by_ticks(judged.window)

    def _was_time(self, judged: "_Judged") -> bool:
        """As for any other; while the feed is CRITICAL, from the window's end on."""
        stored = judged.stored
        if rules.may_be_judged(
            judged.window, watermark_ms=stored.watermark_ms, delay_ms=judged.delay_ms
        ):
            return True
        now_ms = self._lives.now_ms()
        has_ended = max(stored.read_at_ms, stored.watermark_ms) >= stored.end_ms
        return has_ended and self._feed.oracle.may_be_critical(now_ms - READ_BEFORE_MS, now_ms + 1)

    # --- the bets ---------------------------------------------------------------------------

    def _check_bets(
        self, ledger: sqlite3.Connection, settled: ColumnSettled, stored: Verdict, window: Seen
    ) -> None:
        key = settled.key
        for told in settled.resolved:
            row = ledger.execute(
                "SELECT lo_cents, hi_cents, stake_micros, reward_bps, status, payout_micros, rule,"
                " column_start_s, column_s FROM bets WHERE id = ?",
                (told.bet_id,),
            ).fetchone()
            lo, hi, stake, bps, status, payout, rule, start_s, column_s = row
            if (start_s, column_s, rule) != (key.start_s, key.column_s, key.rule.value):
                self._violated("wrong_outcome", key, f"{told.bet_id} is no bet of the column")
            due = "void" if stored.void_reason else rules.end_of_cell(rule, window, lo, hi)
            if (status, told.status.value) != (due, due):
                self._violated("wrong_outcome", key, f"{told}: {status}, due {due}: {window}")
            paid = rules.paid(due, stake, bps)
            if (payout, told.payout_micros) != (paid, paid):
                self._violated("wrong_payout", key, f"{told}: {payout}, due {paid}")
            self._world.counts[f"bet.{due}"] += 1
        (left,) = ledger.execute(
            "SELECT count(*) FROM bets WHERE status = 'confirmed'"
            " AND column_start_s = ? AND column_s = ? AND rule = ?",
            (key.start_s, key.column_s, key.rule.value),
        ).fetchone()
        if left:
            self._violated("column_half_settled", key, f"{left} bets are open")

    # --- when -------------------------------------------------------------------------------

    def _check_in_time(self, process: "VenueProcess", judged: "_Judged") -> None:
        """Undisturbed, a column waits for its delay, or ten seconds where no tick comes; and for
        neither where the feed was CRITICAL in its window and still is."""
        late_ms = self._lives.now_ms() - judged.stored.end_ms
        limit_ms = max(judged.delay_ms, rules.NO_TICK_WAIT_MS) + ROUND_MS
        if judged.stored.void_reason is not None:
            limit_ms = min(limit_ms, self._refund_within_ms(process, judged.stored.end_ms))
        if late_ms <= limit_ms:
            return
        back_s = late_ms / 1000 + 5
        if self._lives.paused_within(late_ms + 5_000):
            return
        if not self._lives.disturbed(frozenset(DISTURBING), back_s=back_s):
            self._violated("settled_late", judged.key, f"{late_ms} ms after its end")

    def _refund_within_ms(self, process: "VenueProcess", end_ms: int) -> int:
        """After its end, if the feed is CRITICAL and began to be so before that."""
        lenient = self._feed.oracle.lenient
        is_critical = process.channels.feed.value.level is FeedLevel.CRITICAL
        if not is_critical or not lenient.is_critical or lenient.since_ms >= end_ms:
            return rules.UNJUDGED_MAX_MS
        self._world.counts["refund_while_critical"] += 1
        on_record_ms = lenient.since_ms + LOOKS_EVERY_MS + RECORDED_WITHIN_MS
        return max(0, on_record_ms - end_ms) + ROUND_MS

    # --- files ------------------------------------------------------------------------------

    def _record_of(self, data: Path) -> RecordOnDisk:
        if self._record is None:
            self._record = RecordOnDisk(data / "prices")
        return self._record

    def _ledger_of(self, data: Path) -> sqlite3.Connection:
        if self._ledger is None:
            self._ledger = LedgerOnDisk(data)
        return self._ledger.current()

    def _close(self) -> None:
        if self._record is not None:
            self._record.close()
        if self._ledger is not None:
            self._ledger.close()
        self._record = self._ledger = None

    def _either(self, key: ColumnKey) -> None:
        self._world.happened("verdict_either", key.start_s)

    def _violated(self, what: str, key: ColumnKey, details: object) -> None:
        self._world.violated(what, f"column {key.start_s} ({key.rule.value}): {details}")


@attrs.frozen
class _Judged:
    """A column in hand."""

    key: ColumnKey
    stored: Verdict
    window: Seen
    is_ordered: bool
    delay_ms: int


def _window(key: ColumnKey) -> tuple[int, int]:
    return key.start_s * 1000, (key.start_s + key.column_s) * 1000


def _is_same(stored: Stretch, on_disk: Stretch) -> bool:
    """The one on disk may have ended since."""
    if (stored.kind, stored.from_ms) != (on_disk.kind, on_disk.from_ms):
        return False
    return stored.until_ms in (None, on_disk.until_ms)
