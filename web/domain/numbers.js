// How numbers are written. Pure. Everything that is paid is rounded down, never up: a trader is never
// shown more than he gets.

const CENTS_PER_USD = 100;
const MICROS_PER_CENT = 10_000;
const BPS_PER_UNIT = 10_000;

/** Instead of a number that is not known. */
export const NOTHING = "–";
const MINUS = "−";
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/**
 * A rate: `1.85x`, `12.3x`, `100x`; nothing where a cell is not offered.
 *
 * @param {number} rewardBps
 */
export function rateText(rewardBps) {
  if (rewardBps <= 0) {
    return "";
  }
  const digits = rewardBps < 10 * BPS_PER_UNIT ? 2 : rewardBps < 100 * BPS_PER_UNIT ? 1 : 0;
  const scale = 10 ** digits;
  const shown = Math.floor((rewardBps * scale) / BPS_PER_UNIT) / scale;
  return `${shown.toFixed(digits)}x`;
}

/**
 * A rate where there is little room: `1.8`, `12`, `100`; nothing where a cell is not offered.
 *
 * @param {number} rewardBps
 */
export function shortRateText(rewardBps) {
  if (rewardBps <= 0) {
    return "";
  }
  const digits = rewardBps < 10 * BPS_PER_UNIT ? 1 : 0;
  const scale = 10 ** digits;
  return (Math.floor((rewardBps * scale) / BPS_PER_UNIT) / scale).toFixed(digits);
}

/**
 * What a won bet pays, in micros: `stake * reward_bps // 10_000`. Exact: the product passes 2^53.
 *
 * @param {number} stakeMicros
 * @param {number} rewardBps
 */
export function payoutMicros(stakeMicros, rewardBps) {
  return Number((BigInt(stakeMicros) * BigInt(rewardBps)) / BigInt(BPS_PER_UNIT));
}

/**
 * A price: `42,005.12`.
 *
 * @param {number} cents
 */
export function priceText(cents) {
  return `${grouped(Math.floor(cents / CENTS_PER_USD))}.${twoDigits(cents % CENTS_PER_USD)}`;
}

/**
 * The edge of a cell, whose cents are none as a rule: `65,000`.
 *
 * @param {number} cents
 */
export function edgeText(cents) {
  return priceText(cents).replace(/\.00$/, "");
}

/**
 * A range of prices: `64,990 to 65,000`.
 *
 * @param {number} loCents
 * @param {number} hiCents
 */
export function bandText(loCents, hiCents) {
  return `${edgeText(loCents)} to ${edgeText(hiCents)}`;
}

/**
 * An amount in USD: `1,234.56`, `−0.50`; whole cents, rounded towards zero.
 *
 * @param {number} micros
 */
export function usdText(micros) {
  const cents = Math.floor(Math.abs(micros) / MICROS_PER_CENT);
  const text = `${grouped(Math.floor(cents / CENTS_PER_USD))}.${twoDigits(cents % CENTS_PER_USD)}`;
  return micros < 0 && cents > 0 ? `${MINUS}${text}` : text;
}

/**
 * What came of something: `+1.85`, `−1.00`, `0.00`.
 *
 * @param {number} micros
 */
export function signedUsdText(micros) {
  return micros >= MICROS_PER_CENT ? `+${usdText(micros)}` : usdText(micros);
}

/**
 * An amount as short as it can be, for a chip: `1`, `2.50`, `1,000`.
 *
 * @param {number} micros
 */
export function chipText(micros) {
  return usdText(micros).replace(/\.00$/, "");
}

/**
 * A short length of time: `0.3 s`, `12 s`, `3 min`, `2 h`.
 *
 * @param {number} ms
 */
export function durationText(ms) {
  if (ms < 10_000) {
    return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
  }
  if (ms < 120_000) {
    return `${Math.round(ms / 1000)} s`;
  }
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}

/**
 * How long there is still to wait, never less than it is: `3 s`, `12 min`, `2 h 10 min`, `6 days`.
 *
 * @param {number} ms
 */
export function leftText(ms) {
  if (ms <= 90_000) {
    return `${Math.max(0, Math.ceil(ms / 1000))} s`;
  }
  const minutes = Math.ceil(ms / 60_000);
  if (minutes <= 90) {
    return `${minutes} min`;
  }
  const hours = Math.floor(minutes / 60);
  if (hours < 48) {
    return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  }
  return `${Math.ceil(ms / 86_400_000)} days`;
}

/**
 * When something is, by the trader's own clock: `14:03`, on another day `20 Nov, 14:03`.
 *
 * @param {number} atMs
 * @param {number} nowMs
 */
export function whenText(atMs, nowMs) {
  const time = clockText(atMs).slice(0, 5);
  const isToday = new Date(atMs).toDateString() === new Date(nowMs).toDateString();
  return isToday ? time : `${dateText(atMs)}, ${time}`;
}

/**
 * A day by the trader's own clock, without its year: `20 Nov`.
 *
 * @param {number} atMs
 */
export function dateText(atMs) {
  const at = new Date(atMs);
  return `${at.getDate()} ${MONTHS[at.getMonth()]}`;
}

/**
 * A time of day by the trader's own clock: `14:03:05`.
 *
 * @param {number} atMs
 */
export function clockText(atMs) {
  const at = new Date(atMs);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(":");
}

/**
 * A wallet, short: `0x7e5f…5bdf`.
 *
 * @param {string} wallet
 */
export function walletText(wallet) {
  return `${wallet.slice(0, 6)}…${wallet.slice(-4)}`;
}

/** @param {number} whole */
function grouped(whole) {
  return String(whole).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** @param {number} number */
function twoDigits(number) {
  return String(number).padStart(2, "0");
}
