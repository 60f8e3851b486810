"""How much the price moves: an incremental estimate from the accepted ticks, in constant memory.

The quoting actor hands every accepted tick of the live source to `update`, in exchange time order,
and the resulting state to `domain.rates`. Pure and deterministic: the same ticks give the same
state, bit for bit, whatever their chunking. Floats are allowed here: this is the pricing model,
and nothing in it is money.

Words:

* *step*: the log return between two samples, taken at least `STEP_S` apart. Bid and ask prints
  alternate within milliseconds and would count as movement if single ticks were squared.
* *variance*: of the log price, per second.
* *lag*: the seconds of movement a feed owes. A feed that smooths (an oracle's median, say)
  shows less variance over short spans than over long ones: var(h) = variance x (h - lag), h in
  seconds. A feed of raw trades has a lag near 0.
* *pull*: what the price is about to add because of the move it has just made, see `drift`.
"""

import math

import attrs

SECONDS_PER_YEAR = 365 * 86_400
STEP_S = 5.0  # bounce of a cent or a spread is far below a 5 s move; 12 samples a minute
HALF_LIVES_S = (60.0, 600.0, 7200.0)  # bursts, the last minutes, the session
TICK_INTERVAL_S_MIN = 0.02
TICK_INTERVAL_S_MAX = 10.0  # beyond, the feed is CRITICAL and nothing is quoted
TICK_HALF_LIFE_TICKS = 200.0
PRIOR_STEPS = 24.0  # two minutes: the prior weighs this many samples at a cold start
READY_TICKS = 5
READY_S = 10.0  # as market.md wants of a new source


@attrs.frozen(kw_only=True)
class VolatilityState:
    """What the ticks so far say about the movement to come. Plain values only."""

    variances: tuple[float, ...]  # log-price variance per second, one for each of HALF_LIVES_S
    variance_min: float  # floor, per second
    steps: int  # samples taken
    sample_ts_ms: int  # when the last sample was taken; 0 before the first tick
    sample_log_price: float
    tick_ts_ms: int
    tick_log_price: float
    tick_interval_s: float  # typical time between ticks of different exchange times
    ticks: int  # of different exchange times
    first_ts_ms: int

    @property
    def is_ready(self) -> bool:
        """Enough of this source was seen to quote on it."""
        return self.ticks >= READY_TICKS and (self.tick_ts_ms - self.first_ts_ms) >= 1000 * READY_S

    @property
    def variance(self) -> float:
        """Expected variance of the log price per second, never under the floor."""
        return max(sum(self.variances) / len(self.variances), self.variance_min)

    @property
    def sigma(self) -> float:
        """Standard deviation of the log price per square root of a second."""
        return math.sqrt(self.variance)


def initial(
    *, annual_volatility: float = 0.6, annual_volatility_min: float = 0.1
) -> VolatilityState:
    """State before any tick, at a prior (0.6 is an ordinary year of BTC). Not ready."""
    prior = annual_volatility**2 / SECONDS_PER_YEAR
    return VolatilityState(
        variances=(prior,) * len(HALF_LIVES_S),
        variance_min=annual_volatility_min**2 / SECONDS_PER_YEAR,
        steps=0,
        sample_ts_ms=0,
        sample_log_price=0.0,
        tick_ts_ms=0,
        tick_log_price=0.0,
        tick_interval_s=1.0,
        ticks=0,
        first_ts_ms=0,
    )


def update(state: VolatilityState, ts_ms: int, price_cents: int) -> VolatilityState:
    """The state after one more accepted tick; a tick of an older time changes nothing."""
    if ts_ms < state.tick_ts_ms:
        return state
    log_price = math.log(price_cents)
    if state.ticks == 0:
        return attrs.evolve(
            state,
            sample_ts_ms=ts_ms,
            sample_log_price=log_price,
            tick_ts_ms=ts_ms,
            tick_log_price=log_price,
            ticks=1,
            first_ts_ms=ts_ms,
        )
    state = _with_tick(state, ts_ms, log_price)
    elapsed_s = (ts_ms - state.sample_ts_ms) / 1000
    return state if elapsed_s < STEP_S else _with_step(state, ts_ms, log_price, elapsed_s)


def _with_tick(state: VolatilityState, ts_ms: int, log_price: float) -> VolatilityState:
    interval_s = (ts_ms - state.tick_ts_ms) / 1000
    if interval_s == 0:
        return attrs.evolve(state, tick_log_price=log_price)
    gain = max(1 - 0.5 ** (1 / TICK_HALF_LIFE_TICKS), 1 / (state.ticks + 1))
    bounded_s = min(max(interval_s, TICK_INTERVAL_S_MIN), TICK_INTERVAL_S_MAX)
    return attrs.evolve(
        state,
        tick_ts_ms=ts_ms,
        tick_log_price=log_price,
        ticks=state.ticks + 1,
        tick_interval_s=state.tick_interval_s + gain * (bounded_s - state.tick_interval_s),
    )


def _with_step(
    state: VolatilityState, ts_ms: int, log_price: float, elapsed_s: float
) -> VolatilityState:
    seen = (log_price - state.sample_log_price) ** 2 / elapsed_s
    start_gain = 1 / (state.steps + 1 + PRIOR_STEPS)
    variances = tuple(
        variance + max(1 - 0.5 ** (elapsed_s / half_life_s), start_gain) * (seen - variance)
        for variance, half_life_s in zip(state.variances, HALF_LIVES_S, strict=True)
    )
    return attrs.evolve(
        state,
        variances=variances,
        steps=state.steps + 1,
        sample_ts_ms=ts_ms,
        sample_log_price=log_price,
    )
