// Why no tap can be taken now, and what ends it. Pure. The banner, the top line, the grid and the
// table all ask here, so that they never tell a trader different things.

/** @import { StatusFrame } from "../types/wire.js" */
/** @import { Connection, State } from "../state/state.js" */

/**
 * The market's reasons come before the trader's own, and those that leave the others unknown first.
 *
 * @typedef {(
 *   | "connecting" | "lost" | "drained" | "draining"
 *   | "held" | "breaker" | "feed" | "disk_full"
 *   | "frozen" | "paused" | "no_rates"
 * )} SuspensionKind
 */

/**
 * @typedef {object} Suspension
 * @property {SuspensionKind} kind
 * @property {string} text why, in one sentence
 * @property {string} ends what ends it, in one sentence
 * @property {{atMs: number, by: "page" | "venue"} | null} until when, and by whose clock, if known
 */

/** How long prices must come steadily before betting opens again: FEED_STEADY_MS of the venue. */
const FEED_STEADY_S = 30;

/** A pause that is to be shorter lasts a day from then all the same: RAISED_AFTER_MS of the venue. */
const DAY_MS = 86_400_000;

const SAFE = "Your open bets are safe on its disk.";
const BY_ITSELF = "The page comes back by itself.";

/**
 * Why no tap can be taken at `nowMs`; null: it can. That nobody is signed in is not asked here.
 *
 * @param {Pick<State, "connection" | "market" | "account">} state
 * @param {number} nowMs by the venue's clock
 * @returns {Suspension | null}
 */
export function suspension({ connection, market, account }, nowMs) {
  // To somebody without an account there is no word of his bets.
  const safe = account === null ? "" : ` ${SAFE}`;
  return (
    ofConnection(connection, safe) ??
    ofVenue(market.status, safe) ??
    ofAccount(account, nowMs) ??
    ofQuote(market)
  );
}

/**
 * @param {Connection} connection
 * @param {string} safe
 * @returns {Suspension | null}
 */
function ofConnection({ phase, retryAtMs }, safe) {
  const until = retryAtMs === null ? null : { atMs: retryAtMs, by: /** @type {const} */ ("page") };
  switch (phase) {
    case "live":
      return null;
    case "connecting":
      return { kind: phase, text: "Connecting to the venue.", ends: "", until: null };
    case "lost":
      return {
        kind: phase,
        text: `The connection to the venue is lost.${safe}`,
        ends: BY_ITSELF,
        until,
      };
    case "drained":
      return { kind: phase, text: `The venue is restarting.${safe}`, ends: BY_ITSELF, until };
  }
}

/**
 * @param {StatusFrame | null} status
 * @param {string} safe
 * @returns {Suspension | null}
 */
function ofVenue(status, safe) {
  if (status === null) {
    return null;
  }
  if (status.draining) {
    return open("draining", `The venue is restarting.${safe}`, BY_ITSELF);
  }
  if (status.held) {
    const why = status.held_why === "" ? "" : `: ${status.held_why.replace(/[.\s]+$/, "")}`;
    return open("held", `Betting is on hold${why}.`, "An operator opens it again.");
  }
  if (status.breaker === "open") {
    return status.override === "open" ? OPENED_BY_HAND : FEED_UNRELIABLE;
  }
  return status.disk_full
    ? open("disk_full", "Betting is suspended: the venue's disk is nearly full.", MAKES_ROOM)
    : null;
}

/**
 * @param {State["account"]} account
 * @param {number} nowMs
 * @returns {Suspension | null}
 */
function ofAccount(account, nowMs) {
  if (account?.frozen) {
    return open("frozen", "This account is frozen: it can't bet.", "An operator can lift it.");
  }
  const pausedUntilMs = account?.limits.paused_until_ms ?? 0;
  if (pausedUntilMs > nowMs) {
    return {
      kind: "paused",
      text: "You have paused betting.",
      ends:
        pausedUntilMs > nowMs + DAY_MS
          ? "It can be cut short, but lasts a day longer then."
          : "It can't be ended early.",
      until: { atMs: pausedUntilMs, by: "venue" },
    };
  }
  return null;
}

/**
 * @param {State["market"]} market
 * @returns {Suspension | null}
 */
function ofQuote({ status, quote }) {
  return status !== null && quote === null
    ? open("no_rates", "No rates are offered just now.", "They return by themselves.")
    : null;
}

/**
 * @param {SuspensionKind} kind
 * @param {string} text
 * @param {string} ends
 * @returns {Suspension}
 */
function open(kind, text, ends) {
  return { kind, text, ends, until: null };
}

const MAKES_ROOM = "It opens again once an operator has made room.";

const OPENED_BY_HAND = open(
  "breaker",
  "An operator has suspended betting.",
  "An operator opens it again.",
);

const FEED_UNRELIABLE = open(
  "feed",
  "Betting is suspended: prices do not come reliably. Bets this touches are refunded.",
  `It opens by itself after ${FEED_STEADY_S} s of steady prices.`,
);
