"""The settings in force as lines for people, with secrets masked."""

from collections.abc import Iterator
from functools import reduce
from typing import Final

from config.settings import RULES, Loaded

COLUMN: Final = 62
"""Where the origins begin: behind all but a few long lists and addresses."""


def effective(loaded: Loaded) -> list[str]:
    """One line a setting: `section.key = value  # origin`."""
    return [
        f"{f'{path} = {rule.shown(setting(loaded, path))}':<{COLUMN}}  # {_origin(loaded, path)}"
        for path, rule in RULES.items()
    ]


def setting(loaded: Loaded, path: str) -> object:
    """The value of `section.key`."""
    return reduce(getattr, path.split("."), loaded.settings)


def _origin(loaded: Loaded, path: str) -> str:
    """Where the value came from; of a table, where each of its entries did."""
    return ", ".join(_entries(loaded, path)) or loaded.origins[path]


def _entries(loaded: Loaded, path: str) -> Iterator[str]:
    for key, origin in loaded.origins.items():
        if key.startswith(f"{path}."):
            yield f"{key.rpartition('.')[2]}: {origin}"
