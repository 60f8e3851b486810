"""Messages of sign-in: what the Gateway asks the SessionManager, and what it answers.

A wallet proves itself once, with a signed EIP-4361 message that holds a nonce of ours, and gets a
bearer token. Tokens, nonces and signatures are secrets: they are left out of every `repr`.
"""

from typing import TypeAlias

import attrs

from domain.refusals import Refusal
from domain.units import EpochMs, Micros

# --- commands -------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class IssueNonce:
    """Ask for what a sign-in message must hold. Answered with NonceIssued or a Refusal
    (`rate_limited`, `store_unavailable`)."""

    address: str
    """The client's network address: sign-ins are limited per address."""


@attrs.frozen(kw_only=True)
class Login:
    """Exchange a signed message for a session. Answered with SignedIn or a Refusal.

    Refusals: `rate_limited`; `bad_request` (the message's shape, or a field that does not belong to
    this venue); `signature_expired` (a time); `invalid_signature`; `unauthorized` (the nonce);
    `frozen`, `overloaded`, `store_unavailable`, `status_unknown` (nothing was handed out: sign in
    anew).
    """

    message: str = attrs.field(repr=False)
    """The EIP-4361 text exactly as it was signed."""
    signature: str = attrs.field(repr=False)
    """`0x` and 130 hexadecimal digits: r, s, v."""
    address: str
    """The client's network address."""


@attrs.frozen(kw_only=True)
class Authenticate:
    """Whose token is this? Answered with Session or a Refusal (`unauthorized`,
    `store_unavailable`)."""

    token: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Logout:
    """End a session at once. Answered with LoggedOut or a Refusal (`unauthorized` if there is no
    such session, `store_unavailable`)."""

    token: str = attrs.field(repr=False)


SignInCommand: TypeAlias = IssueNonce | Login | Authenticate | Logout

# --- outcomes -------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class NonceIssued:
    """What the wallet's message must say. The nonce serves one sign-in."""

    nonce: str = attrs.field(repr=False)
    """32 hexadecimal digits."""
    domain: str
    """Authority of the venue's public origin, e.g. `127.0.0.1:8080`."""
    uri: str
    """The venue's public origin, e.g. `http://127.0.0.1:8080`."""
    chain_id: int
    issued_at_ms: EpochMs
    """The venue's clock: a client dates its message by this, not by its own clock."""
    expires_at_ms: EpochMs


@attrs.frozen(kw_only=True)
class SignedIn:
    """A session began; its account exists."""

    token: str = attrs.field(repr=False)
    """256 bits as 43 characters of base64url. Shown here once; only its hash is kept."""
    wallet: str
    """Lower-case 0x address."""
    user_id: int
    expires_at_ms: EpochMs
    balance_micros: Micros


@attrs.frozen(kw_only=True)
class Session:
    """A live session: whose token it is, and until when."""

    wallet: str
    user_id: int
    expires_at_ms: EpochMs


@attrs.frozen(kw_only=True)
class LoggedOut:
    """The token is worth nothing any more."""


@attrs.frozen(kw_only=True)
class SessionEnded:
    """A session was ended before its time: whoever serves it stops. Published on a Topic."""

    session_id: str
    wallet: str


SignInOutcome: TypeAlias = NonceIssued | SignedIn | Session | LoggedOut | Refusal
