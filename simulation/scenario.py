"""What happens in a run, as data: the seed, how long, the faults and the actions of people.

All of it is drawn up front from the seed (`drawing.py`) and can be written down as JSON: so a run
is replayed from a file, and a failing one is shrunk by leaving things out.
"""

import json
from enum import StrEnum
from typing import Any, Self

import attrs


class FaultKind(StrEnum):
    """Every way in which the outside, the machine or a defect may fail the venue."""

    ACTOR_CRASH = "actor_crash"
    """`target`: the actor's path; `amount`: the number of its checkpoints until it raises."""
    ACTOR_HANG = "actor_hang"
    """`target`: a worker, whose call in hand takes `lasts_s`."""
    KILL = "kill"
    """kill -9, and a new process on what was on disk. `amount` > 0: inside a call, at that step."""
    DRAIN = "drain"
    """SIGTERM; a new process when the old one has ended, after `lasts_s`."""
    FEED_SILENCE = "feed_silence"
    FEED_LOST = "feed_lost"
    """The connection ends, and no new one comes about for `lasts_s`."""
    FEED_GAP = "feed_gap"
    """Trades of `lasts_s` never arrive."""
    FEED_DUPLICATES = "feed_duplicates"
    FEED_REORDER = "feed_reorder"
    FEED_SPIKE = "feed_spike"
    """One trade `amount` basis points off."""
    FEED_LAG = "feed_lag"
    """Trades arrive `amount` ms late."""
    STORE_DOWN = "store_down"
    STORE_SLOW = "store_slow"
    STORE_WIPED = "store_wiped"
    OBJECTS_FAIL = "objects_fail"
    """Calls of the object store fail half-way."""
    OBJECTS_CORRUPT = "objects_corrupt"
    """What is read back is not what was stored."""
    DISK_FULL = "disk_full"
    DISK_SLOW = "disk_slow"
    CLOCK_FORWARD = "clock_forward"
    """By `amount` ms; back to the true time after `lasts_s`, 0: it stays."""
    CLOCK_BACK = "clock_back"
    NET_CUT = "net_cut"
    """Every connection of the traders is reset, or only that of trader `amount` >= 0."""
    NET_STALL = "net_stall"
    """No byte passes, in either direction, and nobody is told."""
    NET_SLOW = "net_slow"
    WEEK_TURN = "week_turn"
    """Sunday 00:00 UTC; made by the run's epoch, and only counted."""


@attrs.frozen(kw_only=True)
class Fault:
    """One fault. What `target` and `amount` mean is said by its kind."""

    at_s: float
    kind: FaultKind
    lasts_s: float = 0
    target: str = ""
    amount: int = 0


class ActionKind(StrEnum):
    """What people do. First traders, then (who: -1) the operator."""

    TAP = "tap"
    """`column`, `row`: the cell, counted from what is offered and from the price; `amount`: which
    preset; `way`: words of `ws`, `http`; `key`, `wallet`; `rate` (binds the odds), else without."""
    DOUBLE_TAP = "double_tap"
    """The same cell twice at once, each with a nonce of its own."""
    RETRY = "retry"
    """A tap whose request is sent `amount` % 3 + 2 times, at once or a little later."""
    REPLAY = "replay"
    """An old request once more: the `amount`-th newest."""
    STALE = "stale"
    """A tap that binds an old quote's number, or a rate that is not paid."""
    LEAVE = "leave"
    """A tap whose sender hangs up `amount` ms after he began to send."""
    RECONNECT = "reconnect"
    """His socket is hung up, and made anew."""
    BROKE = "broke"
    """Taps with all that he has."""
    FAUCET = "faucet"
    WITHDRAW = "withdraw"
    """`amount`: percent of what he has."""
    LIMIT = "limit"
    """A limit of his own; `amount` draws which. `way`: `shorter` (a pause, and then a shorter one),
    `loss` (a loss, and then a greater one) or `raise` (no limits any more)."""
    REVOKE = "revoke"
    """He ends his session, and with it his key, in one of three ways, and signs in anew."""
    BAD = "bad"
    """Something that is no request; `amount` draws what."""
    LOOK = "look"
    """He reads; `amount` draws what."""
    INTRUDE = "intrude"
    """What is not his to do; `amount` draws what."""

    HOLD = "hold"
    """Betting on hold, and released `amount` seconds later."""
    OVERRIDE = "override"
    """The breaker as `way` says, for `amount` seconds."""
    VOID = "void"
    """A column is given back: the `column`-th after the current one."""
    FREEZE = "freeze"
    """The account of trader `column`, for `amount` seconds."""
    DEPOSIT = "deposit"
    """To trader `column`, `amount` USD; asked for twice where `row` says so."""
    ADJUST = "adjust"
    """The same; below zero, from him."""
    BANKROLL = "bankroll"
    """`amount` USD out of the bankroll, and later into it again."""
    DECIDE = "decide"
    """Every withdrawal that waits is paid or rejected."""
    RESTART = "restart"
    """The actor `way`."""
    UPKEEP = "upkeep"
    """`way`: a backup, the archive, or an integrity check, now."""


@attrs.frozen(kw_only=True)
class Action:
    """One thing that one trader (or, -1, the operator) does. What the rest means is said by its
    kind (`actions.py`)."""

    at_s: float
    who: int
    kind: ActionKind
    column: int = 0
    row: int = 0
    amount: int = 0
    way: str = ""


@attrs.frozen(kw_only=True)
class Scenario:
    """One run, whole."""

    seed: int
    seconds: float
    """How long people act and faults happen; then all is mended, and what is open has its end."""
    epoch_ms: int
    """The date of the run's zero."""
    settings: dict[str, Any] = attrs.field(factory=dict)
    """What differs from the demo's settings: values by `section.key`."""
    traders: int = 0
    faults: tuple[Fault, ...] = ()
    actions: tuple[Action, ...] = ()

    def to_json(self) -> str:
        """As text that `from_json` reads."""
        return json.dumps(attrs.asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises ValueError (KeyError and TypeError among them turned into it) if it is none."""
        try:
            found: dict[str, Any] = json.loads(text)
            found["faults"] = tuple(
                Fault(**{**one, "kind": FaultKind(one["kind"])}) for one in found["faults"]
            )
            found["actions"] = tuple(
                Action(**{**one, "kind": ActionKind(one["kind"])}) for one in found["actions"]
            )
            return cls(**found)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a scenario: {error}") from error
