"""A trader of the tests: a throwaway key, signed bets, and what he was told of them."""

from typing import Any

import attrs
import trio

from client import Wallet, sign_bet
from tests.support.http_client import HttpClient, Response, once
from tests.support.venue_process import OPS_TOKEN

USD = 1_000_000


@attrs.define
class Trader:
    """One wallet. Nonces are counted, so that a run is the same every time."""

    number: int
    tapped: int = 0
    key: bytes = attrs.field(init=False)
    wallet: str = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.key = (self.number + 1).to_bytes(32, "big")
        self.wallet = Wallet.from_private_key(self.key).address.lower()

    def bet(self, cell_id: str, *, now_ms: int, stake_micros: int = USD) -> dict[str, Any]:
        """The body of a new signed bet (version 1)."""
        self.tapped += 1
        return sign_bet(
            Wallet.from_private_key(self.key),
            wallet=self.wallet,
            cell_id=cell_id,
            stake_micros=stake_micros,
            nonce=f"{self.number:08x}-0000-4000-8000-{self.tapped:012x}",
            timestamp_s=now_ms // 1000,
            chain_id=31337,
        ).fields()

    async def fund(self, port: int, amount_micros: int, reference: str) -> Response:
        """A deposit by the operator."""
        return await once(
            port,
            "POST",
            "/ops/deposits",
            {"wallet": self.wallet, "amount_micros": amount_micros, "reference": reference},
            token=OPS_TOKEN,
        )


async def wait_grid(client: HttpClient) -> dict[str, Any]:
    """The grid, once it has a quote: a venue that has just started waits for its first tick."""
    while True:
        grid: dict[str, Any] = (await client.get("/api/grid")).json
        if grid["quote"] is not None and grid["quote"]["cells"]:
            return grid
        await trio.sleep(0.1)


def near_cells(
    grid: dict[str, Any], *, columns: range, rate_max_bps: int = 10**9, spare_ms: int = 0
) -> list[str]:
    """Cells of the quote in those columns, counted from the current one, best chances first.

    The column under now is 0. With `spare_ms` now is taken to be that much later, so that a tap
    that takes a while still finds its column open.
    """
    now_s = (grid["server_time_ms"] + spare_ms) // 1000
    current_s = now_s - now_s % grid["column_s"]
    starts = {current_s + column * grid["column_s"] for column in columns}
    cells = [
        (cell["reward_bps"], cell["cell_id"])
        for cell in grid["quote"]["cells"]
        if int(cell["cell_id"].split("_")[0]) in starts and cell["reward_bps"] <= rate_max_bps
    ]
    return [cell_id for _, cell_id in sorted(cells)]
