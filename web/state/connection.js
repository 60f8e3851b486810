// What becomes of the connection.

/** @import { Connection, State } from "./state.js" */
/** @import { TradingEvent } from "./events.js" */

/**
 * @param {State} state
 * @param {TradingEvent} event
 * @returns {State} the same object where nothing changes
 */
export function reduceConnection(state, event) {
  switch (event.type) {
    case "page:connecting":
      return { ...state, connection: triedAgain(state.connection, event.atMs) };
    case "page:connected":
      return { ...state, connection: { phase: "live", sinceMs: event.atMs, retryAtMs: null } };
    case "page:lost": {
      const phase = event.drained ? "drained" : "lost";
      const sinceMs = isLost(state.connection) ? state.connection.sinceMs : event.atMs;
      return { ...state, connection: { phase, sinceMs, retryAtMs: event.retryAtMs } };
    }
    default:
      return state;
  }
}

/**
 * What was lost stays lost, from when it was, until it is back: an attempt changes nothing of that.
 *
 * @param {Connection} connection
 * @param {number} atMs
 * @returns {Connection}
 */
function triedAgain(connection, atMs) {
  return isLost(connection)
    ? { ...connection, retryAtMs: null }
    : { phase: "connecting", sinceMs: atMs, retryAtMs: null };
}

/** @param {Connection} connection */
function isLost({ phase }) {
  return phase === "lost" || phase === "drained";
}
