"""The ports of the venue: what actors need of the outside, as protocols with two adapters each.

Methods without `async` may touch a disk: actors call them through `Worker`, which is one dedicated
thread per database in production and a plain call in tests and simulation.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

import attrs

from domain.disk import DiskUse
from domain.feed_health import RecordTail as RecordTail
from domain.resolution import Record
from domain.ticks import Tick
from domain.units import BetId, EpochMs
from protocols.account_commands import Withdrawal, WithdrawalStatus
from protocols.accounts import (
    Account,
    Audit,
    Bet,
    HousePosition,
    IntegrityReport,
    LedgerRow,
    OpenColumn,
    OperatorState,
    SessionKey,
    SettledBet,
    WalletBalance,
)
from protocols.market import FeedLevelChanged
from protocols.money import BetStatus, LedgerCommand, MoneyOutcome

T = TypeVar("T")


class Clock(Protocol):
    """Facts are stamped by this; waits use trio's clock."""

    def now_ms(self) -> EpochMs:
        """Milliseconds since the epoch."""
        ...


class Chance(Protocol):
    """The source of ids, nonces and jitter."""

    def random(self) -> float:
        """A float in [0, 1)."""
        ...

    def uniform(self, a: float, b: float) -> float:
        """A float between a and b."""
        ...

    def token_bytes(self, count: int) -> bytes:
        """Unpredictable bytes (in production)."""
        ...


class Worker(Protocol):
    """Runs blocking calls one at a time, off the event loop where that is not virtual time.

    A call that has begun always finishes, even if the caller is cancelled meanwhile; the next one,
    of whichever life of an actor, starts after it.
    """

    async def run(self, call: Callable[[], T]) -> T:
        """What `call` returns or raises."""
        ...


# --- money ------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Recovered:
    """What the ledger found when it was opened: what a new life of the Batcher starts from."""

    high_ms: EpochMs
    """The highest time by which anything in it was ever judged."""
    operators: OperatorState
    synchronous: int
    """How the running write connection syncs; 2 is FULL: at every COMMIT."""


class Ledger(Protocol):
    """The write side: one connection, owned by the Batcher."""

    def recover(self) -> Recovered:
        """Check the rows written since the last verified one; say where things stand.

        Raises LedgerBroken (db.sqlite_ledger) if the money does not add up.
        """
        ...

    def apply(self, commands: Sequence[LedgerCommand], *, at_ms: EpochMs) -> Sequence[MoneyOutcome]:
        """Carry the commands out in order, in one transaction; outcomes in the same order.

        `at_ms` is the clock reading they were judged at. On return all is on disk. One bad command
        fails alone (CommandFailed); the others commit. If `at_ms` lies in a later week than the
        current file's, that week's file is begun first.
        """
        ...

    def partition(self) -> str:
        """The name of the current file, e.g. `2026-11-15.db`; empty in memory."""
        ...

    def rotation_failure(self) -> str:
        """Why the file of a week that is over is still the current one, or is not closed.

        It names the attempt, so each one's is another text. Empty when all is as it should be.
        """
        ...


class LedgerUnreadable(Exception):
    """The ledger's files are not as they should be: one is missing, or what names them is broken.

    What reads them says which and why in classes of its own, below this one.
    """


class LedgerReader(Protocol):
    """The read side: its own read-only connection; may be used while the writer writes.

    Every call may raise LedgerUnreadable.
    """

    def account(self, wallet: str) -> Account | None: ...

    def wallet_of(self, user_id: int) -> str | None:
        """The wallet of an account's number; `house` and `external` are accounts, too."""
        ...

    def session_key(self, key_id: str) -> SessionKey | None: ...

    def session_keys(self, wallet: str, *, limit: int = 100) -> Sequence[SessionKey]:
        """A wallet's keys, newest first."""
        ...

    def withdrawal(self, withdrawal_id: str) -> Withdrawal | None: ...

    def withdrawals(
        self,
        *,
        wallet: str | None = None,
        status: WithdrawalStatus | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[Withdrawal]:
        """Newest first, by id; of one wallet or all. `before` is the last id of the page before."""
        ...

    def bet(self, bet_id: BetId) -> Bet | None: ...

    def bet_by_nonce(self, wallet: str, nonce: str) -> Bet | None: ...

    def bets(
        self,
        wallet: str,
        *,
        statuses: Sequence[BetStatus] = (),
        from_ms: EpochMs | None = None,
        to_ms: EpochMs | None = None,
        before: tuple[EpochMs, BetId] | None = None,
        limit: int = 50,
    ) -> Sequence[Bet]:
        """Newest first, by (placed_at_ms, bet_id); `before` is the last row of the page before."""
        ...

    def statement(
        self, wallet: str, *, before: int | None = None, limit: int = 50
    ) -> Sequence[tuple[int, LedgerRow]]:
        """Ledger rows with their rowids, newest first; `before` is the last rowid seen.

        A CARRY row is shown where what was before it is in the archive."""
        ...

    def settled_bet(self, bet_id: BetId) -> SettledBet | None:
        """A bet that has a verdict, with its evidence."""
        ...

    def settled_bets(
        self, *, after_rowid: int = 0, limit: int = 500
    ) -> Sequence[tuple[int, SettledBet]]:
        """Bets of the current file that have a verdict, in order of their rowid."""
        ...

    def open_columns(self, *, before_s: int) -> Sequence[OpenColumn]:
        """Columns with open bets whose window starts before `before_s`, or that an operator has
        ordered to be given back; oldest first."""
        ...

    def operator_state(self) -> OperatorState:
        """The hold and the breaker override as stored."""
        ...

    def house(self) -> HousePosition: ...

    def integrity(self) -> IntegrityReport:
        """The full check of the current file: balances, chains, zero sums, exposure and more."""
        ...

    def audit(self) -> Audit:
        """The check of what was written since the last verified row: quick, for every few minutes.

        The full one looks at every row again."""
        ...

    def balances(self, *, after_user_id: int = 0, limit: int = 1_000) -> Sequence[WalletBalance]:
        """Balances of traders in order of their user id: for a cache that is filled anew."""
        ...

    def archived(
        self, *, from_ms: EpochMs | None = None, to_ms: EpochMs | None = None
    ) -> Sequence[str]:
        """The partitions that hold some of `[from_ms, to_ms)` and are not on this disk, oldest
        first. What the other methods find is then not all there is. A bet that was open when its
        week ended is in the next week's file as well."""
        ...


# --- prices -----------------------------------------------------------------------------------


class RecordFull(Exception):
    """The disk has no room for what was to be recorded. Try again with what is not kept yet."""

    def __init__(self, *, levels_kept: bool = False, ticks_kept: int = 0) -> None:
        super().__init__("no room for the price record")
        self.levels_kept = levels_kept
        """Are the level changes of an `append` on disk?"""
        self.ticks_kept = ticks_kept
        """How many of its ticks are, from the first one on."""


class PriceRecord(Protocol):
    """The write side of the price history: one connection, owned by the recorder."""

    def tail(self) -> RecordTail | None:
        """None in a new data folder."""
        ...

    def begin_down(self) -> None:
        """Open a DOWN stretch from the last committed tick on, unless one is open.

        For a life of the recorder or of the price feed that begins. Raises RecordFull.
        """
        ...

    def append(
        self,
        ticks: Sequence[Tick],
        levels: Sequence[FeedLevelChanged],
        *,
        alive_ms: EpochMs,
    ) -> None:
        """Commit ticks and level changes; the first tick closes the DOWN stretch that is open.

        Raises RecordFull, which says how much of it is on disk all the same.
        """
        ...

    def purge(self, *, now_ms: EpochMs) -> int:
        """Drop the daily files older than 7 days; returns how many."""
        ...


@attrs.frozen(kw_only=True)
class Bar:
    """Open, high, low, close of one interval, in cents."""

    start_ms: EpochMs
    open_cents: int
    high_cents: int
    low_cents: int
    close_cents: int
    ticks: int


class PriceReader(Protocol):
    """The read side of the price history."""

    def record(self, *, start_ms: EpochMs, end_ms: EpochMs, read_at_ms: EpochMs) -> Record:
        """All that a verdict on the window rests on."""
        ...

    def ticks(self, *, from_ms: EpochMs, to_ms: EpochMs, limit: int) -> Sequence[Tick]: ...

    def bars(
        self, *, from_ms: EpochMs, to_ms: EpochMs, interval_ms: int, limit: int
    ) -> Sequence[Bar]: ...


class SourceLost(Exception):
    """A source's connection ended or never came about; its text says why.

    Not raised for a frame or row that can't be read: those are counted and skipped.
    """


class TickSource(Protocol):
    """One source of raw ticks. The PriceFeed runs it; acceptance is decided elsewhere."""

    @property
    def name(self) -> str:
        """E.g. `binance`, `replay:FILE`, `simulator`."""
        ...

    @property
    def known_skew_ms(self) -> int:
        """Receive - exchange time that is known and no fault, e.g. of captured data."""
        ...

    @property
    def unreadable(self) -> int:
        """Frames or rows that could not be read, over all connections."""
        ...

    def connect(self) -> AbstractAsyncContextManager[AsyncIterator[Tick]]:
        """One connection. Entering it and iterating it raise SourceLost when it is lost."""
        ...


# --- key-value store --------------------------------------------------------------------------


class StoreUnavailable(Exception):
    """The key-value store did not answer. Bets are then refused, never let through unchecked."""


@attrs.frozen(kw_only=True)
class Allowance:
    """What a rate limit says of one request."""

    allowed: bool
    limit: int
    remaining: int
    reset_s: int
    """Seconds until the bucket is full again."""
    retry_after_s: int
    """Seconds until the next request is allowed; 0 if this one was."""


class KeyValueStore(Protocol):
    """Fast shared state: nonces, sessions, rate limits. Every call may raise StoreUnavailable."""

    async def put_if_absent(self, key: str, value: str, *, ttl_s: int) -> str | None:
        """None when stored now; else the value that stands there."""
        ...

    async def put(self, key: str, value: str, *, ttl_s: int) -> None: ...

    async def get(self, key: str) -> str | None: ...

    async def get_many(self, keys: Sequence[str]) -> Sequence[str | None]:
        """The value of each, in the order of the keys."""
        ...

    async def take(self, key: str) -> str | None:
        """Get and delete, as one step."""
        ...

    async def delete(self, key: str) -> None: ...

    async def add_member(self, key: str, member: str, *, ttl_s: int) -> frozenset[str]:
        """Put a member into the set `key`, which lives for `ttl_s` from now on; all its members.

        Meant for sets of some dozens. One step. A set and a value of one name are two things."""
        ...

    async def drop_member(self, key: str, member: str) -> None:
        """Take it out of the set, if it is in it. The set's life goes on as it was."""
        ...

    async def members(self, key: str) -> frozenset[str]:
        """All members; none if there is no such set."""
        ...

    async def take_token(self, key: str, *, per_minute: int, burst: int) -> Allowance:
        """One request against the token bucket `key`."""
        ...

    async def publish(self, channel: str, message: str) -> None:
        """Tell whoever listens to `channel` now. Nobody may."""
        ...


# --- objects: the archive and the backups -----------------------------------------------------


class ObjectStoreFailed(Exception):
    """The object store could not do it: refused, cut off, too slow, full. Try again later.

    Its text says what and where, and never a secret.
    """


class ObjectMissing(Exception):
    """There is no object of that key."""


class WorkStopped(Exception):
    """The work was told to stop half-way, and left nothing that looks complete."""


class Work(Protocol):
    """Follows a long piece of blocking work, from the thread that does it."""

    def step(self, done_bytes: int, total_bytes: int) -> None:
        """So much is done of so much (0: not known). Raises WorkStopped when it is to end here.

        Called at least once per megabyte or second, so that a drain need not wait.
        """
        ...


@attrs.frozen(kw_only=True)
class StoredObject:
    """One object as a listing shows it."""

    key: str
    bytes: int


class ObjectStore(Protocol):
    """Where the archive and the backups are kept. Keys are `/`-joined names of A-Z a-z 0-9 - _ .

    None begins with a dot. Files are named by their paths. Methods block: call them through a
    Worker. Every one may raise ObjectStoreFailed, and ValueError for what can't be a key. No more
    than a few megabytes of an object are ever in memory.
    """

    @property
    def place(self) -> str:
        """Where it is, for people: `s3://bucket/prefix` or the folder. Holds no secret."""
        ...

    def put(self, key: str, file: str, *, sha256: str, work: Work) -> None:
        """Store the file's content under `key`, replacing what was there; all of it or nothing.

        `sha256` is that of the file, in hex: a file of another content is refused. Told to stop, or
        failing, while the last of it is stored, the object may yet be the new one.
        """
        ...

    def get(self, key: str, file: str, *, work: Work) -> str:
        """Write the object's content into a new `file` and sync it; the SHA-256 of what was read.

        Raises ObjectMissing. On any failure the file is not there. One that was there before is
        left as it is, and refused.
        """
        ...

    def sha256(self, key: str, *, work: Work) -> str:
        """The SHA-256 of the content, read back whole. Raises ObjectMissing."""
        ...

    def list(self, prefix: str) -> Sequence[StoredObject]:
        """All objects whose key begins with `prefix`, in order of key."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens if there is none."""
        ...


class DiskProbe(Protocol):
    """Looks how full the disk of the data folder is."""

    def look(self) -> DiskUse:
        """Raises OSError when the file system can't be asked."""
        ...
