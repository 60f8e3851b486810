"""Session keys in the ledger: authorised once, capped in the deduction, revoked for good.

Each function works within the transaction that the ledger has open. What a key may stake is
checked and counted in `intake.sql`.
"""

import sqlite3
from typing import Any, Final

from domain.units import EpochMs
from protocols.account_commands import KeyGrant, KeysRevoked, RevokeKeys
from protocols.accounts import SessionKey
from protocols.money import OpenAccount

_KEYS: Final = """
    SELECT k.id, u.wallet_address, k.session_id, k.public_key, k.bet_max_micros, k.day_max_micros,
           k.created_at_ms, k.expires_at_ms, k.revoked_at_ms, k.day, k.day_stake_micros
    FROM session_keys AS k JOIN users AS u ON u.id = k.user_id
"""


def has_keys(connection: sqlite3.Connection) -> bool:
    """Is the file of a time that knows session keys and limits of one's own?

    A week that was closed before is never written again, and so was never migrated.
    """
    sql = "SELECT EXISTS (SELECT 1 FROM pragma_table_info('bets') WHERE name = 'key_id')"
    return bool(connection.execute(sql).fetchone()[0])


def comes_of(key: SessionKey, command: OpenAccount) -> bool:
    """Was the key authorised by this very command, and does it hold?

    A session's id is made anew for each sign-in, so the same grant is the same command: a life of
    the Batcher before has carried it out, and ended before it could say so.
    """
    granted = KeyGrant(
        key_id=key.key_id,
        public_key=key.public_key,
        session_id=key.session_id,
        bet_max_micros=key.bet_max_micros,
        day_max_micros=key.day_max_micros,
        expires_at_ms=key.expires_at_ms,
    )
    return key.revoked_at_ms is None and (key.wallet, granted) == (command.wallet, command.key)


def authorise(
    connection: sqlite3.Connection, grant: KeyGrant, *, user_id: int, at_ms: EpochMs
) -> None:
    """From now on it signs bets of the account. Raises sqlite3.IntegrityError if it ever did."""
    connection.execute(
        "INSERT INTO session_keys (id, user_id, session_id, public_key, bet_max_micros,"
        " day_max_micros, created_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            grant.key_id,
            user_id,
            grant.session_id,
            grant.public_key,
            grant.bet_max_micros,
            grant.day_max_micros,
            at_ms,
            grant.expires_at_ms,
        ),
    )


def revoke_keys(
    connection: sqlite3.Connection, command: RevokeKeys, *, at_ms: EpochMs
) -> KeysRevoked:
    """End all keys of a session. Repeating it changes nothing, not even since when."""
    revoked = connection.execute(
        "UPDATE session_keys SET revoked_at_ms = ? WHERE session_id = ? AND revoked_at_ms IS NULL"
        " AND user_id = (SELECT id FROM users WHERE wallet_address = ?)",
        (at_ms, command.session_id, command.wallet),
    )
    return KeysRevoked(count=revoked.rowcount)


def key_of(connection: sqlite3.Connection, key_id: str) -> SessionKey | None:
    """A key by its id."""
    row = connection.execute(f"{_KEYS} WHERE k.id = ?", (key_id,)).fetchone()
    return _key(row) if row is not None else None


def keys_of(connection: sqlite3.Connection, wallet: str, *, limit: int) -> list[SessionKey]:
    """A wallet's keys, newest first."""
    rows = connection.execute(
        f"{_KEYS} WHERE u.wallet_address = ? ORDER BY k.created_at_ms DESC, k.rowid DESC LIMIT ?",
        (wallet, limit),
    )
    return [_key(row) for row in rows]


def _key(row: tuple[Any, ...]) -> SessionKey:
    return SessionKey(
        key_id=row[0],
        wallet=row[1],
        session_id=row[2],
        public_key=row[3],
        bet_max_micros=row[4],
        day_max_micros=row[5],
        created_at_ms=row[6],
        expires_at_ms=row[7],
        revoked_at_ms=row[8],
        day=row[9],
        day_stake_micros=row[10],
    )
