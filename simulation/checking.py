"""Can a scenario that somebody has written, or kept for long, be run as it stands?

One that was drawn can. In another a setting, an actor or a worker may be misspelled, or have got
another name since: the fault would silently never strike, and the run be clean for nothing.
"""

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import attrs

from config.settings import SettingsRefused, load
from simulation import actions
from simulation.actions import OPERATOR
from simulation.exchange import FALLBACK, PRIMARY
from simulation.fault_draws import (
    ACTORS,
    NEVER_HUNG,
    UPKEEP_WORKERS,
    WORKERS,
    WORKERS_BESIDE,
)
from simulation.people.crowd import ELSEWHERE, ON_THE_GRID
from simulation.scenario import Action, ActionKind, Fault, FaultKind, Scenario
from simulation.store import Down

EVERYTHING: Final = ""
"""No target: all that there are, or chance takes one."""
SOURCES: Final = (EVERYTHING, PRIMARY, FALLBACK)
CALLS: Final = (EVERYTHING, "put", "get", "list", "sha256")
TARGETS: Final[Mapping[FaultKind, Collection[str]]] = {
    FaultKind.ACTOR_CRASH: ACTORS,
    FaultKind.ACTOR_HANG: (*WORKERS, *UPKEEP_WORKERS, *WORKERS_BESIDE, *NEVER_HUNG),
    FaultKind.STORE_DOWN: (EVERYTHING, *Down),
    FaultKind.OBJECTS_FAIL: CALLS,
    FaultKind.OBJECTS_CORRUPT: CALLS,
    **{kind: SOURCES for kind in FaultKind if kind.value.startswith("feed_")},
}
"""What each kind may strike; the others have no target."""
WAYS: Final[Mapping[ActionKind, Collection[str]]] = {
    ActionKind.OVERRIDE: ("open", "close", "auto"),
    ActionKind.RESTART: actions.ACTORS,
    ActionKind.UPKEEP: ("backup", "archive", "integrity"),
}
NAMES: Final = {int: "a whole number", float: "a number", str: "a text", dict: "an object"}


def faults_of(scenario: Scenario) -> Iterator[str]:
    """Everything that is wrong with it, in words."""
    wrong = [*_types(scenario, "the scenario")]
    for at, fault in enumerate(scenario.faults, start=1):
        wrong += _of_a_fault(fault, f"fault {at}")
    for at, action in enumerate(scenario.actions, start=1):
        wrong += _of_an_action(action, f"action {at}", scenario.traders)
    yield from wrong
    if not wrong:  # else they may be no settings at all
        yield from _of_the_whole(scenario)


def _of_the_whole(scenario: Scenario) -> Iterator[str]:
    if scenario.seconds <= 0:
        yield "seconds: must be above zero"
    if scenario.traders < 0:
        yield "traders: must be zero or more"
    try:
        load(flags=scenario.settings)
    except SettingsRefused as refused:
        yield from (str(fault) for fault in refused.faults)


def _of_a_fault(fault: Fault, where: str) -> Iterator[str]:
    wrong = [*_types(fault, where)]
    yield from wrong
    known = TARGETS.get(fault.kind, (EVERYTHING,))
    if not wrong and fault.target not in known:
        yield f"{where}: {fault.kind.value} strikes {_listed(known)}, not {fault.target!r}"


def _of_an_action(action: Action, where: str, traders: int) -> Iterator[str]:
    wrong = [*_types(action, where)]
    yield from wrong
    if wrong:
        return
    is_traders = action.kind in ON_THE_GRID or action.kind in ELSEWHERE
    if is_traders and not 0 <= action.who < traders:
        yield f"{where}: there is no trader {action.who} for {action.kind.value}"
    if not is_traders and action.who != OPERATOR:
        yield f"{where}: {action.kind.value} is the operator's ({OPERATOR}), not {action.who}'s"
    known = WAYS.get(action.kind, (action.way,))
    if action.way not in known:
        yield f"{where}: the way of {action.kind.value} is {_listed(known)}, not {action.way!r}"


def _types(item: Fault | Action | Scenario, where: str) -> Iterator[str]:
    """Numbers that are none would be found out by whoever counts with them first."""
    for field in attrs.fields(type(item)):
        value: Any = getattr(item, field.name)
        kind = dict if field.name == "settings" else field.type
        if kind in NAMES and not _is(value, kind):
            yield f"{where}: {field.name} must be {NAMES[kind]}, not {value!r}"


def _is(value: object, kind: type) -> bool:
    if isinstance(value, bool):
        return False
    if kind is float:
        return isinstance(value, int | float) and math.isfinite(value)
    return isinstance(value, kind)


def _listed(known: Collection[str]) -> str:
    return ", ".join(name or '""' for name in known)
