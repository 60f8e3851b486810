"""A small library of supervised actors on trio, after Erlang/OTP's supervisor.

Words, each defined before the code uses it
-------------------------------------------
An *actor* is an async function that gets its channels and ports as arguments, owns its state and
shares nothing. A *child* is an actor under a supervisor, described by a *child spec* (`Child`): an
id, the function, and the rules below. Each call of the function is one *life* (`Life`) of the
child; a restart is a new life with the same channels.

A child is *ready* when it says so: its loop runs, whether or not the outside answers. It may
*ignore* its start instead (`Ignore`): there is nothing for it to do. A *supervisor* starts its
children left to right, each after the one before is ready, and stops them right to left. A
supervisor may be the child of another; together they are the *tree*, and a child's *path* names
it: `venue/market/quoter`.

Ends of a life: *normal*, it returned; *shutdown*, it returned because it was asked to stop, or
raised `Shutdown`; *abnormal*, it raised; *hung*, it was busy longer than its heartbeat limit;
*killed*, it was cancelled; *start failed*, it was not ready before any of these. The last four
are *failures*.

Restart rule of a child: *permanent*, always started again; *transient*, only after a failure;
*temporary*, never, and then forgotten. Strategy of a supervisor, that is, who is restarted along
with a child: *one for one*, nobody; *one for all*, all its siblings; *rest for one*, those that
started after it. These others are *bystanders*.

*Intensity*: a supervisor restarts at most `restarts_max` times in `period_s`. One more, and it
*gives up*: it stops all its children and ends with `GaveUp`, a failure like any other to its own
parent; the root's is raised to the caller. *Back-off*: the wait before an attempt, longer after
each failure in a row, anew after a quiet period. *Heartbeat*: the sign that an actor came back to
its loop.

*Stopping* is asking, waiting, cancelling: the child is asked (`life.stopping`), gets what its
inputs held until then, and only past its own limit is it cancelled (`BRUTAL_KILL`: at once). A
child that does not end even so is *stuck*; it is reported and left behind.

Channels are bounded, named and counted, made by the wiring, and outlive the lives of those who
read them. A *mailbox* brings commands to one actor; an *ask* is a command with one answer and a
deadline; a *topic* brings events to many *subscriptions*; a *watch* holds the latest value of a
state. Each says what happens *when full* (`WhenFull`). A message is *in hand* from being received
until it is done; what a crashed life had in hand is shown to the next and not delivered again.

Where to read on: `supervisor.py` (the root), `level.py` (one supervisor at work), `strategy.py`,
`intensity.py` and `backoff.py` (its decisions, pure), `inbox.py` (the queue below the channels).
"""

from supervisor.ask import Ask, Refused, StatusUnknown, ask
from supervisor.backoff import NO_BACKOFF, Backoff
from supervisor.chance import Chance, SeededChance, SystemChance
from supervisor.child import (
    BRUTAL_KILL,
    BrutalKill,
    Child,
    Fault,
    FaultySpec,
    SupervisorSpec,
    check_children,
    check_spec,
)
from supervisor.clock import Clock, SystemClock, TrioClock
from supervisor.inbox import (
    EndOfMailbox,
    MailboxClosed,
    MailboxFull,
    Overrun,
    Reader,
    ReaderBusy,
    RefusedBecause,
    WhenFull,
)
from supervisor.life import Ignore, Life, Shutdown, Stopping
from supervisor.mailbox import Mailbox
from supervisor.report import Context, ExitReport, GaveUp, Reason, StartFailed
from supervisor.statistics import Channel, ChannelStatistics
from supervisor.status import (
    ChildCounts,
    ChildListing,
    ChildStatus,
    Kind,
    LastFailure,
    Managed,
    State,
    SupervisorStatus,
)
from supervisor.strategy import Restart, Strategy
from supervisor.supervisor import Supervisor
from supervisor.topic import Subscription, Topic
from supervisor.watch import Watch

__all__ = [
    "BRUTAL_KILL",
    "NO_BACKOFF",
    "Ask",
    "Backoff",
    "BrutalKill",
    "Chance",
    "Channel",
    "ChannelStatistics",
    "Child",
    "ChildCounts",
    "ChildListing",
    "ChildStatus",
    "Clock",
    "Context",
    "EndOfMailbox",
    "ExitReport",
    "Fault",
    "FaultySpec",
    "GaveUp",
    "Ignore",
    "Kind",
    "LastFailure",
    "Life",
    "Mailbox",
    "MailboxClosed",
    "MailboxFull",
    "Managed",
    "Overrun",
    "Reader",
    "ReaderBusy",
    "Reason",
    "Refused",
    "RefusedBecause",
    "Restart",
    "SeededChance",
    "Shutdown",
    "StartFailed",
    "State",
    "StatusUnknown",
    "Stopping",
    "Strategy",
    "Subscription",
    "Supervisor",
    "SupervisorSpec",
    "SupervisorStatus",
    "SystemChance",
    "SystemClock",
    "Topic",
    "TrioClock",
    "Watch",
    "WhenFull",
    "ask",
    "check_children",
    "check_spec",
]
