// The two axes: prices at the right with the label of the price, times at the bottom with the clock.

import { clockText, priceText } from "../../domain/numbers.js";
import { columnsInView, edgeY, marksEvery, rowsInView, xOf, yOf } from "../../domain/viewport.js";
import { END, START, write } from "./faces.js";
import { hairPx, MARK_PX } from "./frame.js";

/** @import { Frame } from "./frame.js" */

const ROW_STEPS = [1, 2, 5, 10, 20, 50];
const COLUMN_STEPS = [1, 2, 3, 6, 12, 24, 60];
/** Marks of prices are at least so far apart, and marks of times. */
const PRICES_APART_PX = 26;
const TIMES_APART_PX = 38;

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
function paintPriceLabel(frame) {
  const { context, viewport, colors, faces, priceCents, lineEndMs, nowMs } = frame;
  if (priceCents === null) {
    return;
  }
  const { rightPx, bottomPx, dpr } = viewport.layout;
  const width = context.canvas.width / dpr - rightPx;
  const y = Math.max(11, Math.min(bottomPx - 11, yOf(viewport, priceCents)));
  const top = Math.round((y - 10) * dpr) / dpr;
  context.fillStyle = lineEndMs < nowMs ? colors.quiet : colors.text;
  context.beginPath();
  context.moveTo(rightPx - 4, top + 10);
  context.lineTo(rightPx + 1, top);
  context.lineTo(rightPx + width, top);
  context.lineTo(rightPx + width, top + 20);
  context.lineTo(rightPx + 1, top + 20);
  context.fill();
  context.fillStyle = colors.ground;
  const exact = priceText(Math.round(priceCents));
  const text = viewport.layout.hasCents ? exact : exact.slice(0, -3);
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
