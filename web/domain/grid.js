// The grid: cells, their ids, and which columns may be tapped. domain/grid.py says the same; both
// are held to tests/vectors/cell_geometry.json. Pure: no DOM, no clock.
//
// A column is a half-open time window [start, start + width) aligned to the epoch; a row is a closed
// price range [lo, hi] aligned to multiples of the row height. A cell is one of each.

/** @import { GridFrame } from "../types/wire.js" */
/** @import { Rules } from "../state/state.js" */

/**
 * @typedef {object} Cell
 * @property {number} columnStartS
 * @property {number} loCents
 * @property {number} hiCents
 */

const CELL_ID = /^(0|[1-9][0-9]{0,17})_(0|[1-9][0-9]{0,17})_(0|[1-9][0-9]{0,17})$/;

/**
 * The canonical spelling, e.g. `1770100000_4200000_4201000`.
 *
 * @param {Cell} cell
 */
export function cellId({ columnStartS, loCents, hiCents }) {
  return `${columnStartS}_${loCents}_${hiCents}`;
}

/**
 * The cell that `text` spells canonically, or null. Whether it is on the grid is not asked.
 *
 * @param {string} text
 * @returns {Cell | null}
 */
export function parseCellId(text) {
  const found = text.length <= 60 ? CELL_ID.exec(text) : null;
  if (found === null) {
    return null;
  }
  return { columnStartS: Number(found[1]), loCents: Number(found[2]), hiCents: Number(found[3]) };
}

/**
 * Is the cell aligned to this grid, one row high, whatever its time?
 *
 * @param {{column_s: number, row_cents: number}} grid
 * @param {Cell} cell
 */
export function onGrid(grid, cell) {
  return (
    cell.columnStartS % grid.column_s === 0 &&
    cell.loCents % grid.row_cents === 0 &&
    cell.hiCents === cell.loCents + grid.row_cents
  );
}

/**
 * Start of the column that `atMs` falls in, in seconds.
 *
 * @param {{column_s: number}} grid
 * @param {number} atMs
 */
export function columnStartS(grid, atMs) {
  const atS = Math.floor(atMs / 1000);
  return atS - (atS % grid.column_s);
}

/**
 * The first and the last column that may be tapped at `atMs`: by default current + 2 to current + 13.
 *
 * @param {Pick<Rules, "column_s" | "lockout_columns" | "horizon_columns">} rules
 * @param {number} atMs
 */
export function placeableStartsS(rules, atMs) {
  const firstS = columnStartS(rules, atMs) + (rules.lockout_columns + 1) * rules.column_s;
  return { firstS, lastS: firstS + (rules.horizon_columns - 1) * rules.column_s };
}

/**
 * Low edge of the row that a price lies in; on an edge, of the row above it.
 *
 * @param {{row_cents: number}} grid
 * @param {number} priceCents
 */
export function rowLoCents(grid, priceCents) {
  return priceCents - (priceCents % grid.row_cents);
}

/**
 * The rate that a quote offers on a cell, in basis points; 0: it does not offer it.
 *
 * @param {GridFrame} quote
 * @param {Cell} cell
 */
export function rewardBps(quote, cell) {
  const column = (cell.columnStartS - quote.first_column_s) / quote.column_s;
  const row = (cell.loCents - quote.lowest_row_cents) / quote.row_cents;
  const isOnIt = Number.isInteger(column) && Number.isInteger(row) && onGrid(quote, cell);
  if (!isOnIt || column < 0 || row < 0 || row >= quote.rows) {
    return 0;
  }
  return quote.rates[column * quote.rows + row] ?? 0;
}

/**
 * Every cell that a quote offers, column by column from the soonest, rows from the lowest price up.
 *
 * @param {GridFrame} quote
 * @returns {Generator<{cell: Cell, rewardBps: number}>}
 */
export function* offered(quote) {
  for (const [index, rate] of quote.rates.entries()) {
    if (rate > 0) {
      const loCents = quote.lowest_row_cents + (index % quote.rows) * quote.row_cents;
      const columnStartS = quote.first_column_s + Math.floor(index / quote.rows) * quote.column_s;
      const cell = { columnStartS, loCents, hiCents: loCents + quote.row_cents };
      yield { cell, rewardBps: rate };
    }
  }
}
