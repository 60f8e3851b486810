"""The supervisor tree as operators see it."""

from collections.abc import Iterator
from typing import Literal, cast

import attrs

from protocols.client_status import ActorJson, ChannelJson, FailureJson
from supervisor import ChannelStatistics, ChildStatus, LastFailure, State, SupervisorStatus


def actors_of(status: SupervisorStatus) -> Iterator[ChildStatus]:
    """Every actor of the tree, in the order of their start."""
    for child in status.children:
        if isinstance(child, SupervisorStatus):
            yield from actors_of(child)
        else:
            yield child


def paths_of(status: SupervisorStatus) -> Iterator[str]:
    """The paths of all actors and supervisors below the root, each supervisor before its own."""
    for child in status.children:
        yield child.path
        if isinstance(child, SupervisorStatus):
            yield from paths_of(child)


def down(status: SupervisorStatus) -> list[str]:
    """The paths of the actors that do not run now and should."""
    fine = (State.RUNNING, State.IGNORED, State.STOPPING)
    return [actor.path for actor in actors_of(status) if actor.state not in fine]


def rows_json(status: SupervisorStatus) -> list[ActorJson]:
    """The tree as rows, each supervisor before its children."""
    row = _row_json(status, "supervisor", mailbox=None)
    row["strategy"] = status.strategy
    row["restarts_max"] = status.restarts_max
    row["period_s"] = status.period_s
    rows = [row]
    for child in status.children:
        rows += rows_json(child) if isinstance(child, SupervisorStatus) else [_actor_json(child)]
    return rows


def _actor_json(actor: ChildStatus) -> ActorJson:
    channels = [_channel_json(channel) for channel in actor.channels]
    row = _row_json(actor, "actor", mailbox=channels[0] if channels else None)
    row["waiting_on"] = actor.waiting_on
    row["channels"] = channels
    return row


def _row_json(
    status: ChildStatus | SupervisorStatus,
    kind: Literal["actor", "supervisor"],
    *,
    mailbox: ChannelJson | None,
) -> ActorJson:
    return {
        "path": status.path,
        "kind": kind,
        "state": status.state.value,
        "restarts": status.restarts_total,
        "restarts_in_window": status.restarts_in_window,
        "uptime_s": _rounded(status.uptime_s),
        "retry_in_s": _rounded(status.retry_in_s),
        "last_failure": _failure_json(status.last_failure),
        "mailbox": mailbox,
    }


def _failure_json(failure: LastFailure | None) -> FailureJson | None:
    if failure is None:
        return None
    ago_s = _rounded(failure.ago_s)
    return {"type": failure.type, "message": failure.message, "ago_s": ago_s}


def _channel_json(channel: ChannelStatistics) -> ChannelJson:
    return cast(ChannelJson, attrs.asdict(channel))


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
