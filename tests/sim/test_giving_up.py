"""How many ends of its children a supervisor has to bear before it may give up."""

import pytest

from simulation.giving_up import Failures
from supervisor import Context, ExitReport, Reason


def an_end(
    child: str = "venue/batcher",
    reason: Reason = Reason.ABNORMAL,
    context: Context = Context.RUNNING,
) -> ExitReport:
    return ExitReport(
        supervisor=child.rpartition("/")[0],
        child=child,
        life=1,
        reason=reason,
        context=context,
        restarts_left=3,
        type="",
        message="",
        stack="",
    )


def after(*at_s: float, ended: ExitReport | None = None) -> Failures:
    failures = Failures()
    for now_s in at_s:
        failures.note(now_s, ended or an_end())
    return failures


@pytest.mark.parametrize(
    ("at_s", "is_so"),
    [
        ((), False),
        ((1, 2, 3, 4, 5), False),
        ((1, 2, 3, 4, 5, 31), True),
        ((1, 2, 3, 4, 5, 31.1), False),
        ((1, 20, 30, 40, 41, 42, 43), True),
    ],
)
def test_six_ends_within_thirty_seconds_are_too_many(at_s: tuple[float, ...], is_so: bool) -> None:
    assert after(*at_s).were_too_many("venue") == is_so


def test_each_supervisor_counts_for_itself() -> None:
    failures = after(*range(6))
    assert not failures.were_too_many("venue/market")
    failures = after(*range(10), ended=an_end("venue/upkeep/archiver"))
    assert not failures.were_too_many("venue/upkeep")
    failures.note(100, an_end("venue/upkeep/auditor"))
    assert failures.were_too_many("venue/upkeep")


def test_who_was_told_to_stop_has_not_failed() -> None:
    asked = an_end(reason=Reason.KILLED, context=Context.STOPPING)
    assert not after(*range(9), ended=asked).were_too_many("venue")
    assert not after(*range(9), ended=an_end(reason=Reason.SHUTDOWN)).were_too_many("venue")


def test_a_new_life_counts_anew() -> None:
    failures = after(*range(6), ended=an_end("venue/market/quoter"))
    assert failures.were_too_many("venue/market")
    failures.note(7, an_end("venue/market"))
    assert not failures.were_too_many("venue/market")


def test_attempts_to_begin_a_stuck_child_anew_are_not_told_of() -> None:
    failures = Failures()
    failures.note(1, an_end("venue/market/quoter", Reason.HUNG, Context.STUCK))
    assert failures.were_too_many("venue/market")
    assert failures.were_too_many("venue")
    assert not failures.were_too_many("venue/upkeep")
