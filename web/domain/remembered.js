// What a visit remembers for the next one, and what of it is believed. Pure.

/** @import { View } from "../state/state.js" */

/** @typedef {Pick<View, "board" | "zoom" | "stakeMicros" | "toleranceBps" | "theme" | "sound" | "hintsDone">} Remembered */

/**
 * What each may be. Somebody may have edited it, or an older page may have written it.
 *
 * @type {{readonly [K in keyof Remembered]: (value: unknown) => boolean}}
 */
const VALID = {
  board: (value) => value === "chart" || value === "table",
  zoom: (value) => value === 0 || value === 1 || value === 2,
  stakeMicros: (value) => Number.isSafeInteger(value) && Number(value) > 0,
  toleranceBps: (value) =>
    Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) < 10_000,
  theme: (value) => value === "auto" || value === "dark" || value === "light",
  sound: (value) => typeof value === "boolean",
  hintsDone: (value) => typeof value === "boolean",
};

const NAMES = /** @type {(keyof Remembered)[]} */ (Object.keys(VALID));

/**
 * The text to be stored. A panel that was open, or a bet that was looked at, is not in it.
 *
 * @param {View} view
 */
export function rememberedText(view) {
  return JSON.stringify(Object.fromEntries(NAMES.map((name) => [name, view[name]])));
}

/**
 * What can be believed of a stored text; the rest is as on a first visit.
 *
 * @param {string | null} text
 * @returns {Partial<View>}
 */
export function recalled(text) {
  const stored = parsed(text);
  const believed = NAMES.filter((name) => VALID[name](stored[name]));
  return Object.fromEntries(believed.map((name) => [name, stored[name]]));
}

/**
 * @param {string | null} text
 * @returns {Readonly<Record<string, unknown>>}
 */
function parsed(text) {
  try {
    const value = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** @param {View} view @param {View} before */
export function isRemembered(view, before) {
  return NAMES.some((name) => view[name] !== before[name]);
}
