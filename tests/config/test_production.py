"""What a venue with real money refuses to start with, each by name."""

from pathlib import Path

import pytest

from config.production import production_faults, refuse_unsafe_production
from config.settings import DEFAULT_FILE, Loaded, SettingsRefused, load

PRODUCTION_FILE = DEFAULT_FILE.with_name("production.toml")
TOKEN = {"TAPGRID_OPS__TOKEN": "t" * 32}


def refused(loaded: Loaded, *, signatures_fast: bool = True) -> list[str]:
    faults = production_faults(loaded.settings, loaded.origins, signatures_fast=signatures_fast)
    return [fault.path for fault in faults]


def production(*sets: str, file: Path | None = PRODUCTION_FILE) -> Loaded:
    return load(file=file, environ=TOKEN, sets=sets)


def test_the_production_file_needs_only_its_token() -> None:
    assert refused(production()) == []
    assert refused(load(file=PRODUCTION_FILE)) == ["ops.token"]


@pytest.mark.parametrize(
    ("setting", "path"),
    [
        ("venue.chain_id=31337", "venue.chain_id"),
        ("faucet.enabled=true", "faucet.enabled"),
        ("sign_in.demo=true", "sign_in.demo"),
        ("public.origin=http://venue.example", "public.origin"),
        ("http.cors_origins=https://a.example,http://b.example", "http.cors_origins"),
        ("feed.binance_url=ws://stream.example/x", "feed.binance_url"),
        ("feed.coinbase_url=ws://stream.example/x", "feed.coinbase_url"),
    ],
)
def test_each_ease_of_a_demo_is_refused_by_name(setting: str, path: str) -> None:
    assert refused(production(setting)) == [path]


def test_each_operator_has_a_token_of_his_own() -> None:
    own, shared = {"TAPGRID_OPS__TOKENS__ALICE": "a" * 32}, {"TAPGRID_OPS__TOKENS__BOB": "t" * 32}
    assert refused(load(file=PRODUCTION_FILE, environ=TOKEN | own)) == []
    assert refused(load(file=PRODUCTION_FILE, environ=TOKEN | own | shared)) == ["ops.tokens"]
    empty = {"TAPGRID_OPS__TOKENS__BOB": ""}
    assert refused(load(file=PRODUCTION_FILE, environ=TOKEN | empty)) == ["ops.tokens"]


def test_a_token_that_is_short_is_refused_before_that() -> None:
    with pytest.raises(SettingsRefused, match=r"ops\.tokens\.bob"):
        load(file=PRODUCTION_FILE, environ=TOKEN | {"TAPGRID_OPS__TOKENS__BOB": "b" * 31})


@pytest.mark.parametrize("host", ["127.0.0.1:9000", "localhost:9000", "[::1]:9000"])
def test_prices_of_this_machine_may_come_in_the_clear(host: str) -> None:
    assert refused(production(f"feed.binance_url=ws://{host}/x")) == []


def test_a_source_that_is_not_used_may_be_anywhere() -> None:
    assert refused(production("feed.coinbase_url=ws://far.example/x", "feed.fallbacks=")) == []


@pytest.mark.parametrize("setting", ["store.url=memory:", "log.level=debug", "archive.url=folder:"])
def test_what_only_costs_comfort_is_allowed(setting: str) -> None:
    assert refused(production(setting)) == []


@pytest.mark.parametrize("source", ["simulator", "replay:day.csv"])
def test_a_played_market_is_refused(source: str) -> None:
    assert refused(production(f"feed.source={source}", "feed.fallbacks=")) == ["feed.source"]


def test_the_slow_signature_backend_is_refused() -> None:
    assert refused(production(), signatures_fast=False) == ["signature backend"]


def test_all_that_fail_are_named_at_once() -> None:
    loaded = load(sets=["venue.mode=production", "faucet.enabled=true", "sign_in.demo=true"])
    with pytest.raises(SettingsRefused) as caught:
        refuse_unsafe_production(loaded, signatures_fast=False)
    assert [fault.path for fault in caught.value.faults] == [
        "venue.chain_id",
        "public.origin",
        "ops.token",
        "feed.source",
        "faucet.enabled",
        "sign_in.demo",
        "signature backend",
    ]


def test_a_demo_may_be_as_easy_as_it_likes() -> None:
    assert refused(load(), signatures_fast=False) == []
    refuse_unsafe_production(load(), signatures_fast=False)
