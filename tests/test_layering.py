"""Who may import whom. Reads the imports of every module and fails on a wrong arrow.

| package | may import |
|---|---|
| `domain` | pure modules of the standard library, attrs, numpy |
| `protocols` | `domain`, pure modules of the standard library, attrs, msgspec |
| `supervisor` | the standard library, trio, attrs; nothing of ours |
| `config` | the standard library, attrs, `domain.limits` |
| `db` | `domain`, `protocols`, drivers |
| `client` | `domain`, trio and drivers: it is for outsiders |
| an actor | `domain`, `protocols`, `supervisor`; not `db`, `config` or another actor |
| `actors.system` | all but `db`: ports arrive as arguments |
| `actors.commands`, `actors.__main__` | everything: they are the composition roots |
| `simulation` | everything, being one itself; only the command `simulate` may import it |
| `simulation.oracle` | the standard library; nothing of ours |
"""

import sys

import pytest

from tests.support.sources import PACKAGES, Source, imports, product, source_of

PURE_STDLIB = (
    *("abc", "base64", "binascii", "bisect", "collections", "contextlib", "copy", "csv"),
    *("datetime", "decimal", "enum", "fractions", "functools", "hashlib", "heapq", "hmac", "io"),
    *("ipaddress", "itertools", "json", "math", "operator", "re", "statistics", "string"),
    *("struct", "textwrap", "types", "typing", "unicodedata", "urllib.parse", "zlib"),
)
"""What computes and neither waits, reads the clock, draws a number nor touches a file."""

OURS = {
    "domain": {"domain"},
    "protocols": {"domain", "protocols"},
    "supervisor": {"supervisor"},
    "config": {"config", "domain.limits"},
    "db": {"db", "domain", "protocols"},
    "client": {"client", "domain"},
}
THEIRS = {
    "domain": {"attrs", "numpy"},
    "protocols": {"attrs", "msgspec"},
    "supervisor": {"attrs", "trio"},
    "config": {"attrs"},
}
COMPOSITION_ROOTS = ("actors.commands", "actors.__main__")
WIRING = "actors.system"
SIMULATION_USERS = ("actors.commands.simulate", "actors.__main__")
ORACLE = "simulation.oracle"
"""Written from the specification: were it to import a rule, it would find that rule right."""
RUNTIME_ONLY = {"supervisor.clock", "supervisor.chance"}
"""Actors get a clock and chance as ports; the machine's are picked by the composition root."""


def within(name: str, module: str) -> bool:
    """Is `name` the module or something in it?"""
    return name == module or name.startswith(f"{module}.")


def is_stdlib(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


def actor_of(module: str) -> str:
    """`actors.gateway` of `actors.gateway.sockets`."""
    return ".".join(module.split(".")[:2])


def may_import(importer: str, name: str) -> bool:
    """Is the arrow from module `importer` to `name` (a module, or a name in one) allowed?"""
    package = importer.partition(".")[0]
    ours = name.partition(".")[0] in PACKAGES
    if within(name, "simulation") and package != "simulation":
        return importer in SIMULATION_USERS
    if package == "simulation":
        return not within(importer, ORACLE) or within(name, ORACLE) or is_stdlib(name)
    if package == "actors":
        return not ours or actor_may_import(importer, name)
    if ours:
        return any(within(name, allowed) for allowed in OURS[package])
    if is_stdlib(name):
        pure = package in {"domain", "protocols"}
        return not pure or any(within(name, module) for module in PURE_STDLIB)
    allowed = THEIRS.get(package)
    return allowed is None or any(within(name, module) for module in allowed)


def actor_may_import(importer: str, name: str) -> bool:
    if any(within(importer, root) for root in COMPOSITION_ROOTS):
        return True
    if any(within(name, root) for root in COMPOSITION_ROOTS) or within(name, "db"):
        return False
    if importer == WIRING or importer == "actors":
        return not any(within(name, module) for module in RUNTIME_ONLY)
    if within(name, "actors"):
        return actor_of(name) == actor_of(importer)
    return not within(name, "config") and not any(within(name, m) for m in RUNTIME_ONLY)


def wrong_arrows(source: Source) -> list[str]:
    return [
        f"{source.where(node)}: {source.module} imports {name}"
        for node, name in imports(source)
        if not may_import(source.module, name)
    ]


def private_names(source: Source) -> list[str]:
    return [
        f"{source.where(node)}: {source.module} imports {name}"
        for node, name in imports(source)
        if any(part.startswith("_") and part[1:2] != "_" for part in name.split("."))
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_follow_the_table(package: str) -> None:
    ours = [source for source in product() if within(source.module, package)]
    assert [arrow for source in ours for arrow in wrong_arrows(source)] == []


def test_nothing_private_is_imported() -> None:
    assert [name for source in product() for name in private_names(source)] == []


def test_every_module_was_read() -> None:
    assert {source.module.partition(".")[0] for source in product()} == set(PACKAGES)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("domain/x.py", "import trio"),
        ("domain/x.py", "import time"),
        ("domain/x.py", "from pathlib import Path"),
        ("domain/x.py", "from protocols.money import PlaceBet"),
        ("domain/x.py", "def f():\n    import os"),
        ("protocols/x.py", "import socket"),
        ("protocols/x.py", "from supervisor.clock import Clock"),
        ("supervisor/x.py", "from domain.units import Micros"),
        ("config/x.py", "from domain.grid import Grid"),
        ("config/x.py", "import structlog"),
        ("db/x.py", "from config.settings import Settings"),
        ("db/x.py", "from supervisor import Mailbox"),
        ("client/x.py", "from protocols.client_bets import BetRequest"),
        ("client/x.py", "from supervisor.chance import SystemChance"),
        ("actors/x.py", "import db"),
        ("actors/x.py", "from actors import batcher"),
        ("actors/x.py", "from config.settings import Settings"),
        ("actors/x.py", "from supervisor.clock import SystemClock"),
        ("actors/gateway/x.py", "from actors.batcher import run"),
        ("actors/system.py", "from db.sqlite_ledger import SqliteLedger"),
        ("actors/system.py", "from actors.commands import serve"),
        ("actors/commands/serve.py", "from simulation.run import simulate"),
        ("db/x.py", "from simulation.world import World"),
        ("simulation/oracle/x.py", "from domain.resolution import judge_cells"),
        ("simulation/oracle/x.py", "from simulation.world import World"),
        ("simulation/oracle/x.py", "import attrs"),
    ],
)
def test_a_wrong_arrow_is_seen(path: str, text: str) -> None:
    assert len(wrong_arrows(source_of(path, text))) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("domain/rates.py", "import numpy as np\nfrom numpy.typing import NDArray"),
        ("config/x.py", "from domain import limits"),
        ("client/x.py", "import h11, msgspec, trio\nfrom domain.signed_text import BetText"),
        ("actors/gateway/x.py", "from actors.gateway.asgi import Send\nfrom . import asgi"),
        ("actors/x.py", "import trio, structlog\nfrom supervisor import Mailbox, ask"),
        ("actors/system.py", "from actors import batcher"),
        ("simulation/oracle/x.py", "import sqlite3\nfrom simulation.oracle.books import Books"),
        ("simulation/x.py", "from actors.commands.opening import Outside\nimport trio"),
        ("actors/commands/simulate.py", "from simulation.run import simulate"),
        ("actors/commands/x.py", "from db.sqlite_ledger import X\nimport config.settings"),
    ],
)
def test_an_arrow_of_the_table_is_let_through(path: str, text: str) -> None:
    assert wrong_arrows(source_of(path, text)) == []
