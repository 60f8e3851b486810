"""The one table of error codes. The API, the WebSocket, the docs and the tests are made from it.

A refusal is a value, not an exception: placement, the ledger and the Gateway return one, and the
trader sees its code and message. Codes are stable; messages may be reworded.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import attrs


class Code(StrEnum):
    """Every way in which the venue says no, in the order of HTTP status."""

    BAD_REQUEST = "bad_request"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    CELL_UNAVAILABLE = "cell_unavailable"
    BAD_STAKE = "bad_stake"
    INVALID_SIGNATURE = "invalid_signature"
    SIGNATURE_EXPIRED = "signature_expired"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    LIMIT_REACHED = "limit_reached"
    FROZEN = "frozen"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    REPLAY_DETECTED = "replay_detected"
    CELL_TAKEN = "cell_taken"
    QUOTE_EXPIRED = "quote_expired"
    REFERENCE_CONFLICT = "reference_conflict"
    ARCHIVED = "archived"
    TOO_LARGE = "too_large"
    EXPOSURE_LIMIT = "exposure_limit"
    RATE_LIMITED = "rate_limited"
    INTERNAL = "internal"
    PRICE_FEED_STALE = "price_feed_stale"
    OVERLOADED = "overloaded"
    DRAINING = "draining"
    HELD = "held"
    STORE_UNAVAILABLE = "store_unavailable"
    DISK_FULL = "disk_full"
    STATUS_UNKNOWN = "status_unknown"


@attrs.frozen(kw_only=True)
class Meaning:
    """What the API says of one code."""

    http_status: int
    message: str
    retry_can_succeed: bool
    """May the same request, unchanged, succeed later?"""
    retry_after_s: int | None = None


def _final(http_status: int, message: str) -> Meaning:
    return Meaning(http_status=http_status, message=message, retry_can_succeed=False)


def _later(http_status: int, message: str, retry_after_s: int | None = None) -> Meaning:
    return Meaning(
        http_status=http_status,
        message=message,
        retry_can_succeed=True,
        retry_after_s=retry_after_s,
    )


TABLE: Final[Mapping[Code, Meaning]] = {
    Code.BAD_REQUEST: _final(400, "The request is not well formed."),
    Code.INSUFFICIENT_FUNDS: _final(400, "The balance does not cover this stake."),
    Code.CELL_UNAVAILABLE: _final(400, "This cell can't be tapped."),
    Code.BAD_STAKE: _final(400, "The stake is not one of the presets."),
    Code.INVALID_SIGNATURE: _final(401, "The signature does not match the wallet and the text."),
    Code.SIGNATURE_EXPIRED: _final(401, "The signature's time is too far from the server's."),
    Code.UNAUTHORIZED: _final(401, "A valid bearer token is needed."),
    Code.FORBIDDEN: _final(403, "This is not allowed here."),
    Code.LIMIT_REACHED: _final(403, "A limit that you have set is reached."),
    Code.FROZEN: _final(403, "This account is frozen."),
    Code.NOT_FOUND: _final(404, "There is nothing here by that name."),
    Code.METHOD_NOT_ALLOWED: _final(405, "This path does not take that method."),
    Code.REPLAY_DETECTED: _final(409, "This nonce was used before."),
    Code.CELL_TAKEN: _final(409, "You hold a bet on this cell already."),
    Code.QUOTE_EXPIRED: _final(409, "The rate moved; sign again at the current one."),
    Code.REFERENCE_CONFLICT: _final(409, "This reference names another amount or wallet."),
    Code.ARCHIVED: _final(410, "This range is in the archive."),
    Code.TOO_LARGE: _final(413, "The request is too large."),
    Code.EXPOSURE_LIMIT: _final(422, "The house can't take this stake on this cell now."),
    Code.RATE_LIMITED: _later(429, "Too many requests.", 1),
    Code.INTERNAL: _later(500, "The venue has a defect; it has been logged."),
    Code.PRICE_FEED_STALE: _later(503, "Betting is suspended: the price feed is stale.", 10),
    Code.OVERLOADED: _later(503, "The venue is busy.", 1),
    Code.DRAINING: _later(503, "The venue is stopping; reconnect shortly.", 5),
    Code.HELD: _later(503, "Betting is held by an operator.", 10),
    Code.STORE_UNAVAILABLE: _later(503, "A needed store can't be reached.", 2),
    Code.DISK_FULL: _later(503, "The venue's disk is nearly full.", 60),
    Code.STATUS_UNKNOWN: _later(504, "The outcome is not known yet; look the bet up."),
}


@attrs.frozen
class Refusal:
    """One refusal: its code, and where it helps a message of its own and further fields."""

    code: Code
    message: str = ""
    details: Mapping[str, object] = attrs.field(factory=dict)

    @property
    def meaning(self) -> Meaning:
        """The table's row for this code."""
        return TABLE[self.code]

    def to_json(self) -> dict[str, object]:
        """The body that a client sees."""
        body: dict[str, object] = {
            "error": self.code.value,
            "message": self.message or self.meaning.message,
            **self.details,
        }
        if self.meaning.retry_after_s is not None:
            body.setdefault("retry_after", self.meaning.retry_after_s)
        return body


def bad_request(field: str, why: str) -> Refusal:
    """The refusal that names the field that is at fault."""
    return Refusal(Code.BAD_REQUEST, f"{field}: {why}", {"field": field})
