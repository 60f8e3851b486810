// Has the price line entered a cell, as far as this page has seen? Pure. It lights the cell at once;
// whether the bet is won, only the venue says: it has ticks that the page was not sent.

/** @import { Rule } from "../types/wire.js" */
/** @import { PricePoint } from "../state/state.js" */

/**
 * By the rules of domain/resolution.py, on the prices that were sent: one in the window that lies in
 * the range, or the one in force when it opened; by `path` also two in a row on either side of it.
 *
 * @param {{columnStartS: number, columnS: number, loCents: number, hiCents: number}} cell
 * @param {readonly PricePoint[]} trail oldest first
 * @param {Rule} rule
 * @param {number} nowMs by the venue's clock: before the window opens nothing has touched it
 */
export function touched({ columnStartS, columnS, loCents, hiCents }, trail, rule, nowMs) {
  const opensMs = columnStartS * 1000;
  const endsMs = opensMs + columnS * 1000;
  if (nowMs < opensMs) {
    return false;
  }
  let laterCents = null;
  for (let index = trail.length - 1; index >= 0; index -= 1) {
    const point = /** @type {PricePoint} */ (trail[index]);
    const cents = point.price_cents;
    if (point.ts_ms < endsMs) {
      if (loCents <= cents && cents <= hiCents) {
        return true;
      }
      if (rule === "path" && laterCents !== null && laterCents < loCents !== cents < loCents) {
        return true;
      }
      if (point.ts_ms < opensMs) {
        return false;
      }
      laterCents = cents;
    }
  }
  return false;
}
