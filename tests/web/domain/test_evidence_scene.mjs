// What the chart of a bet's evidence shows, and where.

import assert from "node:assert/strict";
import { test } from "node:test";
import { roomFor, scaleOf, spread, stepsOf } from "../../../web/domain/evidence_layout.js";
import {
  distanceCents,
  inForceAt,
  sceneOfOpen,
  sceneOfProof,
  shownPoints,
} from "../../../web/domain/evidence_scene.js";
import { cases, named, proofOf } from "../support/verdicts.mjs";

const START_MS = 1_770_100_000_000;
const END_MS = START_MS + 5_000;
const FRAME = { left: 0, right: 264, top: 12, bottom: 208 };
const WON = sceneOfProof(proofOf(named("touch: the first of several decides")));
const LOST = sceneOfProof(proofOf(named("a lost bet stored as won")));

test("a chart spans the window and a little on either side", () => {
  assert.equal(WON.fromMs, START_MS - 800);
  assert.equal(WON.untilMs, END_MS + 800);
});

test("the tick that decided is marked, and only of a won bet", () => {
  assert.deepEqual(WON.deciding, { atMs: START_MS + 2_000, cents: 4_201_000 });
  assert.equal(LOST.deciding, null);
});

test("of a lost bet the price that came closest is marked, the one in force at the opening too", () => {
  assert.deepEqual(LOST.nearest, { atMs: START_MS - 500, cents: 4_199_999 });
  assert.equal(WON.nearest, null);
});

test("the lowest and the highest price in force are marked", () => {
  assert.deepEqual([LOST.low?.cents, LOST.high?.cents], [4_199_699, 4_199_999]);
});

test("the look is what comes out of the ticks, whatever the venue has stored", () => {
  assert.equal(sceneOfProof(proofOf(named("a won bet stored as lost"))).look, "won");
  assert.equal(LOST.look, "lost");
});

test("what could not be judged is a hole, open to the right where it had no end", () => {
  const silent = sceneOfProof(proofOf(named("10001 ms before a tick")));
  assert.deepEqual(silent.holes, [{ fromMs: START_MS - 6_001, untilMs: START_MS + 4_000 }]);
  const [stretch] = sceneOfProof(proofOf(named("critical from 4999 to None"))).holes;
  assert.equal(stretch?.fromMs, START_MS + 4_999);
  assert.ok((stretch?.untilMs ?? 0) > END_MS);
  assert.deepEqual(WON.holes, []);
});

test("all that is shown lies within the frame, of every proof there is", () => {
  for (const given of cases) {
    const scene = sceneOfProof(proofOf(given));
    const scale = scaleOf(scene, FRAME);
    for (const { cents } of shownPoints(scene)) {
      assert.ok(scale.y(cents) >= FRAME.top && scale.y(cents) <= FRAME.bottom, given.name);
    }
    assert.ok(scale.y(scene.hiCents) >= FRAME.top && scale.y(scene.loCents) <= FRAME.bottom);
    assert.ok(!/NaN|Infinity/.test(stepsOf(scene, scale)), given.name);
  }
});

test("a time on the chart and its place are the same, both ways", () => {
  const { x, atMs } = scaleOf(WON, FRAME);
  assert.equal(Math.round(atMs(x(START_MS + 1_234))), START_MS + 1_234);
  assert.equal(x(WON.fromMs), FRAME.left);
  assert.equal(x(WON.untilMs), FRAME.right);
});

test("a price holds until the next: steps, never slopes", () => {
  const scale = {
    x: (/** @type {number} */ ms) => ms - START_MS,
    y: (/** @type {number} */ c) => c,
    atMs: Number,
  };
  assert.equal(
    stepsOf({ ...WON, knownUntilMs: START_MS + 5_500 }, scale),
    "M-500 4199999H1000V4201001H2000V4201000H3000V4200500H5500",
  );
});

test("of the prices before the chart only the last is shown, at its edge", () => {
  const points = [-3_000, -2_000, 1_000].map((ms) => ({ atMs: START_MS + ms, cents: ms }));
  const scene = { ...WON, points };
  assert.deepEqual(
    shownPoints(scene).map(({ cents }) => cents),
    [-2_000, 1_000],
  );
  const scale = {
    x: (/** @type {number} */ ms) => ms - START_MS,
    y: (/** @type {number} */ c) => c,
    atMs: Number,
  };
  assert.ok(stepsOf(scene, scale).startsWith("M-800 -2000H1000V1000"));
});

test("the price under a pointer is the one in force then; none where none is known", () => {
  assert.equal(inForceAt(WON, START_MS + 2_500)?.cents, 4_201_000);
  assert.equal(inForceAt(WON, START_MS)?.cents, 4_199_999);
  assert.equal(inForceAt(WON, START_MS - 501), null);
  assert.equal(inForceAt(WON, WON.knownUntilMs + 1), null);
});

test("a price on an edge is no distance away", () => {
  const range = { loCents: 10, hiCents: 20 };
  assert.deepEqual(
    [7, 10, 15, 20, 24].map((cents) => distanceCents(range, cents)),
    [3, 0, 0, 0, 4],
  );
});

const CELL = { columnStartS: START_MS / 1000, columnS: 5, loCents: 4_200_000, hiCents: 4_201_000 };
const TRAIL = [-20_000, -12_000, -3_000, 500].map((ms) => ({
  ts_ms: START_MS + ms,
  price_cents: 4_200_500,
}));

test("an open bet is shown with the way to its window, and nothing is claimed of it", () => {
  const scene = sceneOfOpen({ cell: CELL, trail: TRAIL, nowMs: START_MS - 1_000 });
  assert.equal(scene.fromMs, START_MS - 11_000);
  assert.equal(scene.look, "open");
  assert.deepEqual(
    [scene.deciding, scene.nearest, scene.low, scene.high],
    [null, null, null, null],
  );
  assert.equal(shownPoints(scene).length, 3);
});

test("once its window has begun the chart is that of the window, and stands still", () => {
  const early = sceneOfOpen({ cell: CELL, trail: TRAIL, nowMs: START_MS });
  const late = sceneOfOpen({ cell: CELL, trail: TRAIL, nowMs: END_MS });
  assert.deepEqual([early.fromMs, early.untilMs], [START_MS - 800, END_MS + 800]);
  assert.deepEqual([late.fromMs, late.untilMs], [early.fromMs, early.untilMs]);
});

test("without a price there is the cell alone", () => {
  const scene = sceneOfOpen({ cell: CELL, trail: [], nowMs: START_MS });
  const scale = scaleOf(scene, FRAME);
  assert.equal(stepsOf(scene, scale), "");
  assert.ok(scale.y(CELL.hiCents) < scale.y(CELL.loCents));
});

test("labels make room for one another, and stay where they have it", () => {
  const edges = { top: 0, bottom: 100 };
  assert.deepEqual(spread([10, 50, 90], 16, edges), [10, 50, 90]);
  assert.deepEqual(spread([50, 50], 16, edges), [50, 66]);
  assert.deepEqual(spread([95, 90, 99], 16, edges), [84, 68, 100]);
  assert.deepEqual(spread([3, 1], 16, edges), [17, 1]);
});

test("the box of the deciding tick lies within the frame and hides neither it nor a calm price", () => {
  const scale = scaleOf(WON, FRAME);
  assert.ok(WON.deciding);
  const at = { x: scale.x(WON.deciding.atMs), y: scale.y(WON.deciding.cents) };
  const box = { at, width: 88, height: 38, away: 12 };
  const { left, top } = roomFor(WON, scale, FRAME, box);
  assert.ok(left >= FRAME.left && left + 88 <= FRAME.right);
  assert.ok(top >= FRAME.top && top + 38 <= FRAME.bottom);
  assert.ok(at.x < left || at.x > left + 88 || at.y < top || at.y > top + 38);
});
