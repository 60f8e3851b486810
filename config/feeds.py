"""How price sources are spelled: `simulator`, `binance`, `coinbase` or `replay:FILE[@SPEED]`."""

from enum import StrEnum
from typing import Final

import attrs

REPLAY_SPEED_MAX: Final = 1_000.0


class FeedKind(StrEnum):
    """The kinds of sources."""

    SIMULATOR = "simulator"
    REPLAY = "replay"
    BINANCE = "binance"
    COINBASE = "coinbase"

    @property
    def live(self) -> bool:
        """Is it a market that trades now? Only such a one may decide about real money."""
        return self in {FeedKind.BINANCE, FeedKind.COINBASE}


@attrs.frozen(kw_only=True)
class FeedName:
    """One source, taken apart. `file` and `speed` belong to a replay."""

    kind: FeedKind
    file: str = ""
    speed: float = 1.0
    """Multiple of real time."""


def parse_feed(text: str) -> FeedName:
    """The source that `text` names. Raises ValueError if it names none.

    A file's own name may hold an `@`: only a number after the last one is a speed.
    """
    kind, colon, rest = text.partition(":")
    if kind not in list(FeedKind) or bool(colon) != (kind == FeedKind.REPLAY):
        raise ValueError(f"no such source: {text}")
    if kind != FeedKind.REPLAY:
        return FeedName(kind=FeedKind(kind))
    file, at, speed = rest.rpartition("@")
    if not at or not _is_number(speed):
        file, speed = rest, "1"
    if not file or not 0 < float(speed) <= REPLAY_SPEED_MAX:
        raise ValueError(f"no file, or no possible speed: {text}")
    return FeedName(kind=FeedKind.REPLAY, file=file, speed=float(speed))


def _is_number(text: str) -> bool:
    whole, _, fraction = text.partition(".")
    return (whole + fraction).isdecimal() and text.isascii()
