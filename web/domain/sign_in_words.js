// Why signing in did not work, for people. Pure.

import { clockText, walletText } from "./numbers.js";

/** @import { Code } from "../types/wire.js" */

/**
 * What can go wrong with a wallet.
 *
 * @typedef {(
 *   | "rejected" | "pending" | "disconnected" | "timeout" | "canceled" | "no_account"
 *   | "odd_signature" | "failed"
 * )} WalletFault
 */

export const ENDED = "Your session has ended.";
export const UNREACHABLE = "The venue can't be reached. Try again in a moment.";

/** @type {Readonly<Record<WalletFault, string>>} */
const WALLET_TEXTS = {
  rejected: "You declined in your wallet. Nothing was signed.",
  pending: "Your wallet has a request open already. Answer it there, then try again.",
  disconnected: "Your wallet is not connected. Open it, then try again.",
  timeout: "Your wallet did not answer. Open it, then try again.",
  canceled: "",
  no_account: "Your wallet has shared no account. Choose one there, then try again.",
  odd_signature:
    "This wallet signs in a way the venue can't check. Contract wallets can't sign in.",
  failed: "Your wallet could not sign. Open it, then try again.",
};

/** @param {WalletFault} fault */
export function walletFaultText(fault) {
  return WALLET_TEXTS[fault];
}

/**
 * Why the venue did not let someone in.
 *
 * @param {Code} code
 * @param {Readonly<Record<string, unknown>>} details
 * @param {number} nowMs by the page's clock: the time is told in the trader's
 */
export function signInRefusalText(code, details, nowMs) {
  switch (code) {
    case "rate_limited":
      return `Too many sign-ins from your network. ${againText(details, nowMs)}`;
    case "invalid_signature":
      return "The signature is not of this wallet. Check which account is chosen there.";
    case "signature_expired":
    case "unauthorized":
      return "Signing took too long. Try again.";
    case "forbidden":
      return "This venue has no demo accounts. Connect a wallet.";
    case "bad_request":
      return "Your wallet signed another text than the one asked for. Try again.";
    case "status_unknown":
      return "It is not known whether you were signed in. Try again.";
    case "draining":
      return `The venue is restarting. ${againText(details, nowMs)}`;
    case "overloaded":
    case "store_unavailable":
      return `The venue is busy. ${againText(details, nowMs)}`;
    default:
      return "The venue did not let you in. Try again in a moment.";
  }
}

/**
 * What is to be said when the wallet shows another account than the one that is signed in here.
 *
 * @param {string | undefined} account the one it shows; none when it is locked or shares none
 * @param {string} signedIn
 */
export function accountText(account, signedIn) {
  if (account === signedIn) {
    return "";
  }
  const stays = `You are still signed in as ${walletText(signedIn)}.`;
  return account === undefined
    ? `Your wallet is locked or no longer shares its account. ${stays}`
    : `Your wallet now shows ${walletText(account)}. ${stays}`;
}

/**
 * The session was forgotten here, and the venue could not be told.
 *
 * @param {number} expiresAtMs
 */
export function signedOutHereText(expiresAtMs) {
  return `Signed out here. The venue could not be told: the session ends at ${clockText(expiresAtMs)}.`;
}

/**
 * @param {Readonly<Record<string, unknown>>} details
 * @param {number} nowMs
 */
function againText(details, nowMs) {
  const waitMs = retryAfterMs(details);
  return waitMs < 5_000 ? "Try again in a moment." : `Try again at ${clockText(nowMs + waitMs)}.`;
}

/**
 * How long the venue asks to wait; 0 where it does not say.
 *
 * @param {Readonly<Record<string, unknown>>} details
 */
export function retryAfterMs(details) {
  const seconds = details["retry_after"];
  return typeof seconds === "number" && seconds > 0 ? Math.ceil(seconds) * 1000 : 0;
}
