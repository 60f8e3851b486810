"""The sources that the settings name."""

import ssl
from collections.abc import Sequence

import attrs

from actors.price_feed.exchange import BINANCE, COINBASE, Exchange
from actors.price_feed.replay import Replay, parse_replay_spec
from actors.price_feed.simulator import Simulator
from domain.simulated_market import MarketRule
from domain.units import Bps, Cents
from protocols.ports import Chance, Clock, TickSource


@attrs.frozen(kw_only=True)
class SourceSettings:
    """What sources need to be told; the defaults are those of `config/default.toml`."""

    binance_url: str = "wss://stream.binance.com:9443/stream?streams=btcusdt@trade"
    coinbase_url: str = "wss://advanced-trade-ws.coinbase.com"
    known_skew_ms: int = 0
    """Of the live sources: receive - exchange time that is known and no fault."""
    seed: int = 0
    """Of the simulator; 0: another market at every start."""
    price_cents: Cents = 6_500_000
    annual_volatility_bps: Bps = 6_000
    ticks_per_s: int = 8


def build_sources(
    source: str,
    fallbacks: Sequence[str] = (),
    *,
    settings: SourceSettings,
    clock: Clock,
    chance: Chance,
    tls: ssl.SSLContext | None = None,
) -> tuple[TickSource, ...]:
    """The sources in priority order. Nothing is connected to yet.

    `source` is `simulator`, `replay:FILE[@SPEED]`, `binance` or `coinbase`; `fallbacks` are live
    ones. `tls` None means the system's certificate authorities. Raises ValueError, with a text for
    the operator, for a spec that names none, a file that can't be replayed, a fallback that is not
    live or stands twice, or an exchange that would be spoken to in plain text.
    """
    specs = (source, *fallbacks)
    played = [spec for spec in specs if spec not in (BINANCE.name, COINBASE.name)]
    if fallbacks and played:
        raise ValueError(f"only live sources can stand in for one another, not {played[0]!r}")
    if len(set(specs)) < len(specs):
        raise ValueError(f"a source stands twice: {', '.join(specs)}")
    return tuple(_build(spec, settings, clock, chance, tls) for spec in specs)


def _build(
    spec: str,
    settings: SourceSettings,
    clock: Clock,
    chance: Chance,
    tls: ssl.SSLContext | None,
) -> TickSource:
    skew_ms = settings.known_skew_ms
    kind, colon, rest = spec.partition(":")
    match kind, bool(colon):
        case "simulator", False:
            return _simulator(settings, clock, chance)
        case "replay", True:
            return Replay(parse_replay_spec(rest), clock=clock)
        case "binance", False:
            url = settings.binance_url
            return Exchange(BINANCE, url, clock=clock, tls=tls, known_skew_ms=skew_ms)
        case "coinbase", False:
            url = settings.coinbase_url
            return Exchange(COINBASE, url, clock=clock, tls=tls, known_skew_ms=skew_ms)
    raise ValueError(
        f"no such source: {spec!r}; there are simulator, replay:FILE[@SPEED], binance, coinbase"
    )


def _simulator(settings: SourceSettings, clock: Clock, chance: Chance) -> Simulator:
    rule = MarketRule(
        annual_volatility_bps=settings.annual_volatility_bps, ticks_per_s=settings.ticks_per_s
    )
    return Simulator(
        seed=settings.seed,
        price_cents=settings.price_cents,
        rule=rule,
        clock=clock,
        chance=chance,
    )
