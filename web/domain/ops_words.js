// How operators read times, sizes and shares. Pure. Times of day are UTC, as the logs have them.

import { NOTHING } from "./numbers.js";

const KIB = 1024;
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/**
 * A length of time: `0.4 s`, `45 s`, `12 min`, `5 h`, `9 days`; rounded down, as an age is.
 *
 * @param {number | null | undefined} ms
 */
export function ageText(ms) {
  if (ms === null || ms === undefined) {
    return NOTHING;
  }
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) {
    return `${(Math.floor(seconds * 10) / 10).toFixed(1)} s`;
  }
  if (seconds < 120) {
    return `${Math.floor(seconds)} s`;
  }
  if (seconds < 7_200) {
    return `${Math.floor(seconds / 60)} min`;
  }
  return seconds < 172_800
    ? `${Math.floor(seconds / 3_600)} h`
    : `${Math.floor(seconds / 86_400)} days`;
}

/**
 * How long something took: `12 ms`, `3.4 s`, `2 min`.
 *
 * @param {number} ms
 */
export function tookText(ms) {
  return ms < 1_000 ? `${Math.round(ms)} ms` : ageText(ms);
}

/**
 * An age in seconds.
 *
 * @param {number | null | undefined} s
 */
export function ageOfSeconds(s) {
  return ageText(s === null || s === undefined ? null : s * 1000);
}

/**
 * How long something has run, in a few characters: `45s`, `12m05s`, `3h04m`, `2d03h`.
 *
 * @param {number | null | undefined} s
 */
export function uptimeText(s) {
  if (s === null || s === undefined) {
    return "";
  }
  const minutes = Math.floor(s / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days > 0) {
    return `${days}d${two(hours % 24)}h`;
  }
  if (hours > 0) {
    return `${hours}h${two(minutes % 60)}m`;
  }
  return minutes > 0 ? `${minutes}m${two(Math.floor(s) % 60)}s` : `${Math.floor(s)}s`;
}

/**
 * `512 B`, `4.2 KiB`, `71 GiB`.
 *
 * @param {number | null | undefined} bytes
 */
export function bytesText(bytes) {
  if (bytes === null || bytes === undefined) {
    return NOTHING;
  }
  let amount = bytes;
  let unit = 0;
  while (amount >= KIB && unit < UNITS.length - 1) {
    amount /= KIB;
    unit += 1;
  }
  const digits = unit === 0 || amount >= 100 ? 0 : 1;
  return `${amount.toFixed(digits)} ${UNITS[unit]}`;
}

/**
 * A share in percent, rounded down, so that no threshold seems to be reached that is not: `0 %`,
 * `0.4 %`, `72 %`. Exact whatever the amounts are.
 *
 * @param {number} part
 * @param {number} whole
 */
export function percentText(part, whole) {
  if (whole <= 0) {
    return NOTHING;
  }
  const tenths = Number((BigInt(Math.trunc(part)) * 1000n) / BigInt(Math.trunc(whole)));
  return tenths > 0 && tenths < 100 ? `${tenths / 10} %` : `${Math.floor(tenths / 10)} %`;
}

/**
 * A share from 0 to 1, for a bar.
 *
 * @param {number} part
 * @param {number} whole
 */
export function shareOf(part, whole) {
  return whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0;
}

/**
 * A whole number in groups of three: `10,000`.
 *
 * @param {number} count
 */
export function countText(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/**
 * A whole number in five characters at most: `9,120`, `10k`, `12.3k`, `991k`, `1.2M`; rounded down.
 *
 * @param {number} count
 */
export function shortCountText(count) {
  if (count < 10_000) {
    return countText(count);
  }
  const [unit, letter] = count < 1_000_000 ? [1_000, "k"] : [1_000_000, "M"];
  const tenths = Math.floor((count * 10) / Number(unit));
  return tenths >= 1_000 || tenths % 10 === 0
    ? `${countText(Math.floor(tenths / 10))}${letter}`
    : `${tenths / 10}${letter}`;
}

/**
 * Milliseconds that something took: `0.1`, `37.9`, `1,204`.
 *
 * @param {number} ms
 */
export function msText(ms) {
  return ms < 100 ? ms.toFixed(1) : countText(Math.round(ms));
}

/**
 * How many a second: `0`, `0.3`, `12.5`, `840`.
 *
 * @param {number | null} perS
 */
export function rateText(perS) {
  if (perS === null) {
    return NOTHING;
  }
  return perS === 0 || perS >= 100 ? countText(Math.round(perS)) : perS.toFixed(1);
}

/**
 * A time of day: `18:51:03`; with its day where that is another than `nowMs` has.
 *
 * @param {number} atMs
 * @param {number} nowMs
 */
export function utcText(atMs, nowMs) {
  const [day, time] = utc(atMs);
  return day === utc(nowMs)[0] ? time : `${day} ${time}`;
}

/**
 * The same, always with its day.
 *
 * @param {number} atMs
 */
export function utcDayText(atMs) {
  return utc(atMs).join(" ");
}

/**
 * @param {number} atMs
 * @returns {[string, string]}
 */
function utc(atMs) {
  const text = new Date(atMs).toISOString();
  return [text.slice(0, 10), text.slice(11, 19)];
}

/** @param {number} number */
function two(number) {
  return String(number).padStart(2, "0");
}
