"""Sign-in and sessions."""

from typing import Final

from domain.refusals import Code
from protocols.client_sessions import (
    LoggedOutJson,
    NonceJson,
    RevokedJson,
    SessionJson,
    SessionsJson,
    SignedInJson,
)
from protocols.client_sign_in import DEMO as DEMO_FORM
from protocols.client_sign_in import LOGIN as LOGIN_FORM
from protocols.client_sign_in import NONCE as NONCE_QUERY
from protocols.client_sign_in import SESSION_ID
from protocols.forms import Field
from protocols.operations.operation import ASKED, MONEY, Auth, Operation, Tag

NONCE: Final = Operation(
    method="GET",
    path="/api/auth/nonce",
    summary="What a sign-in message must hold.",
    tag=Tag.SIGN_IN,
    answer=NonceJson,
    query=NONCE_QUERY,
    codes=ASKED,
    description="An EIP-4361 message spells the wallet with the capitals of EIP-55, which take"
    " Keccak-256: a browser, which does not have it, names its `wallet` and is told.",
)
LOGIN: Final = Operation(
    method="POST",
    path="/api/auth/login",
    summary="A signed message for a session token.",
    tag=Tag.SIGN_IN,
    answer=SignedInJson,
    body=LOGIN_FORM,
    codes=(Code.INVALID_SIGNATURE, Code.SIGNATURE_EXPIRED, Code.UNAUTHORIZED, *MONEY),
    description="The message may name a session key among its resources, as"
    " `urn:tapgrid:session-key:p256:{point}?bet={micros}&day={micros}&until={unix s}`: it may then"
    " sign bets in the wallet's place, within these caps. A key serves one sign-in, ever.",
)
DEMO: Final = Operation(
    method="POST",
    path="/api/auth/demo",
    summary="A throwaway account with paper money, for a session key.",
    tag=Tag.SIGN_IN,
    answer=SignedInJson,
    body=DEMO_FORM,
    codes=(Code.FORBIDDEN, *MONEY),
    description="In demo mode only. Nobody has the private key of its wallet: it lasts as long as"
    " its session.",
)
SESSION: Final = Operation(
    method="GET",
    path="/api/auth/session",
    summary="Whose token this is, and until when.",
    tag=Tag.SIGN_IN,
    auth=Auth.SESSION,
    answer=SessionJson,
)
LOGOUT: Final = Operation(
    method="POST",
    path="/api/auth/logout",
    summary="End the session.",
    tag=Tag.SIGN_IN,
    auth=Auth.SESSION,
    answer=LoggedOutJson,
    codes=MONEY,
    description="And its key, first of all. If the ledger does not answer the session goes on.",
)
SESSIONS: Final = Operation(
    method="GET",
    path="/api/auth/sessions",
    summary="All sessions of the trader, newest first.",
    tag=Tag.SIGN_IN,
    auth=Auth.SESSION,
    answer=SessionsJson,
    description="At most 50; one more ends the oldest. And the keys that may bet though the venue"
    " has forgotten their sessions.",
)
REVOKE: Final = Operation(
    method="POST",
    path="/api/auth/sessions/{session_id}/revoke",
    summary="End one of the trader's sessions, and its key, at once.",
    tag=Tag.SIGN_IN,
    auth=Auth.SESSION,
    answer=RevokedJson,
    parameters=(Field("session_id", SESSION_ID, "As the list has it."),),
    codes=(Code.NOT_FOUND, *MONEY),
    description="Another's is not found, like one that never was. If the ledger does not answer"
    " the session goes on.",
)

ALL: Final = (NONCE, LOGIN, DEMO, SESSION, LOGOUT, SESSIONS, REVOKE)
