"""What in the settings nobody may see."""

from config.secrets import secrets_of
from config.settings import load


def test_without_secrets_there_are_none() -> None:
    assert secrets_of(load().settings) == ()


def test_every_secret_is_found() -> None:
    environ = {
        "TAPGRID_OPS__TOKEN": "o" * 32,
        "TAPGRID_OPS__TOKENS__ALICE": "a" * 32,
        "TAPGRID_ARCHIVE__SECRET_ACCESS_KEY": "archive-secret",
        "TAPGRID_STORE__URL": "redis://venue:p%40ss@127.0.0.1:6379/0",
    }
    found = set(secrets_of(load(environ=environ).settings))
    assert found == {"o" * 32, "a" * 32, "archive-secret", "p%40ss", "p@ss"}
