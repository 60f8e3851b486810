// What lies under and over the cells: ground, rows, the price line, NOW, and the two axes.

import { clockText, priceText } from "../../domain/numbers.js";
import {
  columnsInView,
  edgeY,
  marksEvery,
  priceAtCents,
  rowsInView,
  xOf,
  yOf,
} from "../../domain/viewport.js";
import { END, START, write } from "./faces.js";
import { hairPx } from "./frame.js";

/** @import { Frame } from "./frame.js" */

const LINE_PX = 2;
const SEAM_PX = 1.5;
const DOT_PX = 4;
const ROW_STEPS = [1, 2, 5, 10, 20, 50];
const COLUMN_STEPS = [1, 2, 3, 6, 12, 24, 60];
const MARK_PX = 11;
const FADE_PX = 32;
/** Marks of prices are at least so far apart, and marks of times. */
const PRICES_APART_PX = 26;
const TIMES_APART_PX = 38;

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
 * The price so far, up to NOW, and NOW itself.
 *
 * @param {Frame} frame
 */
export function paintLine({ context, state, viewport, colors, priceCents, nowMs, firstS }) {
  const { layout } = viewport;
  const hair = hairPx(layout.dpr);
  context.fillStyle = colors.quiet;
  context.fillRect(layout.nowPx, 0, hair, layout.bottomPx);
  if (priceCents === null) {
    return;
  }
  const y = yOf(viewport, priceCents);
  trace(context, viewport, state.market.trail, nowMs, y);
  context.lineJoin = "round";
  // A seam of ground on either side: the line is seen on a lit cell, too.
  context.strokeStyle = colors.ground;
  context.lineWidth = LINE_PX + 2 * SEAM_PX;
  context.stroke();
  context.strokeStyle = colors.text;
  context.lineWidth = LINE_PX;
  context.stroke();
  // The price goes on as far as there is nothing to read: through rates it would strike them out.
  const openPx = Math.min(layout.rightPx, xOf(viewport, firstS * 1000));
  context.fillStyle = colors.quiet;
  for (let x = layout.nowPx + 8; x < openPx - 2; x += 6) {
    context.fillRect(x, Math.round(y * layout.dpr) / layout.dpr, 2, hair);
  }
}

/**
 * The end of the line: over all words, for it is what everything is about.
 *
 * @param {Frame} frame
 */
export function paintDot({ context, viewport, colors, priceCents }) {
  if (priceCents !== null) {
    const { nowPx, dpr } = viewport.layout;
    const x = nowPx + hairPx(dpr) / 2;
    const y = yOf(viewport, priceCents);
    dot(context, x, y, DOT_PX + 2, colors.ground);
    dot(context, x, y, DOT_PX, colors.text);
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Frame["viewport"]} viewport
 * @param {Frame["state"]["market"]["trail"]} trail
 * @param {number} nowMs
 * @param {number} endY
 */
function trace(context, viewport, trail, nowMs, endY) {
  const { nowPx } = viewport.layout;
  let index = trail.length - 1;
  context.beginPath();
  context.moveTo(nowPx, endY);
  for (; index >= 0; index -= 1) {
    const point = trail[index];
    if (point !== undefined && point.ts_ms <= nowMs) {
      const x = xOf(viewport, point.ts_ms);
      context.lineTo(x, yOf(viewport, point.price_cents));
      if (x < 0) {
        return;
      }
    }
  }
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

/**
 * Prices at the right, times at the bottom.
 *
 * @param {Frame} frame
 */
export function paintAxes(frame) {
  const { context, viewport, colors } = frame;
  const { rightPx, bottomPx, dpr } = viewport.layout;
  const width = context.canvas.width / dpr;
  const height = context.canvas.height / dpr;
  const hair = hairPx(dpr);
  context.fillStyle = colors.ground;
  context.fillRect(rightPx, 0, width - rightPx, height);
  context.fillRect(0, bottomPx, width, height - bottomPx);
  if (frame.priceCents !== null) {
    paintPrices(frame, frame.priceCents);
  }
  paintTimes(frame);
  context.fillStyle = colors.line;
  context.fillRect(rightPx, 0, hair, bottomPx + hair);
  context.fillRect(0, bottomPx, rightPx, hair);
  paintPriceLabel(frame);
}

/**
 * Those that the label of the price would cover are left out.
 *
 * @param {Frame} frame
 * @param {number} priceCents
 */
function paintPrices({ context, viewport, colors, faces }, priceCents) {
  const { rightPx, bottomPx, shape } = viewport.layout;
  const stepCents = shape.rowCents * marksEvery(viewport.rowPx, PRICES_APART_PX, ROW_STEPS);
  const { lowestCents, highestCents } = rowsInView(viewport);
  const face = faces.of(MARK_PX);
  context.fillStyle = colors.quiet;
  const firstCents = Math.ceil(lowestCents / stepCents) * stepCents;
  for (let cents = firstCents; cents <= highestCents; cents += stepCents) {
    const y = edgeY(viewport, cents);
    const isCovered = Math.abs(yOf(viewport, priceCents) - y) < 17;
    if (y > 7 && y < bottomPx - 5 && !isCovered) {
      const text = priceText(cents);
      write(context, face, stepCents % 100 === 0 ? text.slice(0, -3) : text, rightPx + 6, y, {
        align: START,
      });
    }
  }
}

/** @param {Frame} frame */
function paintTimes({ context, viewport, colors, faces, nowMs }) {
  const { rightPx, bottomPx, nowPx, columnPx, shape, dpr } = viewport.layout;
  const hair = hairPx(dpr);
  const stepS = shape.columnS * marksEvery(columnPx, TIMES_APART_PX, COLUMN_STEPS);
  const { firstS, lastS } = columnsInView(viewport);
  const middle = bottomPx + 12;
  const now = clockParts(nowMs);
  const nowFace = faces.of(MARK_PX, 600);
  const nowText = `${now.minutes}${now.seconds}`;
  const nowHalf = faces.widthOf(nowFace, "00:00:00") / 2 + 8;
  const face = faces.of(MARK_PX);
  const begin = firstS - (firstS % stepS);
  for (let atS = begin; atS <= lastS + shape.columnS; atS += stepS) {
    const x = xOf(viewport, atS * 1000);
    const { minutes, seconds } = clockParts(atS * 1000);
    const isMinute = seconds === ":00";
    context.fillStyle = colors.line;
    context.fillRect(x, bottomPx, hair, 4);
    if (Math.abs(x - nowPx) > nowHalf + 14 && x > 12 && x < rightPx - 4) {
      context.fillStyle = isMinute ? colors.text : colors.quiet;
      write(context, face, isMinute ? minutes : seconds, x, middle);
    }
  }
  context.fillStyle = colors.text;
  write(context, nowFace, nowText, Math.max(nowPx, nowHalf), middle);
}

/** @param {Frame} frame */
function paintPriceLabel({ context, viewport, colors, faces, priceCents }) {
  if (priceCents === null) {
    return;
  }
  const { rightPx, bottomPx, dpr } = viewport.layout;
  const width = context.canvas.width / dpr - rightPx;
  const y = Math.max(11, Math.min(bottomPx - 11, yOf(viewport, priceCents)));
  const top = Math.round((y - 10) * dpr) / dpr;
  context.fillStyle = colors.text;
  context.beginPath();
  context.moveTo(rightPx - 4, top + 10);
  context.lineTo(rightPx + 1, top);
  context.lineTo(rightPx + width, top);
  context.lineTo(rightPx + width, top + 20);
  context.lineTo(rightPx + 1, top + 20);
  context.fill();
  context.fillStyle = colors.ground;
  const text = priceText(Math.round(priceCents));
  write(context, faces.of(MARK_PX, 600), text, rightPx + width - 6, top + 10, { align: END });
}

/** So many marks' texts are kept. */
const CLOCKS_MOST = 200;
/** @type {Map<number, {minutes: string, seconds: string}>} */
const clocks = new Map();

/**
 * The trader's own clock, in two parts; kept, for the same marks are drawn in every frame.
 *
 * @param {number} atMs
 */
function clockParts(atMs) {
  const atS = Math.floor(atMs / 1000);
  const known = clocks.get(atS);
  if (known !== undefined) {
    return known;
  }
  const text = clockText(atS * 1000);
  const parts = { minutes: text.slice(0, -3), seconds: text.slice(-3) };
  if (clocks.size >= CLOCKS_MOST) {
    clocks.clear();
  }
  clocks.set(atS, parts);
  return parts;
}
