"""What the PriceFeed shows of its sources: kept per source, put in a Watch, logged now and then."""

from collections.abc import Sequence
from typing import Final

import attrs
import structlog
import trio

from domain.ticks import Accepted, Rejection, Tick
from protocols.market import SourceState
from protocols.ports import TickSource
from supervisor import Watch

LOG_EVERY_S: Final = 10.0
"""Rejections are logged summed up: a source gone wrong may reject a hundred ticks a second."""

log = structlog.get_logger("price_feed")


class States:
    """The states of all sources, going on from what the Watch shows of an earlier life."""

    def __init__(
        self, sources: Sequence[TickSource], watch: Watch[tuple[SourceState, ...]]
    ) -> None:
        self._sources = sources
        self._watch = watch
        earlier = {state.name: state for state in watch.value}
        self._states = [
            attrs.evolve(earlier.get(source.name, _unknown(source)), connected=False)
            for source in sources
        ]
        self._logged = list(self._states)
        self._log_at = trio.current_time()

    def last_tick(self) -> Tick | None:
        """The newest tick that was accepted, in this life or an earlier one."""
        ticks = [state.last_tick for state in self._states if state.last_tick is not None]
        return max(ticks, key=lambda tick: tick.ts_ms, default=None)

    def heard(self, index: int, tick: Tick) -> None:
        """A tick came, whatever becomes of it."""
        self._states[index] = attrs.evolve(self._states[index], last_recv_ms=tick.recv_ms)

    def accepted(self, index: int, accepted: Accepted) -> None:
        """Count what the acceptance rule said."""
        state = self._states[index]
        if accepted.ticks:
            count = state.accepted + len(accepted.ticks)
            state = attrs.evolve(state, accepted=count, last_tick=accepted.ticks[-1])
        if accepted.rejection is not None:
            state = _counting(state, accepted.rejection)
        self._states[index] = state

    def connected(self, index: int) -> None:
        """The source answers."""
        self._states[index] = attrs.evolve(self._states[index], connected=True)

    def lost(self, index: int, why: str) -> None:
        """The source's connection ended, or never came about."""
        state = self._states[index]
        self._states[index] = attrs.evolve(
            state, connected=False, reconnects=state.reconnects + 1, last_error=why
        )

    def disconnected(self) -> None:
        """Nothing is connected any more, and nothing was lost either: this life is over."""
        self._states = [attrs.evolve(state, connected=False) for state in self._states]

    def show(self, *, active: int) -> None:
        """Put the states in the Watch if they have changed; log rejections if that is due."""
        self._states = [
            attrs.evolve(state, active=index == active, unreadable=self._sources[index].unreadable)
            for index, state in enumerate(self._states)
        ]
        if self._watch.value != tuple(self._states):
            self._watch.set(tuple(self._states))
        if trio.current_time() >= self._log_at:
            self._log_rejections()

    def _log_rejections(self) -> None:
        for before, state in zip(self._logged, self._states, strict=True):
            new = {
                name: count - getattr(before, name)
                for name, count in _rejections(state).items()
                if count > getattr(before, name)
            }
            if new:
                log.warning("ticks_left_out", source=state.name, **new)
                self._log_at = trio.current_time() + LOG_EVERY_S
        self._logged = list(self._states)


def _unknown(source: TickSource) -> SourceState:
    return SourceState(
        name=source.name, connected=False, active=False, reconnects=0, last_recv_ms=None
    )


def _counting(state: SourceState, rejection: Rejection) -> SourceState:
    match rejection:
        case Rejection.AHEAD:
            return attrs.evolve(state, ahead=state.ahead + 1)
        case Rejection.DUPLICATE:
            return attrs.evolve(state, duplicates=state.duplicates + 1)
        case Rejection.LATE:
            return attrs.evolve(state, late=state.late + 1)
        case Rejection.HELD:
            return attrs.evolve(state, held=state.held + 1)


def _rejections(state: SourceState) -> dict[str, int]:
    """By the names of the fields that count them."""
    return {
        "ahead": state.ahead,
        "duplicates": state.duplicates,
        "late": state.late,
        "held": state.held,
        "unreadable": state.unreadable,
    }
