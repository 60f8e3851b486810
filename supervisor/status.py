"""What a supervisor says about itself: plain frozen values, a snapshot of the whole tree."""

import enum

import attrs

from supervisor.statistics import ChannelStatistics


class State(enum.Enum):
    """Where a child is in its life."""

    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"  # down, and waiting for its next attempt or for its group's
    STOPPING = "stopping"
    STOPPED = "stopped"  # ended for good, stopped by hand, or not started yet
    STUCK = "stuck"  # cancelled, and still there
    IGNORED = "ignored"  # had nothing to do


@attrs.frozen(kw_only=True)
class LastFailure:
    """The latest end of a child that was a failure."""

    type: str  # of the exception, or the reason ("hung", "killed") where there was none
    message: str
    at: float  # trio's clock
    ago_s: float


@attrs.frozen(kw_only=True)
class ChildStatus:
    """One actor."""

    path: str
    state: State
    restarts_in_window: int
    restarts_total: int
    uptime_s: float | None  # since it was ready; None while it is not
    retry_in_s: float | None  # until the next attempt, while it backs off
    last_failure: LastFailure | None
    waiting_on: str  # where its tasks stand; "" without a life
    channels: tuple[ChannelStatistics, ...]  # those whose reader its latest life opened


@attrs.frozen(kw_only=True)
class SupervisorStatus:
    """One supervisor and all below it."""

    path: str
    state: State
    strategy: str
    restarts_in_window: int  # of its children, by this supervisor
    restarts_max: int
    period_s: float
    restarts_total: int  # of this supervisor itself
    uptime_s: float | None
    retry_in_s: float | None
    last_failure: LastFailure | None
    children: tuple["ChildStatus | SupervisorStatus", ...]


class Kind(enum.Enum):
    WORKER = "worker"
    SUPERVISOR = "supervisor"


@attrs.frozen(kw_only=True)
class ChildListing:
    """A child as `list_children` shows it."""

    id: str
    path: str
    kind: Kind
    state: State


@attrs.frozen(kw_only=True)
class ChildCounts:
    """What `count_children` says of one supervisor's own children."""

    specs: int
    active: int  # with a life: starting, running, stopping or stuck
    supervisors: int
    workers: int


class Managed(enum.Enum):
    """The answer to a management command. Asking twice does no harm."""

    STARTED = "started"
    STOPPED = "stopped"  # also if it was stopped before
    RUNNING = "running"  # nothing done: it runs already
    RESTARTING = "restarting"  # nothing done, or the restart failed: it will be tried again
    IGNORED = "ignored"  # started, and had nothing to do
    START_FAILED = "start_failed"  # tried once; it stays stopped
    STUCK = "stuck"  # its last life does not end
    NOT_FOUND = "not_found"  # no such child; a temporary one that has ended is forgotten
    STOPPING = "stopping"  # nothing done: its supervisor is stopping or down
    BUSY = "busy"  # nothing done: too many commands are waiting
