"""The PriceFeed actor and its sources: simulator, replay, Binance and Coinbase."""

from actors.price_feed.actor import FeedSettings, run
from actors.price_feed.sources import SourceSettings, build_sources

__all__ = ["FeedSettings", "SourceSettings", "build_sources", "run"]
