// What the account panel says: of money that moved, limits, and requests that were refused. Pure.

import { exactUsdText } from "./amounts.js";
import { NO_CAP_MICROS } from "./key_caps.js";
import { clockText, dateText, durationText, usdText, walletText } from "./numbers.js";

/** @import { Entry, Limits, PendingMax, Withdrawal } from "../types/wire.js" */
/** @import { Code } from "../types/wire.js" */

const DAY_MS = 86_400_000;
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** What each kind of line of the statement is. */
const ENTRY_WORDS = Object.freeze(
  /** @type {const} @satisfies {Record<Entry["ref_type"], string>} */ ({
    BET: "Stake",
    PAYOUT: "Payout",
    REFUND: "Refund",
    DEPOSIT: "Deposit",
    WITHDRAWAL: "Withdrawal",
    ADJUSTMENT: "Adjustment",
    CARRY: "Brought forward",
  }),
);

/**
 * What a line of the statement is: `Stake`, `Paper money`, `Withdrawal returned`.
 *
 * @param {Pick<Entry, "ref_type" | "ref_id" | "amount_micros">} entry
 */
export function entryWords({ ref_type, ref_id, amount_micros }) {
  if (ref_type === "DEPOSIT" && /^(faucet|demo):/.test(ref_id)) {
    return "Paper money";
  }
  return ref_type === "WITHDRAWAL" && amount_micros > 0
    ? "Withdrawal returned"
    : ENTRY_WORDS[ref_type];
}

/**
 * The bet that a line is of; null where it is of none.
 *
 * @param {Pick<Entry, "ref_type" | "ref_id">} entry
 */
export function betOf({ ref_type, ref_id }) {
  return ref_type === "BET" || ref_type === "PAYOUT" || ref_type === "REFUND" ? ref_id : null;
}

/**
 * A time as one says it: `today, 14:03`, `Sat 21 Nov, 14:03`, and the year where it is another one.
 *
 * @param {number} atMs
 * @param {number} nowMs
 * @param {string} [time] of day, as it is to be written
 */
export function whenWords(atMs, nowMs, time = clockText(atMs).slice(0, 5)) {
  const at = new Date(atMs);
  const days = daysBetween(new Date(nowMs), at);
  if (Math.abs(days) <= 1) {
    return `${["yesterday", "today", "tomorrow"][days + 1]}, ${time}`;
  }
  const year = at.getFullYear() === new Date(nowMs).getFullYear() ? "" : ` ${at.getFullYear()}`;
  return `${DAYS[at.getDay()]} ${dateText(atMs)}${year}, ${time}`;
}

/**
 * The same to the second.
 *
 * @param {number} atMs
 * @param {number} nowMs
 */
export function exactWhenWords(atMs, nowMs) {
  return whenWords(atMs, nowMs, clockText(atMs));
}

/**
 * @param {Date} from
 * @param {Date} to
 */
function daysBetween(from, to) {
  const midnight = (/** @type {Date} */ at) =>
    Date.UTC(at.getFullYear(), at.getMonth(), at.getDate());
  return Math.round((midnight(to) - midnight(from)) / DAY_MS);
}

/** @param {number | null} micros */
export function maxWords(micros) {
  return micros === null ? "No limit" : `${exactUsdText(micros)} USD`;
}

/**
 * What a limit becomes, and when: `Becomes 50.00 USD on Sat 21 Nov, 14:03.`
 *
 * @param {PendingMax | null} pending
 * @param {number} nowMs
 */
export function pendingWords(pending, nowMs) {
  if (pending === null) {
    return "";
  }
  const becomes =
    pending.micros === null ? "Removed" : `Becomes ${exactUsdText(pending.micros)} USD`;
  return `${becomes} ${whenWords(pending.from_ms, nowMs)}.`;
}

/**
 * What has come of a change of a limit.
 *
 * @param {number | null} asked
 * @param {number | null} max what holds now
 * @param {PendingMax | null} pending what it becomes
 * @param {number} nowMs
 */
export function changedWords(asked, max, pending, nowMs) {
  if (pending !== null && pending.micros === asked) {
    return `Asked for. It takes effect ${whenWords(pending.from_ms, nowMs)}.`;
  }
  return max === null ? "There is no limit now." : `Holds from now: ${exactUsdText(max)} USD.`;
}

/**
 * In one line, for the section's heading.
 *
 * @param {Limits | null} limits
 * @param {number} nowMs
 */
export function limitsSummary(limits, nowMs) {
  if (limits === null) {
    return "";
  }
  if (limits.paused_until_ms > nowMs) {
    return "Paused";
  }
  const set = [limits.stake_max_micros, limits.loss_day_max_micros].filter((max) => max !== null);
  return set.length === 0 ? "None set" : `${set.length} set`;
}

/**
 * When a pause ends if it is cut short now: a day on, unless it ends before that anyway.
 *
 * @param {number} untilMs
 * @param {number} nowMs
 * @returns {number | null} null where asking would change nothing
 */
export function shortenedMs(untilMs, nowMs) {
  return untilMs > nowMs + DAY_MS ? nowMs + DAY_MS : null;
}

/** @param {number} micros */
export function capWords(micros) {
  return micros >= NO_CAP_MICROS ? "no limit" : `${usdText(micros)} USD`;
}

/**
 * Where a withdrawal stands.
 *
 * @param {Pick<Withdrawal, "status" | "reason" | "reference">} withdrawal
 */
export function withdrawalWords({ status, reason, reference }) {
  switch (status) {
    case "pending":
      return "Waiting to be paid";
    case "paid":
      return reference ? `Paid: ${reference}` : "Paid";
    case "rejected":
      return reason ? `Returned to your balance: ${reason}` : "Returned to your balance";
  }
}

/**
 * Why a request of this panel was refused.
 *
 * @param {Code} code
 * @param {Readonly<Record<string, unknown>>} details
 * @param {string} message the venue's own words, for codes that this panel does not expect
 */
export function accountRefusalText(code, details, message) {
  switch (code) {
    case "limit_reached":
      return faucetText(details);
    case "not_found":
      return "Limits can be set once there has been money in the account.";
    case "insufficient_funds":
      return "The balance does not cover this amount.";
    case "frozen":
      return "This account is frozen: nothing can be taken out. An operator can lift it.";
    case "invalid_signature":
      return "The signature is not of this account. Check which account is chosen in the wallet.";
    case "signature_expired":
      return "Signing took too long. Nothing was taken out. Try again.";
    case "unauthorized":
      return "Your session has ended. Sign in again.";
    case "forbidden":
      return "This venue does not give paper money.";
    case "draining":
    case "overloaded":
    case "store_unavailable":
    case "rate_limited":
      return `The venue is busy. ${againText(details)}`;
    case "status_unknown":
      return "It is not known yet whether the venue has taken this.";
    case "archived":
      return "This part is in the archive; an operator can bring it back.";
    default:
      return `The venue refused: ${message}`;
  }
}

/** Whatever was asked for may have been done, or not. */
export const NO_ANSWER = "The venue did not answer. Nothing you entered is lost.";

/** @param {Readonly<Record<string, unknown>>} details */
function faucetText(details) {
  const max = details["balance_max_micros"];
  return typeof max === "number"
    ? `Your balance has reached what the venue gives: ${usdText(max)} USD.`
    : "A limit is reached.";
}

/** @param {Readonly<Record<string, unknown>>} details */
function againText(details) {
  const seconds = details["retry_after"];
  return typeof seconds === "number" && seconds > 5
    ? `Try again in ${durationText(seconds * 1000)}.`
    : "Try again in a moment.";
}

/** @param {string} text */
export function isAddress(text) {
  return /^0x[0-9a-fA-F]{40}$/.test(text.trim());
}

/** @param {string} account that the wallet shows */
export function otherAccountText(account) {
  return `Your wallet shows ${walletText(account)}. Choose the account you are signed in with there.`;
}
