// What each event changes.

/** @import { State } from "./state.js" */
/** @import { TradingEvent } from "./events.js" */

/**
 * @param {State} state
 * @param {TradingEvent} event
 * @returns {State} the same object where nothing changes
 */
export function reduce(state, event) {
  switch (event.type) {
    case "page:view":
      return { ...state, view: { ...state.view, ...event.view } };
    case "grid":
      return { ...state, market: { ...state.market, quote: event.n === null ? null : event } };
    case "system:status":
      return { ...state, market: { ...state.market, status: event } };
    default:
      return state;
  }
}
