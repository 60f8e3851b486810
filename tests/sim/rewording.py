"""Break the product on purpose: a line of it says something else, for as long as a patch lasts.

The old text must stand there exactly as often as is said, so that a mutation whose line has changed
fails loudly instead of breaking nothing.
"""

import importlib
import importlib.resources
import inspect
import sys
import textwrap
from pathlib import Path
from typing import Any

import attrs
import pytest

Patch = pytest.MonkeyPatch
FOLDER = Path(__file__).resolve().parents[2] / "db"


def reword(patch: Patch, where: str, old: str, new: str) -> None:
    """The function `module:name` or `module:Class.name`, with `old` in its source replaced."""
    module_name, _, path = where.partition(":")
    module = importlib.import_module(module_name)
    owner_path, _, name = path.rpartition(".")
    owner: Any = getattr(module, owner_path) if owner_path else module
    original = inspect.getattr_static(owner, name)
    before = getattr(original, "reworded", None) or textwrap.dedent(inspect.getsource(original))
    after, made = replaced(before, old, new), dict[str, Any]()
    exec(compile(after, where, "exec"), vars(module), made)
    made[name].reworded = after  # a second change of it begins here
    patch.setattr(owner, name, made[name])
    if owner is module:
        _tell_importers(patch, name, original, made[name])


def _tell_importers(patch: Patch, name: str, original: object, made: object) -> None:
    """Whoever has imported the function by its name gets the new one."""
    for module in list(sys.modules.values()):
        if getattr(module, "__dict__", {}).get(name) is original:
            patch.setattr(module, name, made)


def resql(patch: Patch, where: str, old: str, new: str) -> None:
    """The text constant `module:NAME`, with `old` replaced; also in a tuple of texts."""
    module_name, _, name = where.partition(":")
    module = importlib.import_module(module_name)
    before = getattr(module, name)
    after = replaced(before, old, new)
    for other, value in list(vars(module).items()):
        if value is before:
            patch.setattr(module, other, after)
        elif isinstance(value, tuple) and before in value:
            patch.setattr(module, other, tuple(after if one is before else one for one in value))


def refile(patch: Patch, name: str, *changes: tuple[str, str]) -> None:
    """The file `name` below `db/`, as the product reads it, with each old text replaced."""
    text = (FOLDER / name).read_text("utf-8")
    for old, new in changes:
        text = replaced(text, old, new)
    real = importlib.resources.files

    def files(package: str) -> Any:
        found = real(package)
        return Reworded(found, "", {name: text}) if package == "db" else found

    patch.setattr(importlib.resources, "files", files)


@attrs.frozen
class Reworded:
    """A folder of resources, or a file of it, some of whose texts are others."""

    found: Any
    path: str
    texts: dict[str, str]

    @property
    def name(self) -> str:
        return str(self.found.name)

    def __truediv__(self, name: str) -> "Reworded":
        path = f"{self.path}/{name}" if self.path else name
        return Reworded(self.found / name, path, self.texts)

    def __str__(self) -> str:
        return str(self.found)

    def iterdir(self) -> Any:
        return (self / one.name for one in self.found.iterdir())

    def read_text(self, encoding: str) -> str:
        text = self.texts.get(self.path)
        return str(self.found.read_text(encoding)) if text is None else text


def replaced(text: str, old: str, new: str) -> str:
    """`text` with its one `old` replaced."""
    count = text.count(old)
    assert count == 1, f"{old!r} stands there {count} times, not once"
    return text.replace(old, new)
