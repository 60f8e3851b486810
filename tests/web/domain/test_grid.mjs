// The page's geometry and the venue's agree: both are held to tests/vectors/cell_geometry.json.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  cellId,
  columnStartS,
  offered,
  onGrid,
  parseCellId,
  placeableStartsS,
  rewardBps,
  rowLoCents,
} from "../../../web/domain/grid.js";

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/cell_geometry.json", import.meta.url), "utf8"),
);

/** @type {import("../../../web/types/wire.js").GridFrame} */
const QUOTE = {
  type: "grid",
  n: 7,
  published_at_ms: 1_770_100_003_000,
  price_cents: 4_200_512,
  column_s: 5,
  row_cents: 1_000,
  first_column_s: 1_770_100_010,
  lowest_row_cents: 4_199_000,
  rows: 3,
  rates: [10_100, 0, 18_500, 999_999, 1_000_000, 123_456],
};

test("an id and its cell are the same, both ways", () => {
  for (const { id, column_start_s, lo_cents, hi_cents, beyond_js_integers } of vectors.cell_ids) {
    const cell = parseCellId(id);
    assert.ok(cell, id);
    if (!beyond_js_integers) {
      assert.deepEqual(cell, {
        columnStartS: column_start_s,
        loCents: lo_cents,
        hiCents: hi_cents,
      });
      assert.equal(cellId(cell), id);
    }
  }
});

test("what is not canonical is no cell", () => {
  for (const text of vectors.not_cell_ids) {
    assert.equal(parseCellId(text), null, JSON.stringify(text));
  }
});

test("a cell is on the grid or not", () => {
  for (const { id, on_grid, ...grid } of vectors.on_grid) {
    const cell = parseCellId(id);
    assert.ok(cell);
    assert.equal(onGrid(grid, cell), on_grid, id);
  }
});

test("the columns that may be tapped", () => {
  for (const { at_ms, current_s, first_s, last_s, ...rules } of vectors.columns) {
    assert.equal(columnStartS(rules, at_ms), current_s);
    assert.deepEqual(placeableStartsS(rules, at_ms), { firstS: first_s, lastS: last_s });
  }
});

test("the row of a price is in the middle of the rows on offer", () => {
  for (const { row_cents, rows, price_cents, lowest_row_cents } of vectors.rows) {
    const own = rowLoCents({ row_cents }, price_cents);
    assert.equal(Math.max(0, own - Math.floor(rows / 2) * row_cents), lowest_row_cents);
  }
});

test("a quote offers its rates on its cells, and nothing beside them", () => {
  const cells = [...offered(QUOTE)];
  assert.deepEqual(
    cells.map(({ cell, rewardBps: bps }) => [cellId(cell), bps]),
    [
      ["1770100010_4199000_4200000", 10_100],
      ["1770100010_4201000_4202000", 18_500],
      ["1770100015_4199000_4200000", 999_999],
      ["1770100015_4200000_4201000", 1_000_000],
      ["1770100015_4201000_4202000", 123_456],
    ],
  );
  for (const { cell, rewardBps: bps } of cells) {
    assert.equal(rewardBps(QUOTE, cell), bps);
  }
  for (const id of [
    "1770100010_4200000_4201000", // its rate is 0
    "1770100005_4199000_4200000", // a column too early
    "1770100020_4199000_4200000", // a column too late
    "1770100010_4198000_4199000", // a row too low
    "1770100010_4202000_4203000", // a row too high
    "1770100011_4199000_4200000", // off the columns
    "1770100010_4199500_4200500", // off the rows
    "1770100010_4199000_4201000", // two rows high
  ]) {
    const cell = parseCellId(id);
    assert.ok(cell);
    assert.equal(rewardBps(QUOTE, cell), 0, id);
  }
});
