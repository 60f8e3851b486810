// How the venue is, in the few words of the top line. Pure. What is as it should be stays quiet; what
// somebody should look at says so by a sign and a color as well.

import { durationText } from "./numbers.js";

/** @import { State } from "../state/state.js" */
/** @import { Suspension, SuspensionKind } from "./suspension.js" */

/**
 * @typedef {object} Sign
 * @property {string} lead words that a narrow screen leaves out
 * @property {string} text empty: nothing to say
 * @property {boolean} look should somebody look at it?
 */

/**
 * @typedef {{connection: Sign, feed: Sign, betting: Sign}} HealthSigns
 */

/** @type {Sign} */
const SILENT = { lead: "", text: "", look: false };

/** @type {Readonly<Record<State["connection"]["phase"], Sign>>} */
const CONNECTION = {
  connecting: { lead: "", text: "Connecting", look: false },
  live: { lead: "", text: "Live", look: false },
  lost: { lead: "", text: "No connection", look: true },
  drained: { lead: "Venue ", text: "restarting", look: true },
};

/** @type {Readonly<Partial<Record<SuspensionKind, Sign>>>} */
const BETTING = {
  connecting: SILENT,
  lost: SILENT,
  drained: SILENT,
  draining: { lead: "Venue ", text: "restarting", look: true },
  held: { lead: "Betting ", text: "on hold", look: true },
  frozen: { lead: "Account ", text: "frozen", look: true },
  paused: { lead: "Betting ", text: "paused", look: false },
  no_rates: { lead: "", text: "No rates", look: true },
};

/** @type {Sign} */
const SUSPENDED = { lead: "Betting ", text: "suspended", look: true };

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
  const age = status.feed_age_ms;
  const look = status.level !== "healthy";
  return age === null
    ? { lead: "", text: "No prices", look: true }
    : { lead: "Price age ", text: durationText(age), look };
}

/**
 * @param {State["market"]} market
 * @returns {Sign}
 */
function bettingOpen({ status }) {
  return status === null ? SILENT : { lead: "Betting ", text: "open", look: false };
}
