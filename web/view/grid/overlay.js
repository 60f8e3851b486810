// What answers the trader's hand: the cell under the finger, the mouse and the keyboard, the ring
// that spreads from a tap, and the outline of a tap that was refused.

import { cellId, parseCellId } from "../../domain/grid.js";
import { boxOf } from "../../domain/viewport.js";
import { outline } from "./held.js";

/** @import { Cell } from "../../domain/grid.js" */
/** @import { Box } from "../../domain/viewport.js" */
/** @import { Frame, Ring } from "./frame.js" */

/** How long a ring spreads, and a refusal shakes. */
const RING_MS = 190;
const RING_PX = { from: 8, to: 44 };
const SHAKE_MS = 190;
const SHAKE_PX = 4;
const SHAKES = 2;

/**
 * All of it. True if something moves by itself, and the next frame differs.
 *
 * @param {Frame} frame
 */
export function paintOverlay(frame) {
  const { viewport, pressed, pointed, cursor, hinted, colors } = frame;
  if (pointed !== null && pressed === null) {
    mark(frame, pointed, 1);
  }
  if (hinted !== null) {
    outline(frame, boxOf(viewport, hinted), colors.text, 2);
  }
  if (pressed !== null) {
    mark(frame, pressed, 2);
  }
  if (cursor !== null) {
    paintCursor(frame, boxOf(viewport, cursor));
  }
  const shakes = paintRefused(frame);
  const spreads = paintRings(frame);
  return shakes || spreads;
}

/**
 * @param {Frame} frame
 * @param {Cell} cell
 * @param {number} widthPx
 */
function mark(frame, cell, widthPx) {
  const box = boxOf(frame.viewport, cell);
  if (frame.state.bets[cellId(cell)] === undefined) {
    frame.context.fillStyle = frame.colors.wash;
    frame.context.fillRect(box.x, box.y, box.width, box.height);
  }
  outline(frame, box, frame.colors.text, widthPx);
}

/**
 * Two lines, so that it is seen on any ground.
 *
 * @param {Frame} frame
 * @param {Box} box
 */
function paintCursor(frame, { x, y, width, height }) {
  outline(
    frame,
    { x: x - 3, y: y - 3, width: width + 6, height: height + 6 },
    frame.colors.text,
    2,
  );
  outline(
    frame,
    { x: x - 1, y: y - 1, width: width + 2, height: height + 2 },
    frame.colors.ground,
    2,
  );
}

/** @param {Frame} frame */
function paintRefused(frame) {
  const { state, viewport, colors, nowMs, isStill } = frame;
  let moves = false;
  for (const { cellId: id, atMs } of state.refused) {
    const cell = parseCellId(id);
    if (cell !== null) {
      const age = nowMs - atMs;
      const isShaking = !isStill && age >= 0 && age < SHAKE_MS;
      const swing = Math.sin((age / SHAKE_MS) * SHAKES * 2 * Math.PI) * (1 - age / SHAKE_MS);
      const box = boxOf(viewport, cell);
      box.x += isShaking ? SHAKE_PX * swing : 0;
      outline(frame, box, colors.refused, 2);
      moves ||= isShaking;
    }
  }
  return moves;
}

/** @param {Frame} frame */
function paintRings({ context, rings, colors, nowMs }) {
  for (const { x, y, atMs } of rings) {
    const share = Math.max(0, Math.min(1, (nowMs - atMs) / RING_MS));
    const spread = 1 - (1 - share) ** 3;
    context.globalAlpha = 1 - share;
    context.strokeStyle = colors.text;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x, y, RING_PX.from + (RING_PX.to - RING_PX.from) * spread, 0, 2 * Math.PI);
    context.stroke();
    context.globalAlpha = 1;
  }
  return rings.length > 0;
}

/**
 * Those that still spread.
 *
 * @param {readonly Ring[]} rings the same where none has ended
 * @param {number} nowMs
 */
export function spreading(rings, nowMs) {
  return rings.every(({ atMs }) => nowMs - atMs < RING_MS)
    ? rings
    : rings.filter(({ atMs }) => nowMs - atMs < RING_MS);
}
