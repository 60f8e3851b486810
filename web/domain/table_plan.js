// Which columns and rows the table shows. Pure.
//
// Columns: those that may be tapped, and before them those with a bet that waits for its result. Rows:
// all that are offered, and those with such a bet. Where the keyboard stands is kept until its column
// is over.

import { columnStartS, placeableStartsS } from "./grid.js";

/** @import { HeldBet, Rules, State } from "../state/state.js" */
/** @import { GridFrame } from "../types/wire.js" */
/** @import { Cell } from "./grid.js" */

/**
 * @typedef {object} PlannedColumn
 * @property {number} startS
 * @property {number} endS
 * @property {"over" | "running" | "closed" | "open"} phase open: it may be tapped, as far as time goes
 */

/**
 * @typedef {object} PlannedRow
 * @property {number} loCents
 * @property {number} hiCents
 * @property {boolean} hasPrice the current price lies in it
 * @property {boolean} isApart there are rows between it and the one above that are not shown
 */

/**
 * @typedef {object} TablePlan
 * @property {readonly PlannedColumn[]} columns from the soonest
 * @property {readonly PlannedRow[]} rows from the highest price down
 */

/** @type {TablePlan} */
export const EMPTY_PLAN = { columns: [], rows: [] };

/** So long a column with an ended bet stays, so that its result can be seen and reached. */
export const ENDED_STAYS_MS = 10_000;

/** So many rows above and below those on offer stay, if they were shown. */
export const ROWS_STAY = 4;

/**
 * @param {Pick<State, "market" | "bets">} state
 * @param {number} nowMs by the venue's clock
 * @param {{before: TablePlan, at: Cell | null}} shown what is shown already, and where focus is
 * @returns {TablePlan}
 */
export function tablePlan({ market, bets }, nowMs, { before, at }) {
  const { rules, quote, trail } = market;
  if (rules === null) {
    return EMPTY_PLAN;
  }
  const held = Object.values(bets).filter((bet) => isShown(bet, nowMs));
  const priceCents = trail.at(-1)?.price_cents ?? quote?.price_cents ?? null;
  return {
    columns: columns(rules, [...held, ...(at === null ? [] : [at])], nowMs),
    rows: rows(rules.row_cents, priceCents, [
      ...offeredRows(quote, before.rows),
      ...held.map((bet) => bet.loCents),
      ...(at === null ? [] : [at.loCents]),
    ]),
  };
}

/**
 * The column where focus goes when its own has gone: the first that may be tapped.
 *
 * @param {TablePlan} plan
 * @returns {PlannedColumn | null}
 */
export function firstOpen(plan) {
  return plan.columns.find((column) => column.phase === "open") ?? plan.columns.at(-1) ?? null;
}

/**
 * The row that is nearest to a price; null without rows.
 *
 * @param {TablePlan} plan
 * @param {number} loCents
 * @returns {PlannedRow | null}
 */
export function nearestRow(plan, loCents) {
  const distance = (/** @type {PlannedRow} */ row) => Math.abs(row.loCents - loCents);
  return plan.rows.reduce(
    (best, row) => (best === null || distance(row) < distance(best) ? row : best),
    /** @type {PlannedRow | null} */ (null),
  );
}

/**
 * @param {HeldBet} bet
 * @param {number} nowMs
 */
function isShown(bet, nowMs) {
  const isOpen = bet.phase === "pending" || bet.phase === "confirmed" || bet.phase === "unknown";
  return isOpen || nowMs < bet.phaseAtMs + ENDED_STAYS_MS;
}

/**
 * @param {Rules} rules
 * @param {readonly {columnStartS: number, betId?: unknown}[]} kept bets, and where the focus is
 * @param {number} nowMs
 * @returns {PlannedColumn[]}
 */
function columns(rules, kept, nowMs) {
  const runningS = columnStartS(rules, nowMs);
  const { firstS, lastS } = placeableStartsS(rules, nowMs);
  // The focus alone does not keep a column that is over.
  const isKept = kept.filter((each) => "betId" in each || each.columnStartS >= runningS);
  const starts = new Set(
    isKept.map((each) => each.columnStartS).filter((startS) => startS < firstS),
  );
  for (let startS = firstS; startS <= lastS; startS += rules.column_s) {
    starts.add(startS);
  }
  return [...starts]
    .sort((one, other) => one - other)
    .map((startS) => ({
      startS,
      endS: startS + rules.column_s,
      phase: phaseOf(startS, runningS, firstS),
    }));
}

/**
 * @param {number} startS
 * @param {number} runningS
 * @param {number} firstS
 * @returns {PlannedColumn["phase"]}
 */
function phaseOf(startS, runningS, firstS) {
  if (startS >= firstS) {
    return "open";
  }
  return startS > runningS ? "closed" : startS === runningS ? "running" : "over";
}

/**
 * The rows that are offered, without a gap, and some of those that were: a table whose rows came and
 * went with each step of the price could not be read.
 *
 * @param {GridFrame | null} quote
 * @param {readonly PlannedRow[]} before
 * @returns {number[]} low edges
 */
function offeredRows(quote, before) {
  const shown = before.map((row) => row.loCents);
  if (quote === null) {
    return shown;
  }
  const indexes = quote.rates.flatMap((rate, index) => (rate > 0 ? [index % quote.rows] : []));
  if (indexes.length === 0) {
    return shown;
  }
  const lowest = indexes.reduce((least, index) => Math.min(least, index));
  const highest = indexes.reduce((most, index) => Math.max(most, index));
  const edge = (/** @type {number} */ row) => quote.lowest_row_cents + row * quote.row_cents;
  const stays = (/** @type {number} */ loCents) =>
    loCents >= edge(lowest - ROWS_STAY) && loCents <= edge(highest + ROWS_STAY);
  return [
    ...Array.from({ length: highest - lowest + 1 }, (_, index) => edge(lowest + index)),
    ...shown.filter(stays),
  ];
}

/**
 * @param {number} rowCents
 * @param {number | null} priceCents
 * @param {readonly number[]} edges low ones, in any order, some of them more than once
 * @returns {PlannedRow[]}
 */
function rows(rowCents, priceCents, edges) {
  const falling = [...new Set(edges)].sort((one, other) => other - one);
  return falling.map((loCents, index) => ({
    loCents,
    hiCents: loCents + rowCents,
    hasPrice: priceCents !== null && loCents <= priceCents && priceCents < loCents + rowCents,
    isApart: index > 0 && loCents + rowCents !== falling[index - 1],
  }));
}
