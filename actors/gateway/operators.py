"""The one place where operators act: whose token it is, and his order on record before it is done.

Each operator has a token of his own. What he orders is written to the audit log, and is on disk,
before anything of it is done; what became of it is written after. If it can't be written nothing is
done: an order that nobody could account for is worse than one that has to wait.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

import attrs
import structlog
import trio

from actors.gateway.asgi import Answer
from actors.gateway.limits import take_wrong_token
from actors.gateway.ports import GatewayPorts
from actors.gateway.routes import bearer, client, request_id
from domain.refusals import Code, Refusal
from protocols.audit_log import (
    DONE,
    Action,
    AuditEntry,
    AuditFact,
    AuditLogUnwritable,
    Figure,
    Outcome,
)
from protocols.ports import StoreUnavailable

log = structlog.get_logger("ops")

T = TypeVar("T")
A = TypeVar("A")

RECORD_WITHIN_S: Final = 5.0
"""A line is written and synced in milliseconds; a disk that takes longer takes no orders."""


@attrs.frozen
class Told:
    """What the audit log is told of an order."""

    what: str
    subject: str = ""
    why: str = ""
    figures: Mapping[str, Figure] = attrs.field(factory=dict, kw_only=True)


class Operators:
    """Lets operators in, and has their orders carried out."""

    def __init__(self, ports: GatewayPorts) -> None:
        self._ports = ports
        self._digests = [
            (name, _digest(token)) for name, token in ports.settings.ops_tokens.items() if token
        ]

    async def who(self) -> str | Refusal:
        """The name of the operator whose token the request in hand bears; never empty."""
        token = bearer()
        if isinstance(token, Refusal):
            return token
        # Digests are of one length whatever the tokens are, and each is compared, in constant
        # time, even after one was found: how long it takes tells nothing.
        given = _digest(token)
        names = [name for name, own in self._digests if hmac.compare_digest(own, given)]
        return names[0] if names else await self._turned_away()

    async def order(
        self,
        read: Callable[[], Awaitable[T | Refusal]],
        told: Callable[[T], Told],
        do: Callable[[str, T], Awaitable[A | Refusal]],
    ) -> A | Refusal:
        """Have the order of the request in hand carried out: `read` says what is ordered, `do`
        does it on behalf of that operator.

        Whoever is no operator learns nothing of what `read` says, and what it refuses was no order.
        """
        who = await self.who()
        if isinstance(who, Refusal):
            return who
        asked = await read()
        if isinstance(asked, Refusal):
            return asked
        of = told(asked)
        action = Action(
            by=who,
            what=of.what,
            subject=of.subject,
            why=of.why,
            request_id=request_id(),
            figures=of.figures,
        )
        return await self._carry_out(action, lambda: do(who, asked))

    async def _carry_out(
        self, action: Action, do: Callable[[], Awaitable[A | Refusal]]
    ) -> A | Refusal:
        entry = await self._written(action)
        if entry is None:
            return Refusal(
                Code.STORE_UNAVAILABLE, "The audit log can't be written, so nothing was done."
            )
        ended: A | Refusal = Refusal(Code.INTERNAL)
        try:
            ended = await do()
        except StoreUnavailable:
            ended = Refusal(Code.STORE_UNAVAILABLE)
        except trio.Cancelled:  # the client has gone: what was asked of others may be done yet
            ended = Refusal(Code.STATUS_UNKNOWN)
            raise
        finally:
            with trio.move_on_after(RECORD_WITHIN_S, shield=True):
                await self._written(_outcome(entry, ended))
        return ended

    async def _written(self, fact: AuditFact) -> AuditEntry | None:
        """The entry, on disk. None: it could not be written."""
        ports, at_ms = self._ports, self._ports.clock.now_ms()
        with trio.move_on_after(RECORD_WITHIN_S):
            try:
                entry = await ports.audit_log_worker.run(
                    lambda: ports.audit_log.write(fact, at_ms=at_ms)
                )
            except AuditLogUnwritable as error:
                log.error("audit_log_unwritable", error=str(error), **attrs.asdict(fact))
                return None
            # In the log as well, so that a copy of it elsewhere says how the audit log must go on.
            log.warning(
                "ops_order" if isinstance(fact, Action) else "ops_outcome",
                n=entry.n,
                sha256=entry.sha256,
                **attrs.asdict(fact),
            )
            return entry
        log.error("audit_log_unwritable", error="it takes too long", **attrs.asdict(fact))
        return None

    async def _turned_away(self) -> Refusal:
        """A wrong token is counted against its address.

        The right one is let in however many wrong ones came from there: nobody can lock operators
        out, and 30 guesses a minute find no token of 32 characters, nor do 30 million.
        """
        try:
            refused = await take_wrong_token(self._ports, client())
        except StoreUnavailable:
            return Refusal(Code.UNAUTHORIZED)
        return refused or Refusal(Code.UNAUTHORIZED)


def _outcome(entry: AuditEntry, ended: object) -> Outcome:
    if isinstance(ended, Refusal):
        return Outcome(of=entry.n, code=ended.code.value, status=ended.meaning.http_status)
    return Outcome(of=entry.n, code=DONE, status=ended.status if isinstance(ended, Answer) else 200)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
