// What a session key may be allowed, what is proposed, and when it ends. Pure.

import { chipText, durationText } from "./numbers.js";

/** @import { KeyCaps } from "../page.js" */
/** @import { Session } from "../state/state.js" */

/** Before the venue has said which stakes there are. */
const STAKES_MICROS = [1_000_000, 5_000_000, 10_000_000, 25_000_000, 100_000_000];
/** A day's limit as so many times the highest stake. */
const DAY_STAKES = [1, 5, 10, 50];
/** No key outlives its session, which is a day. */
const HOURS = [1, 4, 8, 24];
const HOURS_PROPOSED = 8;
/** The highest amount there is, which the key of a demo account has. */
export const NO_CAP_MICROS = 1_000_000_000_000_000;
/** So long before its end the trader is told that a key ends. */
const ENDS_SOON_MS = 15 * 60_000;

/**
 * What can be chosen.
 *
 * @param {readonly number[] | undefined} presetsMicros
 */
export function capChoices(presetsMicros) {
  const stakesMicros = presetsMicros?.length ? presetsMicros : STAKES_MICROS;
  const highestMicros = Math.max(...stakesMicros);
  return {
    betMaxMicros: [...stakesMicros].sort((a, b) => a - b),
    dayMaxMicros: DAY_STAKES.map((times) => times * highestMicros),
    hours: HOURS,
  };
}

/**
 * What is proposed: every stake but the highest, as much of them as a long evening takes.
 *
 * @param {ReturnType<typeof capChoices>} choices
 * @returns {KeyCaps}
 */
export function proposedCaps({ betMaxMicros, dayMaxMicros }) {
  return {
    betMaxMicros: /** @type {number} */ (betMaxMicros.at(-2) ?? betMaxMicros[0]),
    dayMaxMicros: /** @type {number} */ (dayMaxMicros[1]),
    hours: HOURS_PROPOSED,
  };
}

/** @param {number} hours */
export function hoursText(hours) {
  return hours === 1 ? "1 hour" : `${hours} hours`;
}

/**
 * What the key may do: `25 USD a bet, 500 USD a day`; nothing where no limit was set.
 *
 * @param {{betMaxMicros: number, dayMaxMicros: number}} key
 */
export function capsText({ betMaxMicros, dayMaxMicros }) {
  return betMaxMicros >= NO_CAP_MICROS
    ? ""
    : `${chipText(betMaxMicros)} USD a bet, ${chipText(dayMaxMicros)} USD a day`;
}

/**
 * What is to be done about a key that has ended, or is going to; nothing while there is time.
 *
 * @param {Session} session
 * @param {number} nowMs by the venue's clock
 */
export function keyEndText({ phase, kind, key }, nowMs) {
  if (phase !== "in") {
    return "";
  }
  const leftMs = (key?.expiresAtMs ?? nowMs) - nowMs;
  if (leftMs > ENDS_SOON_MS) {
    return "";
  }
  if (kind === "demo") {
    return leftMs <= 0 ? "This demo account has ended." : `It ends in ${durationText(leftMs)}.`;
  }
  return leftMs <= 0
    ? "The key that signs your taps has ended: renew it below."
    : `Taps by this key end in ${durationText(leftMs)}: renew it below.`;
}
