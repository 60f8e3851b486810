// What there is to know of one bet: its proof, with the hash of its ticks made here, and if it is the
// trader's own, what he staked.

import { hashLines } from "../domain/verdict.js";
import { Refused, Unreachable } from "./api.js";

/** @import { Bet, BetStatus, Proof, Rule } from "../types/wire.js" */
/** @import { Api } from "./api.js" */

/**
 * What anybody who has its link may know of a bet without a verdict.
 *
 * @typedef {object} Unjudged
 * @property {BetStatus} status
 * @property {Rule} rule
 * @property {string} cell_id
 * @property {number} column_start_s
 * @property {number} column_s
 * @property {number} lo_cents
 * @property {number} hi_cents
 */

/**
 * @typedef {(
 *   | {kind: "proof", proof: Proof, sha256: string | null, bet: Bet | null}
 *   | {kind: "open", open: Unjudged, bet: Bet | null}
 *   | {kind: "not_taken", open: Unjudged, bet: Bet | null}
 *   | {kind: "archived", weeks: readonly string[]}
 *   | {kind: "missing"}
 *   | {kind: "unreachable"}
 *   | {kind: "refused", text: string}
 * )} Found
 *
 * `sha256` is null where the browser makes no hashes: on a page that did not come over a secure
 * connection. `bet` is null where it is not the trader's own.
 */

const BET_ID = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/**
 * @param {Api} api
 * @param {string} betId
 * @returns {Promise<Found>} never rejects
 */
export async function findBet(api, betId) {
  if (!BET_ID.test(betId)) {
    return { kind: "missing" };
  }
  try {
    /** @type {Proof} */
    const proof = await api.get(proofPath(betId));
    const [sha256, bet] = await Promise.all([sha256Of(proof), ownBet(api, betId)]);
    return { kind: "proof", proof, sha256, bet };
  } catch (error) {
    return withoutProof(api, betId, error);
  }
}

/**
 * Where anybody reads the proof of a bet.
 *
 * @param {string} betId
 */
export function proofPath(betId) {
  return `/api/bets/${betId}/proof`;
}

/**
 * SHA-256 of the ticks, in hexadecimal; null: this browser makes none here.
 *
 * @param {Proof} proof
 * @returns {Promise<string | null>}
 */
export async function sha256Of(proof) {
  // Browsers hide it from pages that did not come over a secure connection.
  const subtle = /** @type {SubtleCrypto | undefined} */ (globalThis.crypto?.subtle);
  if (subtle === undefined) {
    return null;
  }
  const digest = await subtle.digest("SHA-256", new TextEncoder().encode(hashLines(proof)));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {Api} api
 * @param {string} betId
 * @param {unknown} error
 * @returns {Promise<Found>}
 */
async function withoutProof(api, betId, error) {
  if (error instanceof Unreachable) {
    return { kind: "unreachable" };
  }
  if (!(error instanceof Refused)) {
    throw error;
  }
  const open = /** @type {Unjudged | undefined} */ (error.details["bet"]);
  if (error.code === "not_found" && open !== undefined) {
    const kind = open.status === "insufficient_funds" ? "not_taken" : "open";
    return { kind, open, bet: await ownBet(api, betId) };
  }
  if (error.code === "archived") {
    const weeks = /** @type {string[] | undefined} */ (error.details["partitions"]);
    return { kind: "archived", weeks: weeks ?? [] };
  }
  return error.code === "not_found"
    ? { kind: "missing" }
    : { kind: "refused", text: error.message };
}

/**
 * The bet with its stake, if it is the trader's own. That it can't be had takes nothing from the
 * proof: it is shown without.
 *
 * @param {Api} api
 * @param {string} betId
 * @returns {Promise<Bet | null>}
 */
async function ownBet(api, betId) {
  if (api.token() === null) {
    return null;
  }
  try {
    return await api.get(`/api/bets/${betId}`);
  } catch (error) {
    if (error instanceof Refused || error instanceof Unreachable) {
      return null;
    }
    throw error;
  }
}
