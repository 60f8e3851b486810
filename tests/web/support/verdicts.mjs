// Bets and proofs of tests/vectors/verdicts.json, as the venue answers them.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { hashLines } from "../../../web/domain/verdict.js";

/** @import { Proof, Tick } from "../../../web/types/wire.js" */

export const { cases } = JSON.parse(
  readFileSync(new URL("../../vectors/verdicts.json", import.meta.url), "utf8"),
);
export const BET_ID = "01HZX3Y4Z5A6B7C8D9E0F1G2H3";

/** @param {Pick<Proof, "carry_in" | "ticks">} proof */
export function sha256(proof) {
  return createHash("sha256").update(hashLines(proof)).digest("hex");
}

/**
 * @param {[string, number, number, number] | null} row
 * @returns {Tick | null}
 */
export function tickOf(row) {
  if (row === null) {
    return null;
  }
  const [source, ts_ms, price_cents, trade_id] = row;
  return { source, ts_ms, price_cents, trade_id };
}

/**
 * The proof that the venue answers for a bet of the vectors.
 *
 * @param {any} given
 * @returns {Proof}
 */
export function proofOf({ claim, record, ...given }) {
  const ticks = /** @type {Tick[]} */ (record.ticks.map(tickOf));
  const prices = ticks.map((tick) => tick.price_cents);
  return {
    bet_id: BET_ID,
    cell_id: `${claim.column_start_s}_${claim.lo_cents}_${claim.hi_cents}`,
    rule: given.rule,
    source: ticks.at(-1)?.source ?? null,
    window_start_ms: record.start_ms,
    window_end_ms: record.end_ms,
    lo_cents: claim.lo_cents,
    hi_cents: claim.hi_cents,
    outcome: given.outcome,
    status: claim.outcome,
    void_reason: given.stored_void,
    faults: [],
    deciding_tick: tickOf(given.deciding_tick),
    carry_in: tickOf(record.carry_in),
    after: tickOf(record.after),
    tick_count: ticks.length,
    low_cents: prices.length === 0 ? null : Math.min(...prices),
    high_cents: prices.length === 0 ? null : Math.max(...prices),
    ticks_sha256: given.ticks_sha256,
    watermark_ms: record.watermark_ms,
    read_at_ms: record.read_at_ms,
    health_intervals: record.impairments.map(
      (/** @type {["critical" | "down", number, number | null]} */ [kind, from_ms, until_ms]) => ({
        kind,
        from_ms,
        until_ms,
      }),
    ),
    ticks,
  };
}

/**
 * The trader's own bet of the vectors.
 *
 * @param {any} given
 */
export function betOf({ claim }) {
  const { rule, column_s, stake_micros, reward_bps, outcome: status, paid_micros } = claim;
  return { rule, column_s, stake_micros, reward_bps, status, payout_micros: paid_micros };
}

/** @param {string} name */
export function named(name) {
  const found = cases.find((/** @type {any} */ one) => one.name === name);
  assert.ok(found, name);
  return found;
}
