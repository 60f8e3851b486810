// Where what the chart of a bet's evidence shows lies on it, and where its labels have room. Pure.

import { least, shownPoints } from "./evidence_scene.js";

/** @import { Scene } from "./evidence_scene.js" */

/** Above and below the prices and the cell, in what they span. */
const AROUND = 0.14;

/**
 * @typedef {object} Frame
 * @property {number} left of the plot, in pixels
 * @property {number} right
 * @property {number} top
 * @property {number} bottom
 */

/**
 * Where a time and a price lie.
 *
 * @typedef {object} Scale
 * @property {(atMs: number) => number} x
 * @property {(cents: number) => number} y
 * @property {(x: number) => number} atMs
 */

/**
 * @param {Scene} scene
 * @param {Frame} frame
 * @returns {Scale}
 */
export function scaleOf(scene, { left, right, top, bottom }) {
  const { fromMs, untilMs } = scene;
  const prices = shownPoints(scene).map(({ cents }) => cents);
  const lowest = Math.min(scene.loCents, ...prices);
  const highest = Math.max(scene.hiCents, ...prices);
  const aroundCents = (highest - lowest) * AROUND;
  const [lowCents, highCents] = [lowest - aroundCents, highest + aroundCents];
  const pxPerMs = (right - left) / (untilMs - fromMs);
  const pxPerCent = (bottom - top) / (highCents - lowCents);
  return {
    x: (atMs) => left + (atMs - fromMs) * pxPerMs,
    y: (cents) => top + (highCents - cents) * pxPerCent,
    atMs: (x) => fromMs + (x - left) / pxPerMs,
  };
}

/**
 * The price as steps, for the `d` of a path: each holds until the next.
 *
 * @param {Scene} scene
 * @param {Scale} scale
 */
export function stepsOf(scene, { x, y }) {
  const shown = shownPoints(scene);
  const [first] = shown;
  if (first === undefined) {
    return "";
  }
  const lastMs = Math.min(scene.knownUntilMs, scene.untilMs);
  const steps = shown.slice(1).map(({ atMs, cents }) => `H${px(x(atMs))}V${px(y(cents))}`);
  const from = `M${px(x(Math.max(first.atMs, scene.fromMs)))} ${px(y(first.cents))}`;
  return `${from}${steps.join("")}H${px(x(Math.max(lastMs, shown.at(-1)?.atMs ?? lastMs)))}`;
}

/**
 * Labels moved apart so that none covers another, each as near to its place as can be, and none
 * beyond the edges while there is room.
 *
 * @param {readonly number[]} places in any order
 * @param {number} apart least distance
 * @param {{top: number, bottom: number}} edges
 * @returns {number[]} in the same order
 */
export function spread(places, apart, { top, bottom }) {
  const order = places
    .map((_, index) => index)
    .sort((one, two) => at(places, one) - at(places, two));
  const moved = [...places];
  let least = top;
  for (const index of order) {
    moved[index] = Math.max(at(moved, index), least);
    least = at(moved, index) + apart;
  }
  let most = bottom;
  for (const index of order.reverse()) {
    moved[index] = Math.min(at(moved, index), most);
    most = at(moved, index) - apart;
  }
  return moved;
}

/**
 * Where a box beside a point covers least of the price: above, below, left or right of it.
 *
 * @param {Scene} scene
 * @param {Scale} scale
 * @param {Frame} frame
 * @param {object} box
 * @param {{x: number, y: number}} box.at
 * @param {number} box.width
 * @param {number} box.height
 * @param {number} box.away from the point
 * @returns {{left: number, top: number}}
 */
export function roomFor(scene, scale, frame, { at: point, width, height, away }) {
  const { x, y } = point;
  const places = [
    [x - width / 2, y - away - height],
    [x - width / 2, y + away],
    [x + away, y - away - height],
    [x - away - width, y - away - height],
    [x + away, y + away],
    [x - away - width, y + away],
    [x + away, y - height / 2],
    [x - away - width, y - height / 2],
  ]
    .map(([left = 0, top = 0]) => ({
      left: Math.max(frame.left, Math.min(frame.right - width, left)),
      top: Math.max(frame.top, Math.min(frame.bottom - height, top)),
    }))
    .filter(({ left, top }) => !isWithin({ left, top, width, height }, x, y, away / 2));
  const covered = (/** @type {{left: number, top: number}} */ place) =>
    coveredPx(scene, scale, { ...place, width, height });
  return least(places, covered) ?? { left: x + away, top: y + away };
}

/**
 * @param {{left: number, top: number, width: number, height: number}} box
 * @param {number} x
 * @param {number} y
 * @param {number} around
 */
function isWithin({ left, top, width, height }, x, y, around) {
  return (
    x > left - around && x < left + width + around && y > top - around && y < top + height + around
  );
}

/**
 * How much of the price a box would hide, by its steps.
 *
 * @param {Scene} scene
 * @param {Scale} scale
 * @param {{left: number, top: number, width: number, height: number}} box
 */
function coveredPx(scene, { x, y }, { left, top, width, height }) {
  const shown = shownPoints(scene);
  return shown.reduce((sum, { atMs, cents }, index) => {
    const next = shown[index + 1];
    const [from, to] = [x(atMs), x(next?.atMs ?? scene.knownUntilMs)];
    const [level, then] = [y(cents), y(next?.cents ?? cents)];
    const isLevel = level > top && level < top + height;
    const isUpright = to > left && to < left + width;
    const along = isLevel ? overlapPx(from, to, left, left + width) : 0;
    const up = isUpright
      ? overlapPx(Math.min(level, then), Math.max(level, then), top, top + height)
      : 0;
    return sum + along + up;
  }, 0);
}

/**
 * @param {number} from
 * @param {number} to
 * @param {number} least
 * @param {number} most
 */
function overlapPx(from, to, least, most) {
  return Math.max(0, Math.min(to, most) - Math.max(from, least));
}

/**
 * @param {readonly number[]} row
 * @param {number} index
 */
function at(row, index) {
  return /** @type {number} */ (row[index]);
}

/** @param {number} value */
function px(value) {
  return Math.round(value * 10) / 10;
}
