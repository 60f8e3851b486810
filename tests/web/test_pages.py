"""The page keeps what its Content-Security-Policy promises."""

import re
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "web"
PAGES = sorted(WEB.glob("*.html"))
SCRIPTS = sorted(WEB.rglob("*.js"))


def name_of(file: Path) -> str:
    return str(file.relative_to(WEB))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_nothing_is_inline(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", text)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_all_that_is_named_is_there_and_ours(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.findall(r'(?:src|href)="/([^"#]+)"', text)
    assert named
    assert [name for name in named if not (WEB / name).is_file()] == []
    assert re.findall(r'(?:src|href)="(?!/|#)', text) == []


@pytest.mark.parametrize("script", SCRIPTS, ids=name_of)
def test_nothing_from_the_wire_becomes_markup(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function", text)


@pytest.mark.parametrize("script", SCRIPTS, ids=name_of)
def test_every_import_is_a_file_of_ours(script: Path) -> None:
    imported = re.findall(
        r'^(?:import|export)\b[^;]*?\bfrom "([^"]+)"', script.read_text(encoding="utf-8"), re.M
    )
    assert [name for name in imported if not (script.parent / name).is_file()] == []


LATER = re.compile(r'\bimport\("([^"]+)"\)')
"""Modules that are loaded when they are needed."""


def modules_of(script: Path) -> set[Path]:
    """All modules that a page's script loads, itself included."""
    found = {script}
    waiting = [script]
    while waiting:
        module = waiting.pop()
        imported = re.findall(
            r'^(?:import|export)\b[^;]*?\bfrom "([^"]+)"', module.read_text(encoding="utf-8"), re.M
        )
        for name in imported:
            target = (module.parent / name).resolve()
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_module_is_asked_for_at_once(page: Path) -> None:
    """Without it a browser finds out one import after another, over as many round trips."""
    text = page.read_text(encoding="utf-8")
    scripts = re.findall(r'<script type="module" src="/([^"]+)"', text)
    loaded = {name_of(module) for name in scripts for module in modules_of(WEB / name)}
    wanted = [f'    <link rel="modulepreload" href="/{name}">' for name in sorted(loaded)]
    links = re.findall(r'^ *<link rel="modulepreload"[^\n]*', text, re.M)
    assert links == wanted, "the page should have:\n" + "\n".join(wanted)


def test_what_is_in_the_panels_is_no_part_of_the_beginning() -> None:
    """Over HTTP/1.1 each half dozen of modules costs a round trip before anything is seen."""
    first = modules_of(WEB / "trade.js")
    later = LATER.findall((WEB / "view" / "panels" / "contents.js").read_text(encoding="utf-8"))
    modules = {(WEB / "view" / "panels" / name).resolve() for name in later}
    assert len(modules) == 5
    assert all(module.is_file() for module in modules)
    assert not modules & first


LAYERS = {
    "domain": ("domain", "types"),
    "state": ("domain", "state", "types"),
    "io": ("domain", "state", "io", "types"),
    "view": ("domain", "state", "io", "view", "types"),
}


@pytest.mark.parametrize("script", [s for s in SCRIPTS if s.parent != WEB], ids=name_of)
def test_imports_point_one_way(script: Path) -> None:
    """`domain` and `state` are pure; `io` speaks to the venue, `view` to the trader. Types may be
    named from anywhere."""
    layer = script.relative_to(WEB).parts[0]
    code = re.findall(
        r'^(?:import|export)\b[^;]*?\bfrom "([^"]+)"', script.read_text(encoding="utf-8"), re.M
    )
    targets = {(script.parent / name).resolve().relative_to(WEB).parts[0] for name in code}
    assert targets <= set(LAYERS[layer])


@pytest.mark.parametrize(
    "script",
    [s for s in SCRIPTS if s.relative_to(WEB).parts[0] in ("domain", "state")],
    ids=name_of,
)
def test_what_is_pure_has_no_clock_and_no_chance(script: Path) -> None:
    """What else there is of the page, biome.json keeps from them: it knows a word from a name."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", script.read_text(encoding="utf-8"), flags=re.S)
    assert not re.search(r"\b(Date\.now\b|new Date\(\)|Math\.random\b)", text)
