// What there is to say of a cell, for those who listen to it or read it: the table says it on every
// cell, the chart where its keyboard cursor stands. Pure.

import { placeableStartsS, rewardBps } from "./grid.js";
import { bandText, chipText, rateText, usdText } from "./numbers.js";

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
  const tappable = rules === null ? null : placeableStartsS(rules, nowMs);
  return {
    cell,
    columnS: rules?.column_s ?? quote?.column_s ?? 0,
    rewardBps: quote === null ? 0 : rewardBps(quote, cell),
    placeable:
      tappable !== null &&
      cell.columnStartS >= tappable.firstS &&
      cell.columnStartS <= tappable.lastS,
    held: bets[id] ?? null,
    refused: refused.findLast((tap) => tap.cellId === id) ?? null,
  };
}

/**
 * All of it in one line:
 *
 *     64,990 to 65,000, opens in 12 seconds, pays 1.85x
 *     64,990 to 65,000, runs now, 3 seconds left, your bet at 1.85x, 5 placed
 *
 * What can be read on the cell is said in the same words, so that who speaks to the page can name it.
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
  return bandText(loCents, hiCents);
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
export function stateWords({ held, refused, placeable, rewardBps: bps }) {
  if (held !== null) {
    const more = HELD_MORE[held.phase];
    return `your bet at ${rateText(held.rewardBps)}, ${heldWord(held)}${more === "" ? "" : `, ${more}`}`;
  }
  const why = refused === null ? "" : `, refused: ${refused.text}`;
  if (!placeable) {
    return `closed for taps${why}`;
  }
  return `${bps > 0 ? `pays ${rateText(bps)}` : "not offered"}${why}`;
}

/**
 * What became of a bet, short enough for a cell: `5 placed`, `won 9.25`, `5 refunded`.
 *
 * @param {Pick<HeldBet, "phase" | "stakeMicros" | "payoutMicros">} held
 */
export function heldWord({ phase, stakeMicros, payoutMicros }) {
  if (phase === "won") {
    return payoutMicros === null ? "won" : `won ${usdText(payoutMicros)}`;
  }
  return `${chipText(stakeMicros)} ${HELD_WORDS[phase]}`;
}

/** @type {Readonly<Record<Exclude<Phase, "won">, string>>} */
const HELD_WORDS = {
  pending: "sent",
  confirmed: "placed",
  unknown: "unknown",
  lost: "lost",
  void: "refunded",
};

/** @type {Readonly<Record<Phase, string>>} */
const HELD_MORE = {
  pending: "not confirmed yet",
  confirmed: "",
  unknown: "the connection was lost before an answer, the venue is being asked",
  won: "",
  lost: "",
  void: "it could not be judged",
};

/** @param {number} count */
function secondsWords(count) {
  return count === 1 ? "1 second" : `${count} seconds`;
}
