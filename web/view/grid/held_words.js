// What is written on the trader's bets, as far as there is room: the rate and the stake while they are
// open, and what became of them.

import { chipText, rateText, usdText } from "../../domain/numbers.js";
import { START, write } from "./faces.js";

/** @import { Face, Faces } from "./faces.js" */
/** @import { Frame } from "./frame.js" */
/** @import { Look, Seen } from "./held.js" */

/** Cells at least so high have two lines. */
const TWO_LINES_PX = 30;
const LINE_PX = { most: 12, least: 8 };
/** Smaller type is no type. */
const LEAST_PX = 6.5;
const CHIP = { textPx: 9.5, heightPx: 13, leastPx: 18 };
const MARGIN_PX = 4;

/**
 * Up to two lines: the first one in words or a check mark, the second the stake on a chip, or words.
 *
 * @typedef {object} Words
 * @property {string} color
 * @property {string} ground what it stands on: the price line must not run through it
 * @property {string} [text]
 * @property {string} [check] beside a check mark
 * @property {string} [chip]
 * @property {string} [below] left out where there is no room
 */

/**
 * @param {Frame} frame
 * @param {readonly Seen[]} seen
 */
export function paintHeldWords(frame, seen) {
  for (const one of seen) {
    const words = WORDS[one.look](frame, one);
    if (one.box.height >= TWO_LINES_PX) {
      paintTwo(frame, one, words);
    } else {
      paintOne(frame, one, words);
    }
  }
}

/** @type {Record<Look, (frame: Frame, seen: Seen) => Words>} */
const WORDS = {
  pending: ({ colors }, { bet }) => ({
    color: colors.text,
    ground: colors.raised,
    text: rateText(bet.rewardBps),
    chip: chipText(bet.stakeMicros),
  }),
  confirmed: ({ colors }, { bet }) => ({
    color: colors.text,
    ground: colors.held,
    text: rateText(bet.rewardBps),
    chip: chipText(bet.stakeMicros),
  }),
  touching: ({ colors }, { bet }) => ({
    color: colors.ground,
    ground: colors.bright,
    text: rateText(bet.rewardBps),
    below: "touching",
  }),
  unknown: ({ colors }, { bet }) => ({
    color: colors.attention,
    ground: colors.ground,
    text: "?",
    chip: chipText(bet.stakeMicros),
  }),
  won: ({ colors }, { bet }) => ({
    color: colors.ground,
    ground: colors.won,
    check: usdText(bet.payoutMicros ?? 0),
  }),
  lost: ({ colors }) => ({ color: colors.lost, ground: colors.ground, text: "lost" }),
  void: ({ colors }) => ({
    color: colors.quiet,
    ground: colors.ground,
    text: "void",
    below: "refunded",
  }),
};

/**
 * @param {Frame} frame
 * @param {Seen} seen
 * @param {Words} words
 */
function paintTwo(frame, { box }, { color, ground, text, check, chip, below }) {
  const { context, faces } = frame;
  const room = box.width - 2 * MARGIN_PX;
  const middle = box.x + box.width / 2;
  const first = box.y + box.height * 0.31;
  const second = box.y + box.height * 0.7;
  const small = faces.of(CHIP.textPx);
  const hasBelow = below !== undefined && faces.widthOf(small, below) <= box.width - 3;
  context.fillStyle = color;
  if (check !== undefined) {
    tick(frame, middle, first, 6, color, ground);
    write(context, fitted(faces, check, room), check, middle, second, { halo: ground });
    return;
  }
  if (text !== undefined) {
    const y = chip === undefined && !hasBelow ? box.y + box.height / 2 : first;
    write(context, fitted(faces, text, room), text, middle, y, { halo: ground });
  }
  if (chip !== undefined) {
    paintChip(frame, middle, second, chip, { color, ground, room });
  } else if (hasBelow) {
    write(context, small, below, middle, second, { halo: ground });
  }
}

/**
 * A low cell has room for what matters most: a check mark, else the stake.
 *
 * @param {Frame} frame
 * @param {Seen} seen
 * @param {Words} words
 */
function paintOne(frame, { box }, { color, ground, text, check, chip }) {
  const { context, faces } = frame;
  const middle = box.x + box.width / 2;
  const y = box.y + box.height / 2;
  context.fillStyle = color;
  if (check !== undefined) {
    paintCheck(
      frame,
      { middle, y, room: box.width - 6, size: Math.min(5, box.height * 0.3) },
      {
        text: check,
        color,
        ground,
      },
    );
    return;
  }
  const whole = chip === undefined ? (text ?? "") : `${chip} at ${text}`;
  const isWide = faces.widthOf(faces.of(10, 600), whole) <= box.width - 6;
  const words = isWide ? whole : (chip ?? whole);
  const most = Math.min(10, Math.floor(box.height * 0.62));
  const face = fitted(faces, words, box.width - 3, { most, least: LEAST_PX });
  if (faces.widthOf(face, words) <= box.width) {
    write(context, face, words, middle, y, { halo: ground });
  }
}

/**
 * A check mark, and beside it what was paid, if there is room.
 *
 * @param {Frame} frame
 * @param {{middle: number, y: number, room: number, size: number}} at
 * @param {{text: string, color: string, ground: string}} what
 */
function paintCheck(frame, { middle, y, room, size }, { text, color, ground }) {
  const face = frame.faces.of(10, 600);
  const width = frame.faces.widthOf(face, text);
  const isWide = width + 3 * size + 4 <= room;
  const left = middle - (width + 3 * size + 4) / 2;
  tick(frame, isWide ? left + size : middle, y, size, color, ground);
  if (isWide) {
    write(frame.context, face, text, left + 3 * size + 4, y, { align: START, halo: ground });
  }
}

/**
 * The largest type that fits, or the least.
 *
 * @param {Faces} faces
 * @param {string} text
 * @param {number} room
 * @param {{most: number, least: number}} [sizes]
 * @returns {Face}
 */
function fitted(faces, text, room, { most, least } = LINE_PX) {
  let size = most;
  while (size > least && faces.widthOf(faces.of(size, 600), text) > room) {
    size -= 0.5;
  }
  return faces.of(size, 600);
}

/**
 * The stake, on a chip.
 *
 * @param {Frame} frame
 * @param {number} x its middle
 * @param {number} y
 * @param {string} text
 * @param {{color: string, ground: string, room: number}} look
 */
function paintChip({ context, faces }, x, y, text, { color, ground, room }) {
  const face = faces.of(CHIP.textPx, 600);
  const width = Math.min(room, Math.max(CHIP.leastPx, faces.widthOf(face, text) + 10));
  const half = CHIP.heightPx / 2;
  context.fillStyle = color;
  context.beginPath();
  context.roundRect(x - width / 2, y - half, width, CHIP.heightPx, half);
  context.fill();
  context.fillStyle = ground;
  write(context, face, text, x, y);
}

/**
 * A check mark.
 *
 * @param {Frame} frame
 * @param {number} x
 * @param {number} y
 * @param {number} size
 * @param {string} color
 * @param {string} ground
 */
function tick({ context }, x, y, size, color, ground) {
  context.lineCap = "round";
  context.lineJoin = "round";
  context.beginPath();
  context.moveTo(x - size, y);
  context.lineTo(x - size * 0.3, y + size * 0.7);
  context.lineTo(x + size, y - size * 0.7);
  context.strokeStyle = ground;
  context.lineWidth = 5;
  context.stroke();
  context.strokeStyle = color;
  context.lineWidth = 2;
  context.stroke();
  context.lineCap = "butt";
}
