// Why a bet ended as it did, in words. Times are those of the trader's own clock.

import assert from "node:assert/strict";
import { test } from "node:test";

process.env["TZ"] = "UTC";
const { countdownText, dayText, momentText, placeText, rangeText, whyText } = await import(
  "../../../web/domain/evidence_words.js"
);
const { recompute } = await import("../../../web/domain/verdict.js");
const { cases, named, proofOf } = await import("../support/verdicts.mjs");

/** @param {string} name */
function why(name) {
  const proof = proofOf(named(name));
  return whyText(proof, recompute(proof));
}

/** @type {[string, string][]} */
const SAID = [
  [
    "touch: the first of several decides",
    "At 06:26:42.000 the price was 42,010.00, inside 42,000 to 42,010.",
  ],
  [
    "touch: won without one",
    "When the window opened at 06:26:40, the price was 42,005.00, inside 42,000 to 42,010.",
  ],
  [
    "path: up across the range",
    "The price went from 41,999.99 at 06:26:39.500 to 42,010.01 at 06:26:41.000, across 42,000 to 42,010.",
  ],
  [
    "touch: down across the range",
    "From 06:26:40 to 06:26:45 the price jumped over 42,000 to 42,010: the closest trade was 0.01 away. By rule touch only a price inside wins.",
  ],
  [
    "a lost bet stored as won",
    "From 06:26:40 to 06:26:45 the price stayed between 41,996.99 and 41,999.99, 0.01 below the cell.",
  ],
  [
    "touch: 1001 above the low edge",
    "From 06:26:40 to 06:26:45 the price stayed at 42,010.01, 0.01 above the cell.",
  ],
  [
    "10001 ms before a tick",
    "The price feed was silent for 10 s from 06:26:33.999, so the window could not be judged.",
  ],
  [
    "critical from 1000 to 2000",
    "The price feed was down from 06:26:41 to 06:26:42, so the window could not be judged.",
  ],
  [
    "down from 4999 to None",
    "The venue was not running from 06:26:44 on, so the window could not be judged.",
  ],
  [
    "the source changed after it",
    "The price came from another exchange within the window (binance, then coinbase), so it could not be judged.",
  ],
  ["no tick at all", "No price was on record when the window opened, so it could not be judged."],
  [
    "read a minute after its end",
    "The window was not judged within a minute of its end, so the stake came back.",
  ],
  ["given back by an operator", "The venue's operator gave all stakes of this window back."],
];

for (const [name, words] of SAID) {
  test(`in words: ${name}`, () => assert.equal(why(name), words));
}

test("there are words for every proof, without a hole in them", () => {
  for (const { name } of cases) {
    assert.match(why(name), /^[A-Z].*\.$/, name);
    assert.doesNotMatch(why(name), /NaN|undefined|null|Infinity|−/, name);
  }
});

test("a reason that the ticks do not show is only the venue's word", () => {
  assert.equal(
    why("a reason that the ticks don't show"),
    "The venue says that the price feed was silent for too long.",
  );
});

test("a moment has its milliseconds, and a day its name", () => {
  assert.equal(momentText(1_770_100_003_007), "06:26:43.007");
  assert.equal(dayText(1_770_100_003_007), "3 Feb 2026");
});

test("the edges of a cell have cents only where they are some", () => {
  assert.equal(rangeText({ lo_cents: 6_499_000, hi_cents: 6_500_000 }), "64,990 to 65,000");
  assert.equal(rangeText({ lo_cents: 6_499_050, hi_cents: 6_499_100 }), "64,990.50 to 64,991");
});

test("a tick stands inside its cell, or so far from it", () => {
  const proof = proofOf(named("touch: the first of several decides"));
  assert.deepEqual(
    proof.ticks.map((tick) => placeText(proof, tick)),
    ["0.01 above", "inside", "inside"],
  );
});

test("an open bet is counted down to its window, through it, and no further", () => {
  const window = { startMs: 10_000, endMs: 15_000 };
  assert.equal(countdownText(window, 0), "Opens in 10 s");
  assert.equal(countdownText(window, 9_001), "Opens in 1 s");
  assert.equal(countdownText(window, 10_000), "Open for 5 s more");
  assert.equal(countdownText(window, 14_999), "Open for 1 s more");
  assert.equal(countdownText(window, 15_000), "Being judged");
});
