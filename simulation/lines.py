"""What `tapgrid simulate` prints."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from simulation.campaign import Tally
from simulation.run import Outcome
from simulation.scenario import Fault, FaultKind, Scenario
from simulation.shrink import Bounds, Shrunk

LINES_SHOWN: Final = 25
"""Of the trace, before a violation."""
WIDTH_MAX: Final = 400
"""Of a line that shows what was seen: a whole page of bets is of no help."""
FAULT_COUNT: Final = "fault."


def single(tally: Tally, *, took_s: float) -> Iterator[str]:
    """One run: what happened in it, and how fast it was."""
    [(seed, trace_hash)] = tally.hashes.items()
    yield from _counts(tally.counts.items())
    found = "VIOLATED" if tally.violated else "clean"
    yield f"seed {seed}: {found}, {_speed(tally, took_s)}, trace {trace_hash[:16]}"


def campaign(tally: Tally, *, took_s: float) -> Iterator[str]:
    """Many: the faults in a table, then what else happened."""
    yield f"{'fault':<18}{'planned':>10}{'took effect':>13}{'in runs':>9}"
    for kind in FaultKind:
        name = f"{FAULT_COUNT}{kind.value}"
        struck = f"{tally.counts[name]:>13,}{tally.runs_with[name]:>9,}"
        yield f"{kind.value:<18}{tally.planned[kind]:>10,}{struck}"
    yield from _counts(
        (what, count) for what, count in tally.counts.items() if not what.startswith(FAULT_COUNT)
    )
    found = f"{len(tally.violated):,} VIOLATED" if tally.violated else "all clean"
    runs = f"{tally.runs:,} {'run' if tally.runs == 1 else 'runs'}"
    yield f"{runs}: {found}, {_speed(tally, took_s)}, trace {tally.trace_hash()[:16]}"


def violation_line(outcome: Outcome) -> str:
    """What, where and when, on one line."""
    violation = outcome.violations[0]
    return f"seed {outcome.scenario.seed}: VIOLATED {violation.what} at {violation.at_s:.3f} s"


def violated(outcome: Outcome, command: str) -> Iterator[str]:
    """All that is known of one violation, and what runs it again."""
    violation, scenario = outcome.violations[0], outcome.scenario
    yield ""
    yield f"{violation_line(outcome)}, {_date(scenario, violation.at_s)} of the venue"
    yield from (_cut(f"  {line}") for line in violation.details.splitlines())
    yield "the last of its trace:"
    yield from (_cut(f"  {line}") for line in _before(outcome.last_lines))
    until = [fault for fault in scenario.faults if fault.at_s <= violation.at_s]
    yield f"its faults until then ({len(until)} of {len(scenario.faults)}):"
    yield from (f"  {_fault(fault)}" for fault in until)
    yield f"replay: {command}"


def shrunk(before: Scenario, found: Shrunk, path: Path) -> Iterator[str]:
    """How small it has become, what is left, and what runs it."""
    after = found.scenario
    yield ""
    if not found.failed_again:
        yield f"seed {before.seed} DID NOT FAIL AGAIN: the run is not the same each time ({path})"
        return
    yield f"seed {before.seed}, made smaller in {found.runs} runs: {_sizes(before, after)}"
    if found.is_cut_short:
        most = f"{Bounds().runs} runs or {Bounds().venue_s:,.0f} venue seconds"
        yield f"  no more was tried, after {most}: its replay goes on with that"
    yield from (f"  {_fault(fault)}" for fault in after.faults)
    yield f"replay: tapgrid simulate --faults {path}"


def _before(trace: tuple[str, ...]) -> tuple[str, ...]:
    """The last lines before the violation; after it everything is merely cancelled."""
    until = next((at for at, line in enumerate(trace) if " VIOLATED " in line), len(trace))
    return trace[max(0, until - LINES_SHOWN) : until]


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH_MAX else f"{line[:WIDTH_MAX]} ..."


def _sizes(before: Scenario, after: Scenario) -> str:
    parts = [
        ("faults", len(before.faults), len(after.faults)),
        ("actions", len(before.actions), len(after.actions)),
        ("settings", len(before.settings), len(after.settings)),
        ("seconds", before.seconds, after.seconds),
    ]
    return ", ".join(f"{name} {old:,g} -> {new:,g}" for name, old, new in parts)


def _counts(counts: Iterable[tuple[str, int]]) -> Iterator[str]:
    yield from (f"{what:<28}{count:>13,}" for what, count in sorted(counts))


def _fault(fault: Fault) -> str:
    said = [f"{fault.at_s:>9.3f} s  {fault.kind.value}"]
    said += [f"for {fault.lasts_s:g} s"] if fault.lasts_s else []
    said += [fault.target] if fault.target else []
    said += [f"amount {fault.amount}"] if fault.amount else []
    return "  ".join(said)


def _speed(tally: Tally, took_s: float) -> str:
    ratio = f" ({tally.venue_s / took_s:,.0f} x)" if took_s else ""
    return f"{tally.venue_s:,.0f} venue seconds in {took_s:,.1f} s{ratio}"


def _date(scenario: Scenario, at_s: float) -> str:
    when = datetime.fromtimestamp(scenario.epoch_ms / 1000 + at_s, UTC)
    return f"{when:%Y-%m-%d %H:%M:%S} UTC"
