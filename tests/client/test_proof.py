"""A proof is believed only if the result follows from its ticks, by the client's own arithmetic."""

import hashlib

import attrs
import pytest

from client import Proof
from client.answers import Tick

START_MS = 1_770_100_010_000


def ticks(*prices: int) -> tuple[Tick, ...]:
    return tuple(
        Tick(ts_ms=START_MS + n * 1000, price_cents=price, trade_id=n, source="test")
        for n, price in enumerate(prices)
    )


def proof(carry_in: int | None, *prices: int, rule: str = "touch", status: str = "won") -> Proof:
    """Of the range 4,200,000 to 4,201,000 cents."""
    carried = attrs.evolve(ticks(carry_in)[0], ts_ms=START_MS - 500) if carry_in else None
    lines = [
        f"{tick.source},{tick.ts_ms},{tick.price_cents},{tick.trade_id}\n"
        for tick in (*([carried] if carried else []), *ticks(*prices))
    ]
    return Proof(
        bet_id="B1",
        cell_id="1770100010_4200000_4201000",
        rule=rule,
        source="test",
        window_start_ms=START_MS,
        window_end_ms=START_MS + 5000,
        lo_cents=4_200_000,
        hi_cents=4_201_000,
        outcome=status,
        status=status,
        void_reason=None,
        deciding_tick=None,
        carry_in=carried,
        tick_count=len(prices),
        low_cents=min(prices, default=None),
        high_cents=max(prices, default=None),
        ticks_sha256=hashlib.sha256("".join(lines).encode()).hexdigest(),
        ticks=ticks(*prices),
    )


BELOW, LOW, HIGH, ABOVE = 4_199_999, 4_200_000, 4_201_000, 4_201_001


@pytest.mark.parametrize(
    ("shown", "outcome"),
    [
        (proof(BELOW, LOW), "won"),
        (proof(BELOW, HIGH), "won"),
        (proof(HIGH, ABOVE), "won"),  # the price in force when the window opened
        (proof(BELOW, BELOW, ABOVE), "lost"),
        (proof(BELOW, BELOW, ABOVE, rule="path"), "won"),
        (proof(BELOW, BELOW, rule="path"), "lost"),
        (proof(ABOVE, rule="path"), "lost"),
        (proof(None, LOW), "won"),
        (attrs.evolve(proof(BELOW), void_reason="tick_gap"), "void"),
    ],
)
def test_the_result_follows_from_the_ticks(shown: Proof, outcome: str) -> None:
    assert shown.recomputed_outcome() == outcome
    assert attrs.evolve(shown, status=outcome).faults() == ()


GOOD = proof(BELOW, LOW, ABOVE)


@pytest.mark.parametrize(
    ("shown", "fault"),
    [
        (attrs.evolve(GOOD, ticks_sha256="00" * 32), "hash"),
        (attrs.evolve(GOOD, carry_in=None), "hash"),
        (attrs.evolve(GOOD, ticks=GOOD.ticks[:1]), "missing"),
        (attrs.evolve(GOOD, window_end_ms=START_MS + 1000), "outside"),
        (attrs.evolve(GOOD, status="lost"), "does not follow"),
        (attrs.evolve(GOOD, lo_cents=LOW + 1), "does not follow"),
    ],
)
def test_what_does_not_hold_is_named(shown: Proof, fault: str) -> None:
    assert any(fault in named for named in shown.faults())
