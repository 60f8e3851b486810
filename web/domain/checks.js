// What can be checked of a proof, one by one, each in words: what the venue says beside what comes
// out of the ticks. Pure.

import { parseCellId } from "./grid.js";
import { payoutMicros, priceText, usdText } from "./numbers.js";
import { pairs, recompute, voidWhenRead } from "./verdict.js";

/** @import { Bet, Outcome, Proof } from "../types/wire.js" */
/** @import { Verdict } from "./verdict.js" */

/**
 * @typedef {("hash" | "count" | "inside" | "order" | "carry_in" | "after" | "window" | "void"
 *   | "complete" | "outcome" | "deciding" | "bounds" | "venue" | "rule" | "payout")} CheckName
 */

/**
 * @typedef {object} Check
 * @property {CheckName} name
 * @property {boolean | null} holds null: it can't be checked here
 * @property {string} text what holds, or what does not
 */

/**
 * What a proof is checked against.
 *
 * @typedef {object} Known
 * @property {string} betId that the proof was asked for by
 * @property {string | null} sha256 of its ticks, made here; null: this browser makes none
 * @property {Pick<Bet, "rule" | "column_s" | "stake_micros" | "reward_bps" | "payout_micros"
 *   | "status"> | null} bet the trader's own; null: it is another's
 */

/**
 * @param {Proof} proof
 * @param {Known} known
 * @returns {readonly Check[]}
 */
export function checksOf(proof, known) {
  const verdict = recompute(proof);
  const own = known.bet === null ? [] : ownChecks(proof, known.bet, verdict);
  return [
    check("window", isOfThisBet(proof, known), {
      so: "The proof is of this bet, its cell and its window",
      not: "The proof is of another bet, cell or window",
    }),
    hashCheck(proof, known.sha256),
    ...tickChecks(proof),
    ...voidChecks(proof),
    outcomeCheck(proof, verdict),
    check("deciding", sameTick(proof.deciding_tick, verdict.decidingTick), {
      so: verdict.decidingTick === null ? "No tick decided it" : "The same tick decided it",
      not: "Another tick decided it than the venue says",
    }),
    check("bounds", boundsAgree(proof, verdict), {
      so: boundsText(verdict),
      not: `The lowest and highest price are not as told. ${boundsText(verdict)}`,
    }),
    check("venue", proof.faults.length === 0, {
      so: "The venue knows of no fault in this proof",
      not: `The venue itself says: ${proof.faults.join("; ")}`,
    }),
    ...own,
  ];
}

/**
 * Those that do not hold; empty: the result follows from the ticks.
 *
 * @param {readonly Check[]} checks
 */
export function faultsOf(checks) {
  return checks.filter(({ holds }) => holds === false);
}

/**
 * What all of them come to. That it holds is said only where nothing was left unchecked.
 *
 * @param {readonly Check[]} checks
 */
export function summaryOf(checks) {
  const faults = faultsOf(checks).length;
  const unchecked = checks.filter(({ holds }) => holds === null).length;
  if (faults > 0) {
    return `It does not hold: ${faults} of ${checks.length} checks failed.`;
  }
  return unchecked > 0
    ? `What could be checked holds; ${unchecked} of ${checks.length} could not be.`
    : "It holds. Your browser came to the same result.";
}

/**
 * @param {CheckName} name
 * @param {boolean} holds
 * @param {{so: string, not: string}} words
 * @returns {Check}
 */
function check(name, holds, { so, not }) {
  return { name, holds, text: holds ? so : not };
}

/**
 * @param {Proof} proof
 * @param {string | null} sha256
 * @returns {Check}
 */
function hashCheck(proof, sha256) {
  if (sha256 === null) {
    const text = "The hash can't be made here: the page came over a connection that is not secure";
    return { name: "hash", holds: null, text };
  }
  return check("hash", sha256 === proof.ticks_sha256, {
    so: "The ticks match the hash that was stored with the result",
    not: "The ticks do not match the hash that was stored with the result",
  });
}

/**
 * The width of the column is the trader's to know; of another's bet only that there is one.
 *
 * @param {Proof} proof
 * @param {Known} known
 */
function isOfThisBet(proof, { betId, bet }) {
  const cell = parseCellId(proof.cell_id);
  const widthMs = proof.window_end_ms - proof.window_start_ms;
  return (
    proof.bet_id === betId &&
    cell !== null &&
    cell.columnStartS * 1000 === proof.window_start_ms &&
    cell.loCents === proof.lo_cents &&
    cell.hiCents === proof.hi_cents &&
    (bet === null ? widthMs > 0 : widthMs === bet.column_s * 1000)
  );
}

/**
 * The ticks lie where they are said to lie, in order: else a hash proves nothing.
 *
 * @param {Proof} proof
 * @returns {Check[]}
 */
function tickChecks(proof) {
  const { ticks, window_start_ms: startMs, window_end_ms: endMs } = proof;
  const isInWindow = ticks.every(({ ts_ms: atMs }) => startMs <= atMs && atMs < endMs);
  const isInOrder = pairs(ticks).every(([before, tick]) => before.ts_ms <= tick.ts_ms);
  const carried = proof.carry_in;
  const many = ticks.length === 1 ? "1 tick" : `${ticks.length} ticks`;
  return [
    check("count", ticks.length === proof.tick_count, {
      so: `${many}, as many as the venue says`,
      not: `${many}, and the venue says ${proof.tick_count}`,
    }),
    check("inside", isInWindow, {
      so: "All of them lie in the window",
      not: "A tick lies outside of the window",
    }),
    check("order", isInOrder, { so: "They are in order of time", not: "They are out of order" }),
    check("carry_in", carried === null || carried.ts_ms < startMs, {
      so:
        carried === null
          ? "No price before the window"
          : "The price in force at the opening came before the window",
      not: "The price in force at the opening did not come before the window",
    }),
    check("after", proof.after === null || proof.after.ts_ms >= endMs, {
      so:
        proof.after === null
          ? "No later tick was on record"
          : "The next tick came after the window",
      not: "The next tick did not come after the window",
    }),
  ];
}

/**
 * @param {Proof} proof
 * @returns {Check[]}
 */
function voidChecks(proof) {
  const stored = proof.void_reason;
  if (stored === "operator") {
    // Given by a person, which no tick can show or deny.
    return [check("void", true, { so: "An operator gave it back; no tick can show why", not: "" })];
  }
  const found = voidWhenRead(proof);
  const isComplete = stored !== null || found !== null || proof.after !== null;
  return [
    check("void", found === stored, {
      so: stored === null ? "The window could be judged" : "The window could not be judged",
      not:
        found === null
          ? "The ticks do not show why it was given back"
          : "The window could not be judged, and the stake was owed back",
    }),
    check("complete", isComplete, {
      so: "It was judged once the window's end was on record",
      not: "It was judged before the window's end was on record",
    }),
  ];
}

/**
 * @param {Proof} proof
 * @param {Verdict} verdict
 */
function outcomeCheck(proof, { outcome }) {
  const isSame = outcome === proof.status && outcome === proof.outcome;
  const said = proof.status === outcome ? proof.outcome : proof.status;
  return check("outcome", isSame, {
    so: `By rule ${proof.rule} it was ${outcome}, as the venue says`,
    not: `By rule ${proof.rule} it was ${outcome}, and the venue says ${said}`,
  });
}

/**
 * @param {Proof} proof
 * @param {Verdict} verdict
 */
function boundsAgree(proof, { lowCents, highCents }) {
  return proof.low_cents === lowCents && proof.high_cents === highCents;
}

/** @param {Verdict} verdict */
function boundsText({ lowCents, highCents }) {
  return lowCents === null || highCents === null
    ? "No price in the window"
    : `Ticks of the window from ${priceText(lowCents)} to ${priceText(highCents)}`;
}

/**
 * @param {Proof} proof
 * @param {NonNullable<Known["bet"]>} bet
 * @param {Verdict} verdict
 * @returns {Check[]}
 */
function ownChecks(proof, bet, { outcome }) {
  const owed = owedMicros(bet, outcome);
  const paid = bet.payout_micros ?? 0;
  return [
    check("rule", bet.rule === proof.rule && bet.status === proof.status, {
      so: `Your bet says rule ${bet.rule}, too`,
      not: `Your bet says rule ${bet.rule} and ${bet.status}`,
    }),
    check("payout", paid === owed, {
      so: `Paid ${usdText(paid)}, as owed`,
      not: `Paid ${usdText(paid)}, and ${usdText(owed)} is owed`,
    }),
  ];
}

/**
 * What a bet that ends so is credited with.
 *
 * @param {{stake_micros: number, reward_bps: number}} bet
 * @param {Outcome} outcome
 */
function owedMicros({ stake_micros: stakeMicros, reward_bps: rewardBps }, outcome) {
  if (outcome === "won") {
    return payoutMicros(stakeMicros, rewardBps);
  }
  return outcome === "void" ? stakeMicros : 0;
}

/**
 * @param {Proof["carry_in"]} one
 * @param {Proof["carry_in"]} other
 */
function sameTick(one, other) {
  return (
    one === other ||
    (one !== null &&
      other !== null &&
      one.source === other.source &&
      one.ts_ms === other.ts_ms &&
      one.trade_id === other.trade_id &&
      one.price_cents === other.price_cents)
  );
}
