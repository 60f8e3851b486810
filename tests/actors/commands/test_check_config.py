"""The settings in force, with secrets masked and where each came from."""

from pathlib import Path

import pytest

from config.settings import DEFAULT_FILE
from tests.actors.commands.conftest import TOKEN, Tapgrid

PRODUCTION_FILE = DEFAULT_FILE.with_name("production.toml")


def test_every_setting_is_a_line_with_its_origin(tapgrid: Tapgrid) -> None:
    said = tapgrid("check-config", "--port", "9000", "--set", "grid.rows=20")
    assert (said.code, said.err) == (0, "")
    found = dict(line.split("  # ") for line in said.out.splitlines() if "  # " in line)
    lines = {key.strip(): origin for key, origin in found.items()}
    assert lines["http.port = 9000"] == "flag"
    assert lines["grid.rows = 20"] == "--set"
    assert lines["grid.column_s = 5"] == "default"
    assert lines['public.origin = "http://127.0.0.1:9000"'] == "follows http.host, http.port"


def test_secrets_are_masked(tapgrid: Tapgrid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPGRID_OPS__TOKEN", TOKEN)
    monkeypatch.setenv("TAPGRID_OPS__TOKENS__ALICE", TOKEN)
    monkeypatch.setenv("TAPGRID_STORE__URL", f"redis://venue:{TOKEN}@localhost/1")
    said = tapgrid("check-config")
    assert TOKEN not in said.out + said.err
    assert 'ops.token = "********"' in said.out
    assert 'ops.tokens = {alice = "********"}' in said.out
    assert 'store.url = "redis://********@localhost/1"' in said.out
    assert "# alice: env TAPGRID_OPS__TOKENS__ALICE" in said.out


def test_all_faults_are_said_at_once(tapgrid: Tapgrid) -> None:
    said = tapgrid("check-config", "--set", "grid.rows=0", "--feed", "kraken")
    assert (said.code, said.out) == (2, "")
    assert [line.split(":")[0].strip() for line in said.err.splitlines()[1:]] == [
        "grid.rows",
        "feed.source",
    ]


def test_production_settings_are_held_to_production(
    tapgrid: Tapgrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tapgrid("check-config", "--config", PRODUCTION_FILE)
    assert said.code == 2
    assert "ops.token: refused in production" in said.err
    monkeypatch.setenv("TAPGRID_OPS__TOKEN", TOKEN)
    assert tapgrid("check-config", "--config", PRODUCTION_FILE).code == 0


def test_demo_makes_a_demo_of_production_settings(tapgrid: Tapgrid) -> None:
    said = tapgrid("check-config", "--config", PRODUCTION_FILE, "--demo")
    assert said.code == 0
    assert "venue.chain_id = 31337" in said.out


def test_a_missing_file_is_refused(tapgrid: Tapgrid, tmp_path: Path) -> None:
    assert tapgrid("check-config", "--config", tmp_path / "none.toml").code == 2
