"""How far the feed could be trusted, told once more from the rules in words.

CRITICAL begins when the newest tick is ten seconds old, when receive and exchange times are more
than two seconds apart, and with each life of the venue; it ends after thirty seconds of ticks none
more than three seconds apart, or with the first tick of a life before which nothing was wrong.

The rules leave instants open that no outsider can know: when exactly somebody looks, how many ticks
a median is taken over. So there are two of each machine. The strict one is CRITICAL whenever it may
be, the lenient one only when it must be; where they agree the venue has to agree with them.

Times named `at_ms` are true times; `now_ms` and `recv_ms` are by the venue's clock.
"""

from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median_low
from typing import Final

CRITICAL_AFTER_MS: Final = 10_000
SLOW_AFTER_MS: Final = 3_000
STEADY_MS: Final = 30_000
SKEW_MAX_MS: Final = 2_000
LOOKS_EVERY_MS: Final = 1_100
"""Someone looks each second, and a step takes a moment."""
RECORDED_WITHIN_MS: Final = 1_500
CLOSE_MS: Final = 150
"""Nearer than that to a bound, either is right."""
MEDIANS: Final = (15, 31, 61)
"""The rules name a median, but not of how many."""
KEPT_STRETCHES: Final = 900
EVER: Final = 1 << 62


@dataclass
class Machine:
    """Strict or lenient: one of the two ends of what may be."""

    is_strict: bool
    is_critical: bool = True
    since_ms: int = 0
    stretches: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=KEPT_STRETCHES))
    """The CRITICAL ones that have ended, in true time."""
    steady_from: tuple[int, int] | None = None
    last: tuple[int, int] | None = None
    """Exchange and receive time of the newest tick."""
    skews_ms: deque[int] = field(default_factory=lambda: deque(maxlen=max(MEDIANS)))
    seen_again_ms: int | None = None
    """Of a tick that this life may have seen first, or its predecessor last."""
    runs_from_ms: int = 0
    """A life that is held up looks at nothing before that."""
    may_resume: bool = False
    is_starting: bool = True

    def begin(self, at_ms: int, *, may_resume: bool, runs_from_ms: int = 0) -> None:
        """A life begins: CRITICAL until a tick comes."""
        self.runs_from_ms = runs_from_ms
        self.turn_critical(at_ms)
        self.is_starting, self.may_resume = True, may_resume
        self.steady_from = self.last = self.seen_again_ms = None
        self.skews_ms.clear()

    def look(self, now_ms: int, at_ms: int) -> None:
        """Nothing has come; time has passed."""
        if self.last is None:
            return
        silent_ms = now_ms - min(self.last)
        if silent_ms > self._critical_after_ms():
            self.turn_critical(at_ms - max(0, silent_ms - self._critical_after_ms()))
        if self.is_strict and self.last[1] - now_ms > SKEW_MAX_MS // 2:
            self.turn_critical(at_ms)  # the clock was stepped back: it hides every silence

    def tick(self, ts_ms: int, recv_ms: int, now_ms: int, at_ms: int) -> None:
        """The feed has accepted a tick, which it may have held for a while."""
        self.look(now_ms, at_ms)
        if self.last is not None and self._apart_ms(ts_ms, recv_ms) >= self._silence_ms():
            self.turn_critical(at_ms)
        self._run_on(ts_ms, recv_ms, now_ms)
        if at_ms < self.runs_from_ms:
            self.steady_from = None
        self.last = ts_ms, recv_ms
        self.skews_ms.append(abs(recv_ms - ts_ms))
        if self._clocks_differ():
            self.turn_critical(at_ms)
            self.steady_from = None
        elif now_ms - min(ts_ms, recv_ms) >= self._critical_after_ms():
            self.turn_critical(at_ms)
        elif self.is_critical and (self._has_run() or (self.is_starting and self.may_resume)):
            self.is_critical = False
            self.stretches.append((self.since_ms, at_ms))
        self.is_starting = False

    def new_source(self) -> None:
        """What clocks said of another source is no evidence."""
        self.skews_ms.clear()
        self.seen_again_ms = None

    def was_critical(self, from_ms: int, until_ms: int) -> bool:
        """In any part of `[from_ms, until_ms)`, true time?"""
        if self.is_critical and self.since_ms < until_ms:
            return True
        return any(begun < until_ms and ended > from_ms for begun, ended in self.stretches)

    def turn_critical(self, at_ms: int) -> None:
        """From then on, unless it is already."""
        if self.is_strict:
            self.steady_from = None  # also of a run that began while it was CRITICAL already
        if not self.is_critical:
            self.is_critical, self.since_ms = True, at_ms

    def _critical_after_ms(self) -> int:
        return CRITICAL_AFTER_MS - CLOSE_MS if self.is_strict else CRITICAL_AFTER_MS + CLOSE_MS

    def _silence_ms(self) -> int:
        return CRITICAL_AFTER_MS if self.is_strict else CRITICAL_AFTER_MS + 1

    def _apart_ms(self, ts_ms: int, recv_ms: int) -> int:
        assert self.last is not None
        return max(ts_ms - self.last[0], recv_ms - self.last[1])

    def _run_on(self, ts_ms: int, recv_ms: int, now_ms: int) -> None:
        if self.last is not None:
            limit_ms = SLOW_AFTER_MS - CLOSE_MS if self.is_strict else SLOW_AFTER_MS
            apart_ms = self._apart_ms(ts_ms, recv_ms)
            if self.is_strict:
                apart_ms = max(apart_ms, now_ms - min(self.last))  # as old as it grew
            if apart_ms > limit_ms:
                self.steady_from = None
        if self.steady_from is None:
            before_ms = self.last[1] if self.last is not None and self.is_strict else 0
            # A clock that was put back between them: the run may be counted from either.
            self.steady_from = ts_ms, max(recv_ms, before_ms)

    def _has_run(self) -> bool:
        assert self.last is not None
        if self.steady_from is None:
            return False
        spans = self.last[0] - self.steady_from[0], self.last[1] - self.steady_from[1]
        return (min(spans) if self.is_strict else max(spans)) >= STEADY_MS

    def _clocks_differ(self) -> bool:
        if max(self.skews_ms) <= SKEW_MAX_MS:
            return False
        newest = list(self.skews_ms)
        seen = [newest] if self.seen_again_ms is None else [newest, [self.seen_again_ms, *newest]]
        differ = [median_low(one[-count:]) > SKEW_MAX_MS for one in seen for count in MEDIANS]
        return any(differ) if self.is_strict else all(differ)


class FeedOracle:
    """Both machines, over the lives of the venue."""

    def __init__(self) -> None:
        self.strict = Machine(is_strict=True)
        self.lenient = Machine(is_strict=False)
        self._ticks: deque[tuple[int, int]] = deque(maxlen=400)
        """Exchange and receive time of the newest ticks of all lives."""
        self._source = ""
        self._is_first_life = True
        self._ended_at_ms = 0
        """When the process before ended."""

    def begin(
        self, at_ms: int, *, is_process: bool, is_sure: bool = True, runs_from_ms: int = 0
    ) -> None:
        """A life begins, of the whole process or of the monitor alone.

        Not `is_sure`: how the record ends is not known to the second, nor whether what was CRITICAL
        is on it. It may be held up, by a disk that is full, until `runs_from_ms`.
        """
        newest = self.lenient.last
        if self._is_first_life:
            strict = lenient = True
        else:
            # What ended just before may not have been on record yet.
            last_ms = self._ended_at_ms if is_process else at_ms
            strict = is_sure and not self.strict.was_critical(last_ms - RECORDED_WITHIN_MS, at_ms)
            # A life that has seen no tick may have left no trace on record.
            was = self.lenient
            is_known = is_sure and was.is_critical and not (was.is_starting and was.may_resume)
            lenient = not is_known
        self._is_first_life = False
        self.strict.begin(at_ms, may_resume=strict, runs_from_ms=runs_from_ms)
        self.lenient.begin(at_ms, may_resume=lenient)
        if not is_process and newest is not None:
            self._see_again(newest)

    def process_ended(self, at_ms: int) -> None:
        """Nothing is recorded any more."""
        self._ended_at_ms = at_ms

    def look(self, now_ms: int, at_ms: int, *, is_seen: bool = True) -> None:
        """Time has passed. Not `is_seen`: the clock shows it for less time than lies between two
        looks."""
        self.strict.look(now_ms, at_ms)
        if is_seen:
            self.lenient.look(now_ms, at_ms)

    def tick(self, source: str, ts_ms: int, recv_ms: int, *, now_ms: int, at_ms: int) -> None:
        """The feed has accepted a tick."""
        if source != self._source:
            self._source = source
            self.strict.new_source()
            self.lenient.new_source()
        if self.strict.is_starting:
            self._judge_the_gap(ts_ms, recv_ms)
        self._ticks.append((ts_ms, recv_ms))
        self.strict.tick(ts_ms, recv_ms, now_ms, at_ms)
        self.lenient.tick(ts_ms, recv_ms, now_ms, at_ms)

    def clock_stepped(self, at_ms: int) -> None:
        """The venue's clock was: whoever looked at that moment may have seen clocks that differ."""
        self.strict.turn_critical(at_ms)

    def must_be_critical(self, from_ms: int, until_ms: int) -> bool:
        """In some part of that time, for certain?"""
        return self.lenient.was_critical(from_ms, until_ms)

    def may_be_critical(self, from_ms: int, until_ms: int) -> bool:
        """In some part of that time, possibly?"""
        return self.strict.was_critical(from_ms, until_ms)

    def _see_again(self, newest: tuple[int, int]) -> None:
        """The tick in hand when a monitor failed may be the first that the next one sees."""
        self.lenient.last = self.lenient.steady_from = newest
        for machine in (self.strict, self.lenient):
            machine.seen_again_ms = abs(newest[1] - newest[0])
        if self.lenient.may_resume:
            self.lenient.is_critical = self.lenient.is_starting = False

    def _judge_the_gap(self, ts_ms: int, recv_ms: int) -> None:
        """The steady run is spared only if the record shows no gap over ten seconds."""
        if not self._ticks:
            return
        newest = self._ticks[-1]
        to_first_ms = max(ts_ms - newest[0], recv_ms - newest[1])
        gaps = [  # that which the last minute begins in is one of them
            max(later[0] - earlier[0], later[1] - earlier[1])
            for earlier, later in pairwise(self._ticks)
            if later[0] >= ts_ms - 75_000
        ]
        if max(to_first_ms, *gaps, 0) > CRITICAL_AFTER_MS - 2_000:
            self.strict.may_resume = False
        if to_first_ms > CRITICAL_AFTER_MS:
            self.lenient.may_resume = False
