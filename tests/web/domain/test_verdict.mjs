// The page judges as the venue does: both are held to tests/vectors/verdicts.json.

import assert from "node:assert/strict";
import { test } from "node:test";
import { checksOf, faultsOf, summaryOf } from "../../../web/domain/checks.js";
import { hashLines, isInside, recompute, silenceOf } from "../../../web/domain/verdict.js";
import { BET_ID, betOf, cases, named, proofOf, sha256, tickOf } from "../support/verdicts.mjs";

/** @import { Proof } from "../../../web/types/wire.js" */

/**
 * The names of what does not hold.
 *
 * @param {Proof} proof
 * @param {ReturnType<typeof betOf> | null} bet
 * @param {string} [betId]
 */
function faults(proof, bet, betId = BET_ID) {
  const checks = checksOf(proof, { betId, sha256: sha256(proof), bet });
  return faultsOf(checks).map(({ name }) => name);
}

for (const given of cases) {
  test(`as the venue: ${given.name}`, () => {
    const proof = proofOf(given);
    const verdict = recompute(proof);
    assert.equal(verdict.outcome, given.outcome);
    assert.equal(verdict.voidReason, given.void_reason);
    assert.deepEqual(verdict.decidingTick, tickOf(given.deciding_tick));
    assert.deepEqual(faults(proof, betOf(given)).sort(), given.faults);
  });
}

test("what the venue says of the result is not looked at", () => {
  const given = named("a won bet stored as lost");
  const proof = { ...proofOf(given), outcome: "lost", deciding_tick: null, faults: [] };
  assert.equal(recompute(/** @type {Proof} */ (proof)).outcome, "won");
});

test("a crossing names the tick that it came from", () => {
  const verdict = recompute(proofOf(named("path: up across the range")));
  assert.ok(verdict.crossedFrom && verdict.decidingTick);
  assert.ok(verdict.crossedFrom.price_cents < verdict.decidingTick.price_cents);
  assert.equal(
    recompute(proofOf(named("path: the first of several decides"))).crossedFrom?.ts_ms,
    proofOf(named("path: the first of several decides")).carry_in?.ts_ms,
  );
});

test("the lines of the hash are the published ones, the carry-in first", () => {
  const proof = proofOf(named("touch: the first of several decides"));
  assert.equal(
    hashLines(proof),
    [
      "binance,1770099999500,4199999,1770099999500\n",
      "binance,1770100001000,4201001,1770100001000\n",
      "binance,1770100002000,4201000,1770100002000\n",
      "binance,1770100003000,4200500,1770100003000\n",
    ].join(""),
  );
  assert.equal(hashLines({ carry_in: null, ticks: [] }), "");
});

test("a silence is named from its last tick to the next, or to when it was read", () => {
  const startMs = 1_770_100_000_000;
  assert.deepEqual(silenceOf(proofOf(named("10001 ms before a tick"))), {
    fromMs: startMs - 6_001,
    untilMs: startMs + 4_000,
  });
  assert.deepEqual(silenceOf(proofOf(named("10001 ms before it was read"))), {
    fromMs: startMs + 1_000,
    untilMs: startMs + 11_001,
  });
  assert.equal(silenceOf(proofOf(named("10000 ms before a tick"))), null);
});

test("both edges of a range are inside", () => {
  const range = { lo_cents: 10, hi_cents: 20 };
  assert.deepEqual(
    [9, 10, 20, 21].map((price) => isInside(range, price)),
    [false, true, true, false],
  );
});

const GOOD = named("touch: the first of several decides");

/** @type {[string, string, Partial<Proof>][]} */
const DIFFERENCES = [
  ["another bet", "window", { bet_id: "01HZX3Y4Z5A6B7C8D9E0F1G2H4" }],
  ["another range than the cell's", "window", { cell_id: "1770100000_4201000_4202000" }],
  ["another time than the cell's", "window", { cell_id: "1770100005_4200000_4201000" }],
  ["no cell", "window", { cell_id: "nonsense" }],
  ["a window that never ends", "complete", { after: null }],
  ["a tick too few", "count", { tick_count: 2 }],
  ["another deciding tick", "deciding", { deciding_tick: null }],
  ["another low", "bounds", { low_cents: 4_200_499 }],
  ["another high", "bounds", { high_cents: 4_201_000 }],
  ["another outcome told than stored", "outcome", { outcome: "lost" }],
  ["the venue's own doubt", "venue", { faults: ["the ticks are out of order"] }],
];

for (const [what, fault, change] of DIFFERENCES) {
  test(`it is seen: ${what}`, () => {
    assert.deepEqual(faults({ ...proofOf(GOOD), ...change }, null), [fault]);
  });
}

test("a proof without a fault holds for its trader and for anybody", () => {
  assert.deepEqual(faults(proofOf(GOOD), null), []);
  assert.deepEqual(faults(proofOf(GOOD), betOf(GOOD)), []);
});

test("that it holds is said only where all of it does", () => {
  const known = { betId: BET_ID, sha256: GOOD.ticks_sha256, bet: null };
  const good = checksOf(proofOf(GOOD), known);
  assert.equal(summaryOf(good), "It holds. Your browser came to the same result.");
  const bad = checksOf({ ...proofOf(GOOD), tick_count: 1 }, known);
  assert.equal(summaryOf(bad), "It does not hold: 1 of 13 checks failed.");
});

test("only of one's own bet is the width of the window known, and what it was paid", () => {
  const bet = { ...betOf(GOOD), column_s: 10, payout_micros: 1 };
  assert.deepEqual(faults(proofOf(GOOD), bet), ["window", "payout"]);
});

test("a hash that can't be made here is no fault, and is not said to hold", () => {
  const checks = checksOf(proofOf(GOOD), { betId: BET_ID, sha256: null, bet: null });
  assert.deepEqual(faultsOf(checks), []);
  assert.equal(checks.find(({ name }) => name === "hash")?.holds, null);
  assert.equal(summaryOf(checks), "What could be checked holds; 1 of 13 could not be.");
});

test("every check has words, whether it holds or not", () => {
  for (const given of cases) {
    const known = { betId: BET_ID, sha256: "", bet: betOf(given) };
    for (const { name, text } of checksOf(proofOf(given), known)) {
      assert.ok(text.length > 0, `${given.name}: ${name}`);
    }
  }
});
