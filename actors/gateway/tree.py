"""The supervisor tree as operators see it."""

from collections.abc import Iterator

import attrs

from protocols.client_fields import Json
from supervisor import ChannelStatistics, ChildStatus, LastFailure, State, SupervisorStatus


def actors_of(status: SupervisorStatus) -> Iterator[ChildStatus]:
    """Every actor of the tree, in the order of their start."""
    for child in status.children:
        if isinstance(child, SupervisorStatus):
            yield from actors_of(child)
        else:
            yield child


def down(status: SupervisorStatus) -> list[str]:
    """The paths of the actors that do not run now and should."""
    fine = (State.RUNNING, State.IGNORED, State.STOPPING)
    return [actor.path for actor in actors_of(status) if actor.state not in fine]


def rows_json(status: SupervisorStatus) -> list[Json]:
    """The tree as rows, each supervisor before its children."""
    rows: list[Json] = [
        {
            "path": status.path,
            "kind": "supervisor",
            "strategy": status.strategy,
            "restarts_max": status.restarts_max,
            "period_s": status.period_s,
            **_life_json(status),
            "mailbox": None,
        }
    ]
    for child in status.children:
        rows += rows_json(child) if isinstance(child, SupervisorStatus) else [_actor_json(child)]
    return rows


def _actor_json(actor: ChildStatus) -> Json:
    return {
        "path": actor.path,
        "kind": "actor",
        **_life_json(actor),
        "waiting_on": actor.waiting_on,
        "mailbox": _channel_json(actor.channels[0]) if actor.channels else None,
        "channels": [_channel_json(channel) for channel in actor.channels],
    }


def _life_json(status: ChildStatus | SupervisorStatus) -> Json:
    return {
        "state": status.state.value,
        "restarts": status.restarts_total,
        "restarts_in_window": status.restarts_in_window,
        "uptime_s": _rounded(status.uptime_s),
        "retry_in_s": _rounded(status.retry_in_s),
        "last_failure": _failure_json(status.last_failure),
    }


def _failure_json(failure: LastFailure | None) -> Json | None:
    if failure is None:
        return None
    ago_s = _rounded(failure.ago_s)
    return {"type": failure.type, "message": failure.message, "ago_s": ago_s}


def _channel_json(channel: ChannelStatistics) -> Json:
    return attrs.asdict(channel)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
