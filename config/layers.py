"""The layers that settings come from: TOML, environment, `--set` and flags.

Each layer is a list of what it gives (checked, in its final form) and of its faults. Unknown keys
are faults everywhere: a misspelt limit that is silently ignored is a limit that is not there.
Secrets are taken from the environment, or a file that it names, only: other places end up in
shell histories, process lists and version control.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import attrs

from config.rules import Rule, Table

ENVIRONMENT_PREFIX: Final = "TAPGRID_"
VALUE_BYTES_MAX: Final = 4096
SHOWN_MAX: Final = 80  # of a refused value: enough to know it again

Rules: TypeAlias = Mapping[str, Rule]


@attrs.frozen(kw_only=True)
class Given:
    """One value, allowed by its rule."""

    path: str
    value: object
    origin: str


@attrs.frozen(kw_only=True)
class Fault:
    """One thing that is wrong. Its text never holds a value that is a secret."""

    path: str
    why: str
    origin: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why} ({self.origin})"


Layer: TypeAlias = list[Given | Fault]


def environment_name(path: str) -> str:
    """`grid.column_s` -> `TAPGRID_GRID__COLUMN_S`."""
    return ENVIRONMENT_PREFIX + path.replace(".", "__").upper()


def rule_of(path: str, rules: Rules) -> Rule | None:
    """The rule of a key, or of one entry of a table (`ops.tokens.alice`); None: no such key."""
    table, _, name = path.rpartition(".")
    parent = rules.get(table)
    if isinstance(parent, Table):
        return parent.each if parent.takes_name(name) else None
    return rules.get(path)


def toml_layer(file: Path, rules: Rules, *, origin: str) -> Layer:
    """What a TOML file gives."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # undecodable text and bad TOML are ValueErrors
        return [Fault(path=str(file), why=f"can't be read: {error}", origin=origin)]
    return [_checked(path, value, rules, origin=origin) for path, value in _flat(tables)]


def environment_layer(environ: Mapping[str, str], rules: Rules) -> Layer:
    """What the `TAPGRID_` variables give; `..._FILE` names a file that holds the value."""
    names = sorted(name for name in environ if name.startswith(ENVIRONMENT_PREFIX))
    return [_variable(name, environ, rules) for name in names]


def settings_layer(sets: Sequence[str], rules: Rules) -> Layer:
    """What `--set section.key=value` texts give; the last of two for one key wins."""
    layer: Layer = []
    for text in sets:
        path, equals, value = text.partition("=")
        if not equals:
            layer.append(Fault(path=path, why="write section.key=value", origin="--set"))
        else:
            layer.append(_spelled(path.strip(), value.strip(), rules, origin="--set"))
    return layer


def flags_layer(flags: Mapping[str, object], rules: Rules) -> Layer:
    """What the command's own flags give."""
    return [_checked(path, value, rules, origin="flag") for path, value in flags.items()]


def _flat(tables: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """`section.key` and value of each entry; a section that is no table stands for itself."""
    for section, table in tables.items():
        if isinstance(table, Mapping):
            yield from ((f"{section}.{key}", value) for key, value in table.items())
        else:
            yield section, table


def _variable(name: str, environ: Mapping[str, str], rules: Rules) -> Given | Fault:
    path = name.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
    origin = f"env {name}"
    if name != name.upper():
        return Fault(path=path, why="write environment names in capitals", origin=origin)
    if not path.endswith("_file"):
        return _spelled(path, environ[name], rules, origin=origin, may_be_secret=True)
    path = path.removesuffix("_file")
    if environment_name(path) in environ:
        return Fault(path=path, why=f"{environment_name(path)} gives it too", origin=origin)
    try:
        text = _content(Path(environ[name]))
    except (OSError, ValueError) as error:
        return Fault(path=path, why=f"can't be read: {error}", origin=origin)
    return _spelled(path, text, rules, origin=origin, may_be_secret=True)


def _content(file: Path) -> str:
    """The text of a file without its last line's end, as editors and `echo` leave one."""
    with file.open("rb") as opened:
        content = opened.read(VALUE_BYTES_MAX + 1)
    if len(content) > VALUE_BYTES_MAX:
        raise ValueError(f"longer than {VALUE_BYTES_MAX:,} bytes")
    return content.decode("utf-8").removesuffix("\n").removesuffix("\r")


def _spelled(
    path: str, text: str, rules: Rules, *, origin: str, may_be_secret: bool = False
) -> Given | Fault:
    """The value that `text` spells for `path`."""
    rule = rule_of(path, rules)
    if rule is None:
        return Fault(path=path, why=_unknown(path, rules), origin=origin)
    try:
        value = rule.from_text(text)
    except ValueError:
        return _refused(path, text, rule, origin=origin)
    return _checked(path, value, rules, origin=origin, may_be_secret=may_be_secret)


def _checked(
    path: str, value: object, rules: Rules, *, origin: str, may_be_secret: bool = False
) -> Given | Fault:
    """The value, if `path` is a key and its rule allows it."""
    rule = rule_of(path, rules)
    if rule is None:
        return Fault(path=path, why=_unknown(path, rules), origin=origin)
    if rule.secret(value) and not may_be_secret:
        name = environment_name(path)
        return Fault(path=path, why=f"a secret: give it in {name} or {name}_FILE", origin=origin)
    try:
        return Given(path=path, value=rule.check(value), origin=origin)
    except ValueError:
        return _refused(path, value, rule, origin=origin)


def _refused(path: str, value: object, rule: Rule, *, origin: str) -> Fault:
    shown = "this value" if rule.secret(value) else repr(value)[:SHOWN_MAX]
    return Fault(path=path, why=f"{shown} is not allowed: {rule.allowed}", origin=origin)


def _unknown(path: str, rules: Rules) -> str:
    section, _, _ = path.partition(".")
    known = [key.partition(".")[2] for key in rules if key.startswith(f"{section}.")]
    if known:
        return f"unknown key; {section} has {', '.join(known)}"
    sections = dict.fromkeys(key.partition(".")[0] for key in rules)
    return f"unknown section; there are {', '.join(sections)}"
