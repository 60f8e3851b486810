"""One operation of the HTTP API: what is asked for, by whom, and how it can be answered."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal, TypeAlias

import attrs

from domain.refusals import Code
from protocols.forms import Field, Form

Method: TypeAlias = Literal["GET", "POST"]


class Auth(StrEnum):
    """Whose bearer token a request needs."""

    NONE = "none"
    OPTIONAL = "optional"
    """A session's, if one is sent."""
    SESSION = "session"
    OPERATOR = "operator"


class Tag(StrEnum):
    """What an operation is about."""

    MARKET = "market"
    SIGN_IN = "sign-in"
    BETS = "bets"
    ACCOUNT = "account"
    OPERATORS = "operators"
    HEALTH = "health"


ANY: Final = (
    *(Code.BAD_REQUEST, Code.TOO_LARGE, Code.INTERNAL),
    *(Code.RATE_LIMITED, Code.OVERLOADED),  # too many connections
)
"""How whatever is asked may be refused."""
ASKED: Final = (Code.OVERLOADED, Code.DRAINING)
"""How an actor that is asked may say that it did not take the question."""
MONEY: Final = (*ASKED, Code.STATUS_UNKNOWN)
"""... and how the Batcher may: without its answer it may have been done."""


@attrs.frozen(kw_only=True)
class Operation:
    """One method of one path. The routes serve it, the document describes it."""

    method: Method
    path: str
    """With its `{parameters}`."""
    summary: str
    """One sentence."""
    tag: Tag
    answer: object
    """The TypedDict of the answer's body, or a media type where it is no JSON."""
    status: int = 200
    auth: Auth = Auth.NONE
    parameters: tuple[Field[object], ...] = ()
    """Those in the path, in its order."""
    query: Form[object] | None = None
    body: Form[object] | None = None
    codes: tuple[Code, ...] = ()
    """How it can be refused, beyond what every operation of its kind can."""
    with_slashes: bool = False
    """May its parameter in the path hold slashes? As they are: encoded ones are refused."""
    limited: bool = True
    """Does it count against the request limit of its address?"""
    counts_itself: bool = False
    """Does its view count it, once its form has held? Else whoever serves it does, before."""
    description: str = ""
    """What the summary does not say."""
    also: Mapping[int, object] = attrs.field(factory=dict)
    """Other answers that are no refusals: the TypedDict of each by its status."""

    @property
    def all_codes(self) -> frozenset[Code]:
        """Every code it can be refused with."""
        codes = {*self.codes, *ANY}
        if self.limited:
            codes |= {Code.STORE_UNAVAILABLE}
        if self.auth is not Auth.NONE:
            codes |= {Code.UNAUTHORIZED}
        if self.auth in (Auth.OPTIONAL, Auth.SESSION):
            codes |= {*ASKED, Code.STORE_UNAVAILABLE}
        if self.auth is Auth.OPERATOR:  # the audit log, and the count of wrong tokens
            codes |= {Code.STORE_UNAVAILABLE}
        return frozenset(codes)
