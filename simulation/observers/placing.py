"""Watches what is accepted: each bet is judged a second time, by what the venue showed when its
batch was judged and by the books as they stood before it."""

from collections import Counter, deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from domain.refusals import Code
from domain.ticks import Tick
from protocols.market import FeedLevel
from protocols.money import (
    BetConfirmed,
    BetOrder,
    BetRefused,
    ColumnSettled,
    LedgerCommand,
    MoneyOutcome,
    PlaceBet,
)
from simulation.oracle.books import Books
from simulation.oracle.placing import (
    Geometry,
    Quote,
    Shown,
    Taken,
    Tap,
    account_forbids,
    has_room,
    judge,
)
from simulation.oracle.standing import DAY_MS
from simulation.witness import Observer
from simulation.world import World

if TYPE_CHECKING:
    from simulation.process import VenueProcess

SEEN_AFTER_S: Final = 1.0
"""So long an accepted tick may take until bets are judged by it."""
SAME_MOMENT_S: Final = 1e-6
"""A deadline less its time is when it began, but for what the sum was rounded by."""

LEDGER_REFUSALS: Final = {
    Code.FROZEN: ("frozen",),
    Code.UNAUTHORIZED: ("key_unknown", "key_ended"),
    Code.LIMIT_REACHED: ("key_bet", "key_day", "paused", "own_stake", "own_loss"),
    Code.CELL_UNAVAILABLE: ("column_has_verdict", "column_given_back"),
}
"""By its code, what must be the matter for the ledger to refuse a bet that the rules allow."""
UNASKED: Final = (Code.REPLAY_DETECTED, Code.DISK_FULL)
"""Refusals that come before or beside the rules."""


class PlacingObserver(Observer):
    """To be told before who keeps the books."""

    def __init__(self, world: World, geometry: Geometry, books: Books) -> None:
        self._world = world
        self._geometry = geometry
        self._books = books
        self._shown: Shown | None = None
        self._newest_quote: Quote | None = None
        """Of whatever process."""
        self._answered: list[object] = []
        """What the life before has answered, of what it has left in hand."""
        self._taken: list[Taken] = []
        """Of the batch in hand, so far."""
        self._entered: dict[str, float] = {}
        """When the bets in hand came into the mailbox."""
        self._expired: dict[str, float] = {}
        self._drains_since: float | None = None
        self._high_ms = 0
        self._ticks: deque[tuple[float, int]] = deque()
        self._newest_ms = 0
        """Exchange time of the newest tick that bets must be judged by."""

    # --- told -------------------------------------------------------------------------------

    def starting(self, process: "VenueProcess") -> None:
        self._shown = None
        self._drains_since = None
        self._high_ms = 0
        self._entered.clear()

    def draining(self, process: "VenueProcess") -> None:
        self._drains_since = self._world.now_s()

    def ticked(self, process: "VenueProcess", tick: Tick) -> None:
        self._ticks.append((self._world.now_s(), tick.ts_ms))

    def submitted(self, process: "VenueProcess") -> None:
        channels = process.channels
        feed, book = channels.feed.value, channels.book.value
        self._shown = Shown(
            now_ms=self._world.clock.now_ms(),
            last_tick_ms=feed.last_tick_ms or 0,
            is_critical=feed.level is FeedLevel.CRITICAL,
            override=feed.override.value,
            held=channels.hold.value.held or self._books.held,
            disk_full=channels.disk.value.level.refuses_bets,
            quotes=book.quotes,
            unpublished=book.unpublished,
        )
        # As judged: a commit may take long, and nobody can answer to what comes meanwhile.
        while self._ticks and self._ticks[0][0] <= self._world.now_s() - SEEN_AFTER_S:
            self._newest_ms = max(self._newest_ms, self._ticks.popleft()[1])
        within_s = process.settings.bets.answer_within_ms / 1000
        self._expired.clear()
        in_hand = channels.money.in_hand()
        self._answered = [asked.question for asked in in_hand if asked.answered()]
        if book.quotes:
            self._numbers_go_on(book.quotes[0])
        for asked in in_hand:
            if isinstance(asked.question, PlaceBet):
                self._entered[asked.question.bet_id] = asked.deadline - within_s
                if asked.expired():
                    self._expired[asked.question.bet_id] = asked.deadline

    def committed(
        self,
        process: "VenueProcess",
        commands: Sequence[LedgerCommand],
        outcomes: Sequence[MoneyOutcome],
        at_ms: int,
    ) -> None:
        shown = self._shown
        if shown is None:
            self._world.violated("judged_by_nothing", commands)
            return
        self._is_in_time(shown, at_ms)
        touched = _touched(commands, outcomes)
        staked: Counter[str] = Counter()
        cells: dict[tuple[str, str], None] = {}
        self._taken.clear()
        for command, outcome in zip(commands, outcomes, strict=True):
            asked = command.bet if isinstance(command, BetOrder) else command
            if any(asked is other for other in self._answered):
                self._world.violated("answered_and_carried_out_anew", f"{command} {outcome}")
            if isinstance(command, BetOrder):
                tap = _tap(command.bet)
                self._check(shown, command, tap, outcome, at_ms, touched, staked, cells)
                if isinstance(outcome, BetConfirmed):
                    cells[tap.wallet, command.bet.cell.id] = None
                    pays_micros = tap.stake_micros * outcome.reward_bps // 10_000
                    self._taken.append(Taken(tap, pays_micros))
                    staked[tap.wallet] += tap.stake_micros
                    if tap.key_id is not None:
                        staked[tap.key_id] += tap.stake_micros
                self._entered.pop(command.bet.bet_id, None)

    # --- judges -----------------------------------------------------------------------------

    def _numbers_go_on(self, quote: Quote) -> None:
        """One number is of one quote for ever, whatever has crashed since."""
        before, self._newest_quote = self._newest_quote, quote
        if before is not None and before is not quote and quote.n <= before.n:
            self._world.violated("quote_number_twice", f"{before.n}, then {quote.n}")

    def _is_in_time(self, shown: Shown, at_ms: int) -> None:
        """The time that a batch is judged by never goes back, nor behind clock and market."""
        least = max(shown.now_ms, shown.last_tick_ms, self._high_ms, self._books.high_ms)
        if at_ms < least:
            self._world.violated("judged_by_old_time", f"{at_ms}, at least {least}: {shown}")
        self._high_ms = at_ms

    def _check(
        self,
        shown: Shown,
        order: BetOrder,
        tap: Tap,
        outcome: MoneyOutcome,
        at_ms: int,
        touched: dict[object, None],
        staked: Counter[str],
        cells: dict[tuple[str, str], None],
    ) -> None:
        judged = judge(self._geometry, shown, tap, at_ms)
        forbids = ""
        if tap.wallet not in touched:
            column_s, is_moving = self._geometry.column_s, tap.column_start_s in touched
            forbids = account_forbids(
                self._books, tap, column_s, at_ms, staked, is_column_moving=is_moving
            )
        facts = _Facts(order, outcome, judged, forbids, shown)
        if isinstance(outcome, BetConfirmed):
            self._world.counts["bet_confirmed"] += 1
            if judged.code or forbids:
                self._world.violated(f"placed_against_{judged.code or forbids}", facts)
            elif (order.reward_bps, order.quote_n) != (judged.reward_bps, judged.quote_n):
                self._world.violated("rate_wrong", facts)
            elif outcome.reward_bps < (tap.least_bps or 0):
                self._world.violated("paid_less_than_signed", facts)
            self._may_enter(order.bet, facts)
        elif isinstance(outcome, BetRefused) and outcome.refusal.code not in UNASKED:
            code = outcome.refusal.code
            self._world.counts[f"bet_refused.{code.value}"] += 1
            if judged.code and code.value != judged.code:
                self._world.violated("refused_otherwise", facts)
            elif code is Code.EXPOSURE_LIMIT and not judged.code:
                self._is_too_much(tap, judged.reward_bps, touched, facts)
            elif not judged.code and tap.wallet not in touched:
                self._has_reason(order.bet, code, forbids, facts, staked, cells, touched)

    def _is_too_much(
        self, tap: Tap, reward_bps: int, touched: dict[object, None], facts: object
    ) -> None:
        """The house would be at its limits with it. What else is in the batch moves them, too."""
        pays_micros, column_s = tap.stake_micros * reward_bps // 10_000, self._geometry.column_s
        if touched:
            self._world.counts["exposure_not_checked"] += 1
        elif has_room(self._books, self._geometry.caps, tap, column_s, pays_micros, self._taken):
            self._world.violated("refused_without_reason", facts)

    def _may_enter(self, bet: PlaceBet, facts: object) -> None:
        if bet.bet_id in self._expired:
            self._world.violated("late_bet_written", facts)
        entered = self._entered.get(bet.bet_id)
        since = self._drains_since
        self._world.counts["bet_while_draining"] += since is not None
        if since is not None and entered is not None and entered > since + SAME_MOMENT_S:
            self._world.violated("entered_while_draining", f"{entered} > {since}: {facts}")
        ahead = bet.cell.column_start_s // self._geometry.column_s - self._newest_ms // (
            1000 * self._geometry.column_s
        )
        if ahead <= self._geometry.lockout_columns:
            self._world.violated("column_had_begun", f"a tick of {self._newest_ms}: {facts}")

    def _has_reason(
        self,
        bet: PlaceBet,
        code: Code,
        forbids: str,
        facts: object,
        staked: Counter[str],
        cells: dict[tuple[str, str], None],
        touched: dict[object, None],
    ) -> None:
        """A bet that the rules allow is refused by the ledger only for what the books say too."""
        books = self._books
        user_id = books.ids.get(bet.wallet, 0)
        if code in LEDGER_REFUSALS:
            is_so = forbids in LEDGER_REFUSALS[code] or bet.cell.column_start_s in books.voids
            # Given back, or judged, by a command ahead of it in the same batch.
            is_closed = code is Code.CELL_UNAVAILABLE and bet.cell.column_start_s in touched
            is_so = is_so or is_closed or (code is Code.LIMIT_REACHED and self._is_loss_unknown())
        elif code is Code.INSUFFICIENT_FUNDS:
            is_so = books.balances[user_id] - staked[bet.wallet] < bet.stake_micros
        elif code is Code.CELL_TAKEN:
            is_so = (bet.wallet, bet.cell.id) in cells or bool(books.holder(user_id, bet.cell.id))
        else:
            is_so = False
        if not is_so:
            self._world.violated("refused_without_reason", facts)

    def _is_loss_unknown(self) -> bool:
        """On a day within which a week's file was begun late, what was lost before is not known
        from it; the venue counts some of that, so a limit on the loss may be reached or not."""
        return self._high_ms // DAY_MS == self._books.blurred_day


class _Facts:
    """What is told of a bet that broke a rule; put into words only then."""

    def __init__(self, *facts: object) -> None:
        self._facts = facts

    def __str__(self) -> str:
        return "; ".join(str(fact) for fact in self._facts)


def _tap(bet: PlaceBet) -> Tap:
    return Tap(
        wallet=bet.wallet,
        column_start_s=bet.cell.column_start_s,
        lo_cents=bet.cell.lo_cents,
        hi_cents=bet.cell.hi_cents,
        stake_micros=bet.stake_micros,
        quote_n=bet.named_quote_n,
        least_bps=bet.least_bps,
        key_id=bet.key_id,
    )


def _touched(
    commands: Sequence[LedgerCommand], outcomes: Sequence[MoneyOutcome]
) -> dict[object, None]:
    """Wallets and columns that something else in the batch is about: the books say what they were
    before, and the order within the batch decides."""
    found: dict[object, None] = {}
    for command in commands:
        if not isinstance(command, BetOrder):
            found[getattr(command, "wallet", None)] = None
            found[getattr(command, "start_s", None)] = None
            found[getattr(getattr(command, "key", None), "start_s", None)] = None
    for outcome in outcomes:
        if isinstance(outcome, ColumnSettled):
            found.update((end.wallet, None) for end in outcome.resolved)
        withdrawal = getattr(outcome, "withdrawal", None)
        if withdrawal is not None:
            found[withdrawal.wallet] = None
    return found
