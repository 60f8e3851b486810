"""A run ends, in venue time, whatever the venue does: who waits for it in vain says so."""

import pytest
import trio

from simulation.drawing import draw
from simulation.people.crowd import Crowd
from simulation.people.trader import Trader
from simulation.process import VenueProcess
from simulation.run import Outcome, simulate
from simulation.scenario import Scenario

pytestmark = pytest.mark.slow

EPOCH_MS = 1_770_100_000_000
SECONDS = 5.0


def ended(traders: int = 2) -> Outcome:
    return simulate(Scenario(seed=1, seconds=SECONDS, epoch_ms=EPOCH_MS, traders=traders))


def violation(outcome: Outcome) -> tuple[str, float]:
    """What it was, and how long after people stopped."""
    [found] = outcome.violations
    return found.what, round(found.at_s - SECONDS)


async def for_ever(*_given: object) -> str:
    await trio.sleep_forever()
    raise AssertionError


def test_people_who_are_never_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trader, "sign_in", for_ever)
    outcome = ended()
    assert violation(outcome) == ("people_never_done", 300)
    assert "[0, 1]" in outcome.violations[0].details


def test_people_who_never_get_an_answer_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulation.people.crowd.reckon", for_ever)
    what, after_s = violation(ended())
    assert (what, 600 <= after_s < 610) == ("people_never_done", True)


@pytest.mark.parametrize(("traders", "after_s"), [(2, 300), (0, 180)])
def test_a_venue_that_never_comes_up(
    traders: int, after_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With people and without."""

    async def hangs(process: VenueProcess) -> None:
        await trio.sleep_forever()

    monkeypatch.setattr(VenueProcess, "run", hangs)
    assert violation(ended(traders)) == ("venue_not_up", after_s)


def test_a_venue_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VenueProcess, "drain", lambda process: None)
    what, after_s = violation(ended(traders=0))
    assert (what, after_s < 180) == ("venue_never_ends", True)


def test_who_is_late_for_what_he_has_begun_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hearing no answer for a while is no violation."""
    come = Crowd._come

    async def late(crowd: Crowd, trader: Trader) -> None:
        await trio.sleep_until(SECONDS + 250)
        await come(crowd, trader)

    monkeypatch.setattr(Crowd, "_come", late)
    assert ended().violations == ()
    assert simulate(draw(1, seconds=SECONDS)).violations == ()
