"""The WebSocket `/ws`: what clients ask for. What they are sent is in `client_frames`.

Each request has a form that both reads and describes it, as those over HTTP have.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeAlias

import attrs

from domain.refusals import Refusal
from domain.wallet import Keccak
from protocols.client_bets import BET as BET_FORM
from protocols.client_fields import BadField, Fields, Json, is_unicode, parse_object, present
from protocols.forms import Field, Form, Given, MayBeAbsent, Natural, Optional, Pattern

RequestId: TypeAlias = str | int | None
"""What a client calls one of its requests, sent back in the reply."""

ID_TEXT_MAX: Final = 64
"""Characters."""
ID_NUMBER_MAX: Final = 2**53 - 1
"""What every client's JSON can hold."""


class Channel(StrEnum):
    """What any client may subscribe to."""

    PRICE = "price"
    GRID = "grid"
    STATUS = "status"


@attrs.frozen(kw_only=True)
class AuthOp:
    """Attach the socket to the private stream of the token's wallet."""

    id: RequestId
    token: str = attrs.field(repr=False)
    seq: int | None = None
    """Resume after this one; None: begin with the account as it stands."""


@attrs.frozen(kw_only=True)
class SubscribeOp:
    """From now on send these channels, and no others."""

    id: RequestId
    channels: tuple[Channel, ...]


@attrs.frozen(kw_only=True)
class BetOp:
    """Place a bet: the fields of `POST /api/bets`, still to be parsed."""

    id: RequestId
    fields: Fields = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class ResumeOp:
    """Replay the private stream after `seq`."""

    id: RequestId
    seq: int


@attrs.frozen(kw_only=True)
class PingOp:
    """Is the venue there?"""

    id: RequestId


@attrs.frozen(kw_only=True)
class BadOp:
    """A frame that is no request; answered, under its id if it had one."""

    id: RequestId
    refusal: Refusal


SocketOp: TypeAlias = AuthOp | SubscribeOp | BetOp | ResumeOp | PingOp | BadOp

# --- fields -------------------------------------------------------------------------------------


@attrs.frozen
class _Id(MayBeAbsent):
    def read(self, fields: Fields, name: str, _: Keccak) -> RequestId:
        given = fields.get(name)
        if given is None:
            return None
        if isinstance(given, int) and not isinstance(given, bool) and abs(given) <= ID_NUMBER_MAX:
            return given
        if isinstance(given, str) and len(given) <= ID_TEXT_MAX and is_unicode(given):
            return given
        raise BadField(name, "must be text of at most 64 characters, or an integer below 2^53")

    def schema(self) -> Json:
        number = {"type": "integer", "minimum": -ID_NUMBER_MAX, "maximum": ID_NUMBER_MAX}
        return {"anyOf": [{"type": "string", "maxLength": ID_TEXT_MAX}, number, {"type": "null"}]}


@attrs.frozen
class _Name:
    """The request's own name, by which its form was found."""

    name: str

    def read(self, _: Fields, __: str, ___: Keccak) -> str:
        return self.name

    def schema(self) -> Json:
        return {"const": self.name}


@attrs.frozen
class _Channels:
    def read(self, fields: Fields, name: str, _: Keccak) -> tuple[Channel, ...]:
        given = present(fields, name)
        if not isinstance(given, list) or any(one not in tuple(Channel) for one in given):
            raise BadField(name, f"must be a list of {', '.join(Channel)}")
        return tuple(Channel(one) for one in dict.fromkeys(given))

    def schema(self) -> Json:
        return {
            "type": "array",
            "items": {"type": "string", "enum": [one.value for one in Channel]},
        }


_ID: Final = Field("id", _Id(), "Comes back in the reply.")
_TOKEN: Final = Field(
    "token",
    Pattern(pattern="[!-~]{1,256}", why="must be the token of a sign-in", example="A" * 43),
    "Of `POST /api/auth/login`.",
)
_SEQ: Final = Field("seq", Natural(), "The last `seq` that the client has.")
_SEQ_OR_NONE: Final = Field("seq", Optional(Natural(), None), "Resume after this one in one step.")
_CHANNELS: Final = Field("channels", _Channels(), "All that is wanted from now on.")

# --- forms --------------------------------------------------------------------------------------


def _op(name: str) -> Field[str]:
    return Field("op", _Name(name), "What is asked for.")


def _auth(given: Given) -> AuthOp:
    return AuthOp(id=given[_ID], token=given[_TOKEN], seq=given[_SEQ_OR_NONE])


def _subscribe(given: Given) -> SubscribeOp:
    return SubscribeOp(id=given[_ID], channels=given[_CHANNELS])


OPS: Final[Mapping[str, Form[SocketOp | object]]] = {
    "ping": Form((_op("ping"), _ID), lambda given: PingOp(id=given[_ID])),
    "subscribe": Form((_op("subscribe"), _ID, _CHANNELS), _subscribe),
    "auth": Form((_op("auth"), _ID, _TOKEN, _SEQ_OR_NONE), _auth),
    "resume": Form(
        (_op("resume"), _ID, _SEQ), lambda given: ResumeOp(id=given[_ID], seq=given[_SEQ])
    ),
    "bet": Form((_op("bet"), _ID, *BET_FORM.fields), BET_FORM.build, also=BET_FORM.also),
}
"""What can be asked for, by its `op`."""


def parse_op(frame: str) -> SocketOp:
    """One text frame of a client."""
    fields = parse_object(frame)
    if isinstance(fields, Refusal):
        return BadOp(id=None, refusal=fields)
    request_id: RequestId = None
    try:
        request_id = _ID.kind.read(fields, _ID.name, _no_keccak)
        return _parse(fields, request_id)
    except BadField as bad:
        return BadOp(id=request_id, refusal=bad.refusal)


def _parse(fields: Fields, request_id: RequestId) -> SocketOp:
    op = present(fields, "op")
    if op == "bet":  # parsed where bets over HTTP are
        return BetOp(id=request_id, fields=fields)
    if not isinstance(op, str) or op not in OPS:
        raise BadField("op", f"must be one of {', '.join(OPS)}")
    parsed = OPS[op].parse(fields, keccak=_no_keccak)
    if isinstance(parsed, Refusal):
        return BadOp(id=request_id, refusal=parsed)
    assert isinstance(parsed, AuthOp | SubscribeOp | ResumeOp | PingOp)
    return parsed


def _no_keccak(_: bytes) -> bytes:
    raise NotImplementedError("none of these requests names a wallet")
