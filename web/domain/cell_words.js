// What there is to say of a cell, for those who listen to it or read it: the table says it on every
// cell, the chart where its keyboard cursor stands. Pure.

import { placeableStartsS, rewardBps } from "./grid.js";
import { chipText, priceText, rateText, usdText } from "./numbers.js";

/** @import { HeldBet, Phase, RefusedTap, State } from "../state/state.js" */
/** @import { Cell } from "./grid.js" */

/**
 * What is known of a cell at one time.
 *
 * @typedef {object} CellLook
 * @property {Cell} cell
 * @property {number} columnS width of its column
 * @property {number} rewardBps what a tap is offered now; 0: nothing
 * @property {boolean} placeable may its column still be tapped, as far as time goes?
 * @property {HeldBet | null} held the trader's bet on it
 * @property {RefusedTap | null} refused the newest refusal, while it is shown
 */

/** A sign of each phase, so that no color has to say it alone. */
export const PHASE_SIGNS = Object.freeze(
  /** @type {const} @satisfies {Record<Phase, string>} */ ({
    pending: "…",
    confirmed: "●",
    unknown: "?",
    won: "✓",
    lost: "–",
    void: "↩",
  }),
);

/**
 * What is known of a cell, from the state of the page.
 *
 * @param {Pick<State, "market" | "bets" | "refused">} state
 * @param {Cell} cell
 * @param {string} id the cell's
 * @param {number} nowMs by the venue's clock
 * @returns {CellLook}
 */
export function cellLook({ market, bets, refused }, cell, id, nowMs) {
  const { rules, quote } = market;
  const window = rules === null ? null : placeableStartsS(rules, nowMs);
  return {
    cell,
    columnS: rules?.column_s ?? quote?.column_s ?? 0,
    rewardBps: quote === null ? 0 : rewardBps(quote, cell),
    placeable:
      window !== null && cell.columnStartS >= window.firstS && cell.columnStartS <= window.lastS,
    held: bets[id] ?? null,
    refused: refused.findLast((tap) => tap.cellId === id) ?? null,
  };
}

/**
 * All of it in one line:
 *
 *     64,990 to 65,000, opens in 12 seconds, pays 1.85 times
 *     64,990 to 65,000, runs now, 3 seconds left, your bet of 5: confirmed at 1.85 times
 *
 * @param {CellLook} look
 * @param {number} nowMs by the venue's clock
 */
export function cellWords(look, nowMs) {
  return [bandWords(look.cell), timeWords(look, nowMs), stateWords(look)].join(", ");
}

/**
 * The price range: `64,990 to 65,000`; cents only where there are any.
 *
 * @param {Pick<Cell, "loCents" | "hiCents">} cell
 */
export function bandWords({ loCents, hiCents }) {
  return `${edgeText(loCents)} to ${edgeText(hiCents)}`;
}

/**
 * When its window is: `opens in 12 seconds`, `runs now, 3 seconds left`, `ended 8 seconds ago`.
 *
 * @param {Pick<CellLook, "cell" | "columnS">} look
 * @param {number} nowMs
 */
export function timeWords({ cell, columnS }, nowMs) {
  const opensMs = cell.columnStartS * 1000;
  const endsMs = opensMs + columnS * 1000;
  if (nowMs < opensMs) {
    return `opens in ${secondsWords(Math.ceil((opensMs - nowMs) / 1000))}`;
  }
  return nowMs < endsMs
    ? `runs now, ${secondsWords(Math.ceil((endsMs - nowMs) / 1000))} left`
    : `ended ${secondsWords(Math.floor((nowMs - endsMs) / 1000))} ago`;
}

/**
 * What a tap would be paid, or what became of one.
 *
 * @param {CellLook} look
 */
export function stateWords(look) {
  if (look.held !== null) {
    return `your bet of ${chipText(look.held.stakeMicros)}: ${heldWords(look.held)}`;
  }
  const offer = offerWords(look);
  return look.refused === null ? offer : `refused: ${look.refused.text}, ${offer}`;
}

/**
 * What became of a bet: `confirmed at 1.85 times`, `won, paid 9.25`, `void, stake refunded`.
 *
 * @param {Pick<HeldBet, "phase" | "rewardBps" | "payoutMicros">} held
 */
export function heldWords({ phase, rewardBps: bps, payoutMicros }) {
  switch (phase) {
    case "pending":
      return "sent, not confirmed yet";
    case "confirmed":
      return `confirmed at ${timesText(bps)} times`;
    case "unknown":
      return "connection lost before an answer, asking the venue";
    case "won":
      return payoutMicros === null ? "won" : `won, paid ${usdText(payoutMicros)}`;
    case "lost":
      return "lost";
    case "void":
      return "void, stake refunded";
  }
}

/** @param {CellLook} look */
function offerWords({ rewardBps: bps, placeable }) {
  if (!placeable) {
    return "closed for taps";
  }
  return bps > 0 ? `pays ${timesText(bps)} times` : "not offered";
}

/** @param {number} bps */
function timesText(bps) {
  return rateText(bps).replace("x", "");
}

/** @param {number} cents */
function edgeText(cents) {
  return priceText(cents).replace(/\.00$/, "");
}

/** @param {number} count */
function secondsWords(count) {
  return count === 1 ? "1 second" : `${count} seconds`;
}
