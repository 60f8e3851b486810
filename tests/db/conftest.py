"""Ledgers for the tests of `db`: in memory, or in a file where the file is what matters."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.sqlite_connection import Memory
from tests.support.ledgers import ALICE, BANKROLL, STAKE, Venue, open_venue
from tests.support.s3_server import S3Server, running_s3


@pytest.fixture
def empty(request: pytest.FixtureRequest) -> Iterator[Venue]:
    """A new ledger without any money, in memory."""
    venue = open_venue(Memory(f"ledger-{abs(hash(request.node.nodeid))}"))
    yield venue
    venue.close()


@pytest.fixture
def venue(empty: Venue) -> Venue:
    """A ledger in memory with a bankroll, and Alice with a hundred stakes."""
    empty.fund("house", BANKROLL)
    empty.fund(ALICE, 100 * STAKE)
    return empty


@pytest.fixture
def ledger_file(tmp_path: Path) -> Path:
    return tmp_path / "2026-02-01.db"


@pytest.fixture
def filed(ledger_file: Path) -> Iterator[Venue]:
    """A ledger in a file with a bankroll, and Alice with a hundred stakes."""
    venue = open_venue(ledger_file)
    venue.fund("house", BANKROLL)
    venue.fund(ALICE, 100 * STAKE)
    yield venue
    venue.close()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """A real S3 server; each test makes its own bucket."""
    with running_s3() as server:
        yield server


@pytest.fixture
def no_aws_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the environment of whoever runs the tests says of S3 must not decide their outcome."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "no-such-file"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
