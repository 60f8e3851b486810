"""A settled bet follows from its evidence, or every reason why not is named."""

import attrs
import pytest

from domain.evidence import Evidence, gather, ticks_sha256
from domain.resolution import Judgeable, Outcome, Record, Rule, VoidReason
from domain.ticks import Tick
from domain.verify import Claim, bet_faults, owed_micros

START_S = 1_770_100_000
START_MS = START_S * 1000


def tick(offset_ms: int, price_cents: int, trade_id: int = 1) -> Tick:
    ts_ms = START_MS + offset_ms
    return Tick(
        source="test",
        trade_id=trade_id,
        price_cents=price_cents,
        size_e8=0,
        ts_ms=ts_ms,
        recv_ms=ts_ms,
    )


RECORD = Record(
    start_ms=START_MS,
    end_ms=START_MS + 5_000,
    carry_in=tick(-500, 4_199_900),
    ticks=(tick(1_000, 4_199_950, 2), tick(3_000, 4_200_500, 3)),
    after=tick(5_100, 4_201_500, 4),
    watermark_ms=START_MS + 8_000,
    read_at_ms=START_MS + 8_000,
)
WON = Claim(
    column_start_s=START_S,
    column_s=5,
    lo_cents=4_200_000,
    hi_cents=4_201_000,
    rule=Rule.TOUCH,
    stake_micros=1_000_001,
    reward_bps=18_500,
    outcome=Outcome.WON,
    paid_micros=1_850_001,
)
LOST = attrs.evolve(
    WON, lo_cents=4_205_000, hi_cents=4_206_000, outcome=Outcome.LOST, paid_micros=0
)
VOID = attrs.evolve(WON, outcome=Outcome.VOID, paid_micros=WON.stake_micros)


def evidence(record: Record = RECORD, *, void: VoidReason | None = None) -> Evidence:
    return gather(Rule.TOUCH, record, Judgeable(void=void))


@pytest.mark.parametrize("claim", [WON, LOST], ids=["won", "lost"])
def test_a_bet_that_follows_from_its_ticks_has_no_fault(claim: Claim) -> None:
    assert bet_faults(claim, evidence()) == ()


def test_a_void_column_gives_the_stake_back() -> None:
    silent = attrs.evolve(RECORD, carry_in=None)
    assert bet_faults(VOID, evidence(silent, void=VoidReason.NO_PRICE)) == ()
    assert bet_faults(VOID, evidence(void=VoidReason.OPERATOR)) == ()


@pytest.mark.parametrize("carry_in", [RECORD.carry_in, None], ids=["with a price", "without"])
def test_a_column_given_back_before_it_began_gives_the_stake_back(carry_in: Tick | None) -> None:
    ahead = attrs.evolve(
        RECORD,
        carry_in=carry_in,
        ticks=(),
        after=None,
        watermark_ms=RECORD.start_ms - 60_000,
        read_at_ms=RECORD.start_ms - 60_000,
    )
    assert bet_faults(VOID, evidence(ahead, void=VoidReason.OPERATOR)) == ()
    for claim in (WON, LOST):
        faults = bet_faults(claim, evidence(ahead, void=VoidReason.OPERATOR))
        assert f"it is stored as {claim.outcome}, the ticks say void" in faults


def test_a_lost_bet_may_be_stored_without_a_payout() -> None:
    assert bet_faults(attrs.evolve(LOST, paid_micros=None), evidence()) == ()


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (attrs.evolve(WON, outcome=Outcome.LOST), "it is stored as lost, the ticks say won"),
        (attrs.evolve(LOST, outcome=Outcome.WON), "it is stored as won, the ticks say lost"),
        (VOID, "it is stored as void, the ticks say won"),
        (
            attrs.evolve(WON, paid_micros=1_850_002),
            "it was paid 1850002 micros and is owed 1850001",
        ),
        (attrs.evolve(LOST, paid_micros=1), "it was paid 1 micros and is owed 0"),
        (attrs.evolve(WON, column_start_s=START_S + 5), "the evidence is of another window"),
        (attrs.evolve(WON, column_s=10), "the evidence is of another window"),
        (attrs.evolve(WON, rule=Rule.PATH), "the evidence is by rule touch, the bet by path"),
    ],
)
def test_a_claim_that_does_not_follow_is_named(claim: Claim, why: str) -> None:
    assert why in bet_faults(claim, evidence())


@pytest.mark.parametrize("which", range(2))
def test_an_altered_tick_is_found_even_where_the_outcome_stays(which: int) -> None:
    ticks = list(RECORD.ticks)
    ticks[which] = attrs.evolve(ticks[which], price_cents=ticks[which].price_cents + 1)
    forged = attrs.evolve(evidence(), record=attrs.evolve(RECORD, ticks=tuple(ticks)))
    assert bet_faults(WON, forged) == ("the ticks do not match their hash",)


def test_an_altered_tick_with_a_new_hash_is_found_by_the_outcome() -> None:
    forged = attrs.evolve(RECORD, ticks=(tick(3_000, 4_199_999),))
    rehashed = attrs.evolve(evidence(forged), ticks_sha256=ticks_sha256(forged))
    assert "it is stored as won, the ticks say lost" in bet_faults(WON, rehashed)


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (attrs.evolve(RECORD, ticks=(tick(5_000, 4_200_500),)), "a tick lies outside the window"),
        (attrs.evolve(RECORD, ticks=(tick(-1, 4_200_500),)), "a tick lies outside the window"),
        (
            attrs.evolve(RECORD, ticks=RECORD.ticks[::-1]),
            "the ticks are out of order",
        ),
        (
            attrs.evolve(RECORD, carry_in=tick(0, 4_200_000)),
            "the carry-in does not lie before the window",
        ),
        (
            attrs.evolve(RECORD, after=tick(4_999, 4_200_000)),
            "the tick after lies before the end of the window",
        ),
    ],
)
def test_ticks_that_lie_elsewhere_are_found(record: Record, why: str) -> None:
    assert why in bet_faults(WON, evidence(record))


def test_a_void_reason_that_the_ticks_do_not_show_is_found() -> None:
    assert bet_faults(VOID, evidence(void=VoidReason.TICK_GAP)) == (
        "the ticks don't show the void reason tick_gap",
    )


def test_a_column_that_should_be_void_is_found() -> None:
    found = bet_faults(WON, evidence(attrs.evolve(RECORD, carry_in=None)))
    assert "the column should be void: no_price" in found
    assert "it is stored as won, the ticks say void" in found


def test_what_is_owed() -> None:
    owed = [owed_micros(WON, outcome) for outcome in (Outcome.WON, Outcome.LOST, Outcome.VOID)]
    assert owed == [1_850_001, 0, 1_000_001]
