// Why a bet ended as it did, judged anew from the ticks of its proof alone. domain/resolution.py and
// domain/evidence.py say the same; both are held to tests/vectors/verdicts.json. Pure: the hash
// itself is made in io/proofs.js.
//
// What the venue says of the result (`outcome`, `status`, `deciding_tick`) is never looked at here;
// checks.js lays it beside what comes out.

/** @import { Impairment, Outcome, Proof, Tick, VoidReason } from "../types/wire.js" */

/** Ticks further apart than this leave a hole that can't be judged. */
const GAP_MAX_MS = 10_000;
/** A window not judged this long after its end is void. */
const UNJUDGED_MAX_MS = 60_000;

/**
 * What a verdict rests on.
 *
 * @typedef {Pick<Proof, "rule" | "window_start_ms" | "window_end_ms" | "lo_cents" | "hi_cents"
 *   | "carry_in" | "ticks" | "after" | "read_at_ms" | "health_intervals" | "void_reason">} Grounds
 */

/**
 * @typedef {object} Verdict
 * @property {Outcome} outcome
 * @property {VoidReason | null} voidReason
 * @property {Tick | null} decidingTick the one that won; null if lost or void
 * @property {Tick | null} crossedFrom rule `path`: the tick before, if the two lie on either side
 * @property {number | null} lowCents of the ticks in the window
 * @property {number | null} highCents
 */

/**
 * The result of a bet by its rule.
 *
 * @param {Grounds} proof
 * @returns {Verdict}
 */
export function recompute(proof) {
  const voidReason = voidOf(proof) ?? proof.void_reason;
  const prices = proof.ticks.map((tick) => tick.price_cents);
  const decided = voidReason === null ? decide(proof) : { decidingTick: null, crossedFrom: null };
  return {
    outcome: voidReason !== null ? "void" : decided.decidingTick === null ? "lost" : "won",
    voidReason,
    ...decided,
    lowCents: prices.length === 0 ? null : Math.min(...prices),
    highCents: prices.length === 0 ? null : Math.max(...prices),
  };
}

/**
 * What the hash of the ticks is made over: a line of each, the one in force at the opening first.
 *
 * @param {Pick<Proof, "carry_in" | "ticks">} proof
 */
export function hashLines(proof) {
  return inForce(proof)
    .map((tick) => `${tick.source},${tick.ts_ms},${tick.price_cents},${tick.trade_id}\n`)
    .join("");
}

/**
 * The price in force at the opening, then the ticks of the window.
 *
 * @param {Pick<Proof, "carry_in" | "ticks">} proof
 * @returns {readonly Tick[]}
 */
export function inForce({ carry_in: carryIn, ticks }) {
  return carryIn === null ? ticks : [carryIn, ...ticks];
}

/**
 * Why the window can't be judged, or null. This comes before any other rule.
 *
 * @param {Grounds} proof
 * @returns {VoidReason | null}
 */
function voidOf(proof) {
  const kinds = proof.health_intervals
    .filter((one) => overlaps(one, proof))
    .map(({ kind }) => kind);
  if (kinds.includes("critical")) {
    return "feed_critical";
  }
  if (kinds.includes("down")) {
    return "not_running";
  }
  if (proof.carry_in === null) {
    return "no_price";
  }
  const steps = pairs(known(proof));
  if (steps.some(([before, tick]) => before.source !== tick.source)) {
    return "source_changed";
  }
  return silenceOf(proof) === null ? null : "tick_gap";
}

/**
 * The same as of when the record was read: one that was read too late is void whatever it says.
 *
 * @param {Grounds} proof
 * @returns {VoidReason | null}
 */
export function voidWhenRead(proof) {
  const late = proof.read_at_ms >= proof.window_end_ms + UNJUDGED_MAX_MS;
  return voidOf(proof) ?? (late ? "not_judged_in_time" : null);
}

/**
 * The first silence of the feed that is too long to judge by, or null. With no tick after the
 * window it lasted until the record was read.
 *
 * @param {Pick<Proof, "carry_in" | "ticks" | "after" | "read_at_ms">} proof
 * @returns {{fromMs: number, untilMs: number} | null}
 */
export function silenceOf(proof) {
  const ticks = known(proof);
  const times = ticks.map((tick) => tick.ts_ms);
  if (proof.after === null && ticks.length > 0) {
    times.push(proof.read_at_ms);
  }
  const found = pairs(times).find(([fromMs, untilMs]) => untilMs - fromMs > GAP_MAX_MS);
  return found === undefined ? null : { fromMs: found[0], untilMs: found[1] };
}

/**
 * Is a price in the range? It is closed: both edges win.
 *
 * @param {{lo_cents: number, hi_cents: number}} range
 * @param {number} priceCents
 */
export function isInside({ lo_cents: loCents, hi_cents: hiCents }, priceCents) {
  return loCents <= priceCents && priceCents <= hiCents;
}

/** @param {Grounds} proof */
function decide(proof) {
  /** @type {Tick | null} */
  let previous = null;
  for (const tick of inForce(proof)) {
    if (isInside(proof, tick.price_cents)) {
      return { decidingTick: tick, crossedFrom: null };
    }
    if (proof.rule === "path" && previous !== null && onEitherSide(proof, previous, tick)) {
      return { decidingTick: tick, crossedFrom: previous };
    }
    previous = tick;
  }
  return { decidingTick: null, crossedFrom: null };
}

/**
 * @param {Grounds} proof
 * @param {Tick} before
 * @param {Tick} tick neither of them in the range
 */
function onEitherSide({ lo_cents: loCents }, before, tick) {
  return before.price_cents < loCents !== tick.price_cents < loCents;
}

/**
 * @param {Impairment} stretch
 * @param {Grounds} proof
 */
function overlaps({ from_ms: fromMs, until_ms: untilMs }, proof) {
  return (untilMs === null || untilMs > proof.window_start_ms) && fromMs < proof.window_end_ms;
}

/**
 * @param {Pick<Proof, "carry_in" | "ticks" | "after">} proof
 * @returns {readonly Tick[]}
 */
function known(proof) {
  return proof.after === null ? inForce(proof) : [...inForce(proof), proof.after];
}

/**
 * @template T
 * @param {readonly T[]} row
 * @returns {[T, T][]}
 */
export function pairs(row) {
  return row.slice(1).map((later, index) => [/** @type {T} */ (row[index]), later]);
}
