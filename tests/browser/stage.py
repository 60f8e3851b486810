"""Where the tests of the page are played: a venue, its market, and a line that can be cut.

All of it runs on trio in a thread of its own, so that a test can drive the browser from the main
thread. The page is opened at a proxy's port, which stays the same over restarts of the venue.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import attrs
import trio
from anyio.from_thread import BlockingPortal

from tests.browser.market import Market
from tests.support.exchange_server import serving
from tests.support.http_client import Response, once
from tests.support.redis_server import RedisServer
from tests.support.tcp_proxy import TcpProxy, tcp_proxy
from tests.support.venue_process import OPS_TOKEN, VenueProcess, venue

T = TypeVar("T")

COLUMN_S = 2
ROW_CENTS = 1000
FIRST_PRICE_CENTS = 6_500_500
"""In the middle of a row."""
PATIENCE_S = 30
SETTINGS = (
    f"--set=grid.column_s={COLUMN_S}",
    "--set=feed.source=binance",
    "--set=feed.settle_delay_ms=500",
    # A market that hardly moves, and still pays on cells some rows away.
    "--set=rewards.annual_volatility_bps=15000",
    # All visitors come from one address.
    "--set=limits.sign_ins_per_minute=1000",
)


@attrs.frozen
class Spot:
    """A cell of the grid."""

    start_s: int
    lo_cents: int

    @property
    def cell_id(self) -> str:
        return f"{self.start_s}_{self.lo_cents}_{self.lo_cents + ROW_CENTS}"

    @property
    def middle_cents(self) -> int:
        """The price that is furthest from its edges."""
        return self.lo_cents + ROW_CENTS // 2

    @property
    def middle_s(self) -> float:
        return self.start_s + COLUMN_S / 2


@attrs.define(kw_only=True)
class Stage:
    """A venue that can be stopped, killed and cut off, and the market it watches."""

    data: Path
    market: Market
    proxy: TcpProxy
    _store: RedisServer
    _portal: BlockingPortal
    _exchange_url: str
    _running: VenueProcess | None = None
    _life: ExitStack = attrs.field(factory=ExitStack)

    @property
    def origin(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.proxy.port}"

    # The venue's life

    def start(self) -> None:
        """Start the venue, or start it again, and let the page through to it."""
        running = self._life.enter_context(
            self._portal.wrap_async_context_manager(
                venue(
                    self.data,
                    *SETTINGS,
                    f"--set=feed.binance_url={self._exchange_url}",
                    f"--set=public.origin={self.origin}",
                    f"--set=store.url={self._store.url}",
                )
            )
        )
        self._running = running
        self.proxy.target = running.port

    def stop(self) -> None:
        """SIGTERM, until it has ended."""
        assert self._running is not None
        code = self._portal.call(self._running.stop)
        assert code == 0, "\n".join(self._running.output[-40:])
        self._gone()

    def kill(self) -> None:
        """kill -9."""
        assert self._running is not None
        self._running.kill()
        self._gone()

    def _gone(self) -> None:
        self._running = None
        self.proxy.target = None
        self._life.close()

    # The line between page and venue

    def cut(self, *, stays_cut: bool = False) -> None:
        """Break every connection; with `stays_cut` new ones are hung up on, until `mend`."""
        if stays_cut:
            self.proxy.target = None
        self._portal.call(self.proxy.hang_up)

    def mend(self) -> None:
        """The line is as it should be."""
        self.proxy.drop_requests = self.proxy.drop_replies = False
        self._portal.call(self.proxy.pass_replies)
        self.proxy.target = None if self._running is None else self._running.port

    @contextmanager
    def holding_replies(self) -> Iterator[None]:
        """What the venue says is kept from the page while inside, and told it after."""
        self._portal.call(self.proxy.hold_replies)
        try:
            yield
        finally:
            self._portal.call(self.proxy.pass_replies)

    # The venue itself, past the proxy

    def ask(
        self, method: str, path: str, body: object = None, *, token: str | None = None
    ) -> Response:
        """One request, straight to the venue."""
        assert self._running is not None
        port = self._running.port
        return self._portal.call(lambda: once(port, method, path, body, token=token))

    def operate(self, path: str, **fields: object) -> Any:
        """An operator's order; it must be obeyed."""
        answer = self.ask("POST", f"/ops/{path}", {"reason": "a test", **fields}, token=OPS_TOKEN)
        assert answer.status == 200, answer.body
        return answer.json

    def account(self, wallet: str) -> Any:
        """A trader's account as the venue has it on disk, his open bets included."""
        answer = self.ask("GET", f"/ops/users/{wallet}", token=OPS_TOKEN)
        assert answer.status == 200, answer.body
        return answer.json

    def offered(self) -> dict[str, int]:
        """The newest quote: what each cell pays, in basis points, by its id."""
        quote = self.ask("GET", "/api/grid").json["quote"]
        return {cell["cell_id"]: cell["reward_bps"] for cell in quote["cells"]} if quote else {}

    def spot_at(self, *, columns_ahead: int, rows_up: int) -> Spot:
        """The cell so many columns after the current one, and rows above the price's own."""
        now_s = self.ask("GET", "/api/grid").json["server_time_ms"] // 1000
        start_s = now_s - now_s % COLUMN_S + columns_ahead * COLUMN_S
        price_cents = self.market.price_cents
        return Spot(start_s, price_cents - price_cents % ROW_CENTS + rows_up * ROW_CENTS)

    def spot(self, *, columns_ahead: int = 4, rows_up: int = 1) -> Spot:
        """Such a cell that is on offer; by default one that can be tapped for some seconds."""

        def look() -> Spot | None:
            spot = self.spot_at(columns_ahead=columns_ahead, rows_up=rows_up)
            return spot if spot.cell_id in self.offered() else None

        return self.wait(look, f"a cell {rows_up} rows from the price to be on offer")

    def wait(self, look: Callable[[], T | None], what: str, *, within_s: float = PATIENCE_S) -> T:
        """Look again and again until there is something to see."""
        until_s = time.monotonic() + within_s
        while not (seen := look()):
            assert time.monotonic() < until_s, f"waited in vain for {what}"
            self._portal.call(trio.sleep, 0.05)
        return seen

    def set_up(self) -> None:
        """Everything runs, and betting is open, whatever the last test did."""
        if self._running is None:
            self.start()
        self.mend()
        self.market.is_silent = False
        self.operate("release")
        self.operate("circuit", state="auto")
        self.wait(self.offered, "betting to be open", within_s=60)

    def close(self) -> None:
        """The end of it: the venue is killed if it runs."""
        self._life.close()


@contextmanager
def playing(portal: BlockingPortal, data: Path, store: RedisServer) -> Iterator[Stage]:
    """A stage while inside; all of it is gone at the end. Sessions live in the store, as they do in
    production: a restart of the venue ends none."""
    market = Market(price_cents=FIRST_PRICE_CENTS)
    with ExitStack() as stack:
        exchange = stack.enter_context(portal.wrap_async_context_manager(serving(market.play)))
        proxy = stack.enter_context(portal.wrap_async_context_manager(tcp_proxy()))
        stage = Stage(
            data=data,
            market=market,
            proxy=proxy,
            store=store,
            portal=portal,
            exchange_url=exchange.url,
        )
        stage.start()
        try:
            yield stage
        finally:
            stage.close()
