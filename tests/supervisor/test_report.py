"""How the end of a life is named."""

import pytest

from supervisor import EndOfMailbox, Ignore, Reason, Shutdown
from supervisor.report import ending_of, split_foreign


def _reason(error, *, ready=True, asked=False, cancelled=False):
    return ending_of(
        error=error, verdict=None, is_ready=ready, is_asked=asked, is_cancelled=cancelled
    ).reason


@pytest.mark.parametrize(
    ("error", "ready", "asked", "cancelled", "reason"),
    [
        (None, True, False, False, Reason.NORMAL),
        (EndOfMailbox(), True, False, False, Reason.NORMAL),
        (Shutdown(), True, False, False, Reason.SHUTDOWN),
        (ExceptionGroup("", [Shutdown()]), True, False, False, Reason.SHUTDOWN),
        (OSError(), True, False, False, Reason.ABNORMAL),
        (ExceptionGroup("", [Shutdown(), OSError()]), True, False, False, Reason.ABNORMAL),
        (Ignore(), True, False, False, Reason.ABNORMAL),
        (None, True, True, False, Reason.SHUTDOWN),
        (EndOfMailbox(), True, True, False, Reason.SHUTDOWN),
        (ExceptionGroup("", [EndOfMailbox()]), True, True, False, Reason.SHUTDOWN),
        (OSError(), True, True, False, Reason.ABNORMAL),
        (None, True, True, True, Reason.KILLED),
        (OSError(), True, True, True, Reason.KILLED),
        (None, False, False, False, Reason.START_FAILED),
        (OSError(), False, False, False, Reason.START_FAILED),
        (Ignore(), False, False, False, Reason.IGNORED),
        (ExceptionGroup("", [Ignore()]), False, False, False, Reason.IGNORED),
        (None, False, True, False, Reason.SHUTDOWN),
    ],
)
def test_reason(error, ready, asked, cancelled, reason):
    assert _reason(error, ready=ready, asked=asked, cancelled=cancelled) is reason


def test_what_concerns_the_program_is_told_from_the_childs_own_failure():
    own, interrupt = OSError(), KeyboardInterrupt()
    assert split_foreign(own) == (own, None)
    assert split_foreign(interrupt) == (None, interrupt)
    failure, foreign = split_foreign(BaseExceptionGroup("", [own, interrupt]))
    assert failure.exceptions == (own,)
    assert foreign.exceptions == (interrupt,)
