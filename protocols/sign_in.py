"""Messages of sign-in: what the Gateway asks the SessionManager, and what it answers.

A wallet proves itself once, with a signed EIP-4361 message that holds a nonce of ours, and gets a
bearer token. Tokens, nonces and signatures are secrets: they are left out of every `repr`. A
session's id is none: it names the session and opens nothing.
"""

from typing import TypeAlias

import attrs

from domain.refusals import Refusal
from domain.units import EpochMs, Micros
from protocols.account_commands import KeyGrant

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

    Refusals: `rate_limited`; `bad_request` (the message's shape, a field that does not belong to
    this venue, or a session key that was used before); `signature_expired` (a time);
    `invalid_signature`; `unauthorized` (the nonce); `overloaded`, `draining`, `store_unavailable`,
    `status_unknown` (no token was handed out: sign in anew, with another session key).
    """

    message: str = attrs.field(repr=False)
    """The EIP-4361 text exactly as it was signed."""
    signature: str = attrs.field(repr=False)
    """`0x` and 130 hexadecimal digits: r, s, v."""
    address: str
    """The client's network address."""


@attrs.frozen(kw_only=True)
class DemoSignIn:
    """Make a throwaway account with paper money, and a session key that bets for it.

    Nobody has the private key of its wallet. Answered with SignedIn or a Refusal: `forbidden` where
    demo sign-in is off, else as Login's.
    """

    public_key: bytes
    """A point of P-256, uncompressed: 65 bytes. Its shape and place were checked."""
    bet_max_micros: Micros
    day_max_micros: Micros
    address: str
    """The client's network address."""


@attrs.frozen(kw_only=True)
class Authenticate:
    """Whose token is this? Answered with Session or a Refusal (`unauthorized`,
    `store_unavailable`)."""

    token: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Logout:
    """End a session and its keys at once. Answered with SessionEnded or a Refusal: `unauthorized`
    if there is no such session; else as EndSession's."""

    token: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class ListSessions:
    """Where is this wallet signed in? Answered with SessionsListed or a Refusal
    (`store_unavailable`)."""

    wallet: str


@attrs.frozen(kw_only=True)
class EndSession:
    """End one session of this wallet, and its keys, at once. Answered with SessionEnded or a
    Refusal: `not_found`, also for another wallet's; where the ledger did not revoke the keys
    (`overloaded`, `draining`, `status_unknown`) or the store did not answer (`store_unavailable`)
    the session goes on: end it again."""

    wallet: str
    session_id: str


SignInCommand: TypeAlias = (
    IssueNonce | Login | DemoSignIn | Authenticate | Logout | ListSessions | EndSession
)

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
    session_id: str
    wallet: str
    """Lower-case 0x address."""
    user_id: int
    expires_at_ms: EpochMs
    balance_micros: Micros
    key: KeyGrant | None
    """The session key that was authorised with it."""


@attrs.frozen(kw_only=True)
class Session:
    """A live session: whose token it is, and until when."""

    session_id: str
    """32 hexadecimal digits of the hash of its token."""
    wallet: str
    user_id: int
    created_at_ms: EpochMs
    expires_at_ms: EpochMs
    network: str
    """Where it was signed in from, without the part of the address that is one household's or one
    device's, e.g. `192.0.2.0/24`; empty if that is not known."""


@attrs.frozen(kw_only=True)
class SessionsListed:
    """All sessions of a wallet, newest first."""

    sessions: tuple[Session, ...]


@attrs.frozen(kw_only=True)
class SessionEnded:
    """A session was ended before its time: whoever serves it stops. Also published on a Topic."""

    session_id: str
    wallet: str


SignInOutcome: TypeAlias = (
    NonceIssued | SignedIn | Session | SessionsListed | SessionEnded | Refusal
)
