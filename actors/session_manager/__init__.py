"""SessionManager: nonces, sign-ins with a wallet, sessions, and whose token a token is."""

from actors.session_manager.actor import (
    COMMANDS_AT_ONCE_MAX,
    ENDS_AT_ONCE_MAX,
    LAST_WITHIN_S,
    LOGINS_AT_ONCE_MAX,
    RecoverWallet,
    SessionManagerPorts,
    SignInAsk,
    run,
)
from actors.session_manager.sessions import SESSIONS_MAX

__all__ = [
    "COMMANDS_AT_ONCE_MAX",
    "ENDS_AT_ONCE_MAX",
    "LAST_WITHIN_S",
    "LOGINS_AT_ONCE_MAX",
    "SESSIONS_MAX",
    "RecoverWallet",
    "SessionManagerPorts",
    "SignInAsk",
    "run",
]
