// Where the keyboard stands on the grid. Pure. It stands on a cell, flows with it, and moves on to
// the next column when it is too late for its own.

import { placeableStartsS, rewardBps, rowLoCents } from "./grid.js";

/** @import { GridFrame } from "../types/wire.js" */
/** @import { Rules } from "../state/state.js" */
/** @import { Cell } from "./grid.js" */

/**
 * @typedef {"left" | "right" | "up" | "down" | "page_up" | "page_down" | "first" | "last"} Step
 */

/** How far a page up or down goes, on the chart as in the table. */
export const PAGE_ROWS = 5;

/** @type {Readonly<Record<Step, {columns: number, rows: number}>>} */
const STEPS = {
  left: { columns: -1, rows: 0 },
  right: { columns: 1, rows: 0 },
  up: { columns: 0, rows: 1 },
  down: { columns: 0, rows: -1 },
  page_up: { columns: 0, rows: PAGE_ROWS },
  page_down: { columns: 0, rows: -PAGE_ROWS },
  first: { columns: Number.NEGATIVE_INFINITY, rows: 0 },
  last: { columns: Number.POSITIVE_INFINITY, rows: 0 },
};

/**
 * What can be reached.
 *
 * @typedef {object} Reach
 * @property {Rules} rules
 * @property {GridFrame} quote
 * @property {number} nowMs by the venue's clock
 * @property {number} seenS the last column that is wholly in view
 */

/**
 * Where it begins: on the price, in the first column that can be tapped.
 *
 * @param {Reach} reach
 * @returns {Cell}
 */
export function firstCell(reach) {
  const loCents = rowLoCents(reach.quote, reach.quote.price_cents);
  return cellOf(reach, firstS(reach), loCents);
}

/**
 * A step further, as far as cells are offered.
 *
 * @param {Cell} cell
 * @param {Step} step
 * @param {Reach} reach
 * @returns {Cell}
 */
export function stepped(cell, step, reach) {
  const { columns, rows } = STEPS[step];
  const { rules, quote } = reach;
  const columnStartS = Math.max(
    firstS(reach),
    Math.min(lastS(reach), cell.columnStartS + columns * rules.column_s),
  );
  const wanted = cell.loCents + rows * rules.row_cents;
  return nearestOffered(cellOf(reach, columnStartS, wanted), quote);
}

/**
 * Where the cursor is now: on its cell, or on the same row of the first column that can be tapped.
 *
 * @param {Cell} cell
 * @param {Reach} reach
 * @returns {Cell} the same where it can stay
 */
export function stayed(cell, reach) {
  const startS = firstS(reach);
  return cell.columnStartS >= startS ? cell : cellOf(reach, startS, cell.loCents);
}

/** @param {Reach} reach */
function firstS({ rules, nowMs }) {
  return placeableStartsS(rules, nowMs).firstS;
}

/** @param {Reach} reach */
function lastS(reach) {
  const { firstS: first, lastS: last } = placeableStartsS(reach.rules, reach.nowMs);
  return Math.max(first, Math.min(last, reach.seenS));
}

/**
 * @param {Reach} reach
 * @param {number} columnStartS
 * @param {number} loCents
 * @returns {Cell}
 */
function cellOf({ rules }, columnStartS, loCents) {
  return { columnStartS, loCents, hiCents: loCents + rules.row_cents };
}

/**
 * `wanted`, or the cell of its column on offer that is nearest to it.
 *
 * @param {Cell} wanted
 * @param {GridFrame} quote
 * @returns {Cell}
 */
function nearestOffered(wanted, quote) {
  let nearest = wanted;
  let leastCents = Number.POSITIVE_INFINITY;
  for (let row = 0; row < quote.rows; row += 1) {
    const loCents = quote.lowest_row_cents + row * quote.row_cents;
    const cell = { ...wanted, loCents, hiCents: loCents + quote.row_cents };
    const awayCents = Math.abs(loCents - wanted.loCents);
    if (awayCents < leastCents && rewardBps(quote, cell) > 0) {
      nearest = cell;
      leastCents = awayCents;
    }
  }
  return nearest;
}
