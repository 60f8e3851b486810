"""The observers of the market's side: verdicts, the feed, streams and drains."""

from simulation.observers.drains import DrainObserver
from simulation.observers.feed import FeedObserver
from simulation.observers.lives import Lives
from simulation.observers.streams import StreamObserver
from simulation.observers.verdicts import VerdictObserver
from simulation.witness import Observer
from simulation.world import World


def market_observers(world: World) -> list[Observer]:
    """In the order in which they must hear of things: first who knows what runs."""
    lives = Lives(world)
    feed = FeedObserver(world, lives)
    return [
        lives,
        feed,
        VerdictObserver(world, lives, feed),
        StreamObserver(world),
        DrainObserver(world, lives),
    ]
