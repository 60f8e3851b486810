"""Which of several price sources is the active one.

Sources stand in priority order and all stay connected; only the active one's ticks enter the
record. When it has been silent for the stale threshold, the first in priority that has ticks takes
over. One of higher priority comes back once it has ticked for a stable minute, so that a source
that is only up for moments does not void a column each time.

The caller reports ticks as it hears them, with the time in milliseconds of a clock that never
steps. That is all that is needed: a source can only take over by having ticks.
"""

from collections.abc import Sequence

import attrs

from domain.limits import FEED_DEGRADED_AFTER_MS


@attrs.frozen(kw_only=True)
class FailoverRule:
    """The bounds of a switch."""

    silent_after_ms: int = FEED_DEGRADED_AFTER_MS
    """Silence of the active source after which another takes over."""
    steady_ms: int = 60_000
    """How long a source of higher priority ticks without such a silence before it comes back."""


@attrs.frozen(kw_only=True)
class Heard:
    """What is known of one source's ticks; all None until the first."""

    last_ms: int | None = None
    steady_since_ms: int | None = None
    """Since when it has ticked without falling silent."""


@attrs.frozen(kw_only=True)
class Failover:
    """The active source, as an index in priority order, and what was heard of each."""

    active: int
    active_since_ms: int
    heard: tuple[Heard, ...]


def begin(sources: int, *, now_ms: int) -> Failover:
    """The first source is active, and has the stale threshold to show a tick."""
    return Failover(active=0, active_since_ms=now_ms, heard=(Heard(),) * sources)


def hear(state: Failover, source: int, *, now_ms: int, rule: FailoverRule) -> Failover:
    """A good tick of `source` came now: an accepted one if it is active, else a fresh one."""
    before = state.heard[source]
    steady = before.steady_since_ms is not None and not _silent(before.last_ms, now_ms, rule)
    heard = Heard(last_ms=now_ms, steady_since_ms=before.steady_since_ms if steady else now_ms)
    return _with(state, source, heard)


def lose(state: Failover, source: int) -> Failover:
    """The connection of `source` ended: its stable minute begins anew."""
    return _with(state, source, attrs.evolve(state.heard[source], steady_since_ms=None))


def choose(state: Failover, *, now_ms: int, rule: FailoverRule) -> Failover:
    """The state with the source that should be active now."""
    index = _choice(state, now_ms, rule)
    if index == state.active:
        return state
    return attrs.evolve(state, active=index, active_since_ms=now_ms)


def _choice(state: Failover, now_ms: int, rule: FailoverRule) -> int:
    alive = [
        index for index, heard in enumerate(state.heard) if not _silent(heard.last_ms, now_ms, rule)
    ]
    granted = _silent(state.active_since_ms, now_ms, rule)
    if granted and state.active not in alive:
        return _first(alive, otherwise=state.active)
    steady = [index for index in alive if _steady(state.heard[index], now_ms, rule)]
    return min(_first(steady, otherwise=state.active), state.active)


def _first(indices: Sequence[int], *, otherwise: int) -> int:
    return indices[0] if indices else otherwise


def _silent(last_ms: int | None, now_ms: int, rule: FailoverRule) -> bool:
    return last_ms is None or now_ms - last_ms >= rule.silent_after_ms


def _steady(heard: Heard, now_ms: int, rule: FailoverRule) -> bool:
    since_ms = heard.steady_since_ms
    return since_ms is not None and now_ms - since_ms >= rule.steady_ms


def _with(state: Failover, source: int, heard: Heard) -> Failover:
    changed = (*state.heard[:source], heard, *state.heard[source + 1 :])
    return attrs.evolve(state, heard=changed)
