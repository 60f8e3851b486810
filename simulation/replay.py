"""A scenario in a file: to be replayed, shrunk further, or kept as a regression.

One fault or action a line, so that it can be read and edited by hand; what has its usual value is
left out. `note` says what the run has shown. What a later version of the venue can't run as it
stands, since a setting or an actor has another name there, is refused.
"""

import json
from pathlib import Path
from typing import Any

import attrs

from simulation.checking import faults_of
from simulation.scenario import Action, Fault, Scenario


@attrs.frozen(kw_only=True)
class Replay:
    """What such a file holds."""

    scenario: Scenario
    note: str = ""


def text_of(replay: Replay) -> str:
    """As `replay_of` reads it."""
    scenario = replay.scenario
    head = {
        "note": replay.note,
        "seed": scenario.seed,
        "seconds": scenario.seconds,
        "epoch_ms": scenario.epoch_ms,
        "settings": scenario.settings,
        "traders": scenario.traders,
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    lines += [f'"{key}": {_listed(getattr(scenario, key))}' for key in ("faults", "actions")]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def replay_of(text: str) -> Replay:
    """Raises ValueError, with the reason, if it is none."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("not a scenario: not an object")
    note = str(found.pop("note", ""))
    scenario = Scenario.from_json(json.dumps(found))
    if wrong := [*faults_of(scenario)]:
        raise ValueError("\n  ".join(("not a scenario that can be run:", *wrong)))
    return Replay(scenario=scenario, note=note)


def read(path: Path) -> Replay:
    """Raises OSError and ValueError."""
    return replay_of(path.read_text(encoding="utf-8"))


def write(path: Path, replay: Replay) -> None:
    """Over what is there. Raises OSError."""
    path.write_text(text_of(replay), encoding="utf-8")


def _listed(items: tuple[Fault, ...] | tuple[Action, ...]) -> str:
    lines = ",\n  ".join(json.dumps(_said(item)) for item in items)
    return f"[\n  {lines}\n]" if lines else "[]"


def _said(item: Fault | Action) -> dict[str, Any]:
    return {
        field.name: getattr(item, field.name)
        for field in attrs.fields(type(item))
        if field.default is attrs.NOTHING or getattr(item, field.name) != field.default
    }
