"""docs/api.md holds: its programs are run in order against a venue, and print what it shows.

The shell blocks are one session of one shell, Python blocks are the files that they are named. What
is printed is compared in shape: numbers, ids and hashes differ from run to run, all else must not.
"""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import attrs
import pytest
import trio

from client import Venue
from client.placing import CERTAIN_AFTER_S
from tests.support.sources import REPOSITORY
from tests.support.venue_process import OPS_TOKEN, venue

PAGE = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
ON_THE_PAGE = "http://127.0.0.1:8080"
RUNS_WITHIN_S = 240
BEGIN = "@@@ block"


@attrs.frozen
class Block:
    """One fenced block."""

    kind: str
    """`sh`, `python`, `output`, or nothing: a text to read."""
    name: str
    """Of a Python block: its file."""
    text: str


def blocks(page: str) -> list[Block]:
    found = re.findall(r"^```(\w*) ?([\w.]*)\n(.*?)^```$", page, re.M | re.S)
    return [Block(*each) for each in found]


def outputs(page: str) -> Iterator[tuple[Block, str]]:
    """Each shell block with what the page says it prints; nothing where it says nothing."""
    all_blocks = [*blocks(page), Block("", "", "")]
    for block, after in pairwise(all_blocks):
        if block.kind == "sh":
            yield block, after.text if after.kind == "output" else ""


SHAPES = (
    (r"0x[0-9a-fA-F]{40}", "WALLET"),
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UUID"),
    (r"\b[0-9A-HJKMNP-TV-Z]{26}\b", "ULID"),
    (r'("token": ")[\w-]{43}', r"\1TOKEN"),
    (r"\b[0-9a-f]{32,64}\b", "HEX"),
    (r"\b(won|lost|void)\b", "END"),
    (r"\d+\.\d+|\d+(_\d+)*", "N"),
)


def shape(text: str) -> str:
    """The text without what differs from run to run."""
    for pattern, word in SHAPES:
        text = re.sub(pattern, word, text)
    return text.rstrip()


@pytest.mark.slow
@pytest.mark.system
async def test_the_page_leads_from_nothing_to_a_settled_bet(tmp_path: Path) -> None:
    missing = [tool for tool in ("bash", "curl", "jq", "openssl") if shutil.which(tool) is None]
    if missing:
        complain = pytest.fail if os.environ.get("CI") else pytest.skip
        complain(f"apt-get install {' '.join(missing)}")
    place = tmp_path / "place"
    place.mkdir()
    (place / ".venv").symlink_to(Path(sys.executable).parents[1])
    market = ("--demo", "--feed", "simulator", "--set=simulator.seed=7")
    async with venue(tmp_path / "data", *market) as running:
        for block in blocks(PAGE):
            if block.kind == "python":
                (place / block.name).write_text(block.text.replace(ON_THE_PAGE, running.url))
        async with Venue(running.url) as seen:
            with trio.fail_after(90):
                await seen.wait_quote()  # a reader is slower than a venue's first tick
        printed = await run_shell(place, running.url)
    for (block, expected), found in zip(outputs(PAGE), printed, strict=True):
        assert shape(found) == shape(expected), f"{block.text}\nprinted\n{found}"


async def run_shell(place: Path, url: str) -> list[str]:
    """All shell blocks in one shell; what each printed."""
    script = "\n".join(f"echo '{BEGIN}'\n{block.text}" for block, _ in outputs(PAGE))
    with trio.fail_after(RUNS_WITHIN_S):
        done = await trio.run_process(
            ["bash", "-euo", "pipefail", "-c", script.replace(ON_THE_PAGE, url)],
            cwd=place,
            env=os.environ | {"OPS_TOKEN": OPS_TOKEN},
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )
    out = done.stdout.decode()
    assert done.returncode == 0, out + done.stderr.decode()
    return out.split(f"{BEGIN}\n")[1:]


def test_every_block_is_run_or_read() -> None:
    """No program on the page is of a kind that the test above would pass over."""
    assert {block.kind for block in blocks(PAGE)} == {"sh", "python", "output", ""}
    texts = [block.text for block in blocks(PAGE) if not block.kind]
    assert [text.split("\n")[0] for text in texts] == [
        "make run",
        "127.0.0.1:8080 wants you to sign in with your Ethereum account:",
    ]
    named = {block.name for block in blocks(PAGE) if block.kind == "python"}
    assert all(f".venv/bin/python {name}\n" in PAGE for name in named)


def test_the_page_says_what_the_client_does() -> None:
    assert f"{CERTAIN_AFTER_S} seconds after signing" in PAGE


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ('{"n":1,"status":"won"}', '{"n":23,"status":"lost"}', True),
        (
            "placed 01M7WV3RQKJ8E4X0A2T5C6D7F8 at 1.9",
            "placed 01KGH2X45R36S897BJMZMTYB3W at 23.5",
            True,
        ),
        ("1795190570_6502000_6503000", "5_6_7", True),
        ('{"n":1}', '{"n":null}', False),
        ('{"a":1}', '{"b":1}', False),
        ("proof: holds", "proof: ('a tick is missing or too many',)", False),
    ],
)
def test_shapes_differ_in_what_matters(one: str, other: str, alike: bool) -> None:
    assert (shape(one) == shape(other)) is alike
