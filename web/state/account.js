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
  switch (event.type) {
    case "page:snapshot":
      return { ...state, account: accountOf(event.snapshot) };
    case "page:account":
      return account === null ? state : withAccount(state, read(account, event.account));
    default:
      return account !== null && isPrivate(event)
        ? withAccount(state, { ...after(account, event), seq: event.seq })
        : state;
  }
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
 * @param {State} state
 * @param {Account} account
 */
function withAccount(state, account) {
  return account === state.account ? state : { ...state, account };
}

/**
 * @param {Snapshot} snapshot
 * @returns {Account}
 */
function accountOf({ open: _open, last: _last, ...account }) {
  return account;
}

/**
 * What was read over HTTP may be ahead of the stream. Then its money is not taken over: the events
 * that it came by are on their way, and each tells what changed.
 *
 * @param {Account} account
 * @param {Account} found
 * @returns {Account}
 */
function read(account, found) {
  if (found.wallet !== account.wallet || found.seq < account.seq) {
    return account;
  }
  return { ...account, frozen: found.frozen, limits: found.limits };
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
