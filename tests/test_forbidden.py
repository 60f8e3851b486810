"""What the product's code never does. Each rule says why, and is shown to find what it forbids."""

import ast
import re
from collections.abc import Callable, Iterator

import pytest

from tests.support import sources
from tests.support.sources import REPOSITORY, Source, dotted, imports, product, source_of

FUNCTION_LINES_MAX = 60

Rule = Callable[[Source], Iterator[ast.AST]]

CLOCK, CHANCE = "supervisor/clock.py", "supervisor/chance.py"
CLIENTS_CHANCE = "client/chance.py"
"""Outsiders' own: the client shares nothing with the venue's runtime."""
CLOCKS = re.compile(
    r"(time\.(?!struct_time|gmtime|strptime|strftime)\w+"
    r"|(datetime\.)?(datetime|date)\.(now|utcnow|today))"
)
RANDOMNESS = re.compile(
    r"(random|secrets|numpy\.random|np\.random)(\.\w+)*|os\.(urandom|getrandom)|uuid\.uuid[14]"
)
CHANNELS = {"Mailbox", "Topic", "Subscription", "subscribe", "open_memory_channel", "Queue"}


def names(source: Source) -> Iterator[tuple[ast.AST, str]]:
    """Every dotted name that the module imports or uses, as far as it can be read off."""
    yield from imports(source)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and (name := dotted(node)):
            yield node, name


def calls(source: Source) -> Iterator[tuple[ast.Call, str]]:
    """Every call, with the last part of the name that is called."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            yield node, dotted(node.func).rpartition(".")[2]


def clocks(source: Source) -> Iterator[ast.AST]:
    """Facts are stamped by the injected clock, waits use trio's: else no run can be repeated."""
    if source.path != CLOCK:
        yield from (node for node, name in names(source) if CLOCKS.fullmatch(name))


def randomness(source: Source) -> Iterator[ast.AST]:
    """Ids, nonces and jitter come from the injected chance: else no run can be repeated."""
    if source.path not in (CHANCE, CLIENTS_CHANCE):
        yield from (node for node, name in names(source) if RANDOMNESS.fullmatch(name))


def unbounded_shields(source: Source) -> Iterator[ast.AST]:
    """A shield without a limit can hold up the stop of the whole venue for ever."""
    for node, name in calls(source):
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        shield = given.get("shield")
        shielded = shield is not None and not _is(shield, False)
        if (
            shielded
            and name == "CancelScope"
            and not {"deadline", "relative_deadline"} & set(given)
        ):
            yield node
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assign) and not _is(node.value, False):
            targets = [target for target in node.targets if isinstance(target, ast.Attribute)]
            yield from (target for target in targets if target.attr == "shield")


def swallowed_failures(source: Source) -> Iterator[ast.AST]:
    """Only the supervisor decides what becomes of a failure nobody foresaw.

    A handler that cleans up and raises again decides nothing.
    """
    if source.path == "supervisor/supervisor.py":
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler) and _catches_all(node) and not _raises_again(node):
            yield node
        if isinstance(node, ast.Call) and dotted(node.func).endswith("suppress"):
            yield from (kind for kind in node.args if dotted(kind) in CATCH_ALL)


CATCH_ALL = {"Exception", "BaseException"}


def _catches_all(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or dotted(kind) in CATCH_ALL for kind in kinds)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def unbounded_channels(source: Source) -> Iterator[ast.AST]:
    """A full channel must show; one without a bound shows nothing until memory is gone."""
    for node, name in calls(source):
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        if name in CHANNELS and any(map(_is_infinite, given)):
            yield node


def _is_infinite(node: ast.expr) -> bool:
    if isinstance(node, ast.Call) and dotted(node.func) == "float":
        return any(isinstance(arg, ast.Constant) and "inf" in str(arg.value) for arg in node.args)
    return dotted(node) in {"math.inf", "inf"}


def long_functions(source: Source) -> Iterator[ast.AST]:
    """What does not fit on a screen is not read."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield node


def _is(node: ast.expr, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


RULES: tuple[Rule, ...] = (
    clocks,
    randomness,
    unbounded_shields,
    swallowed_failures,
    unbounded_channels,
    long_functions,
)


@pytest.mark.parametrize("rule", RULES)
def test_the_product_never_does(rule: Rule) -> None:
    assert [source.where(node) for source in product() for node in rule(source)] == []


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (clocks, "import time\nx = time.time()"),
        (clocks, "from time import monotonic"),
        (clocks, "import time\ntime.sleep(1)"),
        (clocks, "from datetime import datetime\ndatetime.now(tz)"),
        (clocks, "import datetime\ndatetime.datetime.utcnow()"),
        (clocks, "from datetime import date\ndate.today()"),
        (randomness, "import random"),
        (randomness, "from secrets import token_hex"),
        (randomness, "import uuid\nuuid.uuid4()"),
        (randomness, "from os import urandom"),
        (randomness, "import numpy as np\nnp.random.default_rng()"),
        (unbounded_shields, "with trio.CancelScope(shield=True): pass"),
        (unbounded_shields, "scope.shield = True"),
        (swallowed_failures, "try: pass\nexcept Exception: pass"),
        (swallowed_failures, "try: pass\nexcept (ValueError, BaseException) as e: raise X from e"),
        (swallowed_failures, "try: pass\nexcept: pass"),
        (swallowed_failures, "with suppress(Exception): pass"),
        (unbounded_channels, "trio.open_memory_channel(math.inf)"),
        (unbounded_channels, "Mailbox('m', capacity=float('inf'))"),
        (long_functions, "def f():\n" + "    x = 1\n" * FUNCTION_LINES_MAX),
    ],
)
def test_what_is_forbidden_is_found(rule: Rule, text: str) -> None:
    assert list(rule(source_of("actors/x.py", text)))


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (clocks, CLOCK, "import time\ntime.time_ns()"),
        (
            clocks,
            "actors/x.py",
            "from datetime import UTC, datetime\ndatetime.fromtimestamp(1, UTC)",
        ),
        (randomness, CHANCE, "import random, secrets"),
        (unbounded_shields, "db/x.py", "with trio.CancelScope(shield=True, deadline=d): pass"),
        (unbounded_shields, "db/x.py", "with trio.move_on_after(5, shield=True): pass"),
        (swallowed_failures, "db/x.py", "try: pass\nexcept BaseException:\n    undo()\n    raise"),
        (swallowed_failures, "db/x.py", "try: pass\nexcept ValueError: pass"),
        (unbounded_channels, "db/x.py", "Mailbox('m', 10)\nf(math.inf)"),
    ],
)
def test_what_is_allowed_is_let_through(rule: Rule, path: str, text: str) -> None:
    assert list(rule(source_of(path, text))) == []


# --- tests ----------------------------------------------------------------------------------


def sleeps_for_luck(source: Source) -> Iterator[ast.AST]:
    """Tests wait for events. Under a MockClock a sleep is exact; else only a loop that looks for
    what it waits for may sleep between two looks."""
    text = ast.unparse(source.tree)
    if re.search(r"mock_clock|MockClock|autojump_clock", text):
        return
    looked = {
        id(inner)
        for loop in ast.walk(source.tree)
        if isinstance(loop, ast.While)
        for inner in ast.walk(loop)
    }
    for node in ast.walk(source.tree):
        name = dotted(node.func) if isinstance(node, ast.Call) else ""
        if name == "time.sleep" or (name == "trio.sleep" and id(node) not in looked):
            yield node


def mocks(source: Source) -> Iterator[ast.AST]:
    """The real part can run: a mock of it proves only that the mock works."""
    yield from (node for node, name in imports(source) if name.startswith("unittest.mock"))


TEST_RULES: tuple[Rule, ...] = (sleeps_for_luck, mocks)


@pytest.mark.parametrize("rule", TEST_RULES)
def test_tests_never_do(rule: Rule) -> None:
    assert [source.where(node) for source in sources.tests() for node in rule(source)] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("async def test(): await trio.sleep(1)", 1),
        ("def test(): time.sleep(1)", 1),
        ("async def test():\n    while not there():\n        await trio.sleep(0.01)", 0),
        ("async def test(autojump_clock): await trio.sleep(1)", 0),
    ],
)
def test_a_sleep_for_luck_is_found(text: str, found: int) -> None:
    assert len(list(sleeps_for_luck(source_of("tests/test_x.py", text)))) == found


# --- text -----------------------------------------------------------------------------------

TEXT_FILES = ("*.py", "*.md", "*.toml", "*.sql", "*.js", "*.html", "*.css", "*.service", "*.yaml")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")
MACHINE_PATH = re.compile(r"(?<![\w.])/(root|work|home/\w+)/")
THIS_FILE = REPOSITORY / "tests" / "test_forbidden.py"


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    folders = [REPOSITORY / name for name in (".ci", "deploy", "docs", "examples", "web", "bench")]
    folders += [REPOSITORY / name for name in (*{s.path.split("/")[0] for s in product()}, "tests")]
    files = [file for folder in folders for kind in TEXT_FILES for file in folder.rglob(kind)]
    files += [file for kind in TEXT_FILES for file in REPOSITORY.glob(kind)]
    return [
        f"{file.relative_to(REPOSITORY)}:{number}"
        for file in sorted({*files} - {THIS_FILE})
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


def test_nothing_is_left_for_later() -> None:
    assert lines_with(UNFINISHED) == []


def test_no_path_of_one_machine_is_written_down() -> None:
    assert lines_with(MACHINE_PATH) == []


def test_such_lines_would_be_found() -> None:
    assert UNFINISHED.search("# TODO: later")
    assert MACHINE_PATH.search("see /root/notes")
    assert not MACHINE_PATH.search("../shared/work/x and https://a.example/work/")
