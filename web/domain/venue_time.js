// What time it is at the venue, from what it has said. Pure.
//
// A reply to a question tells the difference of the two clocks to within half of what it took; of
// the last replies the quickest is believed. Before there is one, and where one turns out to be too
// old, a heartbeat will do: it left the venue before it came, so the venue's clock is at least as far.
//
// Time is drawn, and what is drawn must not jump: a small difference is made up little by little,
// and time never goes back for it. A large one, of a page that slept, is made up at once.

/**
 * @typedef {object} Sample
 * @property {number} aheadMs how far the venue's clock was found to be ahead of ours
 * @property {number} tookMs from question to answer
 */

/**
 * @typedef {object} VenueTime
 * @property {readonly Sample[]} samples newest last
 * @property {number} fromMs when `aheadMs` held, by the page's clock
 * @property {number} aheadMs how far ahead time was shown then
 * @property {number} targetMs how far ahead it is thought to be
 * @property {boolean} heard has anything been said at all?
 */

/** So many replies are remembered. */
export const SAMPLES = 8;
/** More than so much is made up at once. */
export const STEP_MS = 250;
/** Of each second, so much is made up little by little, at most. */
export const SLEW_MS_PER_S = 50;

/** @type {VenueTime} */
export const NOT_HEARD = { samples: [], fromMs: 0, aheadMs: 0, targetMs: 0, heard: false };

/**
 * What time it is shown to be.
 *
 * @param {VenueTime} time
 * @param {number} atMs by the page's clock
 */
export function venueMs(time, atMs) {
  return atMs + aheadAt(time, atMs);
}

/**
 * The venue has answered what time it is.
 *
 * @param {VenueTime} time
 * @param {number} venueMs
 * @param {number} askedAtMs by the page's clock, as is `atMs`
 * @param {number} atMs
 * @returns {VenueTime}
 */
export function answered(time, venueMs, askedAtMs, atMs) {
  const sample = { aheadMs: venueMs - (askedAtMs + atMs) / 2, tookMs: atMs - askedAtMs };
  const samples = [...time.samples, sample].slice(-SAMPLES);
  // What a later answer rules out was measured before a clock was set, or the page slept.
  const possible = samples.filter(
    ({ aheadMs, tookMs }) =>
      Math.abs(aheadMs - sample.aheadMs) <= (tookMs + sample.tookMs) / 2 + STEP_MS,
  );
  const best = possible.reduce((one, other) => (other.tookMs <= one.tookMs ? other : one));
  return towards({ ...time, samples: possible }, best.aheadMs, atMs);
}

/**
 * The venue has said what time it is, unasked.
 *
 * @param {VenueTime} time
 * @param {number} venueMs
 * @param {number} atMs by the page's clock
 * @returns {VenueTime} the same where it tells nothing new
 */
export function overheard(time, venueMs, atMs) {
  const aheadMs = venueMs - atMs;
  const isFirst = !time.heard;
  const isAhead = aheadMs > time.targetMs + (time.samples.length > 0 ? STEP_MS : 0);
  return isFirst || isAhead ? towards({ ...time, samples: [] }, aheadMs, atMs) : time;
}

/**
 * @param {VenueTime} time
 * @param {number} targetMs
 * @param {number} atMs
 * @returns {VenueTime}
 */
function towards(time, targetMs, atMs) {
  const shownMs = aheadAt(time, atMs);
  const isFar = !time.heard || Math.abs(targetMs - shownMs) > STEP_MS;
  return { ...time, fromMs: atMs, aheadMs: isFar ? targetMs : shownMs, targetMs, heard: true };
}

/**
 * @param {VenueTime} time
 * @param {number} atMs
 */
function aheadAt({ fromMs, aheadMs, targetMs }, atMs) {
  const mostMs = (Math.max(0, atMs - fromMs) * SLEW_MS_PER_S) / 1000;
  return aheadMs + Math.max(-mostMs, Math.min(mostMs, targetMs - aheadMs));
}
