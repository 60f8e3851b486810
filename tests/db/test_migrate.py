"""Migrations, and the full schema beside them."""

import sqlite3
from collections.abc import Iterator
from importlib import resources

import pytest
import sqlite_utils

from db.migrate import SchemaMismatch, migrate, migrations, schema_of
from db.sqlite_connection import Memory, open_writer


@pytest.fixture
def connection(request: pytest.FixtureRequest) -> Iterator[sqlite3.Connection]:
    connection = open_writer(Memory(f"migrate-{request.node.name}"))
    yield connection
    connection.close()


def test_schema_sql_is_what_the_migrations_make(connection: sqlite3.Connection) -> None:
    migrate(connection)
    _, schema = (resources.files("db") / "schema.sql").read_text("utf-8").split("\n", 1)
    assert schema == schema_of(connection)


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [m.number for m in migrations()] == list(range(1, len(migrations()) + 1))


def test_migrating_twice_does_nothing_more(connection: sqlite3.Connection) -> None:
    assert migrate(connection) == [migration.name for migration in migrations()]
    before = schema_of(connection)
    assert migrate(connection) == []
    assert schema_of(connection) == before


@pytest.mark.parametrize(
    "other",
    [
        "UPDATE schema_migrations SET sha256 = 'edited'",
        "INSERT INTO schema_migrations VALUES (9999, '9999_newer.sql', '')",
    ],
)
def test_a_file_of_other_code_is_refused(connection: sqlite3.Connection, other: str) -> None:
    migrate(connection)
    connection.execute(other)
    with pytest.raises(SchemaMismatch):
        migrate(connection)


def test_a_migration_that_fails_leaves_nothing(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = migrations()[0]
    broken = type(good)(
        number=1, name="0001_x.sql", sql=good.sql + "INSERT INTO nowhere VALUES (1);"
    )
    monkeypatch.setattr("db.migrate.migrations", lambda: [broken])
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate(connection)
    assert sqlite_utils.Database(connection).table_names() == ["schema_migrations"]
    monkeypatch.undo()
    assert migrate(connection) == [migration.name for migration in migrations()]


def test_every_table_is_strict(connection: sqlite3.Connection) -> None:
    migrate(connection)
    assert all(table.strict for table in sqlite_utils.Database(connection).tables)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE transaction_ledger SET amount = 0",
        "DELETE FROM transaction_ledger",
        "INSERT OR REPLACE INTO transaction_ledger SELECT * FROM transaction_ledger",
        "INSERT INTO transaction_ledger SELECT * FROM transaction_ledger WHERE true"
        " ON CONFLICT DO UPDATE SET amount = 0",
    ],
)
def test_the_ledger_is_append_only(connection: sqlite3.Connection, change: str) -> None:
    migrate(connection)
    connection.execute(
        "INSERT INTO transaction_ledger VALUES (1, 'a', 1, 1, 5, 5, 'DEPOSIT', 'r', '{}', 0)"
    )
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(change)
    assert connection.execute("SELECT amount FROM transaction_ledger").fetchall() == [(5,)]


@pytest.mark.parametrize(
    "impossible",
    [
        "UPDATE users SET balance = -1 WHERE id = 1",
        "INSERT INTO users VALUES (3, '0xABC', 0, 0, 0, 0)",
        "INSERT INTO users VALUES (3, '0xabc', -1, 0, 0, 0)",
        "INSERT INTO users VALUES (3, 'somebody', 0, 0, 0, 0)",
        "INSERT INTO users VALUES (3, '0xabc', 1.5, 0, 0, 0)",
        "INSERT INTO transaction_ledger VALUES (1, 'a', 1, 1, 5, 5, 'GIFT', 'r', '{}', 0)",
        "INSERT INTO transaction_ledger VALUES (1, 'a', 2, 1, 5, 5, 'BET', 'r', '{}', 0)",
        "INSERT INTO transaction_ledger VALUES (1, 'a', 1, 99, 5, 5, 'BET', 'r', '{}', 0)",
        "INSERT INTO deposits VALUES ('r', 1, 0, 'x', 0)",
        "INSERT INTO meta (only) VALUES (2)",
        "UPDATE meta SET override = 'maybe'",
        "INSERT INTO exposure VALUES ('planet', '', 0, 0, 0)",
    ],
)
def test_what_must_never_be_cannot_be_written(
    connection: sqlite3.Connection, impossible: str
) -> None:
    migrate(connection)
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(impossible)


BET = (
    "INSERT INTO bets (id, user_id, nonce, column_start_s, column_s, lo_cents, hi_cents, rule,"
    " stake_micros, reward_bps, quote_n, status, holds_cell, payout_micros, placed_at_ms,"
    " resolved_at_ms)"
    " VALUES ('b{n}', {user}, '{nonce}', 100, 5, {lo}, 2000, 'touch', {stake}, 20000, 1,"
    " '{status}', {holds}, {payout}, 0, {resolved})"
)
OPEN_BET = {
    "n": 1, "user": 3, "nonce": "x", "lo": 1000, "stake": 5,
    "status": "confirmed", "holds": 1, "payout": "NULL", "resolved": "NULL",
}  # fmt: skip


@pytest.mark.parametrize(
    "impossible",
    [
        {"stake": 0},
        {"stake": -1},
        {"status": "pending"},
        {"user": 1},
        {"user": 77},
        {"lo": 2000},
        {"lo": -1},
        {"nonce": ""},
        {"status": "won"},
        {"resolved": 5},
        {"holds": 0},
        {"status": "insufficient_funds"},
        {"payout": 5},
        {"status": "lost", "resolved": 5},
        {"status": "won", "resolved": 5, "payout": -1},
    ],
)
def test_a_bet_that_makes_no_sense_cannot_be_written(
    connection: sqlite3.Connection, impossible: dict[str, object]
) -> None:
    migrate(connection)
    connection.execute("INSERT INTO users VALUES (3, '0xabc', 0, 0, 0, 0)")
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(BET.format(**{**OPEN_BET, **impossible}))
    connection.execute(BET.format(**OPEN_BET))


@pytest.mark.parametrize(
    ("again", "allowed"),
    [
        ({"n": 1, "nonce": "y", "lo": 0}, False),
        ({"n": 2, "lo": 0}, False),
        ({"n": 2, "nonce": "y"}, False),
        ({"n": 2, "nonce": "y", "status": "insufficient_funds", "holds": 0}, True),
        ({"n": 2, "nonce": "y", "lo": 0}, True),
    ],
)
def test_the_database_itself_knows_a_bet_placed_twice(
    connection: sqlite3.Connection, again: dict[str, object], allowed: bool
) -> None:
    migrate(connection)
    connection.execute("INSERT INTO users VALUES (3, '0xabc', 0, 0, 0, 0)")
    connection.execute(BET.format(**OPEN_BET))
    second = BET.format(**{**OPEN_BET, **again})
    if allowed:
        connection.execute(second)
    else:
        with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
            connection.execute(second)
