"""How each kind of fault is drawn: how often, how long, whom it strikes, how hard.

Most are short, so that betting goes on between them and most bets are won or lost: a silence of
ten seconds costs half a minute of betting, and a run of nothing but refunds finds nothing. The few
that are long are there for the venue's limits: ten seconds of silence, thirty of a heartbeat, sixty
of an unjudged column.
"""

from collections.abc import Callable
from typing import Final, TypedDict

from simulation.draws import Draws
from simulation.exchange import FALLBACK, PRIMARY
from simulation.scenario import Fault, FaultKind

ACTORS: Final = (
    "venue/publisher",
    "venue/session_manager",
    "venue/market/price_feed",
    "venue/market/price_recorder",
    "venue/market/health_monitor",
    "venue/market/quoter",
    "venue/batcher",
    "venue/resolver",
    "venue/upkeep/disk_monitor",
    "venue/upkeep/auditor",
    "venue/upkeep/backup_keeper",
    "venue/upkeep/archiver",
    "venue/gateway",
)
ON_THE_MONEY_PATH: Final = ("venue/batcher", "venue/batcher", "venue/resolver", "venue/gateway")
"""The Batcher twice: it crashes twice as often."""
WHO_SETTLE: Final = (
    *("venue/batcher", "venue/batcher", "venue/batcher", "venue/resolver"),
    "venue/market/price_recorder",
)
WORKERS: Final = (
    "ledger_writes",
    "ledger_reads",
    "client_ledger_reads",
    "price_writes",
    "price_reads",
)
UPKEEP_WORKERS: Final = ("disk_looks", "check_reads", "backup_work", "archive_work")
"""They work once a minute: a hang that is to be met has to last."""
WORKERS_BESIDE: Final = ("client_price_reads", "audit_log_work")
"""Off the way of every bet."""
NEVER_HUNG: Final = ("restore_looks", "restore_work")
"""They have work only when people have stopped, and every fault is mended."""

WEIGHTS: Final[tuple[tuple[FaultKind, float], ...]] = (
    (FaultKind.ACTOR_CRASH, 6),
    (FaultKind.ACTOR_HANG, 1.5),
    (FaultKind.KILL, 2.5),
    (FaultKind.DRAIN, 1.8),
    (FaultKind.FEED_SILENCE, 1.2),
    (FaultKind.FEED_LOST, 1.5),
    (FaultKind.FEED_GAP, 2),
    (FaultKind.FEED_DUPLICATES, 1.5),
    (FaultKind.FEED_REORDER, 2),
    (FaultKind.FEED_SPIKE, 2.5),
    (FaultKind.FEED_LAG, 1.2),
    (FaultKind.STORE_DOWN, 2),
    (FaultKind.STORE_SLOW, 2),
    (FaultKind.STORE_WIPED, 1.5),
    (FaultKind.OBJECTS_FAIL, 2),
    (FaultKind.OBJECTS_CORRUPT, 1.5),
    (FaultKind.DISK_FULL, 1),
    (FaultKind.DISK_SLOW, 2),
    (FaultKind.CLOCK_FORWARD, 1.2),
    (FaultKind.CLOCK_BACK, 1.8),
    (FaultKind.NET_CUT, 3),
    (FaultKind.NET_STALL, 2),
    (FaultKind.NET_SLOW, 2),
)


def draw_fault(draws: Draws, kind: FaultKind, at_s: float, *, at_settlement: bool = False) -> Fault:
    """One fault of that kind at that time; `at_settlement`: a column is about to be settled."""
    drawn = DRAWN[kind](draws)
    if at_settlement and kind in AT_SETTLEMENT:
        drawn |= AT_SETTLEMENT[kind](draws)
    return Fault(at_s=at_s, kind=kind, **drawn)


class Drawn(TypedDict, total=False):
    """What a kind says of its fault."""

    lasts_s: float
    target: str
    amount: int


def _actor_crash(draws: Draws) -> Drawn:
    if draws.happens(0.45):
        return {"target": draws.one_of(ON_THE_MONEY_PATH), "amount": draws.whole(0, 60)}
    # Some wait for minutes: of few steps a crash comes about in time.
    return {"target": draws.one_of(ACTORS), "amount": draws.whole(0, 12)}


def _crash_of_who_settles(draws: Draws) -> Drawn:
    """Within the few steps in which a column is judged, paid and told."""
    return {"target": draws.one_of(WHO_SETTLE), "amount": draws.whole(0, 12)}


def _actor_hang(draws: Draws) -> Drawn:
    if draws.happens(0.2):
        lasts_s = round(draws.uniform(30, 75), 3)
        return {"target": draws.one_of(UPKEEP_WORKERS), "lasts_s": lasts_s}
    lasts_s = _time(draws, (0.5, 8), long_s=(31, 45), is_long=0.08)
    return {"target": draws.one_of(WORKERS), "lasts_s": lasts_s}


def draw_hang_beside(draws: Draws, at_s: float) -> Fault:
    """A hang of a worker that nobody waits for but who asked: a chart, an operator's order."""
    lasts_s = _time(draws, (0.5, 4), long_s=(5, 15), is_long=0.4)
    return Fault(
        at_s=at_s,
        kind=FaultKind.ACTOR_HANG,
        target=draws.one_of(WORKERS_BESIDE),
        lasts_s=lasts_s,
    )


def _hang_of_the_ledger(draws: Draws) -> Drawn:
    """Mostly longer than the five seconds of a bet and the ten of a verdict, after which each is
    asked about again; shorter than the thirty after which an actor is taken for stuck."""
    return {
        "target": "ledger_writes",
        "lasts_s": _time(draws, (1, 8), long_s=(11, 22), is_long=0.7),
    }


def _kill(draws: Draws) -> Drawn:
    inside = draws.whole(1, 60) if draws.happens(0.6) else 0
    return {"amount": inside, "lasts_s": round(draws.uniform(0.2, 4), 3)}


def _silence(draws: Draws) -> Drawn:
    target = draws.weighted(((PRIMARY, 4.0), (FALLBACK, 1.0), ("", 2.0)))
    lasts_s = _time(draws, (1, 7), long_s=(10, 25), is_long=0.15)
    return {"target": target, "lasts_s": lasts_s}


def _lost(draws: Draws) -> Drawn:
    target = draws.weighted(((PRIMARY, 5.0), (FALLBACK, 1.0), ("", 2.0)))
    return {
        "target": target,
        "lasts_s": _time(draws, (0.1, 5), long_s=(12, 40), is_long=0.15),
    }


def _gap(draws: Draws) -> Drawn:
    target = draws.weighted(((PRIMARY, 3.0), ("", 2.0)))
    return {"target": target, "lasts_s": _time(draws, (0.5, 9), long_s=(9.9, 12), is_long=0.1)}


def _mixed_up(draws: Draws) -> Drawn:
    return {"target": "", "lasts_s": round(draws.uniform(3, 30), 3)}


def _spike(draws: Draws) -> Drawn:
    bps = draws.weighted(
        ((draws.whole(5, 95), 3.0), (draws.whole(96, 105), 1.0), (draws.whole(106, 900), 2.0))
    )
    lasts_s = round(draws.uniform(0.3, 4), 3) if draws.happens(0.3) else 0
    return {"target": PRIMARY, "amount": draws.one_of((-1, 1)) * bps, "lasts_s": lasts_s}


def _lag(draws: Draws) -> Drawn:
    ms = draws.weighted(
        ((draws.whole(100, 1_900), 4.0), (draws.whole(1_900, 2_900), 1.0), (5_000, 0.5))
    )
    target = PRIMARY if draws.happens(0.7) else ""
    return {"target": target, "amount": ms, "lasts_s": round(draws.uniform(2, 25), 3)}


def _store_fault(draws: Draws) -> Drawn:
    return {"lasts_s": _time(draws, (0.3, 6), long_s=(10, 40), is_long=0.1)}


def _store_slow(draws: Draws) -> Drawn:
    return {"lasts_s": round(draws.uniform(1, 15), 3), "amount": draws.whole(20, 1_500)}


def _object_fault(draws: Draws) -> Drawn:
    call = draws.weighted((("", 4.0), ("put", 1.0), ("get", 1.0), ("list", 0.5), ("sha256", 0.5)))
    lasts_s = round(draws.uniform(10, 120), 3)
    return {"target": call, "lasts_s": lasts_s, "amount": draws.whole(0, 4)}


def _disk_full(draws: Draws) -> Drawn:
    percent = 0 if draws.happens(0.7) else draws.whole(71, 98)
    return {"amount": percent, "lasts_s": round(draws.uniform(0.5, 12), 3)}


def _disk_slow(draws: Draws) -> Drawn:
    return {"lasts_s": round(draws.uniform(2, 15), 3), "amount": draws.whole(5, 400)}


def _clock(draws: Draws) -> Drawn:
    """Within the two seconds that are taken: long enough for bets by the wrong clock. Or beyond,
    for a short time: such a venue rightly refuses every bet."""
    if draws.happens(0.65):
        lasts_s = round(draws.uniform(10, 60), 3)
        return {"amount": draws.whole(200, 1_900), "lasts_s": lasts_s}
    return {"amount": draws.whole(1_900, 20_000), "lasts_s": round(draws.uniform(0.3, 8), 3)}


def _net_cut(draws: Draws) -> Drawn:
    return {"amount": _everybody_or_one(draws)}


def _net_stall(draws: Draws) -> Drawn:
    lasts_s = _time(draws, (0.5, 6), long_s=(15, 40), is_long=0.15)
    return {"lasts_s": lasts_s, "amount": _everybody_or_one(draws)}


def _net_slow(draws: Draws) -> Drawn:
    return {"lasts_s": round(draws.uniform(3, 20), 3), "amount": _everybody_or_one(draws)}


def _everybody_or_one(draws: Draws) -> int:
    return -1 if draws.happens(0.5) else draws.whole(0, 5)


def _time(
    draws: Draws, often_s: tuple[float, float], *, long_s: tuple[float, float], is_long: float
) -> float:
    return round(draws.uniform(*(long_s if draws.happens(is_long) else often_s)), 3)


DRAWN: Final[dict[FaultKind, Callable[[Draws], Drawn]]] = {
    FaultKind.ACTOR_CRASH: _actor_crash,
    FaultKind.ACTOR_HANG: _actor_hang,
    FaultKind.KILL: _kill,
    FaultKind.DRAIN: lambda draws: {"lasts_s": round(draws.uniform(0.2, 3), 3)},
    FaultKind.FEED_SILENCE: _silence,
    FaultKind.FEED_LOST: _lost,
    FaultKind.FEED_GAP: _gap,
    FaultKind.FEED_DUPLICATES: _mixed_up,
    FaultKind.FEED_REORDER: _mixed_up,
    FaultKind.FEED_SPIKE: _spike,
    FaultKind.FEED_LAG: _lag,
    FaultKind.STORE_DOWN: _store_fault,
    FaultKind.STORE_SLOW: _store_slow,
    FaultKind.STORE_WIPED: lambda draws: {},
    FaultKind.OBJECTS_FAIL: _object_fault,
    FaultKind.OBJECTS_CORRUPT: _object_fault,
    FaultKind.DISK_FULL: _disk_full,
    FaultKind.DISK_SLOW: _disk_slow,
    FaultKind.CLOCK_FORWARD: _clock,
    FaultKind.CLOCK_BACK: _clock,
    FaultKind.NET_CUT: _net_cut,
    FaultKind.NET_STALL: _net_stall,
    FaultKind.NET_SLOW: _net_slow,
}
AT_SETTLEMENT: Final[dict[FaultKind, Callable[[Draws], Drawn]]] = {
    FaultKind.ACTOR_CRASH: _crash_of_who_settles,
    FaultKind.ACTOR_HANG: _hang_of_the_ledger,
}
"""What is drawn otherwise there."""
