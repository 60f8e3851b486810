"""Child specs: data that says what runs, when it is restarted, and how it is stopped.

Specs are checked as data before anything starts, and every fault is named, not only the first.
"""

import enum
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import attrs

from supervisor.backoff import Backoff, longest_span_s
from supervisor.life import Life
from supervisor.strategy import Restart, Strategy


class BrutalKill(enum.Enum):
    """The type of `BRUTAL_KILL`."""

    BRUTAL_KILL = "brutal_kill"


DEFAULT_BACKOFF = Backoff()
RESTARTS_MAX_MAX = 1000  # the window is a list of times
BRUTAL_KILL: Final = BrutalKill.BRUTAL_KILL  # stop by cancelling at once, without asking


@attrs.frozen(kw_only=True)
class Child:
    """One actor. `run` is called with a new `Life` for each life of the child."""

    id: str  # unique among its siblings; no slash
    run: Callable[[Life], Awaitable[None]]
    restart: Restart = Restart.PERMANENT
    start_within_s: float = 60.0  # from being called to `life.ready()`
    stop_within_s: float | BrutalKill = 5.0  # from being asked to stop to being cancelled
    heartbeat_s: float | None = None  # the longest it may be busy; None: not watched


@attrs.frozen(kw_only=True)
class SupervisorSpec:
    """A supervisor and its children, which may be supervisors themselves.

    `restart`, `start_within_s` and `stop_within_s` matter only for one that is itself a child.
    """

    id: str
    strategy: Strategy = Strategy.ONE_FOR_ONE
    children: tuple["Child | SupervisorSpec", ...]  # start order; stopping runs backwards
    restarts_max: int = 3  # one more within `period_s`, and the supervisor gives up
    period_s: float = 30.0
    backoff: Backoff = DEFAULT_BACKOFF
    restart: Restart = Restart.PERMANENT
    start_within_s: float = 300.0  # generous: a whole tree recovers within it
    stop_within_s: float | BrutalKill = 300.0  # generous: each child below has its own limit


@attrs.frozen(kw_only=True)
class Fault:
    """What is wrong with one field of one spec."""

    path: str  # of the spec: "venue/market/quoter"
    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path}: {self.field} {self.problem}"


class FaultySpec(ValueError):
    """A spec that can't be started. Raised before anything is; `faults` names every fault."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = faults


def check_children(children: Iterable[Child | SupervisorSpec], path: str = "") -> tuple[Fault, ...]:
    """Every fault of these specs and of all below them; () if they can be started."""
    children = tuple(children)
    faults = [fault for child in children for fault in check_spec(child, path)]
    times = Counter(_id_of(child) for child in children)
    faults += [
        Fault(path=path, field="children", problem=f"has {count} children with the id {repeated!r}")
        for repeated, count in times.items()
        if count > 1
    ]
    return tuple(faults)


def check_spec(spec: object, parent: str = "") -> tuple[Fault, ...]:
    """Every fault of one spec and of all below it."""
    path = f"{parent}/{_id_of(spec)}" if parent else _id_of(spec)
    if isinstance(spec, SupervisorSpec):
        problems = _common_problems(spec) | _supervisor_problems(spec)
        below = check_children(_valid_children(spec), path)
    elif isinstance(spec, Child):
        problems = _common_problems(spec) | _child_problems(spec)
        below = ()
    else:
        problems = {"children": f"must be Child or SupervisorSpec, not {spec!r}"}
        below = ()
    own = (Fault(path=path, field=f, problem=p) for f, p in problems.items() if p is not None)
    return (*own, *below)


# Each check returns what is wrong, or None. Annotations bind nobody at run time, hence `object`.


def _common_problems(spec: Child | SupervisorSpec) -> dict[str, str | None]:
    return {
        "id": _id_problem(spec.id),
        "restart": _member_problem(spec.restart, Restart),
        "start_within_s": _seconds_problem(spec.start_within_s),
        "stop_within_s": _stop_problem(spec.stop_within_s),
    }


def _child_problems(child: Child) -> dict[str, str | None]:
    return {
        "run": None if callable(child.run) else f"must be callable, not {child.run!r}",
        "heartbeat_s": None if child.heartbeat_s is None else _seconds_problem(child.heartbeat_s),
    }


def _supervisor_problems(spec: SupervisorSpec) -> dict[str, str | None]:
    problems = {
        "strategy": _member_problem(spec.strategy, Strategy),
        "children": _tuple_problem(spec.children),
        "restarts_max": _count_problem(spec.restarts_max),
        "period_s": _seconds_problem(spec.period_s),
        "backoff": _backoff_problem(spec.backoff),
    }
    if not any(problems[field] for field in ("restarts_max", "period_s", "backoff")):
        problems["backoff"] = _span_problem(spec.backoff, spec.restarts_max, spec.period_s)
    return problems


def _id_problem(value: object) -> str | None:
    if isinstance(value, str) and value and "/" not in value:
        return None
    return f"must be a name without a slash, not {value!r}"


def _member_problem(value: object, kind: type[enum.Enum]) -> str | None:
    return None if isinstance(value, kind) else f"must be a {kind.__name__}, not {value!r}"


def _tuple_problem(value: object) -> str | None:
    return None if isinstance(value, tuple) else f"must be a tuple, not {value!r}"


def _count_problem(value: object) -> str | None:
    is_flag = isinstance(value, bool)
    if isinstance(value, int) and not is_flag and 0 <= value <= RESTARTS_MAX_MAX:
        return None
    return f"must be a whole number from 0 to {RESTARTS_MAX_MAX}, not {value!r}"


def _seconds_problem(value: object) -> str | None:
    is_flag = isinstance(value, bool)
    if isinstance(value, int | float) and not is_flag and 0 < value < math.inf:
        return None
    return f"must be a finite number of seconds above 0, not {value!r}"


def _stop_problem(value: object) -> str | None:
    return None if isinstance(value, BrutalKill) else _seconds_problem(value)


def _backoff_problem(value: object) -> str | None:
    return value.problem() if isinstance(value, Backoff) else f"must be a Backoff, not {value!r}"


def _span_problem(backoff: Backoff, restarts_max: int, period_s: float) -> str | None:
    span_s = longest_span_s(backoff, restarts_max)
    if span_s <= period_s:
        return None
    return (
        f"spreads {restarts_max + 1} failures over up to {span_s:g} s, so that they need not fall "
        f"in a period of {period_s:g} s and the supervisor might never give up"
    )


def _id_of(spec: object) -> str:
    return str(getattr(spec, "id", spec))


def _valid_children(spec: SupervisorSpec) -> tuple[Child | SupervisorSpec, ...]:
    return spec.children if isinstance(spec.children, tuple) else ()
