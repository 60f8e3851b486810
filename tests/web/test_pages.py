"""The page keeps what its Content-Security-Policy promises."""

import re
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "web"


@pytest.mark.parametrize("page", sorted(WEB.glob("*.html")), ids=lambda page: page.name)
def test_nothing_is_inline(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", text)


@pytest.mark.parametrize("page", sorted(WEB.glob("*.html")), ids=lambda page: page.name)
def test_all_that_is_named_is_there(page: Path) -> None:
    named = re.findall(r'(?:src|href)="/([^"]+)"', page.read_text(encoding="utf-8"))
    assert named
    assert [name for name in named if not (WEB / name).is_file()] == []


@pytest.mark.parametrize("script", sorted(WEB.glob("*.js")), ids=lambda script: script.name)
def test_nothing_from_the_wire_becomes_markup(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function", text)
    imported = re.findall(r'from "/([^"]+)"', text)
    assert [name for name in imported if not (WEB / name).is_file()] == []
