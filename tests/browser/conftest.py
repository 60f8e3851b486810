"""The stage, the browser, and those who visit the page with it."""

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.stage import Stage, playing
from tests.browser.visitor import Visitor, visiting
from tests.support.redis_server import need_redis, redis_server

PROGRAM = "chromium"
INSTALL = "apt-get install chromium fonts-inter"
FONTS = Path(__file__).with_name("fonts.conf")
PATIENCE_MS = 15_000
"""How long is waited for what is to be seen: a machine may be busy with much else."""
OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def need_chromium() -> str:
    """Where it is. Without it the test is skipped, or fails where CI is set."""
    found = shutil.which(PROGRAM)
    if found is None:
        complain = pytest.fail if os.environ.get("CI") else pytest.skip
        complain(f"{PROGRAM} is missing: {INSTALL}")
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests; what they open in it is theirs alone."""
    program = need_chromium()
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=program, args=OPTIONS, env=os.environ | {"FONTCONFIG_FILE": str(FONTS)}
        )
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One venue for all tests: a new one quotes only after ten seconds of prices."""
    need_chromium()
    need_redis()
    data = tmp_path_factory.mktemp("browser")
    with (
        redis_server(tmp_path_factory.mktemp("redis")) as store,
        start_blocking_portal(backend="trio") as portal,
        playing(portal, data, store) as stage,
    ):
        yield stage


@pytest.fixture
def stage(theatre: Stage) -> Stage:
    """The venue, with betting open and the market running, whatever the last test did."""
    theatre.set_up()
    return theatre


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember which tests have failed: what their visitors saw last is kept."""
    report = yield
    item.stash[FAILED] = report.failed or item.stash.get(FAILED, False)
    return report


@pytest.fixture
def visit(
    stage: Stage, browser: Browser, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Visitor]]:
    """Opens a browser for somebody who has never been here; the options are Playwright's.

    When the test is over, nothing may have gone wrong on any of his pages.
    """
    with ExitStack() as stack:
        visitors: list[Visitor] = []

        def come(**options: Any) -> Visitor:
            visitors.append(stack.enter_context(visiting(stage, browser, **options)))
            return visitors[-1]

        yield come
        if request.node.stash.get(FAILED, False):
            for number, visitor in enumerate(visitors, 1):
                visitor.shot(f"failed-{request.node.name}-{number}")


@pytest.fixture
def trader(visit: Callable[..., Visitor]) -> Visitor:
    """Somebody new at a desk, with the page open and demo money in his hand."""
    visitor = visit()
    visitor.open()
    visitor.wait_signed_in()
    return visitor
