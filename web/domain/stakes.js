// Which stakes a trader may choose, and why not the others. Pure. It only warns early: the venue
// judges each bet by what it knows.

import { usdText } from "./numbers.js";

/** @import { State } from "../state/state.js" */

/**
 * Why `stakeMicros` can't be staked, as far as the page knows; empty: it can.
 *
 * @param {Pick<State, "account" | "session">} state
 * @param {number} stakeMicros
 */
export function stakeProblem({ account, session }, stakeMicros) {
  if (account === null) {
    return "";
  }
  if (stakeMicros > account.balance_micros) {
    return `More than your balance of ${usdText(account.balance_micros)} USD.`;
  }
  const ownMaxMicros = account.limits.stake_max_micros;
  if (ownMaxMicros !== null && stakeMicros > ownMaxMicros) {
    return `More than your own limit of ${usdText(ownMaxMicros)} USD a bet.`;
  }
  const keyMaxMicros =
    session.key === null
      ? Number.POSITIVE_INFINITY
      : Math.min(session.key.betMaxMicros, session.key.dayMaxMicros);
  return stakeMicros > keyMaxMicros
    ? `More than your wallet lets this browser stake: ${usdText(keyMaxMicros)} USD a bet.`
    : "";
}
