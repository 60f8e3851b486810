"""What a venue with real money refuses to start with, each by name.

A demo venue is meant to be easy; every ease of it is a way to lose money. The checks are on the
settings in force, whichever layer they came from, and all that fail are named at once.
"""

from collections.abc import Mapping

from config.feeds import parse_feed
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
    token_name = environment_name("ops.token")
    checks = {
        "venue.chain_id": (
            settings.venue.chain_id == DEMO_CHAIN_ID,
            f"{DEMO_CHAIN_ID} is for demo mode: its signatures are worth nothing here",
        ),
        "ops.token": (
            len(settings.ops.token) < TOKEN_LENGTH_MIN,
            f"needs at least {TOKEN_LENGTH_MIN} characters, from {token_name} or {token_name}_FILE",
        ),
        "feed.source": (
            not parse_feed(settings.feed.source).kind.live,
            "a simulated or replayed market can't decide about real money",
        ),
        "faucet.enabled": (settings.faucet.enabled, "a faucet gives money away"),
        "sign_in.demo": (settings.sign_in.demo, "demo sign-in gives money away"),
    }
    faults = [
        Fault(path=path, why=f"refused in production: {why}", origin=origins[path])
        for path, (failed, why) in checks.items()
        if failed
    ]
    if not signatures_fast:
        why = "refused in production: coincurve is missing, so that each check takes 4 ms"
        faults.append(Fault(path="signature backend", why=why, origin="installation"))
    return tuple(faults)
