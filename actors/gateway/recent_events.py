"""The traders' most recent events, so that who was away for a moment can be told what he missed.

Bounded twice: in all, and for each wallet. Events are kept as they came and not as frames, because
most traders are not connected and nobody will ask for theirs. Of a wallet only a stretch without a
gap is kept: what a replay says is either all that was missed, or nothing.
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from itertools import islice
from typing import Final

from protocols.money import UserEvent

EVENTS_MAX: Final = 20_000
"""Some 10 MB; two columns of 10,000 bets each, or several minutes of a busy venue."""
EVENTS_PER_WALLET_MAX: Final = 512
"""As many as an outbox holds, or a replay could overflow it."""


class RecentEvents:
    """Remembers what was published, oldest forgotten first."""

    def __init__(
        self, *, events_max: int = EVENTS_MAX, per_wallet_max: int = EVENTS_PER_WALLET_MAX
    ) -> None:
        self._events_max = events_max
        self._per_wallet_max = per_wallet_max
        self._by_wallet: defaultdict[str, deque[UserEvent]] = defaultdict(deque)
        self._in_order: deque[UserEvent] = deque()  # of all wallets, and some forgotten since

    def __len__(self) -> int:
        return sum(map(len, self._by_wallet.values()))

    def add(self, event: UserEvent) -> None:
        """Remember one more. One that wrote nothing has no seq, and is nobody's to replay."""
        if event.seq is None:
            return
        events = self._by_wallet[event.wallet]
        if events and event.seq != _seq(events[-1]) + 1:
            events.clear()  # there is a gap before it: what lies beyond can't be replayed any more
        events.append(event)
        if len(events) > self._per_wallet_max:
            events.popleft()
        self._in_order.append(event)
        if len(self._in_order) > self._events_max:
            self._forget(self._in_order.popleft())

    def after(self, wallet: str, seq: int) -> Sequence[UserEvent] | None:
        """What the wallet was told after `seq`, oldest first; None if that is not known whole.

        Empty: `seq` is the newest event that there was.
        """
        events = self._by_wallet.get(wallet)
        if not events:
            return None
        first, last = _seq(events[0]), _seq(events[-1])
        if not first - 1 <= seq <= last:
            return None
        return tuple(islice(events, seq + 1 - first, None))

    def clear(self) -> None:
        """Forget everything: events were lost, of nobody knows whom."""
        self._by_wallet.clear()
        self._in_order.clear()

    def _forget(self, event: UserEvent) -> None:
        events = self._by_wallet.get(event.wallet)
        if events and events[0] is event:
            events.popleft()
            if not events:
                del self._by_wallet[event.wallet]


def _seq(event: UserEvent) -> int:
    if event.seq is None:
        raise ValueError("an event without a seq is not remembered")
    return event.seq
