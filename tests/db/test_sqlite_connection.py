"""The connections' settings, and which errors are whose fault."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from db.sqlite_connection import (
    Memory,
    close_writer,
    is_disk_full,
    is_statement_fault,
    open_reader,
    open_writer,
    savepoint,
    size_with_log,
    transaction,
)
from tests.support.small_disk import filled, small_disk


def pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a name with spaces & 100 % signs?.db"


def test_the_writers_settings(path: Path) -> None:
    connection = open_writer(path)
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 0,
        "recursive_triggers": 1,
    }
    assert {name: pragma(connection, name) for name in wanted} == wanted
    assert path.exists()
    connection.close()


def test_closing_empties_the_log(path: Path) -> None:
    connection = open_writer(path)
    connection.execute("CREATE TABLE t (x)")
    reader = open_reader(path)
    close_writer(connection)
    log = path.with_name(f"{path.name}-wal")
    assert not log.exists() or log.stat().st_size == 0
    assert reader.execute("SELECT count(*) FROM t").fetchone() == (0,)
    reader.close()


def test_memory_is_shared_by_name() -> None:
    writer = open_writer(Memory("shared"))
    writer.execute("CREATE TABLE t (x)")
    reader = open_reader(Memory("shared"))
    assert reader.execute("SELECT count(*) FROM t").fetchone() == (0,)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("INSERT INTO t VALUES (1)")
    other = open_writer(Memory("another"))
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        other.execute("SELECT * FROM t")
    for connection in (writer, reader, other):
        connection.close()


def test_a_transaction_is_whole_or_nothing(path: Path) -> None:
    connection = open_writer(path)
    connection.execute("CREATE TABLE t (x)")

    def insert(value: int, *, failing: BaseException | None = None) -> None:
        connection.execute("INSERT INTO t VALUES (?)", (value,))
        if failing is not None:
            raise failing

    with pytest.raises(KeyboardInterrupt), transaction(connection):
        insert(1, failing=KeyboardInterrupt())
    with transaction(connection):
        insert(2)
        with pytest.raises(ZeroDivisionError), savepoint(connection):
            insert(3, failing=ZeroDivisionError())
    assert connection.execute("SELECT x FROM t").fetchall() == [(2,)]
    connection.close()


def test_an_error_is_of_the_statement_or_of_the_machine(path: Path) -> None:
    connection = open_writer(path)
    connection.execute("CREATE TABLE t (x INTEGER CHECK (x > 0)) STRICT")

    def error_of(sql: str) -> sqlite3.Error:
        with pytest.raises(sqlite3.Error) as raised:
            connection.execute(sql)
        return raised.value

    for sql in (
        "INSERT INTO t VALUES (0)",
        "INSERT INTO t VALUES ('x')",
        "SELECT sum(9223372036854775807) FROM (SELECT 1 UNION ALL SELECT 2)",
        "SELECT json('{')",
    ):
        assert is_statement_fault(error_of(sql))
    connection.execute("PRAGMA max_page_count = 2")
    full = error_of(
        "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
        " LIMIT 100000) SELECT i FROM n"
    )
    assert is_disk_full(full)
    assert not is_statement_fault(full)
    connection.close()
    path.write_bytes(b"not a database, though it is long enough to be taken for one" * 100)
    with pytest.raises(sqlite3.DatabaseError) as damaged:
        open_writer(path)
    assert not is_statement_fault(damaged.value)


def test_a_ledger_that_is_closed_on_a_full_disk_leaves_its_log_to_the_next(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", mib=4) as disk:
        writer = open_writer(disk / "money.db")
        with transaction(writer):
            writer.execute("CREATE TABLE t (x)")
            writer.executemany("INSERT INTO t VALUES (?)", [("x" * 1000,)] * 1_000)
        with filled(disk):
            close_writer(writer)
        with closing(open_writer(disk / "money.db")) as again:
            assert again.execute("SELECT count(*) FROM t").fetchone() == (1_000,)


def test_the_log_counts_to_the_size_of_a_ledger(tmp_path: Path) -> None:
    file = tmp_path / "2026-02-01.db"
    assert size_with_log(file) == 0
    file.write_bytes(bytes(10))
    (tmp_path / "2026-02-01.db-wal").write_bytes(bytes(300))
    assert size_with_log(file) == 310
