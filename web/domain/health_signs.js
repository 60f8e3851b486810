// How the venue is, in the few words of the top line. Pure. What is as it should be stays quiet; what
// somebody should look at says so by a sign and a color as well.

import { durationText } from "./numbers.js";
import { playedWord } from "./price_line.js";

/** @import { State } from "../state/state.js" */
/** @import { Suspension, SuspensionKind } from "./suspension.js" */

/**
 * @typedef {object} Sign
 * @property {string} text empty: nothing to say
 * @property {string} short the same where there is little room; empty: it can wait for more
 * @property {boolean} look should somebody look at it?
 */

/**
 * @typedef {{connection: Sign, feed: Sign, betting: Sign}} HealthSigns
 */

/** @type {Sign} */
const SILENT = { text: "", short: "", look: false };

/** @type {Readonly<Record<State["connection"]["phase"], Sign>>} */
const CONNECTION = {
  connecting: { text: "Connecting", short: "Connecting", look: false },
  live: { text: "Live", short: "Live", look: false },
  lost: { text: "No connection", short: "No connection", look: true },
  drained: { text: "Venue restarting", short: "Restarting", look: true },
};

/** @type {Readonly<Partial<Record<SuspensionKind, Sign>>>} */
const BETTING = {
  connecting: SILENT,
  lost: SILENT,
  drained: SILENT,
  draining: { text: "Venue restarting", short: "Restarting", look: true },
  held: { text: "Betting on hold", short: "On hold", look: true },
  frozen: { text: "Account frozen", short: "Frozen", look: true },
  paused: { text: "Betting paused", short: "Paused", look: false },
  no_rates: { text: "No rates", short: "No rates", look: true },
};

/** @type {Sign} */
const SUSPENDED = { text: "Betting suspended", short: "Suspended", look: true };

/**
 * @param {Pick<State, "connection" | "market">} state
 * @param {Suspension | null} why no tap can be taken
 * @returns {HealthSigns}
 */
export function healthSigns({ connection, market }, why) {
  return {
    connection: CONNECTION[connection.phase],
    feed: connection.phase === "live" ? feedSign(market.status) : SILENT,
    betting: why === null ? bettingOpen(market) : (BETTING[why.kind] ?? SUSPENDED),
  };
}

/**
 * @param {State["market"]["status"]} status
 * @returns {Sign}
 */
function feedSign(status) {
  if (status === null) {
    return SILENT;
  }
  const ageMs = status.feed_age_ms;
  if (ageMs === null) {
    return { text: "No prices", short: "No prices", look: true };
  }
  const age = durationText(ageMs);
  const played = playedWord(status.source);
  const price = played === "" ? "Price age" : `${played[0]?.toUpperCase()}${played.slice(1)} price`;
  return { text: `${price} ${age}`, short: `Age ${age}`, look: status.level !== "healthy" };
}

/**
 * That betting is open goes without saying where there is little room: a banner says when it is not.
 *
 * @param {State["market"]} market
 * @returns {Sign}
 */
function bettingOpen({ status }) {
  return status === null ? SILENT : { text: "Betting open", short: "", look: false };
}
