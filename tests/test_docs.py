"""The docs say what the code does: every setting, error code, command and path in them is real."""

import re
import shlex
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.__main__ import parser
from config.settings import RULES
from domain.refusals import Code
from protocols.operations import OPERATIONS
from tests.support.pages import descriptions, pages
from tests.support.sources import REPOSITORY

PAGES = sorted([*(REPOSITORY / "docs").rglob("*.md"), *REPOSITORY.glob("*.md")])
OPERATING = REPOSITORY / "docs" / "operating.md"


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def commands() -> dict[str, ArgumentParser]:
    [found] = [a for a in parser()._actions if isinstance(a, _SubParsersAction)]
    return dict(found.choices)


def code_lines(page: Path) -> Iterator[str]:
    """Every line of the page's fenced blocks, with continued lines joined."""
    for block in re.findall(r"^```[^\n]*\n(.*?)^```", text_of(page), re.M | re.S):
        yield from block.replace("\\\n", " ").splitlines()


# --- what must be documented ------------------------------------------------------------------


@pytest.mark.parametrize("path", pages())
def test_pages_made_from_code_are_up_to_date(path: str) -> None:
    assert text_of(REPOSITORY / path) == pages()[path], "`make docs` writes it anew"


def test_every_setting_is_described_where_its_default_stands() -> None:
    assert set(descriptions()) == set(RULES)


@pytest.mark.parametrize("path", RULES)
def test_every_setting_is_on_its_page(path: str) -> None:
    assert f"| `{path}`<br>" in pages()["docs/configuration.md"]


@pytest.mark.parametrize("code", Code)
def test_every_error_code_is_on_its_page(code: Code) -> None:
    assert f"| `{code}` |" in pages()["docs/errors.md"]


@pytest.mark.parametrize("name", commands())
def test_every_command_and_option_is_in_operating(name: str) -> None:
    text = text_of(OPERATING)
    options = [
        option
        for action in commands()[name]._actions
        for option in action.option_strings
        if option.startswith("--") and option != "--help"
    ]
    assert f"`tapgrid {name}" in text
    assert [option for option in options if f"{option}" not in text] == []


# --- what is documented must exist -------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_examples_are_taken_by_the_command_line(page: Path) -> None:
    for line in code_lines(page):
        command = line.removeprefix("$ ")
        if command.startswith("tapgrid "):
            parser().parse_args(shlex.split(command, comments=True)[1:])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_exist(page: Path) -> None:
    makefile = text_of(REPOSITORY / "Makefile")
    for target in re.findall(r"(?:^|`)make ([a-z]+)", text_of(page), re.M):
        assert re.search(rf"^{target}:", makefile, re.M), f"make {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text_of(page)):
        assert "://" in link or (page.parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page: Path) -> None:
    """`folder/file.py` in backticks, from the repository or from its own folder."""
    for name in re.findall(
        r"`((?:[a-z_]+/)+[\w.-]+\.(?:py|toml|sql|md|service|js))`", text_of(page)
    ):
        assert (REPOSITORY / name).exists(), name


@pytest.mark.parametrize("package", ["actors/gateway"])
def test_a_table_of_modules_names_them_all(package: str) -> None:
    table = text_of(REPOSITORY / package / "__init__.py").partition('"""\n\n')[0]
    named = re.findall(r"`(\w+)`", "".join(re.findall(r"^\|[^|]*\|", table, re.M)))
    modules = {path.stem for path in (REPOSITORY / package).glob("*.py")} - {"__init__"}
    assert (sorted(named), set(named)) == (sorted(set(named)), modules)


def test_the_map_names_every_folder_and_page() -> None:
    readme = text_of(REPOSITORY / "README.md")
    folders = {path.parent.name for path in REPOSITORY.glob("*/*.py")} | {"web", "deploy", "docs"}
    assert {name for name in folders if f"| `{name}/` |" not in readme} == set()
    docs = {path.relative_to(REPOSITORY) for path in (REPOSITORY / "docs").glob("*.md")}
    assert {page for page in docs if f"({page})" not in readme} == set()


def test_operators_paths_exist() -> None:
    paths = [f"{operation.path}/" for operation in OPERATIONS]
    for path in set(re.findall(r"/(?:ops/\w+|healthz|readyz|metrics)", text_of(OPERATING))):
        assert any(f"{known}/".startswith(f"{path}/") for known in paths), path
