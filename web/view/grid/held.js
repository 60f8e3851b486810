// The trader's bets on the grid: their grounds and outlines. Each phase has a shape of its own, so
// that no color says it alone: pending is dashed, confirmed solid, unknown hatched, touching lit, won
// has a check mark, lost is empty, void dotted. The price line runs over this, and below the words.

import { touched } from "../../domain/touching.js";
import { boxOf } from "../../domain/viewport.js";
import { hairPx } from "./frame.js";

/** @import { HeldBet } from "../../state/state.js" */
/** @import { Box } from "../../domain/viewport.js" */
/** @import { Frame } from "./frame.js" */

/** A pending outline's brightness comes and goes in this time. */
const PULSE_MS = 900;
const FADE_MS = 160;
const HATCH_PX = 6;

/**
 * How a bet is shown: its phase, or that the price line is seen to have entered its cell.
 *
 * @typedef {HeldBet["phase"] | "touching"} Look
 */

/**
 * @typedef {object} Seen
 * @property {HeldBet} bet
 * @property {Look} look
 * @property {Box} box within the lines of its cell
 */

/**
 * The bets that are in view, as far as time goes.
 *
 * @param {Frame} frame
 * @returns {Seen[]}
 */
export function heldInView(frame) {
  const { state, viewport } = frame;
  const { rightPx, dpr } = viewport.layout;
  const hair = hairPx(dpr);
  const seen = [];
  for (const id in state.bets) {
    const bet = /** @type {HeldBet} */ (state.bets[id]);
    const { x, y, width, height } = boxOf(viewport, bet);
    if (x < rightPx && x + width > 0) {
      const box = { x: x + hair, y: y + hair, width: width - hair, height: height - hair };
      seen.push({ bet, look: lookOf(frame, bet), box });
    }
  }
  return seen;
}

/**
 * What is not confirmed keeps saying so: a touch is worth nothing if nothing was placed.
 *
 * @param {Frame} frame
 * @param {HeldBet} bet
 * @returns {Look}
 */
function lookOf({ state, nowMs }, bet) {
  const rule = state.market.rules?.rule ?? "touch";
  return bet.phase === "confirmed" && touched(bet, state.market.trail, rule, nowMs)
    ? "touching"
    : bet.phase;
}

/**
 * True if one of them moves by itself, and the next frame differs.
 *
 * @param {Frame} frame
 * @param {readonly Seen[]} seen
 */
export function paintHeld(frame, seen) {
  let moves = false;
  for (const one of seen) {
    GROUNDS[one.look](frame, one);
    paintOutOfSight(frame, one);
    const age = frame.nowMs - one.bet.phaseAtMs;
    moves ||= !frame.isStill && (one.look === "pending" || (age >= 0 && age < FADE_MS));
  }
  return moves;
}

/** @type {Record<Look, (frame: Frame, seen: Seen) => void>} */
const GROUNDS = {
  pending(frame, { bet, box }) {
    const { context, colors, nowMs, isStill } = frame;
    fill(frame, box, colors.raised);
    const wave = 0.5 + 0.5 * Math.cos(((nowMs - bet.tappedAtMs) / PULSE_MS) * 2 * Math.PI);
    context.globalAlpha = isStill ? 1 : 0.35 + 0.65 * wave;
    outline(frame, box, colors.text, 2, [4, 3]);
    context.globalAlpha = 1;
  },
  confirmed(frame, { box }) {
    fill(frame, box, frame.colors.held);
    outline(frame, box, frame.colors.text, 2);
  },
  touching(frame, { box }) {
    fill(frame, box, frame.colors.bright);
    outline(frame, box, frame.colors.text, 2);
  },
  unknown(frame, { box }) {
    fill(frame, box, frame.colors.ground);
    hatch(frame, box, frame.colors.attention);
    outline(frame, box, frame.colors.attention, 2);
  },
  won(frame, { box }) {
    fill(frame, box, frame.colors.won);
  },
  lost(frame, { bet, box }) {
    const { context, colors, nowMs, isStill } = frame;
    const gone = isStill ? 1 : Math.max(0, Math.min(1, (nowMs - bet.phaseAtMs) / FADE_MS));
    fill(frame, box, colors.ground);
    if (gone < 1) {
      context.globalAlpha = 1 - gone;
      fill(frame, box, colors.held);
      context.globalAlpha = 1;
    }
    outline(frame, box, colors.line, 1);
  },
  void(frame, { box }) {
    fill(frame, box, frame.colors.ground);
    outline(frame, box, frame.colors.quiet, 1.5, [1.5, 3]);
  },
};

/**
 * @param {Frame} frame
 * @param {Box} box
 * @param {string} color
 */
function fill({ context }, { x, y, width, height }, color) {
  context.fillStyle = color;
  context.fillRect(x, y, width, height);
}

/**
 * A line within the edges of a box, on pixels of the device.
 *
 * @param {Frame} frame
 * @param {Box} box
 * @param {string} color
 * @param {number} widthPx
 * @param {readonly number[]} [dashes]
 */
export function outline({ context, viewport }, { x, y, width, height }, color, widthPx, dashes) {
  const { dpr } = viewport.layout;
  const thick = Math.max(1, Math.round(widthPx * dpr)) / dpr;
  context.strokeStyle = color;
  context.lineWidth = thick;
  if (dashes !== undefined) {
    context.setLineDash(/** @type {number[]} */ (dashes));
  }
  context.strokeRect(x + thick / 2, y + thick / 2, width - thick, height - thick);
  if (dashes !== undefined) {
    context.setLineDash([]);
  }
}

/**
 * Lines aslant, from edge to edge.
 *
 * @param {Frame} frame
 * @param {Box} box
 * @param {string} color
 */
function hatch({ context }, { x, y, width, height }, color) {
  context.beginPath();
  for (let from = HATCH_PX - height; from < width; from += HATCH_PX) {
    const left = Math.max(0, from);
    const right = Math.min(width, from + height);
    context.moveTo(x + left, y + height - (left - from));
    context.lineTo(x + right, y + height - (right - from));
  }
  context.globalAlpha = 0.55;
  context.strokeStyle = color;
  context.lineWidth = 1.5;
  context.stroke();
  context.globalAlpha = 1;
}

/**
 * An open bet that there was no room for: where it is.
 *
 * @param {Frame} frame
 * @param {Seen} seen
 */
function paintOutOfSight({ context, viewport, colors, nowMs }, { bet, box }) {
  const { bottomPx } = viewport.layout;
  const isAbove = box.y + box.height < 4;
  const isBelow = box.y > bottomPx - 4;
  if ((!isAbove && !isBelow) || (bet.columnStartS + bet.columnS) * 1000 < nowMs) {
    return;
  }
  const middle = box.x + box.width / 2;
  const [tip, foot] = isAbove ? [4, 11] : [bottomPx - 4, bottomPx - 11];
  context.fillStyle = colors.text;
  context.beginPath();
  context.moveTo(middle, tip);
  context.lineTo(middle - 6, foot);
  context.lineTo(middle + 6, foot);
  context.fill();
}
