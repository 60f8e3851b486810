// Where things are on the grid: both ways the same, sharp, and never jumping.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { cellId, columnStartS, parseCellId, rowLoCents } from "../../../web/domain/grid.js";
import {
  boxOf,
  cellAt,
  columnsInView,
  edgeY,
  keptInView,
  LARGEST,
  layoutOf,
  marksEvery,
  priceAtCents,
  rowsInView,
  scaleAt,
  stepScale,
  THUMB,
  timeAtMs,
  viewportOf,
  xOf,
  yOf,
  ZOOMS,
} from "../../../web/domain/viewport.js";

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/cell_geometry.json", import.meta.url), "utf8"),
);

const SHAPE = { columnS: 5, rowCents: 1_000, columnsAhead: 14, rows: 40 };
const MARGINS = { pricesPx: 64, timesPx: 24 };
const PHONE = { widthPx: 390, heightPx: 640, dpr: 3 };
const PLACES = [
  { widthPx: 360, heightPx: 460, dpr: 2 },
  PHONE,
  { widthPx: 768, heightPx: 880, dpr: 1 },
  { widthPx: 1440, heightPx: 760, dpr: 1.25 },
  { widthPx: 1920, heightPx: 940, dpr: 1 },
];
const NOW_MS = 1_770_100_003_217;
const PRICE = 4_200_512;
const FRAME_MS = 1000 / 60;

/** @param {number} zoom */
function phone(zoom = 0) {
  return layoutOf(SHAPE, PHONE, MARGINS, zoom);
}

/**
 * @param {import("../../../web/domain/viewport.js").Layout} [layout]
 * @param {number} [priceCents]
 * @param {number} [nowMs]
 */
function viewAt(layout = phone(), priceCents = PRICE, nowMs = NOW_MS) {
  return viewportOf(layout, scaleAt(layout, priceCents), nowMs);
}

/**
 * The scale after following a price for so long.
 *
 * @param {import("../../../web/domain/viewport.js").Layout} layout
 * @param {import("../../../web/domain/viewport.js").Scale} scale
 * @param {number} priceCents
 * @param {{loCents: number, hiCents: number}[]} kept
 * @param {number} forMs
 */
function followed(layout, scale, priceCents, kept, forMs) {
  let next = scale;
  for (let ms = 0; ms < forMs; ms += FRAME_MS) {
    next = stepScale(next, layout, priceCents, kept, FRAME_MS);
  }
  return next;
}

/** @param {number} px */
function assertWhole(px) {
  assert.ok(Math.abs(px - Math.round(px)) < 1e-6, `${px} is on a pixel of the device`);
}

test("at every size, cells for a thumb are that large, and the farthest zoom shows all on offer", () => {
  for (const place of PLACES) {
    const near = layoutOf(SHAPE, place, MARGINS, 0);
    assert.ok(near.columnPx >= THUMB.widthPx - 1, `${near.columnPx}`);
    assert.ok(near.rowPx >= THUMB.heightPx - 1, `${near.rowPx}`);
    assert.ok(near.columnPx <= Math.max(LARGEST.widthPx, (near.rightPx - near.nowPx) / 14));
    const far = layoutOf(SHAPE, place, MARGINS, ZOOMS - 1);
    assert.ok(far.nowPx + SHAPE.columnsAhead * far.columnPx <= far.rightPx);
    assert.ok(SHAPE.rows * far.rowPx <= far.bottomPx);
    const between = layoutOf(SHAPE, place, MARGINS, 1);
    assert.ok(near.columnPx > between.columnPx && between.columnPx >= far.columnPx);
    assert.ok(near.rowPx > between.rowPx && between.rowPx > far.rowPx);
  }
});

test("NOW is about a third from the left, and further left where there is little room", () => {
  for (const place of PLACES) {
    const { nowPx, rightPx } = layoutOf(SHAPE, place, MARGINS, 0);
    const [least, most] = place.widthPx < 560 ? [0.2, 0.25] : [0.3, 0.35];
    assert.ok(nowPx / rightPx > least && nowPx / rightPx < most);
  }
});

test("the narrowest phone shows three whole columns to tap at any time", () => {
  const margins = { pricesPx: 56, timesPx: 24 };
  const layout = layoutOf(SHAPE, { widthPx: 360, heightPx: 460, dpr: 2 }, margins, 0);
  for (let ms = 0; ms < 5_000; ms += 100) {
    const view = viewAt(layout, PRICE, NOW_MS + ms);
    const firstS = view.anchorMs / 1000 + 2 * SHAPE.columnS;
    assert.ok(xOf(view, (firstS + 3 * SHAPE.columnS) * 1000) <= layout.rightPx);
  }
});

test("prices have cents where there is room, or where a row is a part of a dollar", () => {
  assert.equal(phone().hasCents, false);
  assert.equal(layoutOf({ ...SHAPE, rowCents: 50 }, PHONE, MARGINS, 0).hasCents, true);
  assert.equal(layoutOf(SHAPE, { ...PHONE, widthPx: 768 }, MARGINS, 0).hasCents, true);
});

test("a place without room has a layout, too", () => {
  const layout = layoutOf(SHAPE, { widthPx: 0, heightPx: 0, dpr: 1 }, MARGINS, 0);
  assert.ok(layout.columnPx >= 1 && layout.rowPx >= 1 && layout.rightPx >= 1);
});

test("time and price lead to a place and back", () => {
  const view = viewAt();
  for (const ms of [NOW_MS - 9_000, NOW_MS, NOW_MS + 1, NOW_MS + 31_000]) {
    assert.ok(Math.abs(timeAtMs(view, xOf(view, ms)) - ms) < 1e-3);
  }
  for (const cents of [PRICE - 12_345, PRICE, PRICE + 1, PRICE + 9_000]) {
    assert.ok(Math.abs(priceAtCents(view, yOf(view, cents)) - cents) < 1e-6);
  }
});

test("later is to the right, dearer is up, and now is at NOW", () => {
  const view = viewAt();
  assert.ok(xOf(view, NOW_MS + 1_000) > xOf(view, NOW_MS));
  assert.ok(yOf(view, PRICE + 100) < yOf(view, PRICE));
  assert.ok(Math.abs(xOf(view, NOW_MS) - view.layout.nowPx) <= 0.5 / PHONE.dpr);
});

test("cells flow at one speed and are always on pixels of the device", () => {
  const layout = phone();
  const cell = { columnStartS: 1_770_100_020, loCents: 4_200_000, hiCents: 4_201_000 };
  const pxPerMs = layout.columnPx / 5_000;
  const first = boxOf(viewAt(layout, PRICE, NOW_MS), cell);
  for (let ms = 0; ms < 12_000; ms += FRAME_MS) {
    const box = boxOf(viewAt(layout, PRICE, NOW_MS + ms), cell);
    assert.ok(Math.abs(first.x - pxPerMs * ms - box.x) <= 1.01 / PHONE.dpr, `after ${ms} ms`);
    for (const px of [box.x, box.y, box.width, box.height]) {
      assertWhole(px * PHONE.dpr);
    }
    assert.deepEqual([box.y, box.width, box.height], [first.y, first.width, first.height]);
  }
});

test("a column changes from running to past without a jump", () => {
  const layout = phone();
  const turnMs = 1_770_100_005_000;
  const before = xOf(viewAt(layout, PRICE, turnMs - 1), turnMs);
  const after = xOf(viewAt(layout, PRICE, turnMs), turnMs);
  assert.ok(Math.abs(before - after) <= 1.01 / PHONE.dpr);
});

test("the cell at a point is the one of that time and price, as the venue has it", () => {
  for (const { at_ms: atMs, column_s: columnS } of vectors.columns) {
    const layout = layoutOf({ ...SHAPE, columnS }, PHONE, MARGINS, 0);
    const view = viewAt(layout, PRICE, atMs);
    const cell = cellAt(view, layout.nowPx + 0.5, yOf(view, PRICE));
    assert.ok(cell);
    const atPointMs = timeAtMs(view, layout.nowPx + 0.5);
    assert.equal(cell.columnStartS, columnStartS({ column_s: columnS }, atPointMs));
  }
  for (const { row_cents: rowCents, price_cents: cents } of vectors.rows) {
    const layout = layoutOf({ ...SHAPE, rowCents }, PHONE, MARGINS, 0);
    const view = viewAt(layout, cents);
    // A hair above the price, for an edge belongs to the row below it on the screen.
    const cell = cellAt(view, layout.nowPx + 20, yOf(view, cents) - 0.01);
    assert.equal(cell?.loCents, rowLoCents({ row_cents: rowCents }, cents));
  }
});

test("every pixel of a cell's box is that cell's, and none beside it is", () => {
  for (const zoom of [0, 1, 2]) {
    for (const nowMs of [NOW_MS, NOW_MS + 777, NOW_MS + 4_999]) {
      const view = viewAt(phone(zoom), PRICE, nowMs);
      const id = "1770100015_4201000_4202000";
      const cell = parseCellId(id);
      assert.ok(cell);
      const { x, y, width, height } = boxOf(view, cell);
      const at = (/** @type {number} */ dx, /** @type {number} */ dy) => {
        const found = cellAt(view, x + dx, y + dy);
        return found === null ? null : cellId(found);
      };
      const [right, low] = [width - 0.01, height - 0.01];
      assert.deepEqual([at(0, 0), at(right, 0), at(0, low), at(right, low)], [id, id, id, id]);
      for (const [dx, dy] of [
        [-0.01, 1],
        [width, 1],
        [1, -0.01],
        [1, height],
      ]) {
        assert.notEqual(at(dx ?? 0, dy ?? 0), id);
      }
    }
  }
});

test("beside the cells there is none, nor below the price of zero", () => {
  const view = viewAt();
  const { rightPx, bottomPx } = view.layout;
  for (const [x, y] of [
    [-1, 10],
    [10, -1],
    [rightPx, 10],
    [10, bottomPx],
  ]) {
    assert.equal(cellAt(view, x ?? 0, y ?? 0), null);
  }
  const low = viewAt(phone(), 500);
  assert.equal(cellAt(low, 10, yOf(low, -1)), null);
  assert.equal(cellAt(low, 10, yOf(low, 1))?.loCents, 0);
});

test("what is in view is what the corners show", () => {
  const view = viewAt();
  const { rightPx, bottomPx } = view.layout;
  const lowLeft = cellAt(view, 0, bottomPx - 0.01);
  const highRight = cellAt(view, rightPx - 0.01, 0);
  assert.deepEqual(columnsInView(view), {
    firstS: lowLeft?.columnStartS,
    lastS: highRight?.columnStartS,
  });
  assert.deepEqual(rowsInView(view), {
    lowestCents: lowLeft?.loCents,
    highestCents: highRight?.loCents,
  });
  assert.ok(rowsInView(viewAt(phone(), 2_000)).lowestCents === 0);
});

test("a bet of a column of another width is as wide as its time", () => {
  const view = viewAt();
  const cell = { columnStartS: 1_770_100_020, loCents: 4_200_000, hiCents: 4_201_000 };
  assert.equal(boxOf(view, { ...cell, columnS: 10 }).width, 2 * boxOf(view, cell).width);
});

// --- The scale ----------------------------------------------------------------------------------

test("a small move leaves the scale where it rests", () => {
  const layout = phone();
  const scale = scaleAt(layout, PRICE);
  assert.equal(stepScale(scale, layout, PRICE + 1_500, [], FRAME_MS), scale);
});

test("a large one is followed with inertia: slowly at first, without a jump, never too far", () => {
  const layout = phone();
  const to = PRICE + 9_000;
  let scale = scaleAt(layout, PRICE);
  let fastest = 0;
  for (let ms = 0; ms < 5_000; ms += FRAME_MS) {
    const next = stepScale(scale, layout, to, [], FRAME_MS);
    const step = next.midCents - scale.midCents;
    assert.ok(step >= -1e-6, "it never turns back");
    fastest = Math.max(fastest, step);
    if (ms === 0) {
      assert.ok(step < 30, `the first step is small: ${step}`);
    }
    scale = next;
  }
  assert.ok(fastest < 200, `${fastest} cents in one frame`);
  assert.ok(scale.midCents < to && scale.midCents > PRICE);
  const view = viewportOf(layout, scale, NOW_MS);
  const share = yOf(view, to) / layout.bottomPx;
  assert.ok(share > 0.3 && share < 0.5, `the price comes to rest at ${share} of the height`);
});

test("the scale is the same whether frames come often or seldom", () => {
  const layout = phone();
  const from = scaleAt(layout, PRICE);
  const to = PRICE + 20_000;
  const once = stepScale(from, layout, to, [], 400);
  let often = from;
  for (let frame = 0; frame < 40; frame += 1) {
    often = stepScale(often, layout, to, [], 10);
  }
  assert.ok(Math.abs(once.midCents - often.midCents) < 25, `${once.midCents} ${often.midCents}`);
});

test("it comes to rest, and then it is the same scale", () => {
  const layout = phone();
  const rested = followed(layout, scaleAt(layout, PRICE), PRICE + 9_000, [], 8_000);
  assert.equal(stepScale(rested, layout, PRICE + 9_000, [], FRAME_MS), rested);
});

test("an open bet stays in view while the price runs away from it", () => {
  const layout = phone();
  const bet = { loCents: 4_192_000, hiCents: 4_193_000 };
  const scale = followed(layout, scaleAt(layout, PRICE), PRICE + 7_000, [bet], 8_000);
  const view = viewportOf(layout, scale, NOW_MS);
  assert.ok(edgeY(view, bet.loCents) <= layout.bottomPx);
  assert.ok(yOf(view, PRICE + 7_000) > 0);
  const without = followed(layout, scaleAt(layout, PRICE), PRICE + 7_000, [], 8_000);
  assert.ok(edgeY(viewportOf(layout, without, NOW_MS), bet.loCents) > layout.bottomPx);
});

test("rows shrink for bets far apart, and grow again when they have ended", () => {
  const layout = phone();
  const bets = [
    { loCents: 4_189_000, hiCents: 4_190_000 },
    { loCents: 4_210_000, hiCents: 4_211_000 },
  ];
  const tight = followed(layout, scaleAt(layout, PRICE), PRICE, bets, 4_000);
  assert.ok(tight.rowPx < layout.rowPx);
  const view = viewportOf(layout, tight, NOW_MS);
  assert.ok(edgeY(view, 4_211_000) >= 0 && edgeY(view, 4_189_000) <= layout.bottomPx);
  assert.equal(followed(layout, tight, PRICE, [], 4_000).rowPx, layout.rowPx);
});

test("the price itself never leaves the view, however far away bets are", () => {
  const layout = phone();
  const bets = [{ loCents: 4_000_000, hiCents: 4_001_000 }];
  const scale = followed(layout, scaleAt(layout, PRICE), PRICE, bets, 8_000);
  const y = yOf(viewportOf(layout, scale, NOW_MS), PRICE);
  assert.ok(y > 0 && y < layout.bottomPx, `${y}`);
  assert.ok(scale.rowPx >= layout.rowPx * 0.69, "a row is not made too small to be tapped");
});

test("open bets are kept in view until their column has ended, ended ones are not", () => {
  const at = { columnStartS: 1_770_100_000, columnS: 5, loCents: 4_200_000, hiCents: 4_201_000 };
  /** @type {import("../../../web/state/state.js").Phase[]} */
  const phases = ["pending", "confirmed", "unknown", "won", "lost", "void"];
  const bets = phases.map((phase) => ({
    ...at,
    cellId: "1770100000_4200000_4201000",
    phase,
    betId: null,
    nonce: null,
    stakeMicros: 1_000_000,
    rewardBps: 20_000,
    payoutMicros: null,
    tappedAtMs: 0,
    phaseAtMs: 0,
  }));
  const kept = (/** @type {number} */ nowMs) => keptInView(bets, nowMs).map(({ phase }) => phase);
  assert.deepEqual(kept(1_770_100_004_999), ["pending", "confirmed", "unknown"]);
  assert.deepEqual(kept(1_770_100_005_000), []);
});

test("marks are as close as there is room for", () => {
  assert.equal(marksEvery(34, 26, [1, 2, 5]), 1);
  assert.equal(marksEvery(16, 26, [1, 2, 5]), 2);
  assert.equal(marksEvery(6, 26, [1, 2, 5]), 5);
  assert.equal(marksEvery(1, 26, [1, 2, 5]), 5);
});
