"""The project's own source as syntax trees, for the tests that read it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import attrs

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("domain", "protocols", "supervisor", "db", "actors", "config", "client", "simulation")


@attrs.frozen(kw_only=True)
class Source:
    """One module: where it is and what it says."""

    path: str
    """Relative to the repository, with slashes."""
    module: str
    """Dotted; a package's `__init__` is the package."""
    tree: ast.Module = attrs.field(repr=False, eq=False)

    def where(self, node: ast.AST) -> str:
        """`path:line`, as editors jump to."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


def source_of(path: str, text: str) -> Source:
    """A module from its text, as if it stood at `path`."""
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return Source(path=path, module=module, tree=ast.parse(text))


@cache
def product() -> tuple[Source, ...]:
    """Every module of the product."""
    return tuple(_read(PACKAGES))


@cache
def tests() -> tuple[Source, ...]:
    """Every module of the tests."""
    return tuple(_read(("tests",)))


def _read(folders: tuple[str, ...]) -> Iterator[Source]:
    for folder in folders:
        for file in sorted((REPOSITORY / folder).rglob("*.py")):
            path = file.relative_to(REPOSITORY).as_posix()
            yield source_of(path, file.read_text(encoding="utf-8"))


def imports(source: Source) -> Iterator[tuple[ast.stmt, str]]:
    """Each import with the dotted name it reaches for: `from a import b` is `a.b`."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(source, node)
            yield from ((node, f"{base}.{alias.name}") for alias in node.names)


def _base(source: Source, node: ast.ImportFrom) -> str:
    """The module that a `from` names, with its dots resolved."""
    if not node.level:
        return node.module or ""
    is_package = source.path.endswith("/__init__.py")
    parents = source.module.split(".")
    kept = parents[: len(parents) - node.level + is_package]
    return ".".join([*kept, node.module] if node.module else kept)


def dotted(node: ast.expr) -> str:
    """`a.b.c` for the expression of that name, "" for any other."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""
