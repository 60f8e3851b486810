"""The grid and the prices, for anybody."""

from typing import Final

from domain.refusals import Code
from protocols.client_market import BarsJson, GridJson, TickJson, TicksJson
from protocols.client_queries import HISTORY
from protocols.operations.operation import Operation, Tag

GRID: Final = Operation(
    method="GET",
    path="/api/grid",
    summary="Geometry, presets, and the newest quote with every rate, or null.",
    tag=Tag.MARKET,
    answer=GridJson,
)
LATEST_PRICE: Final = Operation(
    method="GET",
    path="/api/prices/latest",
    summary="The newest accepted tick.",
    tag=Tag.MARKET,
    answer=TickJson,
    codes=(Code.NOT_FOUND,),
)
PRICE_HISTORY: Final = Operation(
    method="GET",
    path="/api/prices/history",
    summary="Bars, or ticks, of a stretch of the last seven days.",
    tag=Tag.MARKET,
    answer=BarsJson | TicksJson,
    query=HISTORY,
    codes=(Code.ARCHIVED,),
)

ALL: Final = (GRID, LATEST_PRICE, PRICE_HISTORY)
