// What a trader is told where his tap was refused. Pure.
//
// Short enough for a cell, and ending in what he can do, where he can do something.

/** @import { Code } from "../types/wire.js" */

import { chipText, rateText } from "./numbers.js";

/** @typedef {Code | "not_sent" | "not_signed_in"} RefusalCode */

/** @type {Readonly<Record<RefusalCode, string>>} */
const WORDS = {
  bad_request: "The venue did not understand this tap. Reload the page",
  insufficient_funds: "Your balance does not cover this stake",
  cell_unavailable: "This cell can't be tapped now",
  bad_stake: "This stake is not offered. Choose another",
  invalid_signature: "The signature was not accepted. Sign in again",
  signature_expired: "This tap came too late: tap again",
  unauthorized: "Your session has ended. Sign in again",
  forbidden: "This is not allowed here",
  limit_reached: "A limit is reached",
  frozen: "This account is frozen",
  not_found: "The venue does not know this",
  method_not_allowed: "The venue did not understand this tap. Reload the page",
  replay_detected: "Not placed: tap again",
  cell_taken: "You hold a bet on this cell already",
  quote_expired: "The rate moved: tap again",
  reference_conflict: "Not placed: tap again",
  archived: "This is in the archive",
  too_large: "The venue did not understand this tap. Reload the page",
  exposure_limit: "The house can't take this stake here now. Try a smaller one",
  rate_limited: "Too many taps. Wait a moment",
  internal: "The venue has a fault. Not placed",
  price_feed_stale: "Betting is suspended: prices do not come reliably",
  overloaded: "The venue is busy: tap again",
  draining: "The venue is restarting. Not placed",
  held: "Betting is on hold",
  store_unavailable: "The venue can't take bets just now",
  disk_full: "The venue can't take bets just now",
  status_unknown: "Waiting for word from the venue",
  not_sent: "Not placed: tap again",
  not_signed_in: "Sign in to tap",
};

/**
 * @param {RefusalCode} code
 * @param {Readonly<Record<string, unknown>>} details what came with it
 * @returns {string} for people
 */
export function refusalText(code, details) {
  return detailed(code, details) ?? WORDS[code] ?? WORDS.internal;
}

/**
 * Words that name a figure, where it came along.
 *
 * @param {RefusalCode} code
 * @param {Readonly<Record<string, unknown>>} details
 */
function detailed(code, details) {
  switch (code) {
    case "quote_expired": {
      const rate = details["reward_bps"];
      return typeof rate === "number" ? `Rate moved to ${rateText(rate)}: tap again` : null;
    }
    case "limit_reached":
      return limitText(details);
    case "unauthorized":
      return "key_id" in details ? "Your key has ended. Sign in again" : null;
    case "rate_limited": {
      const waitS = details["retry_after"];
      return typeof waitS === "number" && waitS > 1 ? `Too many taps. Wait ${waitS} s` : null;
    }
    default:
      return null;
  }
}

/** @param {Readonly<Record<string, unknown>>} details */
function limitText(details) {
  const micros = details["max_micros"];
  const most = typeof micros === "number" ? ` of ${chipText(micros)} USD` : "";
  switch (details["limit"]) {
    case "stake":
      return `Over your own limit${most} a bet`;
    case "loss_day":
      return `Over your own loss limit${most} a day`;
    case "paused":
      return "You have paused betting";
    case "key_bet":
      return `Over your key's limit${most} a bet`;
    case "key_day":
      return `Over your key's limit${most} a day`;
    default:
      return null;
  }
}
