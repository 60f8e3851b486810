"""A scenario drawn from a seed: the date, the venue's settings, the people, and the faults.

Not every seed has every kind of fault: each leaves some out, and some have few, so that all
mixtures come about (what one fault hides, another seed shows). Faults come in clusters rather than
evenly, and many are aimed: at the moment when a column is settled, and at the turn of the week.
"""

from collections.abc import Sequence
from typing import Any, Final

from config.settings import Settings, load
from simulation.actions import draw_actions
from simulation.draws import Draws, stream
from simulation.fault_draws import WEIGHTS, draw_fault, draw_hang_beside
from simulation.scenario import Fault, FaultKind, Scenario
from simulation.standing_orders import draw_standing_orders
from simulation.store import SHARED_URL

DAY_MS: Final = 86_400_000
WEEK_MS: Final = 7 * DAY_MS
SUNDAY_MS: Final = 3 * DAY_MS
"""From the epoch, a Thursday, to the first turn of a week."""
EARLIEST_MS: Final = 1_770_100_000_000
BEGINS_AT_S: Final = 12.0
"""No fault before: the venue has to be up, and people to have come."""

TURNS_A_WEEK: Final = 0.3
TURNS_A_DAY: Final = 0.15
KIND_IS_IN: Final = (0.25, 0.6, 0.9)
"""One of these goes for all kinds of a seed."""
STORE_IS_SHARED: Final = 0.6
OF_THE_STORE: Final = (FaultKind.STORE_DOWN, FaultKind.STORE_SLOW, FaultKind.STORE_WIPED)
STOPS_BETTING_S: Final = {
    FaultKind.FEED_SILENCE: 32.0,
    FaultKind.FEED_LOST: 32.0,
    FaultKind.FEED_GAP: 32.0,
    FaultKind.FEED_LAG: 32.0,
    FaultKind.CLOCK_FORWARD: 32.0,
    FaultKind.CLOCK_BACK: 32.0,
    FaultKind.KILL: 8.0,
    FaultKind.DRAIN: 8.0,
}
"""For how long a fault of that kind may leave the feed CRITICAL: half a minute of steady ticks ends
that. Without some pause between them nobody would bet for a whole run."""
KEEPS_THE_PAUSE: Final = 0.8
IS_QUIET: Final = 0.06
"""Of the seeds: no fault at all."""
HANGS_BESIDE: Final = 0.3
"""Of the other seeds: a worker that no bet waits for is held up once."""
IN_A_CLUSTER: Final = 0.4
AT_SETTLEMENT: Final = 0.4
AROUND_THE_TURN: Final = 0.75
AIMED_AT_THE_TURN: Final = (
    FaultKind.KILL,
    FaultKind.DRAIN,
    FaultKind.CLOCK_BACK,
    FaultKind.CLOCK_FORWARD,
    FaultKind.DISK_FULL,
    FaultKind.OBJECTS_FAIL,
    FaultKind.ACTOR_CRASH,
)


def draw(seed: int, *, seconds: float) -> Scenario:
    """The scenario of a seed."""
    epoch_ms = _date(stream(seed, "date"), seconds)
    settings = _settings(stream(seed, "settings"))
    faults = _faults(stream(seed, "faults"), seconds, epoch_ms, settings)
    traders = stream(seed, "traders").whole(3, 6)
    beside = _hang_beside(stream(seed, "hang beside"), seconds) if faults else ()
    actions = draw_actions(seed, seconds=seconds, traders=traders, faults=faults)
    turn_s = _week_turns_at_s(epoch_ms, seconds)
    may_kill = any(fault.kind is not FaultKind.WEEK_TURN for fault in faults)
    kills, orders = draw_standing_orders(
        stream(seed, "standing orders"), seconds, turn_s, may_kill=may_kill
    )
    return Scenario(
        seed=seed,
        seconds=seconds,
        epoch_ms=epoch_ms,
        settings=settings,
        traders=traders,
        faults=_in_order((*faults, *beside, *kills)),
        actions=tuple(sorted((*actions, *orders), key=lambda one: (one.at_s, one.who))),
    )


def _date(draws: Draws, seconds: float) -> int:
    """The run's zero. Some have a midnight within, which begins a file of prices, or even the end
    of a week, which begins one of money."""
    epoch_ms = EARLIEST_MS + draws.whole(0, 300 * DAY_MS)
    chance, before_ms = draws.random(), round(draws.uniform(0.15, 0.85) * seconds * 1000)
    if chance < TURNS_A_WEEK:
        return epoch_ms - (epoch_ms - SUNDAY_MS) % WEEK_MS - before_ms
    if chance < TURNS_A_WEEK + TURNS_A_DAY:
        return epoch_ms - epoch_ms % DAY_MS - before_ms
    return epoch_ms


def _week_turns_at_s(epoch_ms: int, seconds: float) -> float | None:
    turns_s = ((SUNDAY_MS - epoch_ms) % WEEK_MS) / 1000
    return turns_s if 0 < turns_s < seconds else None


def _settings(draws: Draws) -> dict[str, Any]:
    """The demo's, with a small grid, a busy upkeep, and limits that are sometimes reached."""
    settings: dict[str, Any] = {
        "grid.rows": draws.one_of((8, 10, 12)),
        "grid.row_cents": draws.weighted(((1_000, 3.0), (500, 1.0))),
        "bets.rule": draws.weighted((("touch", 2.0), ("path", 1.0))),
        "quotes.interval_ms": draws.weighted(((1_000, 3.0), (500, 1.0))),
        "feed.settle_delay_ms": draws.weighted(((2_000, 3.0), (500, 1.0), (5_000, 1.0))),
        "feed.jump_max_bps": draws.weighted(((100, 3.0), (40, 1.0))),
        "batch.linger_ms": draws.weighted(((5, 3.0), (0, 1.0), (50, 1.0))),
        "batch.commands_max": draws.weighted(((100, 3.0), (2, 1.0))),
        "faucet.amount_micros": draws.one_of((150_000_000, 400_000_000, 1_000_000_000)),
        "backup.every_minutes": 1,
        "archive.compression_level": 1,
        "archive.weeks_on_disk": 1,
        "audit.partial_every_minutes": 1,
        "venue.drain_within_s": draws.weighted(((20, 3.0), (10, 1.0))),
    }
    settings["faucet.balance_max_micros"] = settings["faucet.amount_micros"] * 5
    if draws.happens(0.35):
        settings |= _tight_caps(draws)
    if draws.happens(0.3):
        settings["house.demo_bankroll_micros"] = draws.whole(500, 4_000) * 1_000_000
    if draws.happens(STORE_IS_SHARED):
        settings |= {"store.url": SHARED_URL, "store.publish": draws.happens(0.5)}
    if draws.happens(0.2):
        settings |= {"limits.bets_per_minute": draws.whole(10, 40), "limits.bets_burst": 4}
    return settings


def _tight_caps(draws: Draws) -> dict[str, Any]:
    per_bet = draws.whole(100, 1_500) * 1_000_000
    return {
        "house.payout_per_bet_micros": per_bet,
        "house.payout_per_user_micros": per_bet * draws.whole(2, 8),
        "house.payout_per_cell_micros": per_bet * draws.whole(1, 3),
        "house.payout_per_column_micros": per_bet * draws.whole(2, 8),
    }


def _faults(
    draws: Draws, seconds: float, epoch_ms: int, settings: dict[str, Any]
) -> tuple[Fault, ...]:
    is_in = draws.one_of(KIND_IS_IN)
    kinds = tuple(
        (kind, weight)
        for kind, weight in WEIGHTS
        if draws.happens(is_in) and (kind not in OF_THE_STORE or "store.url" in settings)
    )
    is_quiet = draws.happens(IS_QUIET)
    every_s = draws.weighted(((5.0, 4.0), (10.0, 2.0), (30.0, 1.0)))
    found: list[Fault] = []
    whole = load(flags=settings).settings
    at_s = pause_until_s = BEGINS_AT_S
    while kinds and not is_quiet:
        mean_s = 1.0 if draws.happens(IN_A_CLUSTER) else every_s / (1 - IN_A_CLUSTER)
        at_s += draws.uniform(0, 2 * mean_s)
        if at_s >= seconds:
            break
        kind = draws.weighted(kinds)
        if kind in STOPS_BETTING_S and at_s < pause_until_s and draws.happens(KEEPS_THE_PAUSE):
            continue
        aimed_s, is_aimed = at_s, draws.happens(AT_SETTLEMENT)
        if is_aimed:
            aimed_s = _settlement_after(draws, at_s, epoch_ms, whole)
        fault = draw_fault(draws, kind, round(aimed_s, 3), at_settlement=is_aimed)
        if kind in STOPS_BETTING_S:
            pause_until_s = max(pause_until_s, aimed_s + fault.lasts_s + STOPS_BETTING_S[kind])
        found.append(fault)
    turn_s = _week_turns_at_s(epoch_ms, seconds)
    if turn_s is not None:
        found.append(Fault(at_s=turn_s, kind=FaultKind.WEEK_TURN))
        if draws.happens(AROUND_THE_TURN):
            for _ in range(draws.whole(1, 2)):
                at_s = max(BEGINS_AT_S, turn_s + draws.uniform(-2, 4))
                kind = draws.one_of(AIMED_AT_THE_TURN)
                found.append(draw_fault(draws, kind, round(at_s, 3)))
    return _in_order(found)


def _hang_beside(draws: Draws, seconds: float) -> tuple[Fault, ...]:
    """One, or none: what hangs excuses what is slow, whomever it strikes."""
    if seconds <= BEGINS_AT_S or not draws.happens(HANGS_BESIDE):
        return ()
    return (draw_hang_beside(draws, round(draws.uniform(BEGINS_AT_S, seconds), 3)),)


def _in_order(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    return tuple(sorted(faults, key=lambda fault: (fault.at_s, fault.kind.value)))


def _settlement_after(draws: Draws, at_s: float, epoch_ms: int, settings: Settings) -> float:
    """The next moment at which a column is due to be judged, or a little later."""
    due_ms = round(at_s * 1000) + epoch_ms - settings.feed.settle_delay_ms
    wait_ms = -due_ms % (1000 * settings.grid.column_s)
    return at_s + wait_ms / 1000 + draws.uniform(0, 0.8) ** 2
