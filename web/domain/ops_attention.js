// Whose figures the venue wants looked at. Pure: which they are is the venue's word, not the page's.

/** @import { Finding } from "../types/wire.js" */

/** @typedef {"" | "look" | "act"} Wants */

/**
 * What a figure wants: itself, or the most urgent one within it.
 *
 * @param {readonly Finding[]} attention
 * @param {string} where a field of the status, e.g. `feed.level`, or `sources` for all of them
 * @returns {Wants}
 */
export function wantsOf(attention, where) {
  const within = `${where}.`;
  const levels = attention
    .filter((finding) => finding.where === where || finding.where.startsWith(within))
    .map(({ level }) => level);
  return levels.includes("act") ? "act" : (levels[0] ?? "");
}

/**
 * What a figure on a card wants: as above, or what its whole section does.
 *
 * @param {readonly Finding[]} attention
 * @param {string} where
 * @returns {Wants}
 */
export function figureWants(attention, where) {
  const [section] = where.split(".", 1);
  return wantsOf(
    attention.map((found) => (found.where === section ? { ...found, where } : found)),
    where,
  );
}

/**
 * How much there is to see: `2 want an act, 1 a look`, `Nothing needs your eye`.
 *
 * @param {readonly Finding[]} attention
 */
export function attentionText(attention) {
  const acts = attention.filter(({ level }) => level === "act").length;
  const looks = attention.length - acts;
  if (attention.length === 0) {
    return "Nothing needs your eye";
  }
  const parts = [acts > 0 ? `${acts} to act on` : "", looks > 0 ? `${looks} to look at` : ""];
  return parts.filter(Boolean).join(", ");
}

/**
 * Which findings there are, whatever their figures are now: for telling when they change.
 *
 * @param {readonly Finding[]} attention
 */
export function attentionKey(attention) {
  return attention.map(({ where, level }) => `${level} ${where}`).join(" ");
}
