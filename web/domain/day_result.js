// What a day's bets came to. Pure.

/** @import { Bet, BetResolvedFrame, BetStatus } from "../types/wire.js" */

const DAY_S = 86_400;

/**
 * When the UTC day that `atMs` falls in began, in seconds.
 *
 * @param {number} atMs
 */
export function dayStartS(atMs) {
  const atS = Math.floor(atMs / 1000);
  return atS - (atS % DAY_S);
}

/**
 * What counts of a bet.
 *
 * @typedef {object} EndedBet
 * @property {string} betId
 * @property {BetStatus} status
 * @property {number} stakeMicros
 * @property {number} payoutMicros
 */

/**
 * @param {Pick<Bet | BetResolvedFrame, "bet_id" | "status" | "stake_micros" | "payout_micros">} bet
 * @returns {EndedBet}
 */
export function asEnded({ bet_id, status, stake_micros, payout_micros }) {
  return {
    betId: bet_id,
    status,
    stakeMicros: stake_micros,
    payoutMicros: payout_micros ?? 0,
  };
}

/**
 * Payouts less stakes. Only what was won or lost counts: open bets have not ended, void ones were
 * given back, refused ones never were. A bet that comes more than once, open first and ended later,
 * counts once. `counted` are the ids of those that did.
 *
 * @param {readonly EndedBet[]} bets
 */
export function addedUp(bets) {
  const ended = new Map(
    bets
      .filter(({ status }) => status === "won" || status === "lost")
      .map((bet) => [bet.betId, bet]),
  );
  let resultMicros = 0;
  for (const { payoutMicros, stakeMicros } of ended.values()) {
    resultMicros += payoutMicros - stakeMicros;
  }
  return { resultMicros, ended: ended.size, counted: new Set(ended.keys()) };
}
