"""An ask: a command with exactly one answer, and a deadline.

The asker gets one of three: the answer; `Refused`, at once, when the command was certainly not
taken; `StatusUnknown` when it may or may not have been carried out. Only the last needs care: it is
looked up, or asked again under the same id.
"""

from typing import Generic, TypeVar

import attrs
import trio

from supervisor.inbox import MailboxClosed, RefusedBecause, WhenFull
from supervisor.mailbox import Mailbox

Q = TypeVar("Q")
A = TypeVar("A")


@attrs.frozen(kw_only=True)
class Refused:
    """The question was not taken, and never will be: nothing has happened."""

    reason: RefusedBecause


@attrs.frozen(kw_only=True)
class StatusUnknown:
    """No answer came in time, or whoever had the question ended: it may have been carried out."""


_UNKNOWN = StatusUnknown()


class Ask(Generic[Q, A]):
    """A question on its way, as the answering actor receives it."""

    __slots__ = ("_answer", "_done", "deadline", "question")

    def __init__(self, question: Q, deadline: float) -> None:
        self.question = question
        self.deadline = deadline  # trio's clock; after it nobody waits for the answer
        self._answer: A | StatusUnknown = _UNKNOWN
        self._done = trio.Event()

    def expired(self) -> bool:
        """True if the asker no longer waits, by the deadline."""
        return trio.current_time() >= self.deadline

    def answered(self) -> bool:
        return self._done.is_set()

    def answer(self, value: A) -> None:
        """Give the answer. The first one wins; never blocks; no error if the asker has gone."""
        if not self._done.is_set():
            self._answer = value
            self._done.set()

    def discard(self) -> None:
        """Tell the asker now that no answer will come. Does nothing after an answer."""
        self._done.set()

    async def wait_answer(self) -> A | StatusUnknown:
        """For the asker: the answer, or StatusUnknown at the deadline or when discarded."""
        with trio.move_on_at(self.deadline):
            await self._done.wait()
        return self._answer


async def ask(
    mailbox: Mailbox[Ask[Q, A]], question: Q, *, within_s: float
) -> A | Refused | StatusUnknown:
    """Send `question` and wait for its answer, `within_s` seconds in all.

    A full mailbox that says WAIT is waited for; if there is no room by the deadline the question
    was never in, so that is a refusal too. Cancelling the caller does not take the question back.
    """
    await trio.lowlevel.checkpoint_if_cancelled()
    asked: Ask[Q, A] = Ask(question, trio.current_time() + within_s)
    if mailbox.when_full is WhenFull.REFUSE:
        refused = mailbox.try_send(asked)  # waiting for the answer is checkpoint enough
    else:
        refused = await _send_in_time(mailbox, asked)
    if refused is not None:
        return Refused(reason=refused)
    return await asked.wait_answer()


async def _send_in_time(mailbox: Mailbox[Ask[Q, A]], asked: Ask[Q, A]) -> RefusedBecause | None:
    with trio.move_on_at(asked.deadline):
        try:
            await mailbox.send(asked)
        except MailboxClosed:
            return RefusedBecause.CLOSED
        return None
    return RefusedBecause.FULL
