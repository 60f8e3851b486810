"""The stage, the browser, and those who visit the page with it."""

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import attrs
import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.stage import Stage, playing
from tests.browser.visitor import SHOTS, Visitor, visiting
from tests.support.redis_server import need_redis, redis_server

PROGRAM = "chromium"
INSTALL = "apt-get install chromium fonts-inter"
HERE = Path(__file__).parent
FONTS = HERE / "fonts.conf"
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


@attrs.frozen
class House:
    """What all tests share: a new venue, or a new browser, for each would cost seconds."""

    stage: Stage
    browser: Browser
    close: Callable[[], None]


HOUSE = pytest.StashKey[House]()


def opened(data: Path) -> House:
    """A venue and a browser that run until they are closed."""
    program = need_chromium()
    need_redis()
    expect.set_options(timeout=PATIENCE_MS)
    for picture in SHOTS.glob("failed-*"):
        picture.unlink()  # of an earlier run
    with ExitStack() as stack:
        store = stack.enter_context(redis_server(data))
        portal = stack.enter_context(start_blocking_portal(backend="trio"))
        stage = stack.enter_context(playing(portal, data / "venue", store))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=program, args=OPTIONS, env=os.environ | {"FONTCONFIG_FILE": str(FONTS)}
        )
        stack.callback(browser.close)
        return House(stage, browser, stack.pop_all().close)


@pytest.fixture
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> House:
    """Open for the first of these tests, and for those that follow."""
    stash = request.config.stash
    if HOUSE not in stash:
        stash[HOUSE] = opened(tmp_path_factory.mktemp("browser"))
    return stash[HOUSE]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, None, None]:
    """After the last of these tests in a row the house is closed: what runs on would take its time
    from others, and Playwright leaves an event loop running in the main thread."""
    try:
        yield
    finally:
        if nextitem is None or HERE not in nextitem.path.parents:
            pytest_unconfigure(item.config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close the house if it is open: a run may be broken off."""
    if HOUSE in config.stash:
        config.stash[HOUSE].close()
        del config.stash[HOUSE]


@pytest.fixture
def stage(house: House) -> Stage:
    """The venue, with betting open and the market running, whatever the last test did."""
    house.stage.set_up()
    return house.stage


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
    stage: Stage, house: House, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Visitor]]:
    """Opens a browser for somebody who has never been here; the options are Playwright's.

    When the test is over, nothing may have gone wrong on any of his pages.
    """
    with ExitStack() as stack:
        visitors: list[Visitor] = []

        def come(**options: Any) -> Visitor:
            visitors.append(stack.enter_context(visiting(stage, house.browser, **options)))
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
