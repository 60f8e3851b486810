"""The numbered migrations, applied in order, each in one transaction."""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from importlib import resources

import attrs
import sqlite_utils

_APPLIED = "schema_migrations"


@attrs.frozen(kw_only=True)
class Migration:
    """One file of `db/migrations`."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """What shows that a migration was edited after it had been applied."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


class SchemaMismatch(Exception):
    """The file was migrated by other code than this: newer, or with edited migrations."""


def statements(sql: str) -> Iterator[str]:
    """The statements of a script, each of which ends with its line.

    sqlite-utils takes scripts apart by the character: 38 of the 43 ms that opening a new ledger
    took.
    """
    lines: list[str] = []
    for line in sql.splitlines(keepends=True):
        lines.append(line)
        if ";" in line and sqlite3.complete_statement("".join(lines)):
            yield "".join(lines)
            lines.clear()
    if lines:
        yield "".join(lines)  # a comment, or a fault that SQLite names


def migrations() -> Sequence[Migration]:
    """All migrations, in order."""
    folder = resources.files("db") / "migrations"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=str)
    return [
        Migration(number=int(file.name[:4]), name=file.name, sql=file.read_text("utf-8"))
        for file in files
    ]


def migrate(connection: sqlite3.Connection) -> list[str]:
    """Bring the schema up to date; returns the names of what was applied now.

    Raises SchemaMismatch, before anything is changed, if this code doesn't know the file.
    """
    db = sqlite_utils.Database(connection, execute_plugins=False)
    applied = _applied(db)
    known = {migration.number: migration for migration in migrations()}
    for number, sha256 in applied.items():
        if number not in known or known[number].sha256 != sha256:
            raise SchemaMismatch(f"migration {number} of the file is not the one known here")
    missing = [migration for migration in known.values() if migration.number not in applied]
    for migration in missing:
        with db.atomic():
            for statement in statements(migration.sql):
                connection.execute(statement)
            db.table(_APPLIED).insert(
                {"number": migration.number, "name": migration.name, "sha256": migration.sha256}
            )
    return [migration.name for migration in missing]


def schema_of(connection: sqlite3.Connection) -> str:
    """The schema as SQL text, in the order it was made: what `db/schema.sql` holds."""
    db = sqlite_utils.Database(connection, execute_plugins=False)
    return db.schema + "\n"


def _applied(db: sqlite_utils.Database) -> dict[int, str]:
    table = db.table(_APPLIED)
    if not table.exists():
        table.create({"number": int, "name": str, "sha256": str}, pk="number", strict=True)
    return {row["number"]: row["sha256"] for row in table.rows}
