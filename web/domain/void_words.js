// Why a stake came back, in a few words: what stands beside the cell. Pure.

/** @import { VoidReason } from "../types/wire.js" */

/** @type {Readonly<Record<VoidReason, string>>} */
const WHY = {
  feed_critical: "prices failed",
  not_running: "the venue was not running",
  source_changed: "the price source changed",
  tick_gap: "feed gap",
  no_price: "no price before it opened",
  not_judged_in_time: "not judged in time",
  operator: "given back by an operator",
};

/**
 * `refunded: feed gap`, or as much of it as is known.
 *
 * @param {VoidReason | null} reason
 */
export function refundedWords(reason) {
  return reason === null ? "refunded" : `refunded: ${WHY[reason]}`;
}
