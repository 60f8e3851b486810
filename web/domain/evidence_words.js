// Why a bet ended as it did, in words. Pure.

import { distanceCents, nearestOf } from "./evidence_scene.js";
import { bandText, clockText, dateText, durationText, priceText } from "./numbers.js";
import { inForce, isInside, silenceOf } from "./verdict.js";

/** @import { BetStatus, Proof, Tick } from "../types/wire.js" */
/** @import { Verdict } from "./verdict.js" */

/** How a bet stands, in a word. */
export const STATUS_WORDS = Object.freeze(
  /** @type {const} @satisfies {Record<BetStatus, string>} */ ({
    confirmed: "Open",
    won: "Won",
    lost: "Lost",
    void: "Refunded",
    insufficient_funds: "Not taken",
  }),
);

/**
 * A moment by the trader's own clock: `14:03:07.123`.
 *
 * @param {number} atMs
 */
export function momentText(atMs) {
  return `${clockText(atMs)}.${String(Math.floor(atMs) % 1000).padStart(3, "0")}`;
}

/**
 * A day by the trader's own clock: `20 Nov 2026`.
 *
 * @param {number} atMs
 */
export function dayText(atMs) {
  return `${dateText(atMs)} ${new Date(atMs).getFullYear()}`;
}

/**
 * A range of prices: `64,990 to 65,000`.
 *
 * @param {{lo_cents: number, hi_cents: number}} range
 */
export function rangeText({ lo_cents: loCents, hi_cents: hiCents }) {
  return bandText(loCents, hiCents);
}

/**
 * Why it ended so, from what comes out of the ticks.
 *
 * @param {Proof} proof
 * @param {Verdict} verdict
 */
export function whyText(proof, verdict) {
  if (verdict.outcome === "won" && verdict.decidingTick !== null) {
    return whyWon(proof, verdict, verdict.decidingTick);
  }
  return verdict.outcome === "void" ? whyVoid(proof, verdict.voidReason) : whyLost(proof);
}

/**
 * @param {Proof} proof
 * @param {Verdict} verdict
 * @param {Tick} tick
 */
function whyWon(proof, { crossedFrom }, tick) {
  const price = priceText(tick.price_cents);
  const range = rangeText(proof);
  if (crossedFrom !== null) {
    const from = `${priceText(crossedFrom.price_cents)} at ${momentText(crossedFrom.ts_ms)}`;
    return `The price went from ${from} to ${price} at ${momentText(tick.ts_ms)}, across ${range}.`;
  }
  if (tick.ts_ms < proof.window_start_ms) {
    const opening = clockText(proof.window_start_ms);
    return `When the window opened at ${opening}, the price was ${price}, inside ${range}.`;
  }
  return `At ${momentText(tick.ts_ms)} the price was ${price}, inside ${range}.`;
}

/** @param {Proof} proof */
function whyLost(proof) {
  const when = `From ${clockText(proof.window_start_ms)} to ${clockText(proof.window_end_ms)}`;
  const prices = inForce(proof).map((tick) => tick.price_cents);
  const [lowest, highest] = [Math.min(...prices), Math.max(...prices)];
  const nearest = nearestTo(proof);
  const apart = `${priceText(nearest.apartCents)}`;
  if (lowest < proof.lo_cents && highest > proof.hi_cents) {
    return `${when} the price jumped over ${rangeText(proof)}: the closest trade was ${apart} away. By rule touch only a price inside wins.`;
  }
  const stayed =
    lowest === highest
      ? `stayed at ${priceText(lowest)}`
      : `stayed between ${priceText(lowest)} and ${priceText(highest)}`;
  return `${when} the price ${stayed}, ${apart} ${nearest.side} the cell.`;
}

/**
 * How close the price came to the cell.
 *
 * @param {Proof} proof
 */
function nearestTo(proof) {
  const range = { loCents: proof.lo_cents, hiCents: proof.hi_cents };
  const points = inForce(proof).map((tick) => ({ atMs: tick.ts_ms, cents: tick.price_cents }));
  const cents = nearestOf(points, range)?.cents ?? proof.lo_cents;
  return {
    apartCents: distanceCents(range, cents),
    side: cents > proof.hi_cents ? "above" : "below",
  };
}

/**
 * @param {Proof} proof
 * @param {Verdict["voidReason"]} reason
 */
function whyVoid(proof, reason) {
  switch (reason) {
    case "feed_critical":
      return `The price feed was down ${stretchText(proof, "critical")}, so the window could not be judged.`;
    case "not_running":
      return `The venue was not running ${stretchText(proof, "down")}, so the window could not be judged.`;
    case "source_changed":
      return `The price came from another exchange within the window${sourcesText(proof)}, so it could not be judged.`;
    case "tick_gap":
      return silenceText(proof);
    case "no_price":
      return "No price was on record when the window opened, so it could not be judged.";
    case "not_judged_in_time":
      return "The window was not judged within a minute of its end, so the stake came back.";
    case "operator":
      return "The venue's operator gave all stakes of this window back.";
    default:
      return "The venue gave the stake back.";
  }
}

/** @param {Proof} proof */
function silenceText(proof) {
  const silence = silenceOf(proof);
  if (silence === null) {
    return "The venue says that the price feed was silent for too long.";
  }
  const long = durationText(silence.untilMs - silence.fromMs);
  return `The price feed was silent for ${long} from ${momentText(silence.fromMs)}, so the window could not be judged.`;
}

/**
 * @param {Proof} proof
 * @param {"critical" | "down"} kind
 */
function stretchText(proof, kind) {
  const stretch = proof.health_intervals.find((one) => one.kind === kind);
  if (stretch === undefined) {
    return "in this window";
  }
  const from = `from ${clockText(stretch.from_ms)}`;
  return stretch.until_ms === null ? `${from} on` : `${from} to ${clockText(stretch.until_ms)}`;
}

/** @param {Proof} proof */
function sourcesText(proof) {
  const ticks = proof.after === null ? inForce(proof) : [...inForce(proof), proof.after];
  const names = [...new Set(ticks.map(({ source }) => source))];
  return names.length === 2 ? ` (${names[0]}, then ${names[1]})` : "";
}

/**
 * What a tick is to its cell, for the table.
 *
 * @param {Proof} proof
 * @param {Tick} tick
 */
export function placeText(proof, tick) {
  if (isInside(proof, tick.price_cents)) {
    return "inside";
  }
  const range = { loCents: proof.lo_cents, hiCents: proof.hi_cents };
  const apart = priceText(distanceCents(range, tick.price_cents));
  return `${apart} ${tick.price_cents > proof.hi_cents ? "above" : "below"}`;
}

/**
 * Where an open bet stands in time: `Opens in 12 s`. It says nothing of how it will end.
 *
 * @param {{startMs: number, endMs: number}} window
 * @param {number} nowMs
 */
export function countdownText({ startMs, endMs }, nowMs) {
  if (nowMs < startMs) {
    return `Opens in ${Math.ceil((startMs - nowMs) / 1000)} s`;
  }
  if (nowMs < endMs) {
    return `Open for ${Math.ceil((endMs - nowMs) / 1000)} s more`;
  }
  return "Being judged";
}
