// What lights a cell on the page is what wins it at the venue: both are held to tests/vectors/verdicts.json.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { touched } from "../../../web/domain/touching.js";

const { cases } = JSON.parse(
  readFileSync(new URL("../../vectors/verdicts.json", import.meta.url), "utf8"),
);

const CELL = { columnStartS: 1_770_100_000, columnS: 5, loCents: 4_200_000, hiCents: 4_201_000 };
const OPENS_MS = CELL.columnStartS * 1000;
const INSIDE = 4_200_500;
const BELOW = 4_199_000;
const ABOVE = 4_202_000;
const AFTER_MS = OPENS_MS + 60_000;

/**
 * @param {number} atMs after the window opens
 * @param {number} cents
 */
function point(atMs, cents) {
  return { ts_ms: OPENS_MS + atMs, price_cents: cents };
}

test("a cell is lit where the venue's rule finds it won, and stays dark where it is lost", () => {
  let seen = 0;
  for (const { name, claim, rule, record, outcome, faults } of cases) {
    // Evidence that was tampered with is no price trail.
    if (outcome !== "void" && faults.length === 0) {
      const { carry_in: carried, ticks, after } = record;
      const trail = [carried, ...ticks, after]
        .filter((tick) => tick !== null)
        .map(([, atMs, cents]) => ({ ts_ms: atMs, price_cents: cents }));
      const { column_start_s, column_s, lo_cents, hi_cents } = claim;
      const cell = {
        columnStartS: column_start_s,
        columnS: column_s,
        loCents: lo_cents,
        hiCents: hi_cents,
      };
      assert.equal(touched(cell, trail, rule, record.read_at_ms), outcome === "won", name);
      seen += 1;
    }
  }
  assert.ok(seen > 40, `${seen} of them could be judged`);
});

test("the price that was in force when the window opened counts, once it has opened", () => {
  const trail = [point(-9_000, BELOW), point(-300, INSIDE)];
  assert.equal(touched(CELL, trail, "touch", OPENS_MS - 1), false);
  assert.equal(touched(CELL, trail, "touch", OPENS_MS), true);
});

test("one before the price in force does not count", () => {
  const trail = [point(-900, INSIDE), point(-300, BELOW), point(200, ABOVE)];
  assert.equal(touched(CELL, trail, "touch", AFTER_MS), false);
});

test("one as the window ends does not count", () => {
  assert.equal(touched(CELL, [point(5_000, INSIDE)], "touch", AFTER_MS), false);
  assert.equal(touched(CELL, [point(4_999, INSIDE)], "touch", AFTER_MS), true);
});

test("a step across the range counts by rule path alone", () => {
  const trail = [point(-100, BELOW), point(1_000, ABOVE)];
  assert.equal(touched(CELL, trail, "touch", AFTER_MS), false);
  assert.equal(touched(CELL, trail, "path", AFTER_MS), true);
});

test("without a price nothing is touched", () => {
  assert.equal(touched(CELL, [], "path", AFTER_MS), false);
});
