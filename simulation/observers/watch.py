"""The observers of the market's side: verdicts, the feed, quotes and streams."""

from typing import Final

from domain.rates import RewardSettings
from simulation.keeper import settings_of
from simulation.observers.feed import FeedObserver
from simulation.observers.lives import Lives
from simulation.observers.quoting import QuotingObserver
from simulation.observers.streams import StreamObserver
from simulation.observers.verdicts import VerdictObserver
from simulation.oracle.quoting import RateBounds
from simulation.witness import Observer
from simulation.world import World

LEAST_BPS: Final = 10_100
MOST_BPS: Final = 1_000_000


def market_observers(world: World) -> list[Observer]:
    """In the order in which they must hear of things: first who knows what runs."""
    lives = Lives(world)
    feed = FeedObserver(world, lives)
    return [
        lives,
        feed,
        QuotingObserver(world, _bounds(world)),
        VerdictObserver(world, lives, feed),
        StreamObserver(world),
    ]


def _bounds(world: World) -> RateBounds:
    """Least and most that a cell may pay (market.md, Rewards), by the settings of the run."""
    model = RewardSettings()
    return RateBounds.of(
        least_bps=LEAST_BPS,
        most_bps=MOST_BPS,
        edge_bps=settings_of(world).rewards.edge_bps,
        chance_min=model.offer_probability_min,
        unknown=model.unknown_probability,
    )
