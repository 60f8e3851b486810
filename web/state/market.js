// What everybody may see: rules, prices, quotes, the venue's own state.

/** @import { Market, PricePoint, State } from "./state.js" */
/** @import { TradingEvent } from "./events.js" */

import { QUOTE_MS, TRAIL_MS } from "./state.js";

/**
 * @param {State} state
 * @param {TradingEvent} event
 * @returns {State} the same object where nothing changes
 */
export function reduceMarket(state, event) {
  const market = marketAfter(state.market, event);
  return market === state.market ? state : { ...state, market };
}

/**
 * @param {Market} market
 * @param {TradingEvent} event
 * @returns {Market}
 */
function marketAfter(market, event) {
  switch (event.type) {
    case "price":
      return withTrail(market, withPrice(market.trail, event));
    case "page:past":
      return withTrail(market, withPast(market.trail, event.points));
    case "page:tick":
      return aged(market, event.nowMs);
    case "grid":
      return { ...market, quote: event.n === null ? null : event };
    case "system:status":
      return { ...market, status: event };
    case "page:rules":
      return { ...market, rules: event.rules, demo: event.demo };
    case "page:lost":
      return market.status === null ? market : { ...market, status: null };
    default:
      return market;
  }
}

/**
 * What time does: the trail's end scrolls out, and a quote that is not made anew is none any more,
 * whether the connection was lost or the venue has stopped making them.
 *
 * @param {Market} market
 * @param {number} nowMs
 */
function aged(market, nowMs) {
  const { quote } = market;
  const isOld = quote !== null && quote.published_at_ms < nowMs - QUOTE_MS;
  const trail = since(market.trail, nowMs - TRAIL_MS);
  return withTrail(isOld ? { ...market, quote: null } : market, trail);
}

/**
 * @param {Market} market
 * @param {readonly PricePoint[]} trail
 */
function withTrail(market, trail) {
  return trail === market.trail ? market : { ...market, trail };
}

/**
 * One more price; one that is older than the newest is none, for time is drawn forwards.
 *
 * @param {readonly PricePoint[]} trail
 * @param {PricePoint} price
 */
function withPrice(trail, { ts_ms, price_cents }) {
  const newest = trail.at(-1);
  if (newest !== undefined && ts_ms < newest.ts_ms) {
    return trail;
  }
  return [...since(trail, ts_ms - TRAIL_MS), { ts_ms, price_cents }];
}

/**
 * The record of the past is whole as far as it goes: it stands in place of all that was heard up to
 * its end, and what was heard since follows it.
 *
 * @param {readonly PricePoint[]} trail
 * @param {readonly PricePoint[]} points
 */
function withPast(trail, points) {
  const end = points.at(-1);
  if (end === undefined) {
    return trail;
  }
  const whole = [...points, ...trail.filter((point) => point.ts_ms > end.ts_ms)];
  return since(whole, (whole.at(-1)?.ts_ms ?? 0) - TRAIL_MS);
}

/**
 * The points from `fromMs` on. The newest is kept however old it is: it is the last price known.
 *
 * @param {readonly PricePoint[]} trail oldest first
 * @param {number} fromMs
 */
function since(trail, fromMs) {
  if (trail.length < 2 || /** @type {PricePoint} */ (trail[0]).ts_ms >= fromMs) {
    return trail;
  }
  const first = trail.findIndex((point) => point.ts_ms >= fromMs);
  return trail.slice(first === -1 ? -1 : first);
}
