// What is drawn of a bet's evidence, from what lies behind to what lies before.

import { roomFor, scaleOf, spread, stepsOf } from "../../domain/evidence_layout.js";
import { distanceCents, inForceAt } from "../../domain/evidence_scene.js";
import { momentText } from "../../domain/evidence_words.js";
import { clockText, edgeText, priceText } from "../../domain/numbers.js";
import { crisp, shape, words } from "../svg.js";

/** @import { Frame, Scale } from "../../domain/evidence_layout.js" */
/** @import { Scene } from "../../domain/evidence_scene.js" */

export const HEIGHT = 232;
/** Room for the prices at the right, the top and the times below. */
const GUTTER = { left: 0, right: 88, top: 12, bottom: 24 };
/** Lines of text in the gutter are at least this far apart. */
const LINE = 16;
/** Two words of the time axis need so much room. */
const TIMES_APART = 64;
/** The price and the time of the deciding tick, in a box of their own. */
const CALLOUT = { width: 88, height: 38, away: 12 };

/**
 * @typedef {object} Drawing
 * @property {Scene} scene
 * @property {Frame} frame
 * @property {Scale} scale
 */

/**
 * @param {Scene} scene
 * @param {number} width
 * @returns {Drawing}
 */
export function drawingOf(scene, width) {
  const frame = {
    left: GUTTER.left,
    right: width - GUTTER.right,
    top: GUTTER.top,
    bottom: HEIGHT - GUTTER.bottom,
  };
  return { scene, frame, scale: scaleOf(scene, frame) };
}

/** @param {Drawing} drawing */
export function picture(drawing) {
  return [
    hatching(),
    ...windowShapes(drawing),
    ...holeShapes(drawing),
    shape("path", { class: "evidence-price", d: stepsOf(drawing.scene, drawing.scale) }),
    ...besideShapes(drawing),
    ...carryInShapes(drawing),
    ...distanceShapes(drawing),
    ...nowShapes(drawing),
    ...decidingShapes(drawing),
    ...priceLabels(drawing),
    ...timeLabels(drawing),
  ];
}

/** Lines across what could not be judged. */
function hatching() {
  const pattern = shape("pattern", {
    id: "evidence-hatch",
    width: 8,
    height: 8,
    patternUnits: "userSpaceOnUse",
    patternTransform: "rotate(45)",
  });
  pattern.append(shape("path", { class: "evidence-hatch", d: "M0 0V8" }));
  const defs = shape("defs", {});
  defs.append(pattern);
  return defs;
}

/** @param {Drawing} drawing */
function windowShapes({ scene, frame, scale }) {
  const [left, right] = [crisp(scale.x(scene.startMs)), crisp(scale.x(scene.endMs))];
  const [top, bottom] = [crisp(scale.y(scene.hiCents)), crisp(scale.y(scene.loCents))];
  const edge = (/** @type {number} */ x) =>
    shape("path", { class: "evidence-edge", d: `M${x} ${frame.top}V${frame.bottom}` });
  return [
    shape("rect", {
      class: "evidence-row",
      x: frame.left,
      y: top,
      width: frame.right - frame.left,
      height: Math.max(2, bottom - top),
    }),
    edge(left),
    edge(right),
    shape("rect", {
      class: "evidence-cell",
      x: left,
      y: top,
      width: right - left,
      height: Math.max(2, bottom - top),
    }),
  ];
}

/** @param {Drawing} drawing */
function holeShapes({ scene, frame, scale }) {
  return scene.holes.map(({ fromMs, untilMs }) => {
    const left = scale.x(Math.max(fromMs, scene.fromMs));
    const right = scale.x(Math.min(untilMs, scene.untilMs));
    return shape("rect", {
      class: "evidence-hole",
      x: left,
      y: frame.top,
      width: Math.max(0, right - left),
      height: frame.bottom - frame.top,
      fill: "url(#evidence-hatch)",
    });
  });
}

/**
 * What lies before and after the window does not count, and is veiled.
 *
 * @param {Drawing} drawing
 */
function besideShapes({ scene, frame, scale }) {
  const veil = (/** @type {number} */ left, /** @type {number} */ right) =>
    shape("rect", {
      class: "evidence-beside",
      x: left,
      y: frame.top,
      width: Math.max(0, right - left),
      height: frame.bottom - frame.top,
    });
  const ends = [veil(crisp(scale.x(scene.endMs)) + 0.5, frame.right)];
  return scene.look === "open"
    ? ends
    : [veil(frame.left, crisp(scale.x(scene.startMs)) - 0.5), ...ends];
}

/**
 * The price that was in force when the window opened, where the window opens.
 *
 * @param {Drawing} drawing
 */
function carryInShapes({ scene, scale }) {
  const carried = scene.look === "open" ? null : inForceAt(scene, scene.startMs - 1);
  if (carried === null) {
    return [];
  }
  const [x, y] = [scale.x(scene.startMs), scale.y(carried.cents)];
  return [shape("circle", { class: "evidence-carried", cx: x, cy: y, r: 3.5 })];
}

/**
 * Of a lost bet: how far the closest price stayed away.
 *
 * @param {Drawing} drawing
 */
function distanceShapes({ scene, frame, scale }) {
  const { nearest } = scene;
  if (nearest === null) {
    return [];
  }
  const isAbove = nearest.cents > scene.hiCents;
  const edgeY = scale.y(isAbove ? scene.hiCents : scene.loCents);
  const x = crisp(Math.max(scale.x(nearest.atMs), scale.x(scene.startMs)) + 8);
  const y = scale.y(nearest.cents);
  const apart = priceText(distanceCents(scene, nearest.cents));
  const isRight = x + 60 < frame.right;
  // Where there is no room between the two, the words stand within the cell, where no price is.
  const hasRoom = Math.abs(edgeY - y) > LINE + 4;
  const textY = hasRoom ? (y + edgeY) / 2 : edgeY + (isAbove ? LINE * 0.7 : -LINE * 0.7);
  return [
    shape("path", {
      class: "evidence-distance",
      d: `M${x - 3} ${y}h6M${x} ${y}V${edgeY}M${x - 3} ${edgeY}h6`,
    }),
    words("evidence-distance-text", `${apart} away`, {
      x: isRight ? x + 8 : x - 8,
      y: textY,
      "text-anchor": isRight ? "start" : "end",
    }),
  ];
}

/** @param {Drawing} drawing */
function nowShapes({ scene, frame, scale }) {
  const last = scene.points.at(-1);
  if (scene.nowMs === null || scene.nowMs > scene.untilMs || last === undefined) {
    return [];
  }
  const x = scale.x(scene.nowMs);
  return [
    shape("path", { class: "evidence-now", d: `M${crisp(x)} ${frame.top}V${frame.bottom}` }),
    shape("circle", { class: "evidence-now-dot", cx: x, cy: scale.y(last.cents), r: 3.5 }),
  ];
}

/** @param {Drawing} drawing */
function decidingShapes({ scene, frame, scale }) {
  const { deciding } = scene;
  if (deciding === null) {
    return [];
  }
  const x = Math.max(scale.x(deciding.atMs), scale.x(scene.startMs));
  const y = scale.y(deciding.cents);
  const { width, height, away } = CALLOUT;
  const { left, top } = roomFor(scene, scale, frame, { at: { x, y }, width, height, away });
  return [
    shape("path", {
      class: "evidence-drop",
      d: `M${crisp(x)} ${frame.top}V${frame.bottom}`,
    }),
    shape("circle", { class: "evidence-halo", cx: x, cy: y, r: 9 }),
    shape("circle", { class: "evidence-decided", cx: x, cy: y, r: 4.5 }),
    shape("rect", { class: "evidence-callout", x: left, y: top, width, height, rx: 6 }),
    words("evidence-callout-price", priceText(deciding.cents), {
      x: left + width / 2,
      y: top + 12,
      "text-anchor": "middle",
    }),
    words("evidence-callout-time", momentText(deciding.atMs), {
      x: left + width / 2,
      y: top + 27,
      "text-anchor": "middle",
    }),
  ];
}

/**
 * The edges of the cell, and the lowest and the highest price, at the right.
 *
 * @param {Drawing} drawing
 */
function priceLabels({ scene, frame, scale }) {
  const labels = [
    { cents: scene.hiCents, text: edgeText(scene.hiCents), kind: "edge" },
    { cents: scene.loCents, text: edgeText(scene.loCents), kind: "edge" },
    ...bounds(scene),
    ...newest(scene),
  ];
  const places = spread(
    labels.map(({ cents }) => scale.y(cents)),
    LINE,
    { top: frame.top, bottom: frame.bottom },
  );
  return labels.flatMap(({ cents, text, kind }, index) => {
    const [from, to] = [scale.y(cents), places[index] ?? 0];
    return [
      shape("path", {
        class: `evidence-tick evidence-tick-${kind}`,
        d: `M${frame.right} ${from}L${frame.right + 8} ${to}`,
      }),
      words(`evidence-label evidence-label-${kind}`, text, { x: frame.right + 12, y: to }),
    ];
  });
}

/** @param {Scene} scene */
function bounds({ low, high }) {
  if (low === null || high === null) {
    return [];
  }
  return low.cents === high.cents
    ? [{ cents: low.cents, text: priceText(low.cents), kind: "bound" }]
    : [
        { cents: high.cents, text: `↑ ${priceText(high.cents)}`, kind: "bound" },
        { cents: low.cents, text: `↓ ${priceText(low.cents)}`, kind: "bound" },
      ];
}

/** @param {Scene} scene */
function newest({ nowMs, points }) {
  const last = points.at(-1);
  return nowMs === null || last === undefined
    ? []
    : [{ cents: last.cents, text: priceText(last.cents), kind: "bound" }];
}

/** @param {Drawing} drawing */
function timeLabels({ scene, frame, scale }) {
  const [left, right] = [scale.x(scene.startMs), scale.x(scene.endMs)];
  const y = frame.bottom + 14;
  const opening = words("evidence-time", clockText(scene.startMs), {
    x: Math.max(left, frame.left + 28),
    y,
    "text-anchor": "middle",
  });
  const ending = words("evidence-time", clockText(scene.endMs), {
    x: Math.min(right, frame.right - 24),
    y,
    "text-anchor": "middle",
  });
  return right - left < TIMES_APART ? [opening] : [opening, ending];
}
