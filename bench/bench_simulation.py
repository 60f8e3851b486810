"""How much faster than time itself the simulated venue runs, with everything that watches it.

    .venv/bin/python -m bench.bench_simulation [--minutes N] [--runs N]

Some two ticks, one quote of a small grid (12 columns x 10 rows) and one bet a second, placed over a
WebSocket by three traders; then the same with the faults and the people that seeds draw. Medians of
the runs; each run is timed whole, from the first file that it makes to the last look at the money.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from typing import Final

import structlog

from simulation.drawing import draw
from simulation.run import Outcome, simulate
from simulation.scenario import Action, ActionKind, Scenario

EPOCH_MS: Final = 1_770_100_000_000
TRADERS: Final = 3
FIRST_TAP_S: Final = 40.0
"""The feed has been steady by then, and people have signed in."""
SETTINGS: Final = {
    "grid.rows": 10,
    "quotes.interval_ms": 1_000,
    "limits.bets_per_minute": 1_000,
    "limits.bets_burst": 100,
    "limits.sign_ins_per_minute": 60,
}
DRAWN: Final = range(1, 7)


def main() -> None:
    """Run it, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    seconds = arguments.minutes * 60
    plain = [timed(plain_scenario(seconds)) for _ in range(arguments.runs)]
    drawn = [timed(draw(seed, seconds=seconds)) for seed in DRAWN]
    print(
        json.dumps(
            {
                "bench": "simulation",
                "minutes": arguments.minutes,
                "plain_times_real_time": round(statistics.median(times for times, _ in plain)),
                "plain_counts": dict(plain[0][1].counts),
                "drawn_times_real_time": [round(times) for times, _ in drawn],
                "violations": [str(v) for _, outcome in plain + drawn for v in outcome.violations],
            }
        )
    )


def timed(scenario: Scenario) -> tuple[float, Outcome]:
    """Venue seconds per second of this machine, and what the run came to."""
    began = time.perf_counter()
    outcome = simulate(scenario)
    return outcome.venue_s / (time.perf_counter() - began), outcome


def plain_scenario(seconds: float) -> Scenario:
    """A tap a second, and nothing goes wrong."""
    return Scenario(
        seed=1,
        seconds=seconds,
        epoch_ms=EPOCH_MS,
        settings=dict(SETTINGS),
        traders=TRADERS,
        actions=tuple(taps(seconds)),
    )


def taps(seconds: float) -> Iterator[Action]:
    """Over the near cells, in turn."""
    for number in range(int(seconds - FIRST_TAP_S)):
        yield Action(
            at_s=FIRST_TAP_S + number,
            who=number % TRADERS,
            kind=ActionKind.TAP,
            column=number % 7,
            row=number % 5 - 2,
            way="ws key",
        )


if __name__ == "__main__":
    main()
