"""Makes verdicts.json: settled bets with what follows from their ticks, for the page's own judge.

    python -m tests.vectors.make_verdicts

The same text each time. What stands in the file is held against domain/ by
tests/domain/test_verdict_vectors.py and against web/domain/ by tests/web/domain/test_verdict.mjs.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import attrs

from domain.evidence import Evidence, record_to_json, ticks_sha256
from domain.resolution import (
    Impairment,
    ImpairmentKind,
    Outcome,
    Record,
    Rule,
    VoidReason,
    judge_cells,
    void_reason,
)
from domain.ticks import Tick
from domain.units import payout_micros
from domain.verify import Claim, bet_faults, owed_micros
from tests.support.ticks import T0_MS, tick

FILE = Path(__file__).with_name("verdicts.json")
START_MS, END_MS = T0_MS, T0_MS + 5_000
LO, HI = 4_200_000, 4_201_000
BELOW, INSIDE, ABOVE = 4_199_999, 4_200_500, 4_201_001
STAKE_MICROS, REWARD_BPS = 5_000_000, 18_501
RANDOM_CASES = 60

NAMES = {
    "the ticks do not match their hash": "hash",
    "the column should be void": "void",
    "the ticks don't show the void reason": "void",
    "the column was judged before its end": "complete",
    "a tick lies outside the window": "inside",
    "the ticks are out of order": "order",
    "the carry-in does not lie before": "carry_in",
    "the tick after lies before the end": "after",
    "the evidence is of another window": "window",
    "the evidence is by rule": "rule",
    "it is stored as": "outcome",
    "it was paid": "payout",
}
"""What the page calls a fault, by the beginning of the venue's words for it."""


def names_of(claim: Claim, evidence: Evidence) -> list[str]:
    """The faults of a bet by the page's names, each once."""
    found = bet_faults(claim, evidence)
    return sorted({NAMES[begin] for begin in NAMES for fault in found if fault.startswith(begin)})


def judged(rule: Rule, evidence: Evidence) -> tuple[Outcome, Tick | None, VoidReason | None]:
    """The result by the ticks, the one that decided, and why it is void."""
    void = void_reason(evidence.record) or evidence.void
    [result] = judge_cells(rule, evidence.record, [(LO, HI)], void=void)
    return result.outcome, result.deciding_tick, void


def seen(*prices: tuple[int, int], read_at_ms: int = 7_500, source: str = "binance") -> Record:
    """The record of the window from all `(ms since its start, price)` of the market."""
    return recorded(
        [tick(START_MS + at_ms, price, source=source) for at_ms, price in prices], read_at_ms
    )


def recorded(ticks: list[Tick], read_at_ms: int = 7_500) -> Record:
    before = [one for one in ticks if one.ts_ms < START_MS]
    after = [one for one in ticks if one.ts_ms >= END_MS]
    return Record(
        start_ms=START_MS,
        end_ms=END_MS,
        carry_in=before[-1] if before else None,
        ticks=tuple(one for one in ticks if START_MS <= one.ts_ms < END_MS),
        after=after[0] if after else None,
        watermark_ms=ticks[-1].ts_ms if ticks else 0,
        read_at_ms=START_MS + read_at_ms,
    )


CALM = seen((-500, BELOW), (1_000, BELOW), (3_000, BELOW - 300), (5_500, BELOW))
WON = seen((-500, BELOW), (1_000, ABOVE), (2_000, HI), (3_000, INSIDE), (5_500, BELOW))


def right(name: str, record: Record, rule: Rule = Rule.TOUCH) -> dict[str, Any]:
    """A bet that was settled as its record says."""
    return case(name, record, rule, void=void_reason(record))


def case(
    name: str,
    record: Record,
    rule: Rule = Rule.TOUCH,
    *,
    void: VoidReason | None = None,
    stored_as: Outcome | None = None,
    paid_micros: int | None = None,
    sha256: str | None = None,
    claim_rule: Rule | None = None,
    claim_start_ms: int = START_MS,
) -> dict[str, Any]:
    """A bet as it was settled, and what there is to say against it."""
    evidence = Evidence(
        rule=rule, record=record, void=void, ticks_sha256=sha256 or ticks_sha256(record)
    )
    outcome, deciding, reason = judged(rule, evidence)
    claim = Claim(
        column_start_s=claim_start_ms // 1000,
        column_s=5,
        lo_cents=LO,
        hi_cents=HI,
        rule=claim_rule or rule,
        stake_micros=STAKE_MICROS,
        reward_bps=REWARD_BPS,
        outcome=stored_as or outcome,
        paid_micros=None,
    )
    paid = owed_micros(claim, claim.outcome) if paid_micros is None else paid_micros
    claim = attrs.evolve(claim, paid_micros=paid)
    return {
        "name": name,
        "claim": attrs.asdict(claim),
        "rule": rule,
        "stored_void": void,
        "ticks_sha256": evidence.ticks_sha256,
        "record": json.loads(record_to_json(record)),
        "outcome": outcome,
        "void_reason": reason,
        "deciding_tick": None
        if deciding is None
        else [deciding.source, deciding.ts_ms, deciding.price_cents, deciding.trade_id],
        "faults": names_of(claim, evidence),
    }


def edges() -> Iterator[dict[str, Any]]:
    for rule in Rule:
        for price in (LO - 1, LO, INSIDE, HI, HI + 1):
            record = seen((-500, price), (1_000, price), (5_500, price))
            yield right(f"{rule}: {price - LO} above the low edge", record, rule)
        for at_ms in (-1, 0, 4_999, 5_000):
            times = sorted({-500: BELOW, 2_500: BELOW, 6_000: BELOW, at_ms: INSIDE}.items())
            yield right(f"{rule}: inside {at_ms} ms after the opening", seen(*times), rule)
        yield right(
            f"{rule}: the price in force wins although a tick falls on the start",
            seen((-500, INSIDE), (0, BELOW), (5_500, BELOW)),
            rule,
        )
        yield right(f"{rule}: the first of several decides", WON, rule)
        yield right(f"{rule}: up across the range", seen((-500, BELOW), (1_000, ABOVE)), rule)
        yield right(
            f"{rule}: down across the range",
            seen((-500, ABOVE), (1_000, ABOVE), (2_000, BELOW), (5_500, BELOW)),
            rule,
        )
        yield right(
            f"{rule}: across the range only after the window",
            seen((-500, ABOVE), (1_000, ABOVE), (5_000, BELOW)),
            rule,
        )
        yield right(f"{rule}: no tick in the window", seen((-500, BELOW), (5_500, ABOVE)), rule)
        yield right(f"{rule}: won without one", seen((-500, INSIDE), (5_500, ABOVE)), rule)


def impaired(kind: ImpairmentKind, from_ms: int, until_ms: int | None) -> Record:
    until = None if until_ms is None else START_MS + until_ms
    made = Impairment(kind=kind, from_ms=START_MS + from_ms, until_ms=until)
    return attrs.evolve(WON, impairments=(made,))


def voids() -> Iterator[dict[str, Any]]:
    for kind in ImpairmentKind:
        for stretch in ((1_000, 2_000), (-1_000, 0), (-1_000, 1), (4_999, None), (5_000, None)):
            yield right(f"{kind} from {stretch[0]} to {stretch[1]}", impaired(kind, *stretch))
    both = tuple(impaired(kind, 1_000, 2_000).impairments[0] for kind in reversed(ImpairmentKind))
    yield right("critical comes before down", attrs.evolve(WON, impairments=both))
    yield right("no price before the window", seen((1_000, INSIDE), (5_500, BELOW)))
    yield right("no tick at all", seen())
    for ms in (10_000, 10_001):
        yield right(
            f"{ms} ms before a tick", seen((4_000 - ms, INSIDE), (4_000, BELOW), (5_500, BELOW))
        )
        yield right(f"{ms} ms before the tick after", seen((-1, INSIDE), (ms - 1, BELOW)))
        silent = seen((-500, INSIDE), (1_000, BELOW), read_at_ms=1_000 + ms)
        yield case(f"{ms} ms before it was read", silent, void=void_reason(silent))
    changed = [tick(START_MS - 500, INSIDE), tick(START_MS + 900, INSIDE, source="coinbase")]
    yield right("the source changed at its first tick", recorded([*changed, changed[1]]))
    after = tick(END_MS + 10, INSIDE, source="coinbase")
    yield right("the source changed after it", recorded([tick(START_MS - 1, INSIDE), after]))
    late = attrs.evolve(WON, read_at_ms=END_MS + 60_000)
    yield case("read a minute after its end", late, void=VoidReason.NOT_JUDGED_IN_TIME)
    yield case("given back by an operator", WON, void=VoidReason.OPERATOR)
    yield case(
        "before it began, too", seen((-500, BELOW), read_at_ms=-400), void=VoidReason.OPERATOR
    )


def wrong() -> Iterator[dict[str, Any]]:
    """What a venue that cheats, or has a defect, would show."""
    first, *rest = WON.ticks
    cheaper = attrs.evolve(first, price_cents=first.price_cents - 100)
    good = ticks_sha256(WON)
    yield case("a price was changed", attrs.evolve(WON, ticks=(cheaper, *rest)), sha256=good)
    yield case("a tick was left out", attrs.evolve(WON, ticks=tuple(rest)), sha256=good)
    yield case("a won bet stored as lost", WON, stored_as=Outcome.LOST)
    yield case("a lost bet stored as won", CALM, stored_as=Outcome.WON)
    yield case("a won bet stored as void without a reason", WON, stored_as=Outcome.VOID)
    yield case("a reason that the ticks don't show", WON, void=VoidReason.TICK_GAP)
    yield case(
        "another reason than theirs",
        seen((-9_000, BELOW), (1_500, BELOW), (6_000, BELOW)),
        void=VoidReason.NOT_RUNNING,
    )
    gap = seen((-9_000, BELOW), (1_500, BELOW), (6_000, BELOW))
    yield case("a silence that was judged over", gap, stored_as=Outcome.LOST)
    yield case("a minute late, and judged", attrs.evolve(WON, read_at_ms=END_MS + 60_000))
    yield case("judged without a tick after", attrs.evolve(WON, after=None))
    yield case(
        "paid a micro too little", WON, paid_micros=payout_micros(STAKE_MICROS, REWARD_BPS) - 1
    )
    yield case("a lost bet paid", CALM, paid_micros=1)
    yield case("ticks out of order", attrs.evolve(CALM, ticks=tuple(reversed(CALM.ticks))))
    stray = tick(END_MS, INSIDE)
    yield case(
        "a tick after the end as one of the window", attrs.evolve(CALM, ticks=(*CALM.ticks, stray))
    )
    yield case(
        "a carry-in from inside the window", attrs.evolve(CALM, carry_in=tick(START_MS, INSIDE))
    )
    yield case(
        "a tick after from inside the window", attrs.evolve(CALM, after=tick(END_MS - 1, BELOW))
    )
    yield case("evidence of another window", CALM, claim_start_ms=START_MS + 5_000)
    yield case("evidence by another rule", CALM, claim_rule=Rule.PATH)


def random_walks() -> Iterator[dict[str, Any]]:
    """Markets of every sort: some silent, some wild, some with a second source."""
    random = Random(20_261_120)
    for number in range(RANDOM_CASES):
        step_cents = random.choice((150, 700, 3_000))
        step_ms = random.choice((400, 900, 2_500, 6_000))
        price, at_ms = INSIDE + random.randint(-3_000, 3_000), -random.randint(1, 9_000)
        ticks: list[Tick] = []
        while at_ms < random.choice((3_000, 6_000, 9_000)):
            other = random.random() < 0.01
            ticks.append(tick(START_MS + at_ms, price, source="coinbase" if other else "binance"))
            price += random.randint(-step_cents, step_cents)
            at_ms += random.randint(1, 2 * step_ms)
        record = recorded(ticks, read_at_ms=max(at_ms, 7_000) + random.randint(0, 4_000))
        rule = random.choice(list(Rule))
        stored = random.choice((None, None, None, *Outcome))
        yield case(f"walk {number}", record, rule, void=void_reason(record), stored_as=stored)


def cases() -> list[dict[str, Any]]:
    return [*edges(), *voids(), *wrong(), *random_walks()]


def main() -> None:
    lines = ",\n".join(json.dumps(one) for one in cases())
    FILE.write_text(f'{{"cases": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
