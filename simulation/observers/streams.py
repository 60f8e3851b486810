"""The private streams: numbered without a gap as committed, as published and as read.

What a trader reads is what was committed, never earlier; where events may be missing he is told so
(`EventsLost`) before the next one comes.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from protocols.account_commands import (
    AccountChanged,
    Adjusted,
    BalanceChanged,
    WithdrawalDecided,
    WithdrawalRequested,
)
from protocols.money import (
    BetConfirmed,
    BetRefused,
    BetResolved,
    ColumnSettled,
    Deposited,
    EventsLost,
    LedgerCommand,
    MoneyOutcome,
    StreamEntry,
    UserEvent,
)
from simulation.oracle.price_record import LedgerOnDisk
from simulation.witness import Observer
from simulation.world import World
from supervisor import ExitReport, Reason

if TYPE_CHECKING:
    from simulation.process import VenueProcess

COMPARED: Final = ("bet_id", "cell_id", "balance_micros", "payout_micros", "amount_micros")
"""Fields of a frame that are those of the event, where both have them."""

HOUSE: Final = "house"
BROKEN_OFF: Final = ("killed", "forced")
"""Ends in the middle of what was done. Before any other, each call of the ledger has returned, and
what it committed was told."""


class StreamObserver(Observer):
    """Follows every event from its commit to its reader."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._committed: dict[int, int] = {}
        """The newest number of each account."""
        self._may_jump: dict[int, None] = {}
        """Accounts of which a killed process may have committed more than was seen."""
        self._events: dict[tuple[str, int], UserEvent] = {}
        self._told: dict[int, int] = {}
        """The newest number that this process has published, for each account."""
        self._untold: dict[tuple[int, int], UserEvent] = {}
        self._batcher_failed = False
        self._ledger: LedgerOnDisk | None = None

    # --- as committed -----------------------------------------------------------------------

    def committed(
        self,
        process: "VenueProcess",
        commands: Sequence[LedgerCommand],
        outcomes: Sequence[MoneyOutcome],
        at_ms: int,
    ) -> None:
        touched: dict[int, None] = {}
        for outcome in outcomes:
            for event in _events(outcome):
                self._commit(event)
                touched[event.user_id or 0] = None
        if touched:
            self._check_versions(process, list(touched))

    def _commit(self, event: UserEvent) -> None:
        user_id, seq = event.user_id or 0, event.seq or 0
        # The bankroll was seeded when the folder was made, before anybody looked.
        before = self._committed.get(user_id, 1 if event.wallet == HOUSE else 0)
        if seq <= before or (seq != before + 1 and user_id not in self._may_jump):
            self._world.violated("event_gap", f"committed {event} after number {before}")
        self._may_jump.pop(user_id, None)
        self._committed[user_id] = seq
        self._events[event.wallet, seq] = event
        self._untold[user_id, seq] = event
        self._world.counts["event_committed"] += 1

    def _check_versions(self, process: "VenueProcess", user_ids: list[int]) -> None:
        """What numbers events is on disk with them."""
        if self._ledger is None:
            self._ledger = LedgerOnDisk(process.data)
        ledger = self._ledger.current()
        marks = ",".join("?" * len(user_ids))
        rows = ledger.execute(f"SELECT id, version FROM users WHERE id IN ({marks})", user_ids)
        for user_id, version in rows:
            if version != self._committed[user_id]:
                told = self._committed[user_id]
                self._world.violated("event_not_on_disk", f"user {user_id}: {version}, not {told}")

    # --- as published -----------------------------------------------------------------------

    def starting(self, process: "VenueProcess") -> None:
        self._told.clear()
        self._untold.clear()
        self._batcher_failed = False

    def actor_ended(self, process: "VenueProcess", ended: ExitReport) -> None:
        if ended.child.endswith("batcher") and ended.reason is not Reason.SHUTDOWN:
            self._batcher_failed = True

    def submitted(self, process: "VenueProcess") -> None:
        """All that was committed before has been told, or is told to be lost."""
        for event in self._untold.values():
            self._world.violated("event_gap", f"not told before the next batch: {event}")
            return

    def told(self, process: "VenueProcess", entry: StreamEntry) -> None:
        if process.is_dead:
            return
        if isinstance(entry, EventsLost):
            self._world.counts["events_lost"] += 1
            self._told.clear()
            self._untold.clear()
            return
        user_id, seq = entry.user_id or 0, entry.seq or 0
        if self._events.get((entry.wallet, seq)) != entry:
            self._world.violated("event_before_commit", f"published {entry}")
        before = self._told.get(user_id)
        if before is not None and seq != before + 1:
            self._world.violated("event_gap", f"published {entry} after number {before}")
        if before is None and (user_id, seq - 1) in self._untold:
            self._world.violated("event_gap", f"published {entry} before {seq - 1}")
        self._told[user_id] = seq
        self._untold.pop((user_id, seq), None)

    def venue_ended(self, process: "VenueProcess", how: str) -> None:
        if self._ledger is not None:
            self._ledger.close()
        self._ledger = None
        if how == "stopped" and not self._batcher_failed and self._untold:
            untold = next(iter(self._untold.values()))
            self._world.violated("event_gap", f"never published: {untold}")
        if how in BROKEN_OFF:
            self._may_jump = dict.fromkeys(self._committed)

    # --- as read ----------------------------------------------------------------------------

    def event(self, wallet: str, frame: dict[str, object]) -> None:
        seq = frame.get("seq")
        if not isinstance(seq, int) or frame.get("type") == "reply":
            return
        event = self._events.get((wallet, seq))
        if event is None:
            self._world.violated("event_before_commit", f"{wallet} has read {frame}")
            return
        for name in COMPARED:
            if name in frame and hasattr(event, name) and frame[name] != getattr(event, name):
                self._world.violated("event_differs", f"{wallet} has read {frame} of {event}")
        self._world.counts["event_read"] += 1


def _events(outcome: MoneyOutcome) -> Iterator[UserEvent]:
    """Whatever raised the version of an account of a trader."""
    found: list[object] = []
    match outcome:
        case ColumnSettled():
            found.extend(outcome.resolved)
        case WithdrawalRequested() | WithdrawalDecided() | Adjusted():
            found.append(outcome.event)
        case Deposited() if outcome.repeated:
            pass
        case _:
            found.append(outcome)
    kinds = (BetConfirmed, BetRefused, BetResolved, Deposited, BalanceChanged, AccountChanged)
    for event in found:
        if isinstance(event, kinds) and event.seq is not None:
            yield event
