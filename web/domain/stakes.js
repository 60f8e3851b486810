// Which stakes a trader may choose, and why not the others. Pure. It only warns early: the venue
// judges each bet by what it knows.

import { usdText } from "./numbers.js";

/** @import { State } from "../state/state.js" */

/**
 * What bounds a stake: his own limit, what his wallet lets the key stake, or what there is.
 *
 * @typedef {object} Bound
 * @property {"stake" | "key_bet" | "key_day" | "balance"} by
 * @property {number} mostMicros
 */

/**
 * The first bound that `stakeMicros` is over, as far as the page knows; null: there is none.
 *
 * @param {Pick<State, "account" | "session" | "bets">} state
 * @param {number} stakeMicros
 * @returns {Bound | null}
 */
export function boundOver({ account, session, bets }, stakeMicros) {
  if (account === null) {
    return null;
  }
  const { key } = session;
  /** @type {[Bound["by"], number | null | undefined][]} */
  const bounds = [
    ["stake", account.limits.stake_max_micros],
    ["key_bet", key?.betMaxMicros],
    ["key_day", key?.dayMaxMicros],
    ["balance", account.balance_micros - onItsWayMicros(bets)],
  ];
  for (const [by, mostMicros] of bounds) {
    if (typeof mostMicros === "number" && stakeMicros > mostMicros) {
      return { by, mostMicros };
    }
  }
  return null;
}

/**
 * Stakes that the balance does not show yet.
 *
 * @param {State["bets"]} bets
 */
function onItsWayMicros(bets) {
  return Object.values(bets).reduce(
    (sum, bet) => sum + (bet.phase === "pending" ? bet.stakeMicros : 0),
    0,
  );
}

/**
 * Why `stakeMicros` can't be staked, as far as the page knows; empty: it can.
 *
 * @param {Pick<State, "account" | "session" | "bets">} state
 * @param {number} stakeMicros
 */
export function stakeProblem(state, stakeMicros) {
  const bound = boundOver(state, stakeMicros);
  if (bound === null) {
    return "";
  }
  const most = usdText(bound.mostMicros);
  switch (bound.by) {
    case "stake":
      return `More than your own limit of ${most} USD a bet.`;
    case "key_bet":
      return `More than your wallet lets this browser stake: ${most} USD a bet.`;
    case "key_day":
      return `More than your wallet lets this browser stake: ${most} USD a day.`;
    case "balance":
      return `More than your balance of ${most} USD.`;
  }
}
