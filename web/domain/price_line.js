// What the price line may claim: up to when the price is known, and whether a market made it. Pure.

/** @import { State } from "../state/state.js" */

/**
 * Up to when the price is known. While nothing is heard, or no exchange says anything, the line ends
 * at the newest price: drawn on to NOW it would claim that the price stood still.
 *
 * @param {Pick<State, "connection" | "market">} state
 * @param {number} nowMs
 */
export function lineEndMs({ connection, market }, nowMs) {
  const isHeard = connection.phase === "live" && market.status?.level !== "critical";
  const newest = market.trail.at(-1);
  return isHeard || newest === undefined ? nowMs : Math.min(nowMs, newest.ts_ms);
}

/**
 * What a price is called that no market made: the venue's simulator did, or it is played from a
 * file. Empty for a market's own, and while that isn't known.
 *
 * @param {string | null | undefined} source as the venue names it
 */
export function playedWord(source) {
  if (source === "simulator") {
    return "simulated";
  }
  return source?.startsWith("replay:") ? "replayed" : "";
}
