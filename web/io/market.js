// What the page reads of the market over HTTP: its rules, and the price's last two minutes.

/** @import { Rules, PricePoint } from "../state/state.js" */
/** @import { Grid, Ticks, Version } from "../types/wire.js" */
/** @import { Api } from "./api.js" */

import { TRAIL_MS } from "../state/state.js";

/** The most rows of one answer; HISTORY_ROWS_MAX of the venue. */
const ROWS_MAX = 2_000;
/** A market that trades more often than this fills the trail with its newest part only. */
const PAGES_MAX = 4;

/**
 * @param {Api} api
 * @returns {Promise<{rules: Rules, demo: boolean}>}
 */
export async function readRules(api) {
  const [grid, version] = await Promise.all([
    /** @type {Promise<Grid>} */ (api.get("/api/grid", null)),
    /** @type {Promise<Version>} */ (api.get("/version", null)),
  ]);
  const { quote: _, ...rules } = grid;
  return { rules, demo: version.demo };
}

/**
 * @param {Api} api
 * @param {number} nowMs by the venue's clock
 * @returns {Promise<PricePoint[]>} oldest first
 */
export async function readPast(api, nowMs) {
  /** @type {PricePoint[]} */
  const points = [];
  let fromMs = Math.floor(nowMs - TRAIL_MS);
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const path = `/api/prices/history?interval=tick&limit=${ROWS_MAX}&from=${fromMs}`;
    const { ticks } = /** @type {Ticks} */ (await api.get(path, null));
    points.push(...ticks.map(({ ts_ms, price_cents }) => ({ ts_ms, price_cents })));
    const newest = ticks.at(-1);
    if (newest === undefined || ticks.length < ROWS_MAX) {
      break;
    }
    fromMs = newest.ts_ms + 1;
  }
  return points;
}
