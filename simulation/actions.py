"""What people do in a run, drawn from the seed. What each action means is said by its kind.

Each trader and the operator have a stream of draws of their own: leaving one out changes no other.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from simulation.draws import Draws, stream
from simulation.scenario import Action, ActionKind, Fault, FaultKind

OPERATOR: Final = -1
BEGIN_AT_S: Final = 3.0
"""The venue is up then, and people have signed in or are about to."""
TAPS_A_SECOND: Final = 1.6
"""Of all traders together, with all else that they do."""
OPERATOR_EVERY_S: Final = 12.0

TRADERS: Final = (
    (ActionKind.TAP, 64.0),
    (ActionKind.DOUBLE_TAP, 4.0),
    (ActionKind.RETRY, 7.0),
    (ActionKind.REPLAY, 4.0),
    (ActionKind.STALE, 3.0),
    (ActionKind.LEAVE, 4.0),
    (ActionKind.RECONNECT, 1.5),
    (ActionKind.BROKE, 1.0),
    (ActionKind.FAUCET, 2.5),
    (ActionKind.WITHDRAW, 1.2),
    (ActionKind.LIMIT, 1.0),
    (ActionKind.REVOKE, 0.6),
    (ActionKind.BAD, 2.0),
    (ActionKind.LOOK, 2.0),
)
OPERATORS: Final = (
    (ActionKind.HOLD, 3.0),
    (ActionKind.OVERRIDE, 3.0),
    (ActionKind.VOID, 4.0),
    (ActionKind.FREEZE, 3.0),
    (ActionKind.DEPOSIT, 3.0),
    (ActionKind.ADJUST, 2.0),
    (ActionKind.BANKROLL, 1.0),
    (ActionKind.DECIDE, 3.0),
    (ActionKind.RESTART, 2.0),
    (ActionKind.UPKEEP, 2.0),
)
BESIDES: Final = (
    (ActionKind.INTRUDE, "", 14.0),
    (ActionKind.LIMIT, "shorter", 150.0),
    (ActionKind.LIMIT, "raise", 120.0),
    (ActionKind.LIMIT, "loss", 900.0),
)
"""What a trader does as well: the `way` of it, and every how many seconds. Each has a stream of
draws of its own."""
IN_A_FREEZE: Final = 3
"""So many withdrawals, of so many percent of what he has:"""
IN_A_FREEZE_PERCENT: Final = 2
COLUMNS: Final = (
    *((0, 2.0), (1, 3.0), (2, 2.0), (3, 2.0), (5, 1.0), (9, 1.0), (12, 0.1)),
    *((-1, 0.4), (-2, 0.4), (-3, 0.1)),
)
"""Counted from the first that can be tapped; below zero: those that are closed to taps already."""
ACTORS: Final = (
    *("batcher", "resolver", "gateway", "price_feed", "price_recorder", "health_monitor"),
    *("quoter", "session_manager", "publisher", "auditor", "backup_keeper", "archiver"),
    *("disk_monitor", "venue/market"),
)


def draw_actions(
    seed: int, *, seconds: float, traders: int, faults: Sequence[Fault] = ()
) -> tuple[Action, ...]:
    """All that people do in these seconds, in the order of time. Around some of the faults they
    do more: those at which what is under way counts."""
    orders = [*_operators(stream(seed, "actions", OPERATOR), seconds, traders)]
    found = [*orders, *_around_freezes(seed, orders)]
    for who in range(traders):
        found += _besides(seed, who, seconds)
        found += _traders(stream(seed, "actions", who), who, seconds, traders / TAPS_A_SECOND)
        for number, fault in enumerate(faults):
            around = AROUND.get(fault.kind)
            if around is not None:
                found += around(stream(seed, "around", number, who), who, fault.at_s)
    within = (action for action in found if BEGIN_AT_S <= action.at_s < seconds)
    return tuple(sorted(within, key=lambda action: (action.at_s, action.who)))


def _around_a_drain(draws: Draws, who: int, at_s: float) -> Iterator[Action]:
    """Bets that are under way when the venue is told to stop, and some that come just after."""
    for _ in range(draws.whole(2, 6)):
        yield _tap(draws, who, at_s + draws.uniform(-0.06, 0.12), "ws key")


def _around_the_turn(draws: Draws, who: int, at_s: float) -> Iterator[Action]:
    """Some are out of money, and tap all the same, in the last seconds of the week. In the first of
    the new one everybody sends old requests again."""
    is_broke = who % 2 == 0
    if is_broke:
        yield Action(
            at_s=round(at_s - draws.uniform(10, 12), 3),
            who=who,
            kind=ActionKind.WITHDRAW,
            amount=100,
        )
    for _ in range(4):
        yield _tap(
            draws,
            who,
            at_s - draws.uniform(0, 9),
            "http key",
            columns=(5, 8, 10),
            presets=(3, 4) if is_broke else (0, 1),
        )
    for _ in range(10):
        yield Action(
            at_s=round(at_s + draws.uniform(0, 14), 3),
            who=who,
            kind=ActionKind.REPLAY,
            amount=draws.whole(0, 11),
            way="http",
        )


def _tap(
    draws: Draws,
    who: int,
    at_s: float,
    way: str,
    *,
    columns: Sequence[int] = (0, 1, 2, 3),
    presets: Sequence[int] = (0, 1),
) -> Action:
    return Action(
        at_s=round(at_s, 3),
        who=who,
        kind=ActionKind.TAP,
        column=draws.one_of(columns),
        row=draws.whole(-2, 2),
        amount=draws.one_of(presets),
        way=way,
    )


AROUND: Final[dict[FaultKind, Callable[[Draws, int, float], Iterator[Action]]]] = {
    FaultKind.DRAIN: _around_a_drain,
    FaultKind.WEEK_TURN: _around_the_turn,
}


def _times(draws: Draws, seconds: float, every_s: float) -> Iterator[float]:
    """Busy stretches and calm ones, as people are."""
    at_s = BEGIN_AT_S
    while True:
        busy_until_s, pace = at_s + draws.uniform(10, 60), draws.one_of((0.5, 1.0, 1.0, 2.0))
        while at_s < busy_until_s:
            at_s += draws.uniform(0.05, 1.95) * every_s * pace
            if at_s >= seconds:
                return
            yield round(at_s, 3)


def _besides(seed: int, who: int, seconds: float) -> Iterator[Action]:
    for kind, way, every_s in BESIDES:
        draws = stream(seed, "besides", kind.value, way, who)
        at_s = BEGIN_AT_S + draws.uniform(0, 2 * every_s)
        while at_s < seconds:
            yield Action(
                at_s=round(at_s, 3), who=who, kind=kind, amount=draws.whole(0, 99), way=way
            )
            at_s += draws.uniform(0.05, 1.95) * every_s


def _around_freezes(seed: int, orders: Sequence[Action]) -> Iterator[Action]:
    """Whoever is frozen tries to get his money out."""
    freezes = [order for order in orders if order.kind is ActionKind.FREEZE]
    for number, freeze in enumerate(freezes):
        draws = stream(seed, "in a freeze", number)
        for _ in range(IN_A_FREEZE):
            yield Action(
                at_s=round(freeze.at_s + draws.uniform(0, freeze.amount), 3),
                who=freeze.column,
                kind=ActionKind.WITHDRAW,
                amount=IN_A_FREEZE_PERCENT,
            )


def _traders(draws: Draws, who: int, seconds: float, every_s: float) -> Iterator[Action]:
    favourite = draws.weighted((("ws", 3.0), ("http", 1.0)))
    for at_s in _times(draws, seconds, every_s):
        kind = draws.weighted(TRADERS)
        yield Action(
            at_s=at_s,
            who=who,
            kind=kind,
            column=draws.weighted(COLUMNS),
            row=draws.weighted(((-3, 0.5), (-1, 3.0), (0, 4.0), (1, 3.0), (3, 0.5))),
            amount=_amount(draws, kind),
            way=_way(draws, favourite),
        )


def _way(draws: Draws, favourite: str) -> str:
    carrier = favourite if draws.happens(0.8) else draws.one_of(("ws", "http"))
    signer = draws.weighted((("key", 5.0), ("wallet", 1.0)))
    return f"{carrier} {signer}{' rate' if draws.happens(0.5) else ''}"


def _amount(draws: Draws, kind: ActionKind) -> int:
    match kind:
        case ActionKind.TAP | ActionKind.DOUBLE_TAP | ActionKind.STALE:
            return draws.weighted(((0, 4.0), (1, 3.0), (2, 2.0), (3, 1.0), (4, 0.5)))
        case ActionKind.LEAVE:
            return draws.weighted(((5, 1.0), (30, 2.0), (60, 2.0), (120, 1.0)))
        case ActionKind.WITHDRAW:
            return draws.one_of((5, 30, 80, 100, 200))
        case _:
            return draws.whole(0, 99)


def _operators(draws: Draws, seconds: float, traders: int) -> Iterator[Action]:
    for at_s in _times(draws, seconds, OPERATOR_EVERY_S):
        kind = draws.weighted(OPERATORS)
        yield Action(
            at_s=at_s,
            who=OPERATOR,
            kind=kind,
            column=_whom(draws, kind, traders),
            row=draws.whole(0, 1),
            amount=_how_much(draws, kind),
            way=_what(draws, kind),
        )


def _whom(draws: Draws, kind: ActionKind, traders: int) -> int:
    return draws.whole(-1, 6) if kind is ActionKind.VOID else draws.whole(0, max(0, traders - 1))


def _how_much(draws: Draws, kind: ActionKind) -> int:
    match kind:
        case ActionKind.HOLD | ActionKind.FREEZE | ActionKind.OVERRIDE:
            return draws.whole(1, 7)
        case ActionKind.ADJUST:
            return draws.one_of((-40, -5, 3, 60))
        case _:
            return draws.whole(1, 200)


def _what(draws: Draws, kind: ActionKind) -> str:
    match kind:
        case ActionKind.OVERRIDE:
            return draws.weighted((("open", 3.0), ("close", 2.0), ("auto", 1.0)))
        case ActionKind.RESTART:
            return draws.one_of(ACTORS)
        case ActionKind.UPKEEP:
            return draws.one_of(("backup", "archive", "integrity"))
        case _:
            return ""
