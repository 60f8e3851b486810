// What the chart of a bet's evidence shows, in time and price. Pure; where that lies on the chart is
// evidence_layout.js, the drawing itself view/evidence_chart.js.

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
export function least(row, amount) {
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
