"""How smoothly the page draws on a phone, and how quickly a tap leaves it.

    .venv/bin/python -m bench.bench_page [--seconds N] [--runs N] [--chromium FILE]

A venue runs in a process of its own, with a market so lively that nearly all 480 cells are
offered, ten prices and four quotes a second. Debian's chromium, headless and drawing without a
graphics card, opens its page on a screen of 390x844 at three pixels per pixel, and shows them all;
first as fast as this machine is, then slowed down four times. Measured are the time that scripts
take in each frame, how many frames there are, and the time from the pointer's release to the bet's
frame on the socket.
"""

import argparse
import os
import statistics
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import attrs
import trio
from playwright.sync_api import CDPSession, Page, ViewportSize, sync_playwright

from tests.support.venue_process import venue

CHROMIUM: Final = Path("/usr/bin/chromium")
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE: Final = ViewportSize(width=390, height=844)
PIXELS: Final = 3
LIVELY: Final = {
    "TAPGRID_SIMULATOR__TICKS_PER_S": "60",
    "TAPGRID_SIMULATOR__ANNUAL_VOLATILITY_BPS": "40000",
}
"""Ten prices a second get through, and the rarest cell of the grid is worth an offer."""
SLOWER: Final = (1, 4)
TAPS: Final = 12
TAPS_APART_MS: Final = 350
LATE_MS: Final = 25
"""A frame that came later than this after the one before was one too late, at 60 a second."""

WATCH: Final = """
(() => {
  const seen = { frames: [], prices: 0, quotes: 0, offered: 0, taps: [] };
  window.seen = seen;
  const request = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (paint) =>
    request((atMs) => {
      const from = performance.now();
      paint(atMs);
      const took = performance.now() - from;
      const last = seen.frames.at(-1);
      if (last?.[0] === atMs) {
        last[1] += took;
      } else {
        seen.frames.push([atMs, took]);
      }
    });
  let releasedMs = null;
  addEventListener("pointerup", (event) => { releasedMs = event.timeStamp; }, true);
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (text) {
    send.call(this, text);
    if (releasedMs !== null && text.includes('"op":"bet"')) {
      seen.taps.push(performance.now() - releasedMs);
      releasedMs = null;
    }
  };
  const Plain = window.WebSocket;
  window.WebSocket = class extends Plain {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => {
        if (data.startsWith('{"type":"price"')) {
          seen.prices += 1;
        } else if (data.startsWith('{"type":"grid"')) {
          seen.quotes += 1;
          seen.offered = (JSON.parse(data).rates ?? []).filter((rate) => rate > 0).length;
        }
      });
    }
  };
})();
"""
"""Runs before the page's own scripts."""

SPOT: Final = """async (turn) => {
  const { src } = document.querySelector("script[type=module]");
  const { boxOf } = await import(new URL("domain/viewport.js", src).href);
  const { placeableStartsS } = await import(new URL("domain/grid.js", src).href);
  const chart = document.querySelector(".grid-host");
  const view = chart.viewport;
  const { columnS, rowCents } = view.layout.shape;
  const rules = { column_s: columnS, lockout_columns: 1, horizon_columns: 12 };
  const { firstS } = placeableStartsS(rules, view.nowMs);
  const columnStartS = firstS + (3 + (turn % 6)) * columnS;
  seen.level ??= view.levelCents;
  const loCents = seen.level + (turn < 6 ? 1 : -2) * rowCents;
  const box = boxOf(view, { columnStartS, loCents, hiCents: loCents + rowCents });
  const edge = chart.getBoundingClientRect();
  return [edge.left + box.x + box.width / 2, edge.top + box.y + box.height / 2];
}"""
"""The middle of a cell that can be tapped, and was not yet."""


@attrs.frozen(kw_only=True)
class Frames:
    """What `seconds` of watching the page were like."""

    per_s: float
    late: int
    script_ms: Sequence[float]
    busy: float
    """How much of the time a processor worked for the page's main thread, painting and all."""
    prices_per_s: float
    quotes_per_s: float
    offered: int

    def row(self, name: str) -> str:
        """As a row of the table."""
        median, p99 = percentile(self.script_ms, 0.5), percentile(self.script_ms, 0.99)
        return (
            f"| {name} | {self.per_s:.1f} | {self.late} | {median:.1f} | {p99:.1f} "
            f"| {max(self.script_ms):.1f} | {self.busy:.0%} | {self.prices_per_s:.1f} "
            f"| {self.quotes_per_s:.1f} | {self.offered} |"
        )


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def look_on(page: Page, cdp: CDPSession, seconds: float) -> Frames:
    """Watch the page draw, and touch nothing."""
    page.evaluate("() => { Object.assign(seen, { frames: [], prices: 0, quotes: 0 }); }")
    before = metrics(cdp)
    page.wait_for_timeout(seconds * 1000)
    seen: dict[str, Any] = page.evaluate("() => seen")
    after = metrics(cdp)
    at_ms = [at for at, _ in seen["frames"]]
    lasted_s = (at_ms[-1] - at_ms[0]) / 1000
    apart = [later - sooner for sooner, later in pairwise(at_ms)]
    return Frames(
        per_s=len(apart) / lasted_s,
        late=sum(gap > LATE_MS for gap in apart),
        script_ms=[took for _, took in seen["frames"]],
        busy=(after["TaskDuration"] - before["TaskDuration"]) / lasted_s,
        prices_per_s=seen["prices"] / lasted_s,
        quotes_per_s=seen["quotes"] / lasted_s,
        offered=seen["offered"],
    )


def metrics(cdp: CDPSession) -> dict[str, float]:
    """What chromium counts of the page, in seconds."""
    found = cdp.send("Performance.getMetrics")["metrics"]
    return {metric["name"]: metric["value"] for metric in found}


def tap(page: Page) -> list[float]:
    """Tap cells; how many ms each took from the pointer's release to the socket."""
    page.evaluate("() => { seen.taps = []; }")
    for turn in range(TAPS):
        x, y = page.evaluate(SPOT, turn)
        page.mouse.click(x, y)
        page.wait_for_timeout(TAPS_APART_MS)
    taken: list[float] = page.evaluate("() => seen.taps")
    return taken


def visit(
    url: str, *, chromium: Path, seconds: float, runs: int, say: Callable[[str], None]
) -> None:
    """Measure everything, `runs` times."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        for slower in SLOWER:
            for run in range(1, runs + 1):
                context = browser.new_context(viewport=PHONE, device_scale_factor=PIXELS)
                page = context.new_page()
                page.add_init_script(WATCH)
                cdp = context.new_cdp_session(page)
                cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
                page.goto(url)
                page.wait_for_function("() => seen.quotes > 8")
                smaller = page.get_by_role("button", name="Smaller cells, more of them")
                smaller.click()
                smaller.click()
                cdp.send("Emulation.setCPUThrottlingRate", {"rate": slower})
                page.wait_for_timeout(3000)
                frames = look_on(page, cdp, seconds)
                taps = tap(page)
                say(frames.row(f"{slower}x slower, run {run}"))
                say(
                    f"  taps, {len(taps)} of {TAPS} sent: median {statistics.median(taps):.1f} ms, "
                    f"slowest {max(taps):.1f} ms"
                )
                context.close()
        browser.close()


async def main() -> None:
    """Start a venue, and visit it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--chromium", type=Path, default=CHROMIUM)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        async with venue(Path(folder), "--demo", environment=LIVELY) as running:
            print(f"load of this machine before: {os.getloadavg()[0]:.1f}")
            print(
                "| | frames/s | late | script, ms: median | p99 | longest | main thread | prices/s "
                "| quotes/s | cells |\n|---|---|---|---|---|---|---|---|---|---|"
            )
            await trio.to_thread.run_sync(
                partial(
                    visit,
                    running.url,
                    chromium=options.chromium,
                    seconds=options.seconds,
                    runs=options.runs,
                    say=print,
                )
            )
            print(f"load of this machine after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    trio.run(main)
