"""How a life ended, and the report that says so. Pure.

Each end of a life is reported exactly once, through the callable given to the supervisor. A child
that ignores its own end is reported when it is found stuck, and not again when it ends at last.
"""

import enum
import traceback

import attrs

from supervisor.inbox import EndOfMailbox
from supervisor.life import Ignore, Shutdown

STACK_CHARS_MAX = 8_000  # the innermost part of a stack is the one that tells


class Reason(enum.Enum):
    """Why a life ended."""

    NORMAL = "normal"  # it returned of its own accord
    SHUTDOWN = "shutdown"  # it returned because it was asked to stop, or raised Shutdown
    ABNORMAL = "abnormal"  # it raised, running or while it stopped
    HUNG = "hung"  # it was busy beyond its heartbeat limit, and cancelled
    KILLED = "killed"  # it was cancelled, at once or past its stop limit
    START_FAILED = "start_failed"  # it ended, or its time ran out, before it was ready
    IGNORED = "ignored"  # it raised Ignore before it was ready; not reported


class Context(enum.Enum):
    """What the supervisor was doing with the child when it ended."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STUCK = "stuck"  # cancelled, and still there


@attrs.frozen(kw_only=True)
class Ending:
    """The end of one life."""

    reason: Reason
    context: Context
    error: Exception | None = None
    type: str = ""  # of the exception, "" without one
    message: str = ""
    stack: str = ""

    def is_failure(self) -> bool:
        """True if a transient child is restarted after it."""
        return self.reason not in (Reason.NORMAL, Reason.SHUTDOWN, Reason.IGNORED)


@attrs.frozen(kw_only=True)
class ExitReport:
    """One end of one life, told once."""

    supervisor: str  # path
    child: str  # path
    life: int  # 1 for the first
    reason: Reason
    context: Context
    restarts_left: int  # of the supervisor, in its present window
    type: str
    message: str
    stack: str  # of the exception; of the task for one that hung or is stuck


@attrs.frozen(kw_only=True)
class Verdict:
    """What the supervisor found before it cancelled a life; it outweighs how the life then ends."""

    reason: Reason
    message: str
    stack: str


class EndedBeforeReady(Exception):
    """A child returned before it was ready: a start that failed."""


class StartFailed(Exception):
    """The first start of a tree failed; all that had started was stopped again.

    `child` is the path of the child, `cause` what it raised: another StartFailed if the child is
    a supervisor, None if it had simply not become ready.
    """

    def __init__(self, child: str, ending: Ending) -> None:
        super().__init__(f"{child} did not start: {ending.type} {ending.message}".rstrip())
        self.child = child
        self.cause = ending.error


class GaveUp(Exception):
    """A supervisor restarted too often and has stopped all its children."""

    def __init__(self, supervisor: str, child: str, ending: Ending) -> None:
        super().__init__(f"{supervisor} gave up on {child}: {ending.type} {ending.message}")
        self.supervisor = supervisor
        self.child = child  # whose end was one too many
        self.cause = ending.error


def ending_of(
    *,
    error: Exception | None,
    verdict: Verdict | None,
    is_ready: bool,
    is_asked: bool,
    is_cancelled: bool,
) -> Ending:
    """The ending of a life that raised `error` (None: returned, or was cancelled cleanly)."""
    context = _context_of(is_ready=is_ready, is_asked=is_asked)
    if verdict is not None:
        return Ending(
            reason=verdict.reason,
            context=context,
            error=error,
            type=type(error).__name__ if error is not None else "",
            message=verdict.message,
            stack=verdict.stack,
        )
    if is_cancelled:
        return _with_error(Reason.KILLED, context, error)
    if is_asked and (error is None or _is_only(error, (EndOfMailbox, Shutdown, Ignore))):
        return Ending(reason=Reason.SHUTDOWN, context=context)
    if not is_ready:
        return _before_ready(context, error)
    if error is None or _is_only(error, EndOfMailbox):
        return Ending(reason=Reason.NORMAL, context=context)
    if _is_only(error, Shutdown):
        return Ending(reason=Reason.SHUTDOWN, context=context, message=str(error))
    return _with_error(Reason.ABNORMAL, context, error)


def split_foreign(raised: BaseException) -> tuple[Exception | None, BaseException | None]:
    """The part of `raised` that is the child's failure, and the part that concerns the program.

    The second part is a cancellation from outside the tree, KeyboardInterrupt or SystemExit.
    """
    if isinstance(raised, Exception):
        return raised, None
    if isinstance(raised, BaseExceptionGroup):
        return raised.split(Exception)
    return None, raised


def stack_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))[-STACK_CHARS_MAX:]


def _before_ready(context: Context, error: Exception | None) -> Ending:
    if error is None:
        error = EndedBeforeReady("returned before it was ready")
    elif _is_only(error, Ignore):
        return Ending(reason=Reason.IGNORED, context=context)
    return _with_error(Reason.START_FAILED, context, error)


def _with_error(reason: Reason, context: Context, error: Exception | None) -> Ending:
    if error is None:
        return Ending(reason=reason, context=context)
    return Ending(
        reason=reason,
        context=context,
        error=error,
        type=type(error).__name__,
        message=str(error),
        stack=stack_of(error),
    )


def _context_of(*, is_ready: bool, is_asked: bool) -> Context:
    if is_asked:
        return Context.STOPPING
    return Context.RUNNING if is_ready else Context.STARTING


def _is_only(error: Exception, kinds: type[Exception] | tuple[type[Exception], ...]) -> bool:
    """Is this one of `kinds`, or a group of nothing else?"""
    if isinstance(error, ExceptionGroup):
        return error.split(kinds)[1] is None
    return isinstance(error, kinds)
