"""Text can be read on every ground it stands on, dark and light (WCAG 2.2, AA: 4.5 to 1)."""

import re
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "web"
BASE = (WEB / "css" / "base.css").read_text(encoding="utf-8")
LIGHT_DARK = {
    name: {"light": light, "dark": dark}
    for name, light, dark in re.findall(
        r"--([a-z]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", BASE
    )
}
REGISTERED = dict(
    re.findall(r"@property --([a-z]+) \{[^}]*initial-value: (#[0-9a-f]{6});", BASE, re.S)
)
GROUNDS = ("ground", "panel", "raised")
TEXTS = ("text", "quiet", "bright", "won", "attention", "refused")


def luminance(color: str) -> float:
    """As WCAG defines it, of `#rrggbb`."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_as_wcag_defines_it() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("text", TEXTS)
def test_text_can_be_read(text: str, ground: str, scheme: str) -> None:
    ratio = contrast(LIGHT_DARK[text][scheme], LIGHT_DARK[ground][scheme])
    assert ratio >= 4.5, f"--{text} on --{ground}, {scheme}: {ratio:.2f}"


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_what_is_chosen_can_be_read(scheme: str) -> None:
    """A chosen stake is written in the color of the ground, on that of text."""
    assert contrast(LIGHT_DARK["ground"][scheme], LIGHT_DARK["text"][scheme]) >= 4.5


def test_every_color_is_named_once_and_registered_as_it_is_in_the_dark() -> None:
    """The canvas reads colors resolved, which only registered ones are."""
    assert {name: pair["dark"] for name, pair in LIGHT_DARK.items()} == REGISTERED


@pytest.mark.parametrize(
    "file", sorted((WEB / "css").glob("*.css")), ids=lambda file: str(file.name)
)
def test_no_style_has_colors_of_its_own(file: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", file.read_text(encoding="utf-8"), flags=re.S)
    own = re.findall(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl|oklch|lab)a?\(", text)
    assert file.name == "base.css" or own == []


def test_the_browsers_frame_has_the_color_of_the_top_line() -> None:
    page = (WEB / "index.html").read_text(encoding="utf-8")
    script = (WEB / "view" / "theme.js").read_text(encoding="utf-8")
    named = re.findall(r'theme-color".*?: (dark|light)\)" content="(#[0-9a-f]{6})"', page)
    assert dict(named) == LIGHT_DARK["panel"]
    for color in LIGHT_DARK["panel"].values():
        assert color in script
