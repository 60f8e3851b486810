"""A blocking call that somebody waits for without being bound to it.

Calls into a network library end by themselves, but only after time-outs that allow for a slow
service: 30 seconds of silence are nothing unusual, and a drain waits for one. So the call is made
on a thread of its own; the caller looks up four times a second and may leave.
"""

import math
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, TypeVar

LOOK_EVERY_S: Final = 0.25

T = TypeVar("T")


class StillRunning(Exception):
    """The call did not end in the time it was given. It goes on, and nobody waits for it."""


def watched_call(
    call: Callable[[], T],
    *,
    foreseen: tuple[type[Exception], ...],
    look: Callable[[], None],
    within_s: float,
) -> T:
    """What `call` returns or raises; `look` is called meanwhile, and what it raises ends the wait.

    `foreseen` is what the call may raise; anything else is raised here and shown by the thread too.
    A call that was left ends on its own: it must have time-outs, and may change nothing by then
    that its caller has not reckoned with. Raises StillRunning.
    """
    answer: Future[T] = Future()
    # A daemon, so that a call that was left can't hold up the end of the process.
    threading.Thread(target=_answer, args=(call, foreseen, answer), daemon=True).start()
    for _ in range(math.ceil(within_s / LOOK_EVERY_S)):
        try:
            return answer.result(timeout=LOOK_EVERY_S)
        except TimeoutError:
            if answer.done():
                return answer.result()  # it was the call's own, or it ended this moment
        look()
    raise StillRunning(f"no answer within {within_s:g} s")


def _answer(
    call: Callable[[], T], foreseen: tuple[type[Exception], ...], answer: Future[T]
) -> None:
    try:
        answer.set_result(call())
    except foreseen as error:
        answer.set_exception(error)
    except BaseException as error:
        answer.set_exception(error)
        raise
