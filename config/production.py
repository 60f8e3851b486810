"""What a venue with real money refuses to start with, each by name.

A demo venue is meant to be easy; every ease of it is a way to lose money. The checks are on the
settings in force, whichever layer they came from, and all that fail are named at once.

What only costs comfort is not refused. With the store in memory a restart signs traders out and
forgets rate limits, but no bet twice: the ledger keeps the nonces. A log at level debug holds more
lines, and no secrets. Archive and backups in the data folder are lost with its disk; they may be
synced from there by other means.
"""

import ipaddress
from collections import Counter
from collections.abc import Mapping
from urllib.parse import urlsplit

from config.feeds import FeedKind, parse_feed
from config.layers import Fault, environment_name
from config.rules import TOKEN_LENGTH_MIN
from config.settings import DEMO_CHAIN_ID, PRODUCTION, Loaded, Settings, SettingsRefused


def refuse_unsafe_production(loaded: Loaded, *, signatures_fast: bool) -> None:
    """Raise SettingsRefused if a production venue may not start so; a demo venue always may.

    `signatures_fast`: does signature recovery run on the native backend? The pure-Python one takes
    4 ms a bet, so that a few hundred senders of garbage a second would stop the venue.
    """
    faults = production_faults(loaded.settings, loaded.origins, signatures_fast=signatures_fast)
    if faults:
        raise SettingsRefused(faults)


def production_faults(
    settings: Settings, origins: Mapping[str, str], *, signatures_fast: bool
) -> tuple[Fault, ...]:
    """Every reason why this may not run with real money; none in demo mode."""
    if settings.venue.mode != PRODUCTION:
        return ()
    checks = _checks(settings)
    faults = [
        Fault(path=path, why=f"refused in production: {why}", origin=origins[path])
        for path, (failed, why) in checks.items()
        if failed
    ]
    if not signatures_fast:
        why = "refused in production: coincurve is missing, so that each check takes 4 ms"
        faults.append(Fault(path="signature backend", why=why, origin="installation"))
    return tuple(faults)


def _checks(settings: Settings) -> Mapping[str, tuple[bool, str]]:
    """By setting: is it unsafe, and why."""
    token_name = environment_name("ops.token")
    tokens = (settings.ops.token, *settings.ops.tokens.values())
    return {
        "venue.chain_id": (
            settings.venue.chain_id == DEMO_CHAIN_ID,
            f"{DEMO_CHAIN_ID} is for demo mode: its signatures are worth nothing here",
        ),
        "public.origin": (
            urlsplit(settings.public.origin).scheme != "https",
            "must be https: tokens would pass in the clear, and wallets would sign for it",
        ),
        "http.cors_origins": (
            any(not origin.startswith("https://") for origin in settings.http.cors_origins),
            "must be https: whoever is on the way to such a page could use it to trade",
        ),
        "ops.token": (
            len(settings.ops.token) < TOKEN_LENGTH_MIN,
            f"needs at least {TOKEN_LENGTH_MIN} characters, from {token_name} or {token_name}_FILE",
        ),
        "ops.tokens": (
            _too_short_or_shared(tokens, settings.ops.tokens),
            f"each needs at least {TOKEN_LENGTH_MIN} characters of its own: an action must name "
            "who did it",
        ),
        "feed.source": (
            not parse_feed(settings.feed.source).kind.live,
            "a simulated or replayed market can't decide about real money",
        ),
        "feed.binance_url": (_in_the_clear(settings, FeedKind.BINANCE), PRICES_IN_THE_CLEAR),
        "feed.coinbase_url": (_in_the_clear(settings, FeedKind.COINBASE), PRICES_IN_THE_CLEAR),
        "faucet.enabled": (settings.faucet.enabled, "a faucet gives money away"),
        "sign_in.demo": (settings.sign_in.demo, "demo sign-in gives money away"),
    }


PRICES_IN_THE_CLEAR = "must be wss unless it is on this machine: prices decide about money"


def _too_short_or_shared(all_tokens: tuple[str, ...], named: Mapping[str, str]) -> bool:
    short = any(len(token) < TOKEN_LENGTH_MIN for token in named.values())
    shared = any(times > 1 for token, times in Counter(all_tokens).items() if token)
    return short or shared


def _in_the_clear(settings: Settings, kind: FeedKind) -> bool:
    """Would prices of that source, if it is one of ours, come over a network unprotected?"""
    sources = (settings.feed.source, *settings.feed.fallbacks)
    if kind not in {parse_feed(source).kind for source in sources}:
        return False
    url = urlsplit(
        settings.feed.binance_url if kind is FeedKind.BINANCE else settings.feed.coinbase_url
    )
    return url.scheme != "wss" and not _is_here(url.hostname or "")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
