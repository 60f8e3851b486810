"""Orders of the operator that are in force when the process is killed, or when the week turns.

Left to chance that hardly ever comes about: most orders are over in seconds. They have a stream of
draws of their own, and come on top of all else that is drawn.
"""

from typing import Final

from simulation.actions import OPERATOR
from simulation.draws import Draws
from simulation.scenario import Action, ActionKind, Fault, FaultKind

KILLED_IN_AN_OVERRIDE: Final = 0.2
"""Of the seeds."""
BETS_AGAIN_WITHIN_S: Final = 25
"""After a kill: the start, and the half minute's worth of steady ticks that end a CRITICAL feed."""
ENDS_BEFORE_S: Final = 60
TURNS_IN_AN_ORDER: Final = 0.6
"""Of the seeds in which a week turns."""

Drawn = tuple[list[Fault], list[Action]]


def draw_standing_orders(
    draws: Draws, seconds: float, turn_s: float | None, *, may_kill: bool
) -> Drawn:
    """Faults and actions, in no order. Without `may_kill` it is a seed that has no faults."""
    faults: list[Fault] = []
    actions: list[Action] = []
    is_killed, is_turned = draws.happens(KILLED_IN_AN_OVERRIDE), draws.happens(TURNS_IN_AN_ORDER)
    at_s = draws.uniform(20, max(21, seconds - ENDS_BEFORE_S))
    lasts_s, kill_s = BETS_AGAIN_WITHIN_S + draws.whole(5, 20), at_s + draws.uniform(1, 4)
    down_s = round(draws.uniform(0.2, 2), 3)
    if may_kill and is_killed and at_s + ENDS_BEFORE_S <= seconds:
        actions.append(_order(ActionKind.OVERRIDE, at_s, lasts_s))
        faults.append(Fault(at_s=round(kill_s, 3), kind=FaultKind.KILL, lasts_s=down_s))
    kind = draws.one_of((ActionKind.HOLD, ActionKind.OVERRIDE))
    before_s = draws.uniform(0.5, 2.5)
    if is_turned and turn_s is not None and turn_s - before_s > 0:
        actions.append(_order(kind, turn_s - before_s, 7))
    return faults, actions


def _order(kind: ActionKind, at_s: float, lasts_s: int) -> Action:
    return Action(at_s=round(at_s, 3), who=OPERATOR, kind=kind, amount=lasts_s, way="open")
