"""Layers over one another, everything that is wrong refused at once, and where values came from."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
import pytest

from config.settings import (
    REQUESTS_PER_MINUTE_MAX,
    RULES,
    Loaded,
    SettingsRefused,
    load,
)

TOKEN = "t" * 32


def refusals(
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    sets: Sequence[str] = (),
    flags: Mapping[str, object] | None = None,
) -> list[str]:
    """The faults that `load` names, as a person reads them."""
    with pytest.raises(SettingsRefused) as caught:
        load(file=file, environ=environ or {}, sets=sets, flags=flags or {})
    return [str(fault) for fault in caught.value.faults]


def toml(folder: Path, text: str) -> Path:
    file = folder / "venue.toml"
    file.write_text(text)
    return file


# --- layers ---------------------------------------------------------------------------------


def test_the_defaults_are_a_demo_venue_that_needs_nothing() -> None:
    settings = load().settings
    assert settings.venue.mode == "demo"
    assert settings.venue.chain_id == 31337
    assert settings.feed.source == "simulator"
    assert settings.store.url == "memory:"
    assert settings.bets.presets_micros == (
        1_000_000,
        5_000_000,
        10_000_000,
        25_000_000,
        100_000_000,
    )


def test_every_key_has_a_default_and_an_origin() -> None:
    assert load().origins == dict.fromkeys(RULES, "default")


def test_each_layer_wins_over_the_one_before(tmp_path: Path) -> None:
    file = toml(tmp_path, "[grid]\nrows = 11\n[batch]\ncommands_max = 11\nlinger_ms = 11\n")
    file.write_text(file.read_text() + "[http]\nport = 11\n")
    loaded = load(
        file=file,
        environ={
            "TAPGRID_BATCH__COMMANDS_MAX": "22",
            "TAPGRID_BATCH__LINGER_MS": "22",
            "TAPGRID_HTTP__PORT": "22",
        },
        sets=["batch.linger_ms=33", "http.port=33"],
        flags={"http.port": 44},
    )
    settings = loaded.settings
    assert settings.grid.rows == 11
    assert settings.batch.commands_max == 22
    assert settings.batch.linger_ms == 33
    assert settings.http.port == 44
    assert [loaded.origins[path] for path in ("grid.rows", "batch.commands_max")] == [
        f"file {file}",
        "env TAPGRID_BATCH__COMMANDS_MAX",
    ]
    assert [loaded.origins[path] for path in ("batch.linger_ms", "http.port")] == ["--set", "flag"]


def test_other_variables_of_the_environment_are_none_of_ours() -> None:
    assert load(environ={"HOME": "/somewhere", "TAPGRIDS": "x"}) == load()


def test_settings_are_frozen() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        load().settings.grid.rows = 3  # type: ignore[misc]


@pytest.mark.parametrize("text", ["1_000_000, 2_000_000", "[1000000, 2000000]", "1000000,2000000"])
def test_a_list_is_spelled_with_or_without_brackets(text: str) -> None:
    settings = load(sets=[f"bets.presets_micros={text}"]).settings
    assert settings.bets.presets_micros == (1_000_000, 2_000_000)


def test_a_switch_is_spelled_true_or_false() -> None:
    assert load(sets=["faucet.enabled=false"]).settings.faucet.enabled is False
    assert "true or false" in refusals(sets=["faucet.enabled=0"])[0]


# --- refusals -------------------------------------------------------------------------------


def test_everything_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    file = toml(tmp_path, '[grid]\ncolums_s = 5\nrows = "many"\n[nonsense]\nx = 1\n')
    found = refusals(
        file=file,
        environ={"TAPGRID_HTTP__PORT": "99999", "TAPGRID_DEBUG": "1"},
        sets=["batch.linger_ms=101"],
        flags={"http.host": "not a host"},
    )
    assert found == [
        "grid.colums_s: unknown key; grid has column_s, row_cents, rows, lockout_columns, "
        f"horizon_columns (file {file})",
        f"grid.rows: 'many' is not allowed: an integer from 1 to 1,000 (file {file})",
        f"nonsense.x: unknown section; there are {', '.join(sections())} (file {file})",
        f"debug: unknown section; there are {', '.join(sections())} (env TAPGRID_DEBUG)",
        "http.port: 99999 is not allowed: an integer from 0 to 65,535 (env TAPGRID_HTTP__PORT)",
        "batch.linger_ms: 101 is not allowed: an integer from 0 to 100 (--set)",
        "http.host: 'not a host' is not allowed: an IP address or a host name (flag)",
    ]


def sections() -> list[str]:
    return list(dict.fromkeys(path.partition(".")[0] for path in RULES))


@pytest.mark.parametrize(
    "wrong",
    [
        "grid.column_s=7",  # does not divide a day
        "grid.column_s=0",
        "grid.column_s=5.0",
        "grid.column_s=true",
        "bets.presets_micros=",
        "bets.presets_micros=2,1",
        "bets.presets_micros=1,1",
        "bets.presets_micros=[1",
        "bets.presets_micros=[true]",
        "bets.rule=both",
        "public.origin=https://venue.example/",
        "public.origin=venue.example",
        "http.cors_origins=https://user@venue.example",
        "http.trusted_proxies=proxy",
        "http.trusted_proxies=10.0.0.1,10.0.0.1",
        "feed.source=kraken",
        "feed.fallbacks=simulator",
        "feed.binance_url=https://example.com",
        "store.url=memory",
        "store.answer_within_ms=5",
        "archive.url=",
        "archive.url=folder",
        "archive.url=folder:relative",
        "archive.url=s3://",
        "archive.url=s3://ab",  # bucket names have three characters or more
        "archive.url=s3://Bucket/weeks",
        "archive.url=s3://bucket/a b",
        "archive.url=https://bucket/weeks",
        "archive.endpoint_url=s3.example",
        "archive.region=eu west",
        "archive.weeks_on_disk=0",
        "archive.compression_level=20",
        "backup.every_minutes=0",
        "disk.full_percent=101",
        "store.url=redis://",
        "store.url=redis://[host",
        "store.url=redis://host/db",
        "store.url=redis://host/0?timeout=1",
        "venue.mode=live",
    ],
)
def test_a_value_out_of_its_rule_is_refused_with_what_is_allowed(wrong: str) -> None:
    path = wrong.partition("=")[0]
    [fault] = refusals(sets=[wrong])
    assert fault.startswith(f"{path}: ")
    assert f"is not allowed: {RULES[path].allowed}" in fault


@pytest.mark.parametrize("value", [True, 5.0, "5", None, [5], {"x": 5}])
def test_toml_values_are_not_converted(value: object) -> None:
    [fault] = refusals(flags={"grid.column_s": value})
    assert fault.startswith(f"grid.column_s: {value!r} is not allowed")


@pytest.mark.parametrize(
    ("sets", "why"),
    [
        (["venue.chain_id=1"], "venue.chain_id: must be 31337 in demo mode"),
        (["grid.rows=1000", "grid.horizon_columns=1000"], "grid.rows: rows x horizon_columns"),
        (["quotes.interval_ms=500", "quotes.interval_max_ms=499"], "quotes.interval_max_ms: "),
        (["disk.full_percent=95"], "disk.full_percent: must lie between"),
        (["disk.warning_percent=90"], "disk.full_percent: must lie between"),
        (["feed.fallbacks=binance"], "feed.fallbacks: must follow a live feed.source"),
        (["feed.source=binance", "feed.fallbacks=binance"], "feed.fallbacks: must follow"),
    ],
)
def test_values_that_contradict_each_other_are_refused(sets: list[str], why: str) -> None:
    [fault] = refusals(sets=sets)
    assert fault.startswith(why)


@pytest.mark.parametrize("content", ["[grid", "grid = 5", 'x = "', "[grid]\nrows = 1\nrows = 2"])
def test_a_file_that_is_no_settings_file_is_refused(tmp_path: Path, content: str) -> None:
    assert len(refusals(file=toml(tmp_path, content))) == 1


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "can't be read" in refusals(file=tmp_path / "none.toml")[0]


def test_a_bad_value_is_refused_even_where_a_later_layer_replaces_it() -> None:
    assert len(refusals(environ={"TAPGRID_GRID__ROWS": "0"}, sets=["grid.rows=5"])) == 1


@pytest.mark.parametrize("text", ["grid.rows", "rows", ""])
def test_a_set_without_a_value_is_refused(text: str) -> None:
    assert "write section.key=value" in refusals(sets=[text])[0]


def test_environment_names_are_written_in_capitals() -> None:
    assert "capitals" in refusals(environ={"TAPGRID_grid__rows": "5"})[0]


# --- secrets --------------------------------------------------------------------------------


def test_secrets_come_from_the_environment() -> None:
    loaded = load(environ={"TAPGRID_OPS__TOKEN": TOKEN, "TAPGRID_OPS__TOKENS__ALICE": TOKEN})
    assert loaded.settings.ops.token == TOKEN
    assert loaded.settings.ops.tokens == {"alice": TOKEN}
    assert loaded.origins["ops.tokens.alice"] == "env TAPGRID_OPS__TOKENS__ALICE"


def test_secrets_come_from_files_without_the_end_of_the_line(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text(TOKEN + "\n")
    loaded = load(
        environ={
            "TAPGRID_OPS__TOKEN_FILE": str(secret),
            "TAPGRID_OPS__TOKENS__BOB_FILE": str(secret),
        }
    )
    assert loaded.settings.ops.token == TOKEN
    assert loaded.settings.ops.tokens == {"bob": TOKEN}


def test_a_value_and_a_file_for_one_key_are_refused(tmp_path: Path) -> None:
    environ = {"TAPGRID_OPS__TOKEN": TOKEN, "TAPGRID_OPS__TOKEN_FILE": str(tmp_path / "token")}
    assert "TAPGRID_OPS__TOKEN gives it too" in refusals(environ=environ)[0]


def test_a_file_that_is_missing_or_too_long_is_refused(tmp_path: Path) -> None:
    long = tmp_path / "long"
    long.write_text("x" * 5_000)
    for file in (tmp_path / "none", long, tmp_path):
        environ = {"TAPGRID_OPS__TOKEN_FILE": str(file)}
        assert "can't be read" in refusals(environ=environ)[0]


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        (f"ops.token={TOKEN}", "TAPGRID_OPS__TOKEN or TAPGRID_OPS__TOKEN_FILE"),
        (f"ops.tokens.alice={TOKEN}", "TAPGRID_OPS__TOKENS__ALICE"),
        (f"store.url=redis://:{TOKEN}@localhost", "TAPGRID_STORE__URL"),
        (f"archive.secret_access_key={TOKEN}", "TAPGRID_ARCHIVE__SECRET_ACCESS_KEY"),
    ],
)
def test_secrets_are_refused_on_the_command_line(text: str, instead: str) -> None:
    [fault] = refusals(sets=[text])
    assert instead in fault
    assert TOKEN not in fault


@pytest.mark.parametrize(
    "content",
    [
        f'[ops]\ntoken = "{TOKEN}"',
        f'[ops]\ntokens = {{ alice = "{TOKEN}" }}',
        f'[store]\nurl = "redis://u:{TOKEN}@localhost"',
        f'[archive]\nsecret_access_key = "{TOKEN}"',
    ],
)
def test_secrets_are_refused_in_settings_files(tmp_path: Path, content: str) -> None:
    [fault] = refusals(file=toml(tmp_path, content))
    assert "a secret: give it in" in fault
    assert TOKEN not in fault


@pytest.mark.parametrize("name", ["OPS__TOKEN", "OPS__TOKENS__ALICE"])
def test_a_token_is_never_shorter_than_32_and_never_shown(name: str) -> None:
    [fault] = refusals(environ={f"TAPGRID_{name}": "hunter2"})
    assert "32 to 256 visible ASCII characters" in fault
    assert "hunter2" not in fault


def test_secrets_are_not_in_the_text_of_the_settings() -> None:
    environ = {
        "TAPGRID_OPS__TOKEN": TOKEN,
        "TAPGRID_OPS__TOKENS__ALICE": TOKEN,
        "TAPGRID_STORE__URL": f"redis://:{TOKEN}@localhost",
    }
    assert TOKEN not in repr(load(environ=environ).settings)


# --- keys that follow others ----------------------------------------------------------------


def origin_of(loaded: Loaded) -> tuple[str, str]:
    return loaded.settings.public.origin, loaded.origins["public.origin"]


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1", "http://127.0.0.1:9000"),
        ("0.0.0.0", "http://127.0.0.1:9000"),
        ("::", "http://127.0.0.1:9000"),
        ("::1", "http://[::1]:9000"),
        ("venue.test", "http://venue.test:9000"),
    ],
)
def test_in_demo_mode_the_origin_follows_host_and_port(host: str, origin: str) -> None:
    loaded = load(flags={"http.host": host, "http.port": 9000})
    assert origin_of(loaded) == (origin, "follows http.host, http.port")


def test_an_origin_that_was_set_follows_nothing() -> None:
    loaded = load(sets=["public.origin=https://venue.example"], flags={"http.port": 9000})
    assert origin_of(loaded) == ("https://venue.example", "--set")


def test_an_address_may_ask_as_fast_as_all_its_wallets_may_tap() -> None:
    """Whoever raises the limits on bets must not run into another one below them."""
    limits = load().settings.limits
    assert limits.requests_per_minute == limits.connections_per_address * limits.bets_per_minute
    assert limits.requests_burst == limits.connections_per_address * limits.bets_burst
    loaded = load(sets=["limits.bets_per_minute=600", "limits.connections_per_address=1000"])
    assert loaded.settings.limits.requests_per_minute == 600_000
    followed = "follows limits.connections_per_address, limits.bets_per_minute"
    assert loaded.origins["limits.requests_per_minute"] == followed
    huge = load(sets=["limits.bets_per_minute=10000000", "limits.connections_per_address=100000"])
    assert huge.settings.limits.requests_per_minute == REQUESTS_PER_MINUTE_MAX


def test_a_limit_on_requests_that_was_set_follows_nothing() -> None:
    loaded = load(sets=["limits.requests_per_minute=7", "limits.bets_per_minute=600"])
    assert loaded.settings.limits.requests_per_minute == 7


def test_faucet_and_demo_sign_in_follow_the_mode() -> None:
    settings = load(sets=["venue.mode=production"]).settings
    assert (settings.faucet.enabled, settings.sign_in.demo) == (False, False)
    settings = load(sets=["venue.mode=production", "faucet.enabled=true"]).settings
    assert settings.faucet.enabled is True


def test_the_largest_payout_fits_into_the_ledger() -> None:
    """It computes stake x rate before it divides by 10,000: past 2**63 a bet could not be paid."""
    most = 9 * 10**14
    sets = [f"house.payout_per_bet_micros={most}"]
    assert load(sets=sets).settings.house.payout_per_bet_micros * 10_000 + 9_999 < 2**63
    (fault,) = refusals(sets=[f"house.payout_per_bet_micros={most + 1}"])
    assert "house.payout_per_bet_micros" in fault
