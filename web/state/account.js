// The trader's account, as the venue tells it: by a snapshot, and from there on by events, each one
// above the one before. Nothing here is counted ahead of the venue.

/** @import { Account, BetConfirmedFrame, BetFailedFrame, BetResolvedFrame, BalanceFrame, AccountFrame, Snapshot } from "../types/wire.js" */
/** @import { State } from "./state.js" */
/** @import { TradingEvent } from "./events.js" */

/**
 * An event of the private stream.
 *
 * @typedef {(
 *   | BetConfirmedFrame | BetFailedFrame | BetResolvedFrame | BalanceFrame | AccountFrame
 * )} PrivateFrame
 */

/**
 * How an event stands to what is known: the next one; one that is known, or of nobody who is signed
 * in here; or one after a gap, where what is missing must be asked for.
 *
 * @param {State} state
 * @param {TradingEvent} event
 * @returns {"next" | "known" | "gap" | "public"}
 */
export function seqAfter({ account }, event) {
  if (!isPrivate(event)) {
    return "public";
  }
  if (account === null || event.seq <= account.seq) {
    return "known";
  }
  return event.seq === account.seq + 1 ? "next" : "gap";
}

/**
 * @param {State} state
 * @param {TradingEvent} event
 * @returns {State} the same object where nothing changes
 */
export function reduceAccount(state, event) {
  const { account } = state;
  if (event.type === "page:snapshot") {
    return { ...state, account: accountOf(event.snapshot) };
  }
  return account !== null && isPrivate(event)
    ? { ...state, account: { ...after(account, event), seq: event.seq } }
    : state;
}

/**
 * @param {TradingEvent} event
 * @returns {event is PrivateFrame}
 */
function isPrivate(event) {
  switch (event.type) {
    case "bet:confirmed":
    case "bet:failed":
    case "bet:resolved":
    case "balance":
    case "account":
      return true;
    default:
      return false;
  }
}

/**
 * @param {Snapshot} snapshot
 * @returns {Account}
 */
function accountOf({ open: _open, last: _last, ...account }) {
  return account;
}

/**
 * @param {Account} account
 * @param {PrivateFrame} event
 * @returns {Account}
 */
function after(account, event) {
  switch (event.type) {
    case "bet:confirmed":
      return withOpen(account, event.balance_micros, 1, event.stake_micros);
    case "bet:resolved":
      return withOpen(account, event.balance_micros, -1, -event.stake_micros);
    case "balance":
      return { ...account, balance_micros: event.balance_micros };
    case "account":
      return { ...account, frozen: event.frozen, limits: event.limits };
    case "bet:failed":
      return account;
  }
}

/**
 * @param {Account} account
 * @param {number} balanceMicros
 * @param {number} bets
 * @param {number} stakeMicros
 * @returns {Account}
 */
function withOpen(account, balanceMicros, bets, stakeMicros) {
  return {
    ...account,
    balance_micros: balanceMicros,
    open_bets: account.open_bets + bets,
    open_stake_micros: account.open_stake_micros + stakeMicros,
  };
}
