import assert from "node:assert/strict";
import { test } from "node:test";
import { firstCell, stayed, stepped } from "../../../web/domain/cursor.js";
import { cellId } from "../../../web/domain/grid.js";

const NOW_S = 1_770_100_000;

/** @type {import("../../../web/state/state.js").Rules} */
const RULES = {
  server_time_ms: NOW_S * 1000,
  chain_id: 31_337,
  column_s: 5,
  row_cents: 1_000,
  lockout_columns: 1,
  horizon_columns: 4,
  presets_micros: [1_000_000],
  rule: "touch",
};

/** Four columns of five rows; of each, the lowest and the highest are not offered.
 * @type {import("../../../web/types/wire.js").GridFrame} */
const QUOTE = {
  type: "grid",
  n: 1,
  published_at_ms: NOW_S * 1000,
  price_cents: 4_202_300,
  column_s: 5,
  row_cents: 1_000,
  first_column_s: NOW_S + 10,
  lowest_row_cents: 4_200_000,
  rows: 5,
  rates: Array.from({ length: 4 }, () => [0, 30_000, 15_000, 30_000, 0]).flat(),
};

/** @param {Partial<import("../../../web/domain/cursor.js").Reach>} [reach] */
function reachOf(reach = {}) {
  return { rules: RULES, quote: QUOTE, nowMs: NOW_S * 1000, seenS: NOW_S + 100, ...reach };
}

/**
 * @param {number} column after the running one
 * @param {number} row
 */
function cell(column, row) {
  const loCents = 4_200_000 + row * 1_000;
  return { columnStartS: NOW_S + column * 5, loCents, hiCents: loCents + 1_000 };
}

test("it begins on the price, in the first column that can be tapped", () => {
  assert.deepEqual(firstCell(reachOf()), cell(2, 2));
});

test("it moves by rows and columns", () => {
  const from = cell(3, 2);
  assert.deepEqual(stepped(from, "right", reachOf()), cell(4, 2));
  assert.deepEqual(stepped(from, "left", reachOf()), cell(2, 2));
  assert.deepEqual(stepped(from, "up", reachOf()), cell(3, 3));
  assert.deepEqual(stepped(from, "down", reachOf()), cell(3, 1));
});

test("it stays among the columns that can be tapped", () => {
  assert.deepEqual(stepped(cell(2, 2), "left", reachOf()), cell(2, 2));
  assert.deepEqual(stepped(cell(5, 2), "right", reachOf()), cell(5, 2));
  assert.deepEqual(stepped(cell(3, 2), "first", reachOf()), cell(2, 2));
  assert.deepEqual(stepped(cell(3, 2), "last", reachOf()), cell(5, 2));
});

test("it goes no further than what is in view", () => {
  const reach = reachOf({ seenS: NOW_S + 15 });
  assert.deepEqual(stepped(cell(2, 2), "last", reach), cell(3, 2));
  assert.deepEqual(stepped(cell(2, 2), "right", reachOf({ seenS: NOW_S })), cell(2, 2));
});

test("it stays among the rows on offer, by one step or by many", () => {
  assert.deepEqual(stepped(cell(3, 3), "up", reachOf()), cell(3, 3));
  assert.deepEqual(stepped(cell(3, 2), "page_up", reachOf()), cell(3, 3));
  assert.deepEqual(stepped(cell(3, 2), "page_down", reachOf()), cell(3, 1));
});

test("from a row that the next column lacks, it goes to the nearest one", () => {
  const rates = [0, 0, 15_000, 0, 0, ...QUOTE.rates.slice(5)];
  const reach = reachOf({ quote: { ...QUOTE, rates } });
  assert.deepEqual(stepped(cell(3, 3), "left", reach), cell(2, 2));
});

test("it comes back from a row that is not offered any more", () => {
  assert.equal(cellId(stepped(cell(3, 40), "down", reachOf())), cellId(cell(3, 3)));
});

test("it stays on its cell until it is too late for it, and then takes the next column", () => {
  const here = cell(2, 3);
  assert.equal(stayed(here, reachOf({ nowMs: NOW_S * 1000 + 4_999 })), here);
  assert.deepEqual(stayed(here, reachOf({ nowMs: NOW_S * 1000 + 5_000 })), cell(3, 3));
});
