// What lies under and over the cells: ground, rows, the price line, and NOW.

import { edgeY, priceAtCents, rowsInView, xOf, yOf } from "../../domain/viewport.js";
import { write } from "./faces.js";
import { hairPx, MARK_PX } from "./frame.js";

/** @import { Frame } from "./frame.js" */

const LINE_PX = 2;
const SEAM_PX = 1.5;
const DOT_PX = 4;
const FADE_PX = 32;

/**
 * Ground and rows of the past and of the running column; what is to come is painted by cells.js.
 *
 * @param {Frame} frame
 */
export function paintGround({ context, viewport, colors }) {
  const { nowPx, rightPx, bottomPx, shape, dpr } = viewport.layout;
  const hair = hairPx(dpr);
  const nextMs = viewport.anchorMs + shape.columnS * 1000;
  // Below a price of zero there are no cells.
  const isCovered = priceAtCents(viewport, bottomPx) >= 0;
  const widthPx = isCovered ? Math.min(rightPx, xOf(viewport, nextMs)) : rightPx;
  context.fillStyle = colors.ground;
  context.fillRect(0, 0, widthPx, bottomPx);
  context.fillStyle = colors.closed;
  context.fillRect(nowPx, 0, widthPx - nowPx, bottomPx);
  context.fillStyle = colors.faint;
  const { lowestCents, highestCents } = rowsInView(viewport);
  for (let cents = lowestCents; cents <= highestCents; cents += shape.rowCents) {
    context.fillRect(0, edgeY(viewport, cents), widthPx, hair);
  }
}

/**
 * Where it begins that cells can be tapped.
 *
 * @param {Frame} frame
 */
export function paintBoundary({ context, viewport, colors, faces, firstS }) {
  const { layout } = viewport;
  const x = xOf(viewport, firstS * 1000);
  if (x >= layout.rightPx) {
    return;
  }
  const hair = hairPx(layout.dpr);
  context.fillStyle = colors.quiet;
  context.fillRect(x, 0, 2 * hair, layout.bottomPx);
  const face = faces.of(MARK_PX);
  const middle = (layout.nowPx + x) / 2;
  if (x - layout.nowPx > faces.widthOf(face, "closed") + 12) {
    context.fillStyle = colors.closed;
    context.fillRect(layout.nowPx + hair, 0, x - layout.nowPx - hair, 18);
    context.fillStyle = colors.quiet;
    write(context, face, "closed", middle, 9);
  }
}

/**
 * Columns come into view softly: a rate that is cut off might be misread.
 *
 * @param {Frame} frame
 */
export function paintFade({ context, viewport, colors }) {
  const { rightPx, bottomPx, columnPx } = viewport.layout;
  const width = Math.min(FADE_PX, columnPx / 2);
  const fade = context.createLinearGradient(rightPx - width, 0, rightPx, 0);
  fade.addColorStop(0, colors.clear);
  fade.addColorStop(1, colors.ground);
  context.fillStyle = fade;
  context.fillRect(rightPx - width, 0, width, bottomPx);
}

/**
 * The price as far as it is known, and NOW itself.
 *
 * @param {Frame} frame
 */
export function paintLine(frame) {
  const { context, state, viewport, colors, priceCents, lineEndMs, nowMs, firstS } = frame;
  const { layout } = viewport;
  const hair = hairPx(layout.dpr);
  context.fillStyle = colors.quiet;
  context.fillRect(layout.nowPx, 0, hair, layout.bottomPx);
  if (priceCents === null) {
    return;
  }
  const y = yOf(viewport, priceCents);
  trace(context, viewport, state.market.trail, lineEndMs, y);
  context.lineJoin = "round";
  // A seam of ground on either side: the line is seen on a lit cell, too.
  context.strokeStyle = colors.ground;
  context.lineWidth = LINE_PX + 2 * SEAM_PX;
  context.stroke();
  context.strokeStyle = colors.text;
  context.lineWidth = LINE_PX;
  context.stroke();
  if (lineEndMs < nowMs) {
    return;
  }
  // The price goes on as far as there is nothing to read: through rates it would strike them out.
  const openPx = Math.min(layout.rightPx, xOf(viewport, firstS * 1000));
  context.fillStyle = colors.quiet;
  for (let x = layout.nowPx + 8; x < openPx - 2; x += 6) {
    context.fillRect(x, Math.round(y * layout.dpr) / layout.dpr, 2, hair);
  }
}

/**
 * The end of the line: over all words, for it is what everything is about. Hollow where it is not
 * NOW: what the price is since nobody knows.
 *
 * @param {Frame} frame
 */
export function paintDot({ context, viewport, colors, priceCents, lineEndMs, nowMs }) {
  if (priceCents !== null) {
    const { dpr } = viewport.layout;
    const x = endPx(viewport, lineEndMs) + hairPx(dpr) / 2;
    const y = yOf(viewport, priceCents);
    dot(context, x, y, DOT_PX + 2, colors.ground);
    dot(context, x, y, DOT_PX, colors.text);
    if (lineEndMs < nowMs) {
      dot(context, x, y, DOT_PX - LINE_PX, colors.ground);
    }
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Frame["viewport"]} viewport
 * @param {Frame["state"]["market"]["trail"]} trail
 * @param {number} endMs
 * @param {number} endY
 */
function trace(context, viewport, trail, endMs, endY) {
  let index = trail.length - 1;
  context.beginPath();
  context.moveTo(endPx(viewport, endMs), endY);
  for (; index >= 0; index -= 1) {
    const point = trail[index];
    if (point !== undefined && point.ts_ms <= endMs) {
      const x = xOf(viewport, point.ts_ms);
      context.lineTo(x, yOf(viewport, point.price_cents));
      if (x < 0) {
        return;
      }
    }
  }
}

/**
 * NOW stands still, whatever pixel time is snapped to.
 *
 * @param {Frame["viewport"]} viewport
 * @param {number} endMs
 */
function endPx(viewport, endMs) {
  return endMs < viewport.nowMs ? xOf(viewport, endMs) : viewport.layout.nowPx;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 * @param {string} color
 */
function dot(context, x, y, radius, color) {
  context.fillStyle = color;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}
