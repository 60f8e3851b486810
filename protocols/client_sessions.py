"""What the venue tells clients of sign-in and sessions, as plain values ready to be encoded."""

from typing import Annotated, Literal, TypedDict

from msgspec import Meta

from protocols.answer_fields import AmountMicros, AtMs, WalletText
from protocols.sign_in import NonceIssued, SignedIn


class NonceJson(TypedDict):
    """What a sign-in message must hold."""

    nonce: Annotated[str, Meta(description="Serves one sign-in.", examples=["0f" * 16])]
    domain: Annotated[str, Meta(examples=["tap.example"])]
    uri: Annotated[str, Meta(examples=["https://tap.example"])]
    chain_id: int
    issued_at_ms: AtMs
    expires_at_ms: AtMs


class SignedInUserJson(TypedDict):
    """Who signed in."""

    wallet: WalletText
    balance_micros: AmountMicros


class SignedInJson(TypedDict):
    """A session that began."""

    token: Annotated[str, Meta(description="The bearer token. It is shown here, and never again.")]
    expires_at_ms: AtMs
    user: SignedInUserJson


class SessionJson(TypedDict):
    """Whose session it is."""

    wallet: WalletText
    expires_at_ms: AtMs


class LoggedOutJson(TypedDict):
    """The session is over."""

    logged_out: Literal[True]


def nonce_json(issued: NonceIssued) -> NonceJson:
    """`GET /api/auth/nonce`."""
    return {
        "nonce": issued.nonce,
        "domain": issued.domain,
        "uri": issued.uri,
        "chain_id": issued.chain_id,
        "issued_at_ms": issued.issued_at_ms,
        "expires_at_ms": issued.expires_at_ms,
    }


def signed_in_json(signed_in: SignedIn) -> SignedInJson:
    """`POST /api/auth/login`: the only time that the token is shown."""
    return {
        "token": signed_in.token,
        "expires_at_ms": signed_in.expires_at_ms,
        "user": {"wallet": signed_in.wallet, "balance_micros": signed_in.balance_micros},
    }
