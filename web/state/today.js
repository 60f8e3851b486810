// What came of today.

/** @import { HeldBet, State, Today } from "./state.js" */
/** @import { TradingEvent } from "./events.js" */

import { dayStartS } from "../domain/day_result.js";

/**
 * @param {State} state
 * @param {TradingEvent} event
 * @returns {State} the same object where nothing changes
 */
export function reduceToday(state, event) {
  switch (event.type) {
    case "page:today":
      return { ...state, today: event.today };
    case "page:snapshot":
      // Bets may have ended unseen: it is to be counted anew.
      return state.today === null ? state : { ...state, today: null };
    case "page:tick":
      return atTime(state, event.nowMs);
    default:
      return state;
  }
}

/**
 * A bet has ended before our eyes. The venue's list may have had it before its event came.
 *
 * @param {Today | null} today
 * @param {HeldBet} bet
 * @returns {Today | null}
 */
export function countedToday(today, bet) {
  const isCounted = bet.betId !== null && today?.counted?.has(bet.betId);
  if (today === null || bet.phase === "void" || isCounted) {
    return today;
  }
  const resultMicros = today.resultMicros + (bet.payoutMicros ?? 0) - bet.stakeMicros;
  return { ...today, resultMicros, ended: today.ended + 1 };
}

/**
 * A new day begins with nothing.
 *
 * @param {State} state
 * @param {number} nowMs
 * @returns {State}
 */
function atTime(state, nowMs) {
  const dayS = dayStartS(nowMs);
  if (state.today === null || dayS <= state.today.dayS) {
    return state;
  }
  return { ...state, today: { dayS, resultMicros: 0, ended: 0, state: "whole" } };
}
