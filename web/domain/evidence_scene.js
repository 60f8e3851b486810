// What the chart of a bet's evidence shows, in time and price, and where that lies on it. Pure; the
// drawing itself is view/evidence_chart.js.

import { inForce, recompute, silenceOf } from "./verdict.js";

/** @import { Impairment, Proof } from "../types/wire.js" */

/**
 * A price from its time on, until the next one.
 *
 * @typedef {object} Point
 * @property {number} atMs
 * @property {number} cents
 */

/**
 * @typedef {object} Scene
 * @property {number} fromMs what the chart spans
 * @property {number} untilMs
 * @property {number} startMs of the window
 * @property {number} endMs
 * @property {number} loCents of the cell
 * @property {number} hiCents
 * @property {readonly Point[]} points in order; the first may lie before the chart
 * @property {number} knownUntilMs how long the last price is known to have been in force
 * @property {readonly {fromMs: number, untilMs: number}[]} holes that can't be judged
 * @property {Point | null} deciding
 * @property {Point | null} nearest of a lost bet: the price that came closest to the cell
 * @property {Point | null} low in force in the window
 * @property {Point | null} high
 * @property {"won" | "lost" | "void" | "open"} look
 * @property {number | null} nowMs while it is open
 */

/** How much is shown before and after the window, in windows. */
const BESIDE = 0.16;
/** Of an open bet: how much of the past is shown while the window is still to come. */
const PAST_MS = 10_000;
/** Above and below the prices and the cell, in what they span. */
const AROUND = 0.14;

/**
 * The chart of a proof.
 *
 * @param {Proof} proof
 * @returns {Scene}
 */
export function sceneOfProof(proof) {
  const verdict = recompute(proof);
  const { window_start_ms: startMs, window_end_ms: endMs, after } = proof;
  const besideMs = (endMs - startMs) * BESIDE;
  const points = inForce(proof).map(pointOf);
  const range = { loCents: proof.lo_cents, hiCents: proof.hi_cents };
  const deciding = verdict.decidingTick;
  return {
    ...range,
    ...extremes(points),
    fromMs: startMs - besideMs,
    untilMs: endMs + besideMs,
    startMs,
    endMs,
    points,
    knownUntilMs: after?.ts_ms ?? proof.read_at_ms,
    holes: holesOf(proof),
    deciding: deciding === null ? null : pointOf(deciding),
    nearest: verdict.outcome === "lost" ? nearestOf(points, range) : null,
    look: verdict.outcome,
    nowMs: null,
  };
}

/**
 * The chart of a bet whose window is still to come, or has not been judged. It says nothing of how
 * the bet stands: what is shown on the page is not the record.
 *
 * @param {object} open
 * @param {{columnStartS: number, columnS: number, loCents: number, hiCents: number}} open.cell
 * @param {readonly {ts_ms: number, price_cents: number}[]} open.trail
 * @param {number} open.nowMs
 * @returns {Scene}
 */
export function sceneOfOpen({ cell, trail, nowMs }) {
  const startMs = cell.columnStartS * 1000;
  const endMs = startMs + cell.columnS * 1000;
  const besideMs = cell.columnS * 1000 * BESIDE;
  const fromMs = Math.min(startMs - besideMs, nowMs - PAST_MS);
  const points = trail.map(pointOf);
  const first = points.findLastIndex(({ atMs }) => atMs <= fromMs);
  return {
    fromMs: nowMs >= startMs ? startMs - besideMs : fromMs,
    untilMs: endMs + besideMs,
    startMs,
    endMs,
    loCents: cell.loCents,
    hiCents: cell.hiCents,
    points: points.slice(Math.max(0, first)),
    knownUntilMs: nowMs,
    holes: [],
    deciding: null,
    nearest: null,
    low: null,
    high: null,
    look: "open",
    nowMs,
  };
}

/**
 * @typedef {object} Frame
 * @property {number} left of the plot, in pixels
 * @property {number} right
 * @property {number} top
 * @property {number} bottom
 */

/**
 * Where a time and a price lie.
 *
 * @typedef {object} Scale
 * @property {(atMs: number) => number} x
 * @property {(cents: number) => number} y
 * @property {(x: number) => number} atMs
 */

/**
 * @param {Scene} scene
 * @param {Frame} frame
 * @returns {Scale}
 */
export function scaleOf(scene, { left, right, top, bottom }) {
  const { fromMs, untilMs } = scene;
  const prices = shownPoints(scene).map(({ cents }) => cents);
  const lowest = Math.min(scene.loCents, ...prices);
  const highest = Math.max(scene.hiCents, ...prices);
  const aroundCents = (highest - lowest) * AROUND;
  const [lowCents, highCents] = [lowest - aroundCents, highest + aroundCents];
  const pxPerMs = (right - left) / (untilMs - fromMs);
  const pxPerCent = (bottom - top) / (highCents - lowCents);
  return {
    x: (atMs) => left + (atMs - fromMs) * pxPerMs,
    y: (cents) => top + (highCents - cents) * pxPerCent,
    atMs: (x) => fromMs + (x - left) / pxPerMs,
  };
}

/**
 * Those that can be seen: of the ones before the chart only the last, which is in force at its edge.
 *
 * @param {Scene} scene
 * @returns {readonly Point[]}
 */
export function shownPoints({ points, fromMs, untilMs }) {
  const first = points.findLastIndex(({ atMs }) => atMs <= fromMs);
  return points.slice(Math.max(0, first)).filter(({ atMs }) => atMs <= untilMs);
}

/**
 * The price as steps, for the `d` of a path: each holds until the next.
 *
 * @param {Scene} scene
 * @param {Scale} scale
 */
export function stepsOf(scene, { x, y }) {
  const shown = shownPoints(scene);
  const [first] = shown;
  if (first === undefined) {
    return "";
  }
  const lastMs = Math.min(scene.knownUntilMs, scene.untilMs);
  const steps = shown.slice(1).map(({ atMs, cents }) => `H${px(x(atMs))}V${px(y(cents))}`);
  const from = `M${px(x(Math.max(first.atMs, scene.fromMs)))} ${px(y(first.cents))}`;
  return `${from}${steps.join("")}H${px(x(Math.max(lastMs, shown.at(-1)?.atMs ?? lastMs)))}`;
}

/**
 * The price in force at a time, or null: none is known.
 *
 * @param {Scene} scene
 * @param {number} atMs
 */
export function inForceAt({ points, knownUntilMs }, atMs) {
  return atMs > knownUntilMs ? null : (points.findLast((point) => point.atMs <= atMs) ?? null);
}

/**
 * How far a price lies from the cell, in cents; 0: within.
 *
 * @param {{loCents: number, hiCents: number}} range
 * @param {number} cents
 */
export function distanceCents({ loCents, hiCents }, cents) {
  return Math.max(loCents - cents, cents - hiCents, 0);
}

/**
 * Labels moved apart so that none covers another, each as near to its place as can be, and none
 * beyond the edges while there is room.
 *
 * @param {readonly number[]} places in any order
 * @param {number} apart least distance
 * @param {{top: number, bottom: number}} edges
 * @returns {number[]} in the same order
 */
export function spread(places, apart, { top, bottom }) {
  const order = places
    .map((_, index) => index)
    .sort((one, two) => at(places, one) - at(places, two));
  const moved = [...places];
  let least = top;
  for (const index of order) {
    moved[index] = Math.max(at(moved, index), least);
    least = at(moved, index) + apart;
  }
  let most = bottom;
  for (const index of order.reverse()) {
    moved[index] = Math.min(at(moved, index), most);
    most = at(moved, index) - apart;
  }
  return moved;
}

/**
 * @param {readonly number[]} row
 * @param {number} index
 */
function at(row, index) {
  return /** @type {number} */ (row[index]);
}

/** @param {{ts_ms: number, price_cents: number}} tick */
function pointOf({ ts_ms: atMs, price_cents: cents }) {
  return { atMs, cents };
}

/**
 * @param {readonly Point[]} points
 * @returns {{low: Point | null, high: Point | null}}
 */
function extremes(points) {
  return {
    low: least(points, ({ cents }) => cents),
    high: least(points, ({ cents }) => -cents),
  };
}

/**
 * @param {readonly Point[]} points
 * @param {{loCents: number, hiCents: number}} range
 */
export function nearestOf(points, range) {
  return least(points, ({ cents }) => distanceCents(range, cents));
}

/**
 * The first of those that have the least of something.
 *
 * @template T
 * @param {readonly T[]} row
 * @param {(one: T) => number} amount
 * @returns {T | null}
 */
function least(row, amount) {
  return row.reduce(
    (best, one) => (best === null || amount(one) < amount(best) ? one : best),
    /** @type {T | null} */ (null),
  );
}

/** @param {Proof} proof */
function holesOf(proof) {
  if (proof.void_reason === null) {
    return [];
  }
  const stretches = proof.health_intervals.map(stretchOf);
  const silence = silenceOf(proof);
  return silence === null ? stretches : [...stretches, silence];
}

/** @param {Impairment} stretch */
function stretchOf({ from_ms: fromMs, until_ms: untilMs }) {
  return { fromMs, untilMs: untilMs ?? Number.MAX_SAFE_INTEGER };
}

/** @param {number} value */
function px(value) {
  return Math.round(value * 10) / 10;
}

/**
 * Where a box beside a point covers least of the price: above, below, left or right of it.
 *
 * @param {Scene} scene
 * @param {Scale} scale
 * @param {Frame} frame
 * @param {object} box
 * @param {{x: number, y: number}} box.at
 * @param {number} box.width
 * @param {number} box.height
 * @param {number} box.away from the point
 * @returns {{left: number, top: number}}
 */
export function roomFor(scene, scale, frame, { at: point, width, height, away }) {
  const { x, y } = point;
  const places = [
    [x - width / 2, y - away - height],
    [x - width / 2, y + away],
    [x + away, y - away - height],
    [x - away - width, y - away - height],
    [x + away, y + away],
    [x - away - width, y + away],
    [x + away, y - height / 2],
    [x - away - width, y - height / 2],
  ]
    .map(([left = 0, top = 0]) => ({
      left: Math.max(frame.left, Math.min(frame.right - width, left)),
      top: Math.max(frame.top, Math.min(frame.bottom - height, top)),
    }))
    .filter(({ left, top }) => !isWithin({ left, top, width, height }, x, y, away / 2));
  const covered = (/** @type {{left: number, top: number}} */ place) =>
    coveredPx(scene, scale, { ...place, width, height });
  return least(places, covered) ?? { left: x + away, top: y + away };
}

/**
 * @param {{left: number, top: number, width: number, height: number}} box
 * @param {number} x
 * @param {number} y
 * @param {number} around
 */
function isWithin({ left, top, width, height }, x, y, around) {
  return (
    x > left - around && x < left + width + around && y > top - around && y < top + height + around
  );
}

/**
 * How much of the price a box would hide, by its steps.
 *
 * @param {Scene} scene
 * @param {Scale} scale
 * @param {{left: number, top: number, width: number, height: number}} box
 */
function coveredPx(scene, { x, y }, { left, top, width, height }) {
  const shown = shownPoints(scene);
  return shown.reduce((sum, { atMs, cents }, index) => {
    const next = shown[index + 1];
    const [from, to] = [x(atMs), x(next?.atMs ?? scene.knownUntilMs)];
    const [level, then] = [y(cents), y(next?.cents ?? cents)];
    const isLevel = level > top && level < top + height;
    const isUpright = to > left && to < left + width;
    const along = isLevel ? overlapPx(from, to, left, left + width) : 0;
    const up = isUpright
      ? overlapPx(Math.min(level, then), Math.max(level, then), top, top + height)
      : 0;
    return sum + along + up;
  }, 0);
}

/**
 * @param {number} from
 * @param {number} to
 * @param {number} least
 * @param {number} most
 */
function overlapPx(from, to, least, most) {
  return Math.max(0, Math.min(to, most) - Math.max(from, least));
}
