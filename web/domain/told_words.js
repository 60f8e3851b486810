// What is told to those who listen: what became of their taps and bets, in as few words as say it.
// Pure. Several things that happen at once are told as one.

import { bandWords } from "./cell_words.js";
import { parseCellId } from "./grid.js";
import { chipText, rateText, signedUsdText, usdText } from "./numbers.js";
import { refusalText } from "./refusal_words.js";

/** @import { BetResolvedFrame } from "../types/wire.js" */
/** @import { TradingEvent } from "../state/events.js" */

/**
 * One sentence or two for all that has happened since the last time; empty: nothing to tell.
 *
 * @param {readonly TradingEvent[]} events oldest first
 */
export function toldWords(events) {
  const confirmed = events.filter((event) => event.type === "bet:confirmed");
  const refused = events.map(refusedWords).filter((words) => words !== "");
  const ended = events.filter((event) => event.type === "bet:resolved");
  return [
    confirmedWords(confirmed),
    // The newest refusal is the one that a trader waits for.
    refused.at(-1) ?? "",
    endedWords(ended),
  ]
    .filter((words) => words !== "")
    .join(" ");
}

/** @param {TradingEvent} event */
function refusedWords(event) {
  switch (event.type) {
    case "page:refused":
      return sentence(event.refused.text);
    case "page:not_placed":
      return sentence(refusalText("not_sent", {}));
    default:
      return "";
  }
}

/** @param {readonly Extract<TradingEvent, {type: "bet:confirmed"}>[]} confirmed */
function confirmedWords(confirmed) {
  const [only, ...more] = confirmed;
  if (only === undefined) {
    return "";
  }
  if (more.length > 0) {
    return `${confirmed.length} bets confirmed.`;
  }
  const rate = rateText(only.reward_bps).replace("x", "");
  return `Bet of ${chipText(only.stake_micros)} confirmed at ${rate} times.`;
}

/** @param {readonly BetResolvedFrame[]} ended */
function endedWords(ended) {
  const [only, ...more] = ended;
  if (only === undefined) {
    return "";
  }
  if (more.length === 0) {
    return endedWord(only);
  }
  const counts = /** @type {const} */ (["won", "lost", "void"])
    .map((status) => [ended.filter((bet) => bet.status === status).length, status])
    .filter(([count]) => count !== 0);
  const result = ended.reduce((sum, bet) => sum + bet.payout_micros - bet.stake_micros, 0);
  const each = counts.map(([count, status]) => `${count} ${status}`).join(", ");
  return `${ended.length} bets ended: ${each}. Result ${signedUsdText(result)}.`;
}

/** @param {BetResolvedFrame} bet */
function endedWord({ cell_id, status, payout_micros }) {
  const cell = parseCellId(cell_id);
  const where = cell === null ? "" : ` on ${bandWords(cell)}`;
  switch (status) {
    case "won":
      return `Won ${usdText(payout_micros)}${where}.`;
    case "lost":
      return `Lost${where}.`;
    case "void":
      return `Void${where}, stake refunded.`;
  }
}

/** @param {string} text */
function sentence(text) {
  return text === "" || text.endsWith(".") ? text : `${text}.`;
}
