"""Sign-in and sessions."""

from typing import Final

from domain.refusals import Code
from protocols.client_sessions import LoggedOutJson, NonceJson, SessionJson, SignedInJson
from protocols.client_sign_in import LOGIN as LOGIN_FORM
from protocols.operations.operation import ASKED, Auth, Operation, Tag

NONCE: Final = Operation(
    method="GET",
    path="/api/auth/nonce",
    summary="What a sign-in message must hold.",
    tag=Tag.SIGN_IN,
    answer=NonceJson,
    codes=ASKED,
)
LOGIN: Final = Operation(
    method="POST",
    path="/api/auth/login",
    summary="A signed message for a session token.",
    tag=Tag.SIGN_IN,
    answer=SignedInJson,
    body=LOGIN_FORM,
    codes=(Code.INVALID_SIGNATURE, Code.SIGNATURE_EXPIRED, Code.UNAUTHORIZED, *ASKED),
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
)

ALL: Final = (NONCE, LOGIN, SESSION, LOGOUT)
