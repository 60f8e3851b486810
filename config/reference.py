"""Settings for people: those in force as lines, and the reference page.

The descriptions are the comments of `default.toml`, so that they stand where a setting is looked
up first and are written once.
"""

import re
from collections.abc import Iterator
from functools import reduce
from typing import Final, get_type_hints

from config.layers import environment_name
from config.rules import Rule, Table
from config.settings import DEFAULT_FILE, RULES, Loaded, Settings, load

PAGE_HEAD: Final = """\
# Configuration

<!-- Made by `make docs` from config/default.toml and config/settings.py. Edit those. -->

Every setting has a default in `config/default.toml`. What wins over it, the later over the earlier:

1. a file given with `--config FILE`, of the same form; `config/production.toml` is a first one
2. the environment: `TAPGRID_SECTION__KEY`, or `TAPGRID_SECTION__KEY_FILE` for a file that holds the
   value
3. `--set section.key=value` on the command line, as often as needed
4. the flags of the command: `--host`, `--port`, `--feed`, `--demo`

Unknown keys, bad types and values that are not allowed are refused, all at once, before anything
starts. Other variables that begin with `TAPGRID_` count as unknown keys. Secrets are taken from the
environment, or a file that it names, only. Lists are written `[1, 2]`, or `1, 2` outside of TOML.
`tapgrid check-config` prints the settings in force, and where each came from.
"""


def effective(loaded: Loaded) -> list[str]:
    """One line a setting: `section.key = value  # origin`; secrets are masked."""
    shown = {path: f"{path} = {rule.shown(_value(loaded, path))}" for path, rule in RULES.items()}
    width = min(60, max(map(len, shown.values())))
    return [f"{text:<{width}}  # {_origin(loaded, path)}" for path, text in shown.items()]


def page() -> str:
    """`docs/configuration.md`."""
    return "\n".join([PAGE_HEAD, *_sections()])


def _sections() -> Iterator[str]:
    comments = _comments()
    defaults = load()
    for section, kind in get_type_hints(Settings).items():
        yield f"## {section}\n\n{(kind.__doc__ or '').strip()}\n"
        yield "| key | default | allowed | |"
        yield "|---|---|---|---|"
        for key in get_type_hints(kind):
            path = f"{section}.{key}"
            yield _row(path, RULES[path], defaults, comments[path])
        yield ""


def _row(path: str, rule: Rule, defaults: Loaded, comment: str) -> str:
    default = rule.shown(_value(defaults, path))
    name = environment_name(path) + ("__NAME" if isinstance(rule, Table) else "")
    cells = (f"`{path}`<br>`{name}`", f"`{default}`", rule.allowed, comment)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _value(loaded: Loaded, path: str) -> object:
    return reduce(getattr, path.split("."), loaded.settings)


def _origin(loaded: Loaded, path: str) -> str:
    """Where the value came from; of a table also where each of its entries did."""
    entries = [
        f"{key.rpartition('.')[2]}: {origin}"
        for key, origin in loaded.origins.items()
        if key.startswith(f"{path}.")
    ]
    return ", ".join(entries) or loaded.origins[path]


def _comments() -> dict[str, str]:
    """The comment behind each key of the file of defaults, by `section.key`."""
    found: dict[str, str] = {}
    section = ""
    for line in DEFAULT_FILE.read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"\[(\w+)\].*", line):
            section = heading[1]
        elif entry := re.fullmatch(r"(\w+) = (?:.*?)\s+# (.+)", line):
            found[f"{section}.{entry[1]}"] = entry[2]
    return found
