// May this tap be sent, and as what? Pure. The venue decides; what it would refuse for certain is
// not sent, and told at once.

/** @import { GridFrame } from "../types/wire.js" */
/** @import { HeldBet, Rules, Session, State } from "../state/state.js" */
/** @import { Cell } from "./grid.js" */
/** @import { RefusalCode } from "./refusal_words.js" */
/** @import { SuspensionKind } from "./suspension.js" */

import { cellId as idOf, onGrid, parseCellId, placeableStartsS, rewardBps } from "./grid.js";
import { refusalText } from "./refusal_words.js";
import { boundOver } from "./stakes.js";
import { suspension } from "./suspension.js";

/**
 * A tap that is worth sending.
 *
 * @typedef {object} Draft
 * @property {Cell} cell
 * @property {string} cellId
 * @property {number} columnS
 * @property {number} stakeMicros
 * @property {number} rewardBps the rate shown
 * @property {number} leastBps the least rate that the trader takes
 * @property {number} quoteN
 * @property {number} chainId
 * @property {string} wallet
 * @property {string} keyId
 */

/**
 * @typedef {object} Refusal
 * @property {RefusalCode} code
 * @property {string} text for people
 */

/** What there must be for anybody to tap. */
/** @typedef {{rules: Rules, quote: GridFrame}} Offer */

const BPS_PER_UNIT = 10_000;

/**
 * @param {State} state
 * @param {string} cellId
 * @param {number} nowMs by the venue's clock
 * @returns {{draft: Draft, refusal: null} | {draft: null, refusal: Refusal}}
 */
export function decideTap(state, cellId, nowMs) {
  const { rules, quote } = state.market;
  const cell = parseCellId(cellId);
  const key = state.session.key;
  const why = ofTrader(state.session, nowMs) ?? ofVenue(state, nowMs) ?? ofHeld(state, cellId);
  if (why !== null) {
    return { draft: null, refusal: why };
  }
  if (rules === null || quote === null || cell === null || key === null) {
    return { draft: null, refusal: say("cell_unavailable") };
  }
  const offer = { rules, quote };
  const refusal = ofCell(offer, cell, nowMs) ?? ofStake(state, offer);
  return refusal === null
    ? { draft: draftOf(state, offer, cell, key.keyId), refusal }
    : { draft: null, refusal };
}

/**
 * @param {State} state
 * @param {Offer} offer
 * @param {Cell} cell
 * @param {string} keyId
 * @returns {Draft}
 */
function draftOf({ session, view }, { rules, quote }, cell, keyId) {
  const shownBps = rewardBps(quote, cell);
  return {
    cell,
    cellId: idOf(cell),
    columnS: rules.column_s,
    stakeMicros: view.stakeMicros,
    rewardBps: shownBps,
    leastBps: Math.ceil((shownBps * (BPS_PER_UNIT - view.toleranceBps)) / BPS_PER_UNIT),
    quoteN: quote.n,
    chainId: rules.chain_id,
    wallet: session.wallet ?? "",
    keyId,
  };
}

/**
 * @param {Session} session
 * @param {number} nowMs
 * @returns {Refusal | null}
 */
function ofTrader({ phase, key, wallet }, nowMs) {
  switch (phase) {
    case "none":
      return say("not_signed_in");
    case "signing_in":
      return { code: "not_signed_in", text: "You are being signed in: tap again in a moment" };
    case "expired":
      return say("unauthorized");
    case "in":
      return wallet === null || key === null || key.expiresAtMs <= nowMs
        ? say("unauthorized", { key_id: "" })
        : null;
  }
}

/** @type {Readonly<Record<SuspensionKind, Refusal>>} */
const CLOSED = {
  connecting: { code: "not_sent", text: "Not connected: nothing was sent" },
  lost: { code: "not_sent", text: "Not connected: nothing was sent" },
  drained: say("draining"),
  draining: say("draining"),
  held: say("held"),
  breaker: { code: "held", text: "An operator has suspended betting" },
  feed: say("price_feed_stale"),
  disk_full: say("disk_full"),
  frozen: say("frozen"),
  paused: say("limit_reached", { limit: "paused" }),
  no_rates: { code: "cell_unavailable", text: "No rates are offered just now" },
};

/**
 * @param {State} state
 * @param {number} nowMs
 * @returns {Refusal | null}
 */
function ofVenue(state, nowMs) {
  const closed = suspension(state, nowMs);
  if (closed !== null) {
    return CLOSED[closed.kind];
  }
  return state.account === null
    ? { code: "not_sent", text: "Your account is being read: tap again in a moment" }
    : null;
}

/**
 * @param {State} state
 * @param {string} cellId
 */
function ofHeld(state, cellId) {
  return state.bets[cellId] === undefined ? null : say("cell_taken");
}

/**
 * @param {Offer} offer
 * @param {Cell} cell
 * @param {number} nowMs
 * @returns {Refusal | null}
 */
function ofCell({ rules, quote }, cell, nowMs) {
  const { firstS, lastS } = placeableStartsS(rules, nowMs);
  if (!onGrid(rules, cell)) {
    return say("cell_unavailable");
  }
  if (cell.columnStartS < firstS) {
    return { code: "cell_unavailable", text: "Too late for this cell" };
  }
  if (cell.columnStartS > lastS) {
    return { code: "cell_unavailable", text: "Too early for this cell" };
  }
  return rewardBps(quote, cell) === 0
    ? { code: "cell_unavailable", text: "No rate is offered on this cell" }
    : null;
}

/**
 * @param {State} state
 * @param {Offer} offer
 * @returns {Refusal | null}
 */
function ofStake(state, { rules }) {
  const { stakeMicros } = state.view;
  if (!rules.presets_micros.includes(stakeMicros)) {
    return say("bad_stake");
  }
  const bound = boundOver(state, stakeMicros);
  if (bound === null) {
    return null;
  }
  return bound.by === "balance"
    ? say("insufficient_funds")
    : say("limit_reached", { limit: bound.by, max_micros: bound.mostMicros });
}

/**
 * @param {RefusalCode} code
 * @param {Readonly<Record<string, unknown>>} [details]
 * @returns {Refusal}
 */
function say(code, details = {}) {
  return { code, text: refusalText(code, details) };
}

/**
 * The bet as it is held from the tap on.
 *
 * @param {Draft} draft
 * @param {string} nonce
 * @param {number} nowMs
 * @returns {HeldBet}
 */
export function pendingBet(
  { cell, cellId, columnS, stakeMicros, rewardBps: shownBps },
  nonce,
  nowMs,
) {
  return {
    ...cell,
    cellId,
    columnS,
    stakeMicros,
    rewardBps: shownBps,
    phase: "pending",
    betId: null,
    nonce,
    payoutMicros: null,
    tappedAtMs: nowMs,
    phaseAtMs: nowMs,
  };
}
