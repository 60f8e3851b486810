// The figures of a bet: what was staked, when, on what, by which rule, and what it rests on.

import { dayText, rangeText } from "../../domain/evidence_words.js";
import { clockText, rateText, usdText } from "../../domain/numbers.js";
import { make } from "../dom.js";
import { copyButton } from "./copy.js";

/** @import { Bet, Proof, Rule } from "../../types/wire.js" */

/** @typedef {[string, string | Node]} Figure */

/** @type {Readonly<Record<Rule, string>>} */
const RULES = {
  touch: "Touch: a price inside the cell wins, its edges included",
  path: "Path: a price inside the cell wins, or two in a row on either side of it",
};
/** So much of either end of a hash or an id tells two apart for the eye. */
const SHOWN_ENDS = 6;

/**
 * What was staked, and what came of it; of another's bet nothing is known.
 *
 * @param {Bet | null} bet
 * @returns {Figure[]}
 */
export function stakeFigures(bet) {
  if (bet === null) {
    return [];
  }
  const payout = bet.payout_micros;
  return [
    ["Stake", `${usdText(bet.stake_micros)} USD`],
    ["Rate", rateText(bet.reward_bps)],
    ["Payout", payout === null ? "Not decided" : `${usdText(payout)} USD`],
    ["Placed", clockText(bet.placed_at_ms)],
  ];
}

/**
 * The cell and its window.
 *
 * @param {object} bet
 * @param {{lo_cents: number, hi_cents: number}} bet.range
 * @param {number} bet.startMs
 * @param {number} bet.endMs
 * @param {Rule} bet.rule
 * @returns {Figure[]}
 */
export function cellFigures({ range, startMs, endMs, rule }) {
  return [
    ["Cell", `${rangeText(range)} USD`],
    ["Window", `${clockText(startMs)} to ${clockText(endMs)}`],
    ["Day", `${dayText(startMs)}, local time`],
    ["Rule", RULES[rule]],
  ];
}

/**
 * What the result rests on.
 *
 * @param {Proof} proof
 * @returns {Figure[]}
 */
export function recordFigures(proof) {
  const hash = proof.ticks_sha256;
  const short = make("span", {}, `${shortened(hash)} `);
  short.append(copyButton("Copy", () => hash, "Copy the whole hash"));
  return [
    ["Price source", proof.source ?? "None"],
    ["Ticks", String(proof.tick_count)],
    ["Their SHA-256", short],
  ];
}

/**
 * @param {string} betId
 * @returns {Figure}
 */
export function idFigure(betId) {
  const shown = make("span", {}, `${shortened(betId)} `);
  shown.append(copyButton("Copy", () => betId, "Copy the bet's id"));
  return ["Bet", shown];
}

/** @param {string} text */
function shortened(text) {
  return `${text.slice(0, SHOWN_ENDS)}…${text.slice(-SHOWN_ENDS)}`;
}

/** @param {readonly Figure[]} figures */
export function figureList(figures) {
  const rows = figures.map(([name, value]) =>
    make("div", { class: "evidence-figure" }, make("dt", {}, name), make("dd", {}, value)),
  );
  return make("dl", { class: "evidence-figures" }, ...rows);
}
