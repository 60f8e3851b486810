"""The private streams: which socket follows whose events, and how far each has come.

A client sees the events of its wallet with `seq` s+1, s+2, ... after the state that it was given,
which is as of s: none twice, none left out. So while such a state is read from the ledger nothing
is sent; what was committed meanwhile is in the state, or follows it. Where events may be missing
the client is told so, once, and is sent nothing until it asks for what it missed.

Nothing here waits: the hub hands over events as they come, a socket's conversation says how far its
client has come, and frames go into outboxes.
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from enum import Enum
from typing import Final

import attrs

from actors.gateway.outbox import Outbox, encode
from actors.gateway.recent_events import RecentEvents
from domain.units import EpochMs
from protocols.client_frames import event_frame
from protocols.money import EventsLost, StreamEntry, UserEvent
from protocols.sign_in import Session, SessionEnded

ENDS_KEPT: Final = 1_000
"""Sessions that ended, for sign-ins that were on their way: those of some milliseconds."""

RESYNC_REQUIRED: Final = encode({"type": "resync_required"})
SESSION_EXPIRED: Final = encode({"type": "session:expired"})


class Phase(Enum):
    """What happens to an event of the stream's wallet."""

    HELD = "held"
    """It is kept back: the client is about to be told where it stands."""
    FOLLOWING = "following"
    """It is sent."""
    LOST = "lost"
    """It is not sent: the client was told to resume, and has not."""
    OVER = "over"
    """The session has ended."""


@attrs.define(eq=False)
class PrivateStream:
    """What one socket is sent of one wallet."""

    outbox: Outbox
    session: Session
    phase: Phase = Phase.HELD
    seq: int = 0
    """FOLLOWING: the client has everything up to here."""
    heard_seq: int = 0
    """HELD: the newest event that was kept back."""
    has_missed: bool = False
    """HELD: were events lost meanwhile?"""

    @property
    def is_over(self) -> bool:
        """Has its session ended?"""
        return self.phase is Phase.OVER


class PrivateStreams:
    """All private streams of one life of the Gateway."""

    def __init__(self, recent: RecentEvents | None = None) -> None:
        self._recent = RecentEvents() if recent is None else recent
        self._by_wallet: defaultdict[str, dict[PrivateStream, None]] = defaultdict(dict)
        self._ended: deque[str] = deque(maxlen=ENDS_KEPT)

    # What a conversation says of its client

    def open(self, outbox: Outbox, session: Session) -> PrivateStream | None:
        """A new stream, held until `follow` or `replay`; None if the session has just ended."""
        if session.session_id in self._ended:
            return None
        stream = PrivateStream(outbox, session)
        self._by_wallet[session.wallet][stream] = None
        return stream

    def close(self, stream: PrivateStream) -> None:
        """Nothing is sent any more. Idempotent."""
        stream.phase = Phase.OVER
        streams = self._by_wallet.get(stream.session.wallet)
        if streams is not None:
            streams.pop(stream, None)
            if not streams:
                del self._by_wallet[stream.session.wallet]

    def replay(self, stream: PrivateStream, seq: int) -> int | None:
        """Send what came after `seq`, and from now on all; the seq that this leads up to.

        None, and nothing is done, where that is not known whole.
        """
        missed = self._recent.after(stream.session.wallet, seq)
        if missed is not None:
            self._follow(stream, seq, missed)
            return stream.seq
        return None

    def hold(self, stream: PrivateStream) -> None:
        """Send nothing until `follow`: its state is about to be read."""
        if not stream.is_over:
            stream.phase, stream.heard_seq, stream.has_missed = Phase.HELD, 0, False

    def follow(self, stream: PrivateStream, seq: int) -> None:
        """The client was told the state as of `seq`: send what came since, and from now on all."""
        if stream.is_over:
            return
        newer: Sequence[UserEvent] | None = ()
        if stream.heard_seq > seq:
            newer = self._recent.after(stream.session.wallet, seq)
        if newer is None or stream.has_missed:
            self._lose(stream)
        else:
            self._follow(stream, seq, newer)

    def _follow(self, stream: PrivateStream, seq: int, newer: Sequence[UserEvent]) -> None:
        stream.phase, stream.seq = Phase.FOLLOWING, seq + len(newer)
        for event in newer:
            stream.outbox.put(encode(event_frame(event)))

    # What the hub hears

    def take(self, entry: StreamEntry, *, now_ms: EpochMs) -> None:
        """One entry of the Batcher's, in its order."""
        if isinstance(entry, EventsLost):
            self.lose_events()
            return
        self._recent.add(entry)
        streams = self._by_wallet.get(entry.wallet)
        if streams and entry.seq is not None:
            self._tell(tuple(streams), entry, entry.seq, now_ms)

    def _tell(
        self, streams: Sequence[PrivateStream], event: UserEvent, seq: int, now_ms: EpochMs
    ) -> None:
        frame = encode(event_frame(event))
        for stream in streams:
            if stream.session.expires_at_ms <= now_ms:
                self._end(stream)
            elif stream.phase is Phase.HELD:
                stream.heard_seq = seq
            elif stream.phase is Phase.FOLLOWING and seq == stream.seq + 1:
                stream.outbox.put(frame)
                stream.seq = seq
            elif stream.phase is Phase.FOLLOWING and seq > stream.seq:
                self._lose(stream)

    def lose_events(self) -> None:
        """Events may be missing, of nobody knows whom: all must ask what they missed."""
        self._recent.clear()
        for stream in self._all():
            if stream.phase is Phase.HELD:
                stream.has_missed = True
            elif stream.phase is Phase.FOLLOWING:
                self._lose(stream)

    def _lose(self, stream: PrivateStream) -> None:
        stream.phase = Phase.LOST
        stream.outbox.put(RESYNC_REQUIRED)

    # Sessions

    def end_session(self, ended: SessionEnded) -> None:
        """It was ended: its streams end now, the wallet's others go on."""
        self._ended.append(ended.session_id)
        for stream in tuple(self._by_wallet.get(ended.wallet, ())):
            if stream.session.session_id == ended.session_id:
                self._end(stream)

    def end_expired(self, now_ms: EpochMs) -> None:
        """End the streams of sessions that have lasted their time."""
        for stream in self._all():
            if stream.session.expires_at_ms <= now_ms:
                self._end(stream)

    def _end(self, stream: PrivateStream) -> None:
        self.close(stream)
        stream.outbox.put(SESSION_EXPIRED)

    def _all(self) -> Sequence[PrivateStream]:
        return [stream for streams in self._by_wallet.values() for stream in streams]
