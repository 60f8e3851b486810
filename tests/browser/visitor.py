"""Somebody who visits the page with a browser of his own, and what he may never notice.

Whatever a test is about, on none of his pages may an error be written to the console (a breach of
the Content-Security-Policy is one), anything be fetched from elsewhere, or a secret be left where
scripts and people see it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Response,
    TimeoutError,
    WebSocket,
    expect,
)

from tests.browser.stage import ROW_CENTS, Spot, Stage
from tests.support.sources import REPOSITORY

USD = 1_000_000
LISTEN = Path(__file__).with_name("listen.js")
SHOTS = REPOSITORY / "screenshots"
SECRET = re.compile(r"\b[\w-]{43}\b|\b[0-9a-f]{64}\b|0x[0-9a-f]{128}")
"""Tokens, hashes and keys, signatures."""
WHERE = """async ({ start_s: columnStartS, lo_cents: loCents, width }) => {
  // The very module that the page has loaded: nothing is asked of a venue that may not answer.
  const { src } = document.querySelector("script[type=module]");
  const { boxOf } = await import(new URL("domain/viewport.js", src).href);
  const chart = document.querySelector(".grid-host");
  const view = chart.viewport;
  const box = boxOf(view, { columnStartS, loCents, hiCents: loCents + width });
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const edge = chart.getBoundingClientRect();
  const { rightPx, bottomPx } = view.layout;
  const inView = x >= 0 && y >= 0 && x < rightPx && y < bottomPx;
  return { x: edge.left + x, y: edge.top + y, inView };
}"""
LINE_IS_CUT = re.compile(r"^(WebSocket connection to|Failed to load resource: net::)")
ASKED_IN_VAIN = re.compile(r"^Failed to load resource: .* 404 .*/api/bets/by-nonce/")
"""A bet is looked for that the venue does not have: the page asks so while betting is closed, or
where the cell it asks by has just closed."""
TAPS_MAX = 5
REFUSED = re.compile(r"^Failed to load resource: the server responded with a status of (4\d\d|503)")


@attrs.define(kw_only=True)
class Visitor:
    """One browser profile: its pages share what they store."""

    stage: Stage
    context: BrowserContext
    page: Page
    faults: list[str] = attrs.field(factory=list)
    _tolerated: list[re.Pattern[str]] = attrs.field(factory=list)
    sign_ins: int = 0
    """How often the venue has let him in."""

    @property
    def wallet(self) -> str:
        """Who he is signed in as, by the account's panel."""
        wallet = self.page.locator(".account-wallet").get_attribute("title")
        assert wallet
        return wallet

    def account(self) -> Any:
        """His account, as the venue has it."""
        return self.stage.account(self.wallet)

    def tolerate(self, *said: re.Pattern[str]) -> None:
        """What the browser itself writes to the console is part of the test."""
        self._tolerated += said

    def open(self, path: str = "/", *, page: Page | None = None) -> None:
        """Open the venue's page, in the first tab or in that one."""
        (page or self.page).goto(self.stage.origin + path)

    # What he does

    def tap(self, spot: Spot, *, page: Page | None = None) -> None:
        """Put a finger, or the mouse, on a cell of the chart."""
        page = page or self.page
        x, y = self.place_of(spot, page=page)
        if page.evaluate("() => navigator.maxTouchPoints > 0"):
            page.touchscreen.tap(x, y)
        else:
            page.mouse.click(x, y)

    def bet(self, spot: Spot, *, page: Page | None = None) -> None:
        """Tap a cell until the bet is confirmed: a tap may find that the rate has just moved."""
        for _ in range(TAPS_MAX):
            heard = len(self.told(page=page))
            self.tap(spot, page=page)
            self.wait_told("confirmed|Rate moved", page=page, after=heard)
            if "confirmed" in " ".join(self.told(page=page)[heard:]):
                return
        raise AssertionError(f"not taken: {self.told(page=page)}")

    def press(self, spot: Spot) -> None:
        """Press a cell's button in the table; again where the table says that it has just moved."""
        for _ in range(TAPS_MAX):
            heard = len(self.told())
            self.table_cell(spot).click()
            if "moved just then" not in " ".join(self.told()[heard:]):
                return
        raise AssertionError("the table does not stand still")

    def place_of(self, spot: Spot, *, page: Page | None = None) -> tuple[float, float]:
        """Where the middle of the cell is on the screen, as it is drawn now."""
        place = (page or self.page).evaluate(WHERE, attrs.asdict(spot) | {"width": ROW_CENTS})
        assert place["inView"], f"{spot.cell_id} is out of view: {place}"
        return place["x"], place["y"]

    def stake(self, usd: str) -> Locator:
        """A stake's chip."""
        stakes = self.page.get_by_role("group", name="Stake")
        return stakes.get_by_role("button", name=usd, exact=True)

    def choose_stake(self, usd: str) -> None:
        """Press a stake's chip."""
        chip = self.stake(usd)
        chip.click()
        expect(chip).to_have_attribute("aria-pressed", "true")

    def show_table(self) -> None:
        """The grid as a table of buttons."""
        self.page.get_by_role("button", name="Table", exact=True).click()

    def show_chart(self) -> None:
        """The grid as a canvas."""
        self.page.get_by_role("button", name="Chart", exact=True).click()

    def open_account(self, *, page: Page | None = None) -> Locator:
        """The panel of his account."""
        page = page or self.page
        page.get_by_role("navigation", name="Views").get_by_role(
            "button", name=re.compile("Account")
        ).click()
        return page.get_by_role("complementary", name="Account")

    # What he sees and hears

    def figure(self, name: str, *, page: Page | None = None) -> Locator:
        """A number of the bottom bar, by what stands above it."""
        bar = (page or self.page).locator("#bottom dl > div")
        return bar.filter(has=(page or self.page).locator("dt", has_text=name)).locator("dd")

    def wait_signed_in(self, *, page: Page | None = None) -> None:
        """Until his balance is there."""
        expect(self.figure("Balance", page=page)).to_contain_text(re.compile(r"\d\.\d\d"))

    def balance_micros(self, *, page: Page | None = None) -> int:
        """What the bar says that he has."""
        text = self.figure("Balance", page=page).inner_text()
        [amount, *_] = re.findall(r"[\d,]+\.\d\d", text)
        return round(float(amount.replace(",", "")) * 100) * 10_000

    def table_cell(self, spot: Spot) -> Locator:
        """The cell's button in the table."""
        return self.page.locator(f'[data-cell="{spot.cell_id}"]')

    def wait_told(
        self, words: str, *, page: Page | None = None, within_s: float = 15, after: int = 0
    ) -> None:
        """Until a screen reader has been told something with these words in it (a regular
        expression), at any time since the page was opened, or `after` so many other things."""
        try:
            (page or self.page).wait_for_function(
                """([words, after]) => {
                  const wanted = new RegExp(words, "i");
                  return window.testHeard.slice(after).some((text) => wanted.test(text));
                }""",
                arg=[words, after],
                timeout=within_s * 1000,
            )
        except TimeoutError as error:
            raise AssertionError(f"not told {words!r}, but {self.told(page=page)}") from error

    def told(self, *, page: Page | None = None) -> list[str]:
        """Everything that a screen reader was told so far."""
        heard: list[str] = (page or self.page).evaluate("() => window.testHeard")
        return heard

    def shot(self, name: str, *, page: Page | None = None) -> None:
        """Keep a picture of what he sees."""
        SHOTS.mkdir(exist_ok=True)
        (page or self.page).screenshot(path=SHOTS / f"{name}.png")

    # What may never be

    def _watch(self) -> None:
        self.context.on("console", lambda message: self._heard(message))
        self.context.on("weberror", lambda error: self.faults.append(f"thrown: {error.error}"))
        self.context.on("request", lambda request: self._fetched(request.url))
        self.context.on("response", lambda response: self._answered(response))
        self.context.on("page", lambda page: self._watch_page(page))
        self._watch_page(self.page)

    def _watch_page(self, page: Page) -> None:
        page.on("websocket", lambda socket: self._connected(socket))

    def _heard(self, message: ConsoleMessage) -> None:
        said = f"{message.text} {message.location.get('url', '')}"
        tolerated = any(pattern.match(said) for pattern in self._tolerated)
        if message.type in ("error", "warning", "assert") and not tolerated:
            self.faults.append(f"{message.type}: {message.text} ({message.location})")

    def _fetched(self, url: str) -> None:
        if not url.startswith((f"{self.stage.origin}/", "data:", "blob:", "about:")):
            self.faults.append(f"fetched from elsewhere: {url}")

    def _answered(self, response: Response) -> None:
        if response.url.endswith(("/api/auth/demo", "/api/auth/login")) and response.ok:
            self.sign_ins += 1

    def _connected(self, socket: WebSocket) -> None:
        if socket.url != f"ws{self.stage.origin.removeprefix('http')}/ws":
            self.faults.append(f"connected to {socket.url}")

    def check(self) -> None:
        """Raise if anything was wrong."""
        for page in self.context.pages:
            if page.url.startswith(self.stage.origin):
                left = page.evaluate("() => JSON.stringify({...localStorage, ...sessionStorage})")
                self._look_for_secrets("in the page's storage", left)
                self._look_for_secrets("in its address", page.url)
        assert not self.faults, "\n".join(self.faults)

    def _look_for_secrets(self, where: str, text: str) -> None:
        if SECRET.search(text):
            self.faults.append(f"a secret {where}: {text}")


@contextmanager
def visiting(stage: Stage, browser: Browser, **options: Any) -> Iterator[Visitor]:
    """A visitor while inside."""
    options = {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"} | options
    context = browser.new_context(**options)
    context.set_default_timeout(15_000)
    try:
        context.add_init_script(path=LISTEN)
        visitor = Visitor(stage=stage, context=context, page=context.new_page())
        visitor._watch()
        yield visitor
        visitor.check()
    finally:
        context.close()
