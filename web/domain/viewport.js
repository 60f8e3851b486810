// Where time and price are on the grid's canvas. Pure: the page says how large it is, what time it
// is, and how much time has passed; lengths are CSS pixels.
//
// Time flows at one speed, so its scale is fixed by the layout. The price's scale follows the price
// with inertia, and steps aside for open bets. Both are snapped to the pixels of the device, edges of
// cells exactly: what moves stays as sharp as what stands.

/** @import { HeldBet } from "../state/state.js" */
/** @import { Cell } from "./grid.js" */

/**
 * What of the venue's rules has a shape.
 *
 * @typedef {object} GridShape
 * @property {number} columnS
 * @property {number} rowCents
 * @property {number} columnsAhead from the running column to the last one on offer, both counted
 * @property {number} rows on offer in one column
 */

/**
 * @typedef {object} Layout
 * @property {GridShape} shape
 * @property {number} dpr pixels of the device per CSS pixel
 * @property {boolean} hasCents is there room for the cents of a price at the right?
 * @property {number} rightPx where the cells end and the prices begin
 * @property {number} bottomPx where the cells end and the times begin
 * @property {number} nowPx where it is now
 * @property {number} columnPx width of a column; a whole number of the device's pixels
 * @property {number} rowPx height of a row, unless open bets need smaller ones
 * @property {number} freeShare how much of the height the price moves up or down unfollowed
 */

/**
 * Where the price's scale stands.
 *
 * @typedef {object} Scale
 * @property {number} midCents the price at half the height
 * @property {number} speed of it, cents per second
 * @property {number} rowPx height of a row
 */

/**
 * @typedef {object} Viewport
 * @property {Layout} layout
 * @property {number} nowMs
 * @property {number} rowPx height of a row
 * @property {number} anchorMs a time that is at `anchorPx`: the start of the running column
 * @property {number} anchorPx
 * @property {number} levelCents a price that is at `levelPx`: the edge of a row
 * @property {number} levelPx
 */

/** A cell's least size for a thumb. */
export const THUMB = { widthPx: 46, heightPx: 34 };
/** Nothing is larger than this, however wide the screen. */
export const LARGEST = { widthPx: 104, heightPx: 44 };
/** So many columns and rows are shown where there is room, at the largest size. */
const ROOMY = { columns: 9, rows: 19 };
/** Rows shrink to this part of their height before an open bet is left out of sight. */
const SHRINK_LEAST = 0.7;
/** Narrower than this, the past and the prices take less of the width: it is for what can be tapped. */
const NARROW_PX = 560;
const NOW_SHARES = { narrow: [0.24, 0.21, 0.16], wide: [0.33, 0.3, 0.26] };
const FREE_SHARES = [0.14, 0.1, 0.03];
/** How quickly the scale follows, per second; critically damped, so it never overshoots. */
const FOLLOW_PER_S = 3;
/** How quickly rows change their height, per second. */
const RESIZE_PER_S = 8;

export const ZOOMS = 3;
/** Less than any pixel, more than what sums of fractions are off by. */
const ROUNDING = 1e-6;

/**
 * How the grid is laid out in its place.
 *
 * @param {GridShape} shape
 * @param {{widthPx: number, heightPx: number, dpr: number}} place
 * @param {{pricesPx: number, timesPx: number}} margins at the right and at the bottom
 * @param {number} zoom 0: cells for a thumb, 1: more of them, 2: all that is offered
 * @returns {Layout}
 */
export function layoutOf(shape, { widthPx, heightPx, dpr }, { pricesPx, timesPx }, zoom) {
  const rightPx = Math.max(1, Math.floor(widthPx - pricesPx));
  const bottomPx = Math.max(1, Math.floor(heightPx - timesPx));
  const level = between(0, Math.round(zoom), ZOOMS - 1);
  const share = NOW_SHARES[widthPx < NARROW_PX ? "narrow" : "wide"][level] ?? 0;
  const nowPx = Math.round(rightPx * share);
  const fitWidth = (rightPx - nowPx) / shape.columnsAhead;
  const fitHeight = bottomPx / shape.rows;
  const thumbWidth = between(THUMB.widthPx, (rightPx - nowPx) / ROOMY.columns, LARGEST.widthPx);
  const thumbHeight = between(THUMB.heightPx, bottomPx / ROOMY.rows, LARGEST.heightPx);
  return {
    shape,
    dpr,
    hasCents: hasCents(shape, widthPx),
    rightPx,
    bottomPx,
    nowPx,
    columnPx: wholePixels(zoomed(Math.max(thumbWidth, fitWidth), fitWidth, level), dpr),
    rowPx: wholePixels(zoomed(Math.max(thumbHeight, fitHeight), fitHeight, level), dpr),
    freeShare: FREE_SHARES[level] ?? 0,
  };
}

/**
 * Whole dollars are enough beside a narrow grid, for the top line has all of the price; not beside
 * rows that are parts of a dollar.
 *
 * @param {GridShape} shape
 * @param {number} widthPx
 */
export function hasCents({ rowCents }, widthPx) {
  return widthPx >= NARROW_PX || rowCents % 100 !== 0;
}

/**
 * Centered on a price, at rest.
 *
 * @param {Layout} layout
 * @param {number} priceCents
 * @returns {Scale}
 */
export function scaleAt(layout, priceCents) {
  return { midCents: priceCents, speed: 0, rowPx: layout.rowPx };
}

/**
 * The scale a moment later: it follows the price, and keeps open bets in view.
 *
 * @param {Scale} scale
 * @param {Layout} layout
 * @param {number} priceCents
 * @param {Iterable<{loCents: number, hiCents: number}>} kept what must be seen
 * @param {number} dtMs
 * @returns {Scale} the same where it rests
 */
export function stepScale(scale, layout, priceCents, kept, dtMs) {
  const aim = aimOf(scale, layout, priceCents, kept);
  const dtS = Math.max(0, dtMs) / 1000;
  const rowPx = eased(scale.rowPx, aim.rowPx, dtS, layout.dpr);
  const off = scale.midCents - aim.midCents;
  if (Math.abs(off) < 1 && Math.abs(scale.speed) < 1 && rowPx === scale.rowPx) {
    return scale;
  }
  const fall = Math.exp(-FOLLOW_PER_S * dtS);
  const pull = scale.speed + FOLLOW_PER_S * off;
  return {
    midCents: aim.midCents + (off + pull * dtS) * fall,
    speed: (scale.speed - pull * FOLLOW_PER_S * dtS) * fall,
    rowPx,
  };
}

/**
 * Where the scale would come to rest.
 *
 * @param {Scale} scale
 * @param {Layout} layout
 * @param {number} priceCents
 * @param {Iterable<{loCents: number, hiCents: number}>} kept
 */
function aimOf(scale, layout, priceCents, kept) {
  const { rowCents } = layout.shape;
  let loCents = priceCents - rowCents;
  let hiCents = priceCents + rowCents;
  for (const cell of kept) {
    loCents = Math.min(loCents, cell.loCents);
    hiCents = Math.max(hiCents, cell.hiCents);
  }
  const neededPx = (layout.bottomPx * rowCents) / (hiCents - loCents);
  const rowPx = wholePixels(
    between(layout.rowPx * SHRINK_LEAST, neededPx, layout.rowPx),
    layout.dpr,
  );
  const halfCents = (layout.bottomPx / rowPx / 2) * rowCents;
  const freeCents = 2 * halfCents * layout.freeShare;
  const followed = between(priceCents - freeCents, scale.midCents, priceCents + freeCents);
  const keeping = between(hiCents - halfCents, followed, loCents + halfCents);
  // The price itself is in view whatever else is not.
  const most = Math.max(0, halfCents - rowCents);
  return { rowPx, midCents: between(priceCents - most, keeping, priceCents + most) };
}

/**
 * Where everything is at one time.
 *
 * @param {Layout} layout
 * @param {Scale} scale
 * @param {number} nowMs
 * @returns {Viewport}
 */
export function viewportOf(layout, scale, nowMs) {
  const { columnS, rowCents } = layout.shape;
  const columnMs = columnS * 1000;
  const anchorMs = Math.floor(nowMs / columnMs) * columnMs;
  const levelCents = Math.round(scale.midCents / rowCents) * rowCents;
  const aboveMid = ((levelCents - scale.midCents) / rowCents) * scale.rowPx;
  return {
    layout,
    nowMs,
    rowPx: scale.rowPx,
    anchorMs,
    anchorPx: snapped(layout.nowPx - ((nowMs - anchorMs) / columnMs) * layout.columnPx, layout.dpr),
    levelCents,
    levelPx: snapped(layout.bottomPx / 2 - aboveMid, layout.dpr),
  };
}

/**
 * @param {Viewport} viewport
 * @param {number} atMs
 */
export function xOf({ layout, anchorMs, anchorPx }, atMs) {
  return anchorPx + ((atMs - anchorMs) / (layout.shape.columnS * 1000)) * layout.columnPx;
}

/**
 * @param {Viewport} viewport
 * @param {number} x
 */
export function timeAtMs({ layout, anchorMs, anchorPx }, x) {
  return anchorMs + ((x - anchorPx) / layout.columnPx) * layout.shape.columnS * 1000;
}

/**
 * @param {Viewport} viewport
 * @param {number} cents
 */
export function yOf({ layout, rowPx, levelCents, levelPx }, cents) {
  return levelPx - ((cents - levelCents) / layout.shape.rowCents) * rowPx;
}

/**
 * @param {Viewport} viewport
 * @param {number} y
 */
export function priceAtCents({ layout, rowPx, levelCents, levelPx }, y) {
  return levelCents + ((levelPx - y) / rowPx) * layout.shape.rowCents;
}

/**
 * The edge of a row, on a pixel of the device.
 *
 * @param {Viewport} viewport
 * @param {number} cents
 */
export function edgeY(viewport, cents) {
  return snapped(yOf(viewport, cents), viewport.layout.dpr);
}

/**
 * The cell at a point, or null: beside the cells, or below the price of zero. On an edge, the one to
 * the right and below: a pixel belongs to one cell.
 *
 * @param {Viewport} viewport
 * @param {number} x
 * @param {number} y
 * @returns {Cell | null}
 */
export function cellAt(viewport, x, y) {
  const { layout } = viewport;
  const { columnS, rowCents } = layout.shape;
  if (x < 0 || y < 0 || x >= layout.rightPx || y >= layout.bottomPx) {
    return null;
  }
  const columns = Math.floor((x - viewport.anchorPx) / layout.columnPx + ROUNDING);
  const rows = Math.ceil((viewport.levelPx - y) / viewport.rowPx - ROUNDING) - 1;
  const loCents = viewport.levelCents + rows * rowCents;
  const columnStartS = viewport.anchorMs / 1000 + columns * columnS;
  return loCents < 0 ? null : { columnStartS, loCents, hiCents: loCents + rowCents };
}

/**
 * @typedef {object} Box
 * @property {number} x
 * @property {number} y
 * @property {number} width
 * @property {number} height
 */

/**
 * Where a cell is, edges on pixels of the device; it may be out of view.
 *
 * @param {Viewport} viewport
 * @param {Cell & {columnS?: number}} cell of another width than today's where it says so
 * @returns {Box}
 */
export function boxOf(viewport, { columnStartS, loCents, hiCents, columnS }) {
  const { shape, columnPx } = viewport.layout;
  const top = edgeY(viewport, hiCents);
  return {
    x: xOf(viewport, columnStartS * 1000),
    y: top,
    width: (columnPx * (columnS ?? shape.columnS)) / shape.columnS,
    height: edgeY(viewport, loCents) - top,
  };
}

/**
 * The columns that are in view, at least a sliver of them.
 *
 * @param {Viewport} viewport
 * @returns {{firstS: number, lastS: number}}
 */
export function columnsInView(viewport) {
  const { columnS } = viewport.layout.shape;
  const first = Math.floor(timeAtMs(viewport, 0) / 1000 / columnS);
  const last = Math.ceil(timeAtMs(viewport, viewport.layout.rightPx) / 1000 / columnS) - 1;
  return { firstS: first * columnS, lastS: last * columnS };
}

/**
 * Low edges of the rows that are in view, at least a sliver of them.
 *
 * @param {Viewport} viewport
 * @returns {{lowestCents: number, highestCents: number}}
 */
export function rowsInView(viewport) {
  const { rowCents } = viewport.layout.shape;
  const lowest = Math.floor(priceAtCents(viewport, viewport.layout.bottomPx) / rowCents);
  const highest = Math.ceil(priceAtCents(viewport, 0) / rowCents) - 1;
  return { lowestCents: Math.max(0, lowest) * rowCents, highestCents: highest * rowCents };
}

/**
 * How many steps there are from one mark to the next, so that marks are `leastPx` apart: 1, 2, 5, ...
 *
 * @param {number} stepPx
 * @param {number} leastPx
 * @param {readonly number[]} choices ascending
 */
export function marksEvery(stepPx, leastPx, choices) {
  return choices.find((steps) => steps * stepPx >= leastPx) ?? choices.at(-1) ?? 1;
}

/**
 * Open bets whose column has not ended: what the scale keeps in view.
 *
 * @param {Iterable<HeldBet>} bets
 * @param {number} nowMs
 */
export function keptInView(bets, nowMs) {
  return [...bets].filter(
    ({ phase, columnStartS, columnS }) =>
      (phase === "pending" || phase === "confirmed" || phase === "unknown") &&
      (columnStartS + columnS) * 1000 > nowMs,
  );
}

/**
 * @param {number} largest
 * @param {number} least
 * @param {number} level
 */
function zoomed(largest, least, level) {
  return largest * (least / largest) ** (level / (ZOOMS - 1));
}

/**
 * @param {number} from
 * @param {number} to
 * @param {number} dtS
 * @param {number} dpr
 */
function eased(from, to, dtS, dpr) {
  const next = to + (from - to) * Math.exp(-RESIZE_PER_S * dtS);
  return Math.abs(next - to) * dpr < 0.05 ? to : next;
}

/**
 * At least one pixel of the device, and a whole number of them.
 *
 * @param {number} px
 * @param {number} dpr
 */
function wholePixels(px, dpr) {
  return Math.max(1, Math.floor(px * dpr + ROUNDING)) / dpr;
}

/**
 * @param {number} px
 * @param {number} dpr
 */
function snapped(px, dpr) {
  return Math.round(px * dpr) / dpr;
}

/**
 * `value`, or the bound that it is beyond; the lower one where they cross.
 *
 * @param {number} least
 * @param {number} value
 * @param {number} most
 */
function between(least, value, most) {
  return Math.max(least, Math.min(most, value));
}
