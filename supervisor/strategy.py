"""Who stops and who starts when a child has ended. Pure.

Children are named by their place in the start order.
"""

import enum
from collections.abc import Sequence

import attrs


class Restart(enum.Enum):
    """When a child that has ended is started again."""

    PERMANENT = "permanent"  # always
    TRANSIENT = "transient"  # only after a failure
    TEMPORARY = "temporary"  # never, and not as a bystander either; it is then forgotten


class Strategy(enum.Enum):
    """Who else is restarted with a child."""

    ONE_FOR_ONE = "one_for_one"  # nobody
    ONE_FOR_ALL = "one_for_all"  # all its siblings
    REST_FOR_ONE = "rest_for_one"  # those that started after it


@attrs.frozen(kw_only=True)
class Group:
    """What restarting one child means for the others."""

    stop: tuple[int, ...]  # the bystanders, in the order to stop them: last started first
    start: tuple[int, ...]  # all to be started, the child itself among them, in start order


def wants_restart(restart: Restart, *, failed: bool) -> bool:
    """Does a child of this kind start again after an end that was, or was not, a failure?"""
    match restart:
        case Restart.PERMANENT:
            return True
        case Restart.TRANSIENT:
            return failed
        case Restart.TEMPORARY:
            return False


def group_of(strategy: Strategy, restarts: Sequence[Restart], ended: int) -> Group:
    """The group to restart when the child at place `ended` is restarted.

    `restarts` has the kind of every child, in start order.
    """
    match strategy:
        case Strategy.ONE_FOR_ONE:
            places = range(ended, ended + 1)
        case Strategy.ONE_FOR_ALL:
            places = range(len(restarts))
        case Strategy.REST_FOR_ONE:
            places = range(ended, len(restarts))
    return Group(
        stop=tuple(place for place in reversed(places) if place != ended),
        start=tuple(place for place in places if restarts[place] is not Restart.TEMPORARY),
    )
