// What each event changes. Each slice of the state has a module; this one says who comes when.

/** @import { Session, State } from "./state.js" */
/** @import { TradingEvent } from "./events.js" */

import { reduceAccount, seqAfter } from "./account.js";
import { reduceBets } from "./bets.js";
import { reduceConnection } from "./connection.js";
import { reduceMarket } from "./market.js";
import { reduceToday } from "./today.js";

const SLICES = [reduceConnection, reduceMarket, reduceBets, reduceToday, reduceAccount];

/**
 * @param {State} state
 * @param {TradingEvent} event
 * @returns {State} the same object where nothing changes
 */
export function reduce(state, event) {
  switch (event.type) {
    case "page:view":
      return { ...state, view: { ...state.view, ...event.view } };
    case "page:session":
      return withSession(state, event.session);
    default: {
      const order = seqAfter(state, event);
      return order === "known" || order === "gap"
        ? state
        : SLICES.reduce((one, slice) => slice(one, event), state);
    }
  }
}

/**
 * Another trader's money and bets are nobody's business. Of one whose session has run out they stay
 * in view, as they were: he signs in again, and they are taken up from there.
 *
 * @param {State} state
 * @param {Session} session
 * @returns {State}
 */
function withSession(state, session) {
  const { account } = state;
  const isSame = session.wallet === null || account === null || session.wallet === account.wallet;
  if (session.phase !== "none" && isSame) {
    return { ...state, session };
  }
  return { ...state, session, account: null, bets: {}, results: [], refused: [], today: null };
}
