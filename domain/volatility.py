"""How the price moves: an incremental estimate from the accepted ticks, in constant memory.

The quoting actor hands every accepted tick of the live source to `update`, in exchange time order,
and the resulting state to `domain.rates`. Pure and deterministic: the same ticks give the same
state. Floats are allowed here: this is the pricing model, and nothing in it is money.

What is estimated, and why a single sigma is not enough (figures from bench/RESULTS.md):

* *variance* of the log price per second, from steps of a second or more, over several half-lives:
  bursts die away in a minute, sessions last hours.
* its correction from *steps* of five seconds. Bid and ask prints alternate and would count as
  movement; an oracle's median does the reverse and hides movement from short steps.
* *pull*: a smoothed feed goes on moving the way it has just moved. On a 1 Hz oracle the next
  seconds add as much again as the last second's move, which is a free lunch for whoever follows
  the trend of a quote that ignores it. On a feed of trades it is small, on a random walk zero.
* *roughness*: how far the price strays inside a step, over how far it gets, less one. 1 for a
  continuous random walk, 0.45 for one seen five times a step, 0.15 measured on that oracle, which
  gets where it goes in one or two jumps. *Stray*, half that range over the root mean square move,
  decides how often a near row is reached: 0.80, 0.58 and 0.37 on the same three.
* *tail spread*: how uneven the steps are, as the standard deviation of the logarithm of the sigma
  that each was drawn with: 0 for a random walk, 0.4 to 0.7 on every recorded market.
"""

import math

import attrs

SECONDS_PER_YEAR = 365 * 86_400

FINE_STEP_S = 1.0
STEP_S = 5.0  # a bounce of cents is far below a 5 s move; 12 steps a minute; also a column's width
HALF_LIVES_S = (60.0, 3600.0)
BLEND_WEIGHTS = (0.50, 0.44)  # of the forecast, learned; the prior has the rest
SLOW_HALF_LIFE_S = HALF_LIVES_S[-1]  # of everything that describes the feed, not the moment
PRIOR_STEPS = 24  # at a cold start the prior weighs as much as two minutes of ticks
FEED_CORRECTION_MAX = 4.0  # variance of 5 s steps over that of 1 s steps, either way

TREND_MEMORY_S = 1.0  # the lead is what the price gained on its own mean over this memory
LEAD_SIGMAS_MAX = 6.0  # a longer lead counts as this many sigmas of one second: it may be an error
PULL_MAX = 1.2
PULL_PRIOR = 60.0  # the regression starts as if this much squared lead had shown no pull at all

ROUGHNESS_PRIOR = 0.45  # what a random walk shows when seen five times a step
NORMAL_MOVE = math.sqrt(2 / math.pi)  # mean over root mean square of a normal move: 0.80
MOVE_PRIOR = 0.65  # the same of 5 s moves on every recorded market: 0.63 to 0.69
STRAY_MIN = 0.2  # a market that hardly ever moves strays even less, but little is known of it then
STRAY_MAX = NORMAL_MOVE  # of a continuous random walk
SPREAD_MAX = 1.0

TICKS_HALF_LIFE = 200.0
TICK_INTERVAL_S_MAX = 10.0  # beyond, the feed is CRITICAL and nothing is quoted
READY_TICKS = 5
READY_MS = 10_000  # market.md: quote on a new source after 10 s of its ticks


@attrs.frozen(kw_only=True)
class VolatilityState:
    """What the ticks so far say about the movement to come. Plain values only."""

    prior_variance: float
    """Of the log price, per second, as are all variances here."""
    variance_min: float
    fine_variances: tuple[float, ...]
    """From fine steps, one for each of `HALF_LIVES_S`."""
    step_variance: float
    """From whole steps, over `SLOW_HALF_LIFE_S`."""
    range_mean: float
    """Mean of highest less lowest log price within a step."""
    move_mean: float
    """Mean absolute log price move of a step."""
    move_square_mean: float
    """Mean squared log price move of a step, however long it took."""
    lead_by_move: float
    """Sum of lead x the step that followed, in variances, fading over `SLOW_HALF_LIFE_S`."""
    lead_by_lead: float
    """Sum of lead x lead, likewise."""
    ticks: int = 0
    """Of different exchange times."""
    first_ms: int = 0
    last_ms: int = 0
    last_log: float = 0.0
    """Log of the last tick's price in cents, as are the others named `_log`."""
    trend_log: float = 0.0
    """Mean of the price over `TREND_MEMORY_S`."""
    tick_interval_s: float = 1.0
    """Typical time between ticks of different exchange times."""
    fine_steps: int = 0
    fine_ms: int = 0
    fine_log: float = 0.0
    steps: int = 0
    step_ms: int = 0
    step_log: float = 0.0
    step_high_log: float = 0.0
    step_low_log: float = 0.0
    step_lead: float = 0.0
    """The lead when the running step began."""

    @property
    def is_ready(self) -> bool:
        """Whether enough of this source was seen to quote on it."""
        return self.ticks >= READY_TICKS and self.last_ms - self.first_ms >= READY_MS

    @property
    def pull(self) -> float:
        """How much of the lead the price is about to add, 0 (random walk) to `PULL_MAX`."""
        return min(max(self.lead_by_move / (self.lead_by_lead + PULL_PRIOR), 0.0), PULL_MAX)

    @property
    def lag_s(self) -> float:
        """Seconds of movement the feed owes: the variance over h seconds is that of h - lag.

        A smoothing of memory m both pulls by 1 and owes m seconds, so one number serves for both.
        """
        return self.pull * TREND_MEMORY_S

    @property
    def drift(self) -> float:
        """Expected further move of the log price, all of it within a few seconds."""
        reach = LEAD_SIGMAS_MAX * math.sqrt(self.variance)
        return self.pull * min(max(self.last_log - self.trend_log, -reach), reach)

    @property
    def roughness(self) -> float:
        """0: gets where it goes in one jump. 1: strays as a continuous random walk does."""
        return min(max(self.range_mean / self.move_mean - 1.0, 0.0), 1.0)

    @property
    def stray(self) -> float:
        """Mean distance reached on one side within a step, over the deviation of a step's move."""
        one_side = self.range_mean / 2 / math.sqrt(self.move_square_mean)
        return min(max(one_side, STRAY_MIN), STRAY_MAX)

    @property
    def tail_spread(self) -> float:
        """Standard deviation of the logarithm of sigma from step to step, 0 to `SPREAD_MAX`.

        A normal move of deviation 1 is 0.80 long on average; if the deviation is drawn log-normal
        with spread s, exp(-s^2 / 2) of that.
        """
        evenness = self.move_mean / math.sqrt(self.move_square_mean) / NORMAL_MOVE
        return min(math.sqrt(max(-2 * math.log(max(evenness, 1e-9)), 0.0)), SPREAD_MAX)

    @property
    def variance(self) -> float:
        """Expected variance of the log price per second over long spans, never under the floor."""
        fine = sum(w * v for w, v in zip(BLEND_WEIGHTS, self.fine_variances, strict=True))
        seen = fine * _feed_correction(self)
        forecast = seen + (1 - sum(BLEND_WEIGHTS)) * self.prior_variance
        return max(forecast * STEP_S / (STEP_S - self.lag_s), self.variance_min)

    @property
    def prior_share(self) -> float:
        """How much of the estimate is still the prior: 1 at first, 0.5 after two minutes."""
        return PRIOR_STEPS / (PRIOR_STEPS + self.steps)

    @property
    def fine_share(self) -> float:
        """How much of the variance single ticks show, at most all of it."""
        return min(1.0, (STEP_S - self.lag_s) / STEP_S / _feed_correction(self))

    @property
    def sigma(self) -> float:
        """Standard deviation of the log price per square root of a second."""
        return math.sqrt(self.variance)


def initial(
    *, annual_volatility: float = 0.6, annual_volatility_min: float = 0.15
) -> VolatilityState:
    """The state before any tick, not ready.

    The prior of 0.6 is an ordinary year of BTC; months of minute bars range from 0.39 to 2.06. The
    floor keeps rates finite when the price stands still for minutes.
    """
    prior = annual_volatility**2 / SECONDS_PER_YEAR
    move_mean = MOVE_PRIOR * math.sqrt(prior * STEP_S)
    return VolatilityState(
        prior_variance=prior,
        variance_min=annual_volatility_min**2 / SECONDS_PER_YEAR,
        fine_variances=(prior,) * len(HALF_LIVES_S),
        step_variance=prior,
        range_mean=(1 + ROUGHNESS_PRIOR) * move_mean,
        move_mean=move_mean,
        move_square_mean=prior * STEP_S,
        lead_by_move=0.0,
        lead_by_lead=0.0,
    )


def update(state: VolatilityState, ts_ms: int, price_cents: int) -> VolatilityState:
    """The state after one more accepted tick; a tick older than the last changes nothing."""
    log_price = math.log(price_cents)
    if state.ticks == 0:
        return _first_tick(state, ts_ms, log_price)
    if ts_ms < state.last_ms:
        return state
    state = _with_tick(state, ts_ms, log_price)
    if ts_ms - state.fine_ms >= 1000 * FINE_STEP_S:
        state = _with_fine_step(state)
    if ts_ms - state.step_ms >= 1000 * STEP_S:
        state = _with_step(state)
    return state


def restarted(state: VolatilityState) -> VolatilityState:
    """For another source: keep how much the price moves, forget where it stood. Not ready.

    Two venues differ by more than a row, and the step from one's price to the other's is no move.
    """
    return attrs.evolve(state, ticks=0)


def _first_tick(state: VolatilityState, ts_ms: int, log_price: float) -> VolatilityState:
    return attrs.evolve(
        state,
        ticks=1,
        first_ms=ts_ms,
        last_ms=ts_ms,
        last_log=log_price,
        trend_log=log_price,
        fine_ms=ts_ms,
        fine_log=log_price,
        step_ms=ts_ms,
        step_log=log_price,
        step_high_log=log_price,
        step_low_log=log_price,
        step_lead=0.0,
    )


def _with_tick(state: VolatilityState, ts_ms: int, log_price: float) -> VolatilityState:
    """Where the price stands, its trend, and how often ticks come."""
    interval_s = (ts_ms - state.last_ms) / 1000
    is_later = interval_s > 0
    gain = max(1 - 0.5 ** (1 / TICKS_HALF_LIFE), 1 / (state.ticks + 1)) if is_later else 0.0
    step_s = min(interval_s, TICK_INTERVAL_S_MAX)
    kept = math.exp(-interval_s / TREND_MEMORY_S)  # the last price was in force all that time
    return attrs.evolve(
        state,
        ticks=state.ticks + is_later,
        last_ms=ts_ms,
        last_log=log_price,
        trend_log=state.last_log + (state.trend_log - state.last_log) * kept,
        tick_interval_s=state.tick_interval_s + gain * (step_s - state.tick_interval_s),
        step_high_log=max(state.step_high_log, log_price),
        step_low_log=min(state.step_low_log, log_price),
    )


def _with_fine_step(state: VolatilityState) -> VolatilityState:
    elapsed_s = (state.last_ms - state.fine_ms) / 1000
    seen = (state.last_log - state.fine_log) ** 2 / elapsed_s
    start = 1 / (state.fine_steps + 1 + PRIOR_STEPS * STEP_S / FINE_STEP_S)
    return attrs.evolve(
        state,
        fine_variances=tuple(
            variance + _gain(elapsed_s, half_life_s, start) * (seen - variance)
            for variance, half_life_s in zip(state.fine_variances, HALF_LIVES_S, strict=True)
        ),
        fine_steps=state.fine_steps + 1,
        fine_ms=state.last_ms,
        fine_log=state.last_log,
    )


def _with_step(state: VolatilityState) -> VolatilityState:
    elapsed_s = (state.last_ms - state.step_ms) / 1000
    move = state.last_log - state.step_log
    span = state.step_high_log - state.step_low_log
    gain = _gain(elapsed_s, SLOW_HALF_LIFE_S, 1 / (state.steps + 1 + PRIOR_STEPS))
    fade = 0.5 ** (elapsed_s / SLOW_HALF_LIFE_S)
    variance = max(state.fine_variances[-1], state.variance_min)
    return attrs.evolve(
        state,
        step_variance=state.step_variance + gain * (move**2 / elapsed_s - state.step_variance),
        range_mean=state.range_mean + gain * (span - state.range_mean),
        move_mean=state.move_mean + gain * (abs(move) - state.move_mean),
        move_square_mean=state.move_square_mean + gain * (move**2 - state.move_square_mean),
        lead_by_move=fade * state.lead_by_move + state.step_lead * move / variance,
        lead_by_lead=fade * state.lead_by_lead + state.step_lead**2 / variance,
        steps=state.steps + 1,
        step_ms=state.last_ms,
        step_log=state.last_log,
        step_high_log=state.last_log,
        step_low_log=state.last_log,
        step_lead=state.last_log - state.trend_log,
    )


def _gain(elapsed_s: float, half_life_s: float, start: float) -> float:
    """Weight of a new sample: a plain mean at the start, then fading with the half-life."""
    return max(1 - math.pow(0.5, elapsed_s / half_life_s), start)


def _feed_correction(state: VolatilityState) -> float:
    """Variance of whole steps over that of fine ones: above 1 if smoothed, below if bouncing."""
    fine = max(state.fine_variances[-1], state.variance_min / FEED_CORRECTION_MAX)
    correction = max(state.step_variance, state.variance_min / FEED_CORRECTION_MAX) / fine
    return min(max(correction, 1 / FEED_CORRECTION_MAX), FEED_CORRECTION_MAX)
