"""What the venue tells clients of sign-in and sessions, as plain values ready to be encoded."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal, TypeAlias, TypedDict

from msgspec import Meta

from domain.units import EpochMs
from protocols.account_commands import KeyGrant
from protocols.accounts import SessionKey
from protocols.answer_fields import AmountMicros, AtMs, KeyIdText, WalletText
from protocols.client_sign_in import SESSION_ID
from protocols.sign_in import NonceIssued, Session, SignedIn

DAY_MS: Final = 86_400_000

SessionIdText: TypeAlias = Annotated[
    str,
    Meta(
        description="Names the session, and opens nothing.",
        pattern=f"^{SESSION_ID.pattern}$",
        examples=[SESSION_ID.example],
    ),
]

AddressText: TypeAlias = Annotated[
    str,
    Meta(
        description="An address with its EIP-55 capitals.",
        pattern="^0x[0-9A-Fa-f]{40}$",
        examples=["0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"],
    ),
]


class NonceJson(TypedDict):
    """What a sign-in message must hold."""

    nonce: Annotated[str, Meta(description="Serves one sign-in.", examples=["0f" * 16])]
    domain: Annotated[str, Meta(examples=["tap.example"])]
    uri: Annotated[str, Meta(examples=["https://tap.example"])]
    chain_id: int
    issued_at_ms: AtMs
    expires_at_ms: AtMs
    address: Annotated[
        AddressText | None, Meta(description="The wallet that was named; null where none was.")
    ]


class SignedInUserJson(TypedDict):
    """Who signed in."""

    wallet: WalletText
    balance_micros: AmountMicros


class GrantedKeyJson(TypedDict):
    """A session key and its caps."""

    key_id: KeyIdText
    bet_max_micros: Annotated[
        int, Meta(description="The most it may stake on one bet, micros of a USD.", ge=1)
    ]
    day_max_micros: Annotated[
        int, Meta(description="The most it may stake in one UTC day, micros of a USD.", ge=1)
    ]
    expires_at_ms: AtMs


class SessionKeyJson(GrantedKeyJson):
    """A session key that may bet now, and how far it has used its day up."""

    staked_today_micros: Annotated[
        int, Meta(description="What it staked since 00:00 UTC, micros of a USD.", ge=0)
    ]


class SignedInJson(TypedDict):
    """A session that began."""

    token: Annotated[
        str,
        Meta(
            description="The bearer token. It is shown here, and never again.",
            examples=["wJ8mQe1kT5b0cVn2yXr7uZs4pLh9dFg3aNi6oRtBqKE"],
        ),
    ]
    session_id: SessionIdText
    expires_at_ms: AtMs
    user: SignedInUserJson
    session_key: Annotated[
        GrantedKeyJson | None, Meta(description="Null where the sign-in named none.")
    ]


class SessionJson(TypedDict):
    """Whose session it is."""

    session_id: SessionIdText
    wallet: WalletText
    created_at_ms: AtMs
    expires_at_ms: AtMs
    session_key: Annotated[
        SessionKeyJson | None, Meta(description="Null where it has none that may bet now.")
    ]


class ListedSessionJson(TypedDict):
    """One of a trader's sessions."""

    session_id: SessionIdText
    created_at_ms: AtMs
    expires_at_ms: AtMs
    network: Annotated[
        str,
        Meta(
            description="Where it was signed in from, as a network; empty where not known.",
            examples=["192.0.2.0/24"],
        ),
    ]
    current: Annotated[bool, Meta(description="Is it the one that asks?")]
    signed_in: Annotated[
        bool,
        Meta(
            description="False: its token opens nothing any more, since the venue forgot it; its"
            " key may bet until it expires or is revoked."
        ),
    ]
    session_key: Annotated[
        SessionKeyJson | None, Meta(description="Null where it has none that may bet now.")
    ]


class SessionsJson(TypedDict):
    """All of a trader's sessions, newest first."""

    sessions: list[ListedSessionJson]


class RevokedJson(TypedDict):
    """The session is over, and its key signs nothing any more."""

    session_id: SessionIdText
    revoked: Literal[True]


class LoggedOutJson(TypedDict):
    """The session is over."""

    logged_out: Literal[True]


def nonce_json(issued: NonceIssued, address: str | None) -> NonceJson:
    """`GET /api/auth/nonce`; `address` has its EIP-55 capitals."""
    return {
        "nonce": issued.nonce,
        "domain": issued.domain,
        "uri": issued.uri,
        "chain_id": issued.chain_id,
        "issued_at_ms": issued.issued_at_ms,
        "expires_at_ms": issued.expires_at_ms,
        "address": address,
    }


def signed_in_json(signed_in: SignedIn) -> SignedInJson:
    """`POST /api/auth/login`: the only time that the token is shown."""
    return {
        "token": signed_in.token,
        "session_id": signed_in.session_id,
        "expires_at_ms": signed_in.expires_at_ms,
        "user": {"wallet": signed_in.wallet, "balance_micros": signed_in.balance_micros},
        "session_key": _granted_json(signed_in.key) if signed_in.key is not None else None,
    }


def session_json(session: Session, keys: Sequence[SessionKey], now_ms: EpochMs) -> SessionJson:
    """`GET /api/auth/session`; `keys` are the wallet's."""
    key = _live_keys(keys, now_ms).get(session.session_id)
    return {
        "session_id": session.session_id,
        "wallet": session.wallet,
        "created_at_ms": session.created_at_ms,
        "expires_at_ms": session.expires_at_ms,
        "session_key": _key_json(key, now_ms) if key is not None else None,
    }


def sessions_json(
    sessions: Sequence[Session],
    keys: Sequence[SessionKey],
    *,
    current_id: str,
    now_ms: EpochMs,
) -> SessionsJson:
    """`GET /api/auth/sessions`: the wallet's sessions with their keys, and the keys that may bet
    though the store has lost their sessions."""
    live = _live_keys(keys, now_ms)
    listed = [
        ListedSessionJson(
            session_id=session.session_id,
            created_at_ms=session.created_at_ms,
            expires_at_ms=session.expires_at_ms,
            network=session.network,
            current=session.session_id == current_id,
            signed_in=True,
            session_key=_key_json(live[session.session_id], now_ms)
            if session.session_id in live
            else None,
        )
        for session in sessions
    ]
    known = {session.session_id for session in sessions}
    lost = [_lost_json(key, now_ms) for key in live.values() if key.session_id not in known]
    return {"sessions": sorted([*listed, *lost], key=lambda row: -row["created_at_ms"])}


def _lost_json(key: SessionKey, now_ms: EpochMs) -> ListedSessionJson:
    return {
        "session_id": key.session_id,
        "created_at_ms": key.created_at_ms,
        "expires_at_ms": key.expires_at_ms,
        "network": "",
        "current": False,
        "signed_in": False,
        "session_key": _key_json(key, now_ms),
    }


def _live_keys(keys: Sequence[SessionKey], now_ms: EpochMs) -> dict[str, SessionKey]:
    """Those that may bet, by their sessions."""
    return {
        key.session_id: key
        for key in keys
        if key.revoked_at_ms is None and key.expires_at_ms > now_ms
    }


def _granted_json(key: KeyGrant | SessionKey) -> GrantedKeyJson:
    return {
        "key_id": key.key_id,
        "bet_max_micros": key.bet_max_micros,
        "day_max_micros": key.day_max_micros,
        "expires_at_ms": key.expires_at_ms,
    }


def _key_json(key: SessionKey, now_ms: EpochMs) -> SessionKeyJson:
    is_today = key.day == now_ms // DAY_MS
    return {
        **_granted_json(key),
        "staked_today_micros": key.day_stake_micros if is_today else 0,
    }
