"""How a call can fail. One base class, so that `except VenueError` catches all of it."""

from collections.abc import Mapping
from typing import Any

from domain.refusals import TABLE, Code


class VenueError(Exception):
    """A call to the venue did not succeed."""


class Refused(VenueError):
    """The venue said no, and for certain: see `code`.

    Raised for every answer of the venue that is an error, but for a bet whose outcome is not known
    yet, which is looked up first.
    """

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        details: Mapping[str, Any] | None = None,
        retry_after_s: int | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        """Of `domain.refusals.Code`, which is text, or one that a newer venue has added."""
        self.message = message
        self.details = dict(details or {})
        """What else the answer said: `field`, `limit`, `bet`, `server_time_ms` ..."""
        self.retry_after_s = retry_after_s
        """How long to wait before the same request may succeed."""
        self.http_status = http_status
        """None for a reply over the WebSocket."""

    @property
    def retry_can_succeed(self) -> bool:
        """May the same request, unchanged, succeed later?"""
        return self.code in TABLE and TABLE[Code(self.code)].retry_can_succeed

    @property
    def is_certain(self) -> bool:
        """Is it certain that nothing was done? Not if the venue could not tell, has a defect, or
        gives a reason that this client does not know."""
        return self.code in TABLE and self.code not in (Code.STATUS_UNKNOWN, Code.INTERNAL)


class Unreachable(VenueError):
    """No connection could be made: nothing was sent."""


class AnswerLost(VenueError):
    """The request was sent, or part of it, and no answer came: it may have been carried out."""


class BadAnswer(VenueError):
    """What came is not an answer of a venue that this client knows."""


class NotPlaced(VenueError):
    """It is certain that nothing was written of a bet: it may be signed anew, with a new nonce."""

    def __init__(self, nonce: str) -> None:
        super().__init__(f"the bet with nonce {nonce} was not written")
        self.nonce = nonce


class OutcomeUnknown(VenueError):
    """The venue did not say in time what became of a bet or a withdrawal. Look it up by `nonce`
    before you sign another."""

    def __init__(self, nonce: str) -> None:
        super().__init__(f"what became of the request with nonce {nonce} is not known yet")
        self.nonce = nonce


def refused_of(body: Mapping[str, Any], *, http_status: int | None = None) -> Refused:
    """The refusal that an error's JSON body, or a reply over the WebSocket, is. Raises BadAnswer
    if it names no code: then it is not the venue that says no, but something on the way to it."""
    known = {"error", "message", "retry_after", "type", "id", "ok"}
    code, retry_after = body.get("error"), body.get("retry_after")
    if not isinstance(code, str):
        raise BadAnswer(f"a refusal without a code: {dict(body)!r:.200}")
    return Refused(
        code,
        str(body.get("message", "")),
        details={name: value for name, value in body.items() if name not in known},
        retry_after_s=retry_after if isinstance(retry_after, int) else None,
        http_status=http_status,
    )
