// The trader's bets on the grid. Each phase has a shape of its own, so that no color says it alone:
// pending is dashed, confirmed solid, unknown hatched, touching inverted, won has a check mark, lost
// is empty, void dotted.

import { chipText, rateText, usdText } from "../../domain/numbers.js";
import { touched } from "../../domain/touching.js";
import { boxOf } from "../../domain/viewport.js";
import { write } from "./faces.js";
import { hairPx } from "./frame.js";

/** @import { HeldBet } from "../../state/state.js" */
/** @import { Box } from "../../domain/viewport.js" */
/** @import { Frame } from "./frame.js" */

/** A pending outline's brightness comes and goes in this time. */
const PULSE_MS = 900;
const FADE_MS = 160;
/** Cells at least so high have two lines of text. */
const TWO_LINES_PX = 30;
const HATCH_PX = 6;

/**
 * @typedef {HeldBet["phase"] | "touching"} Look
 */

/**
 * All that are in view. True if one of them moves by itself, and the next frame differs.
 *
 * @param {Frame} frame
 */
export function paintHeld(frame) {
  const { context, state, viewport } = frame;
  const { rightPx, bottomPx } = viewport.layout;
  let moves = false;
  context.save();
  context.beginPath();
  context.rect(0, 0, rightPx, bottomPx);
  context.clip();
  for (const id in state.bets) {
    const bet = /** @type {HeldBet} */ (state.bets[id]);
    const box = boxOf(viewport, bet);
    if (box.x < rightPx && box.x + box.width > 0) {
      const look = lookOf(frame, bet);
      PAINTERS[look](frame, bet, inner(box, viewport.layout.dpr));
      moves ||= (look === "pending" && !frame.isStill) || frame.nowMs < bet.phaseAtMs + FADE_MS;
      paintOutOfSight(frame, bet, box);
    }
  }
  context.restore();
  return moves;
}

/**
 * @param {Frame} frame
 * @param {HeldBet} bet
 * @returns {Look}
 */
function lookOf({ state, nowMs }, bet) {
  const isOpen = bet.phase === "confirmed" || bet.phase === "pending" || bet.phase === "unknown";
  // What is not confirmed keeps saying so: a touch is worth nothing if nothing was placed.
  return isOpen &&
    bet.phase === "confirmed" &&
    touched(bet, state.market.trail, state.market.rules?.rule ?? "touch", nowMs)
    ? "touching"
    : bet.phase;
}

/** @type {Record<Look, (frame: Frame, bet: HeldBet, box: Box) => void>} */
const PAINTERS = {
  pending(frame, bet, box) {
    const { context, colors, nowMs, isStill } = frame;
    fill(frame, box, colors.raised);
    const wave = 0.5 + 0.5 * Math.cos(((nowMs - bet.tappedAtMs) / PULSE_MS) * 2 * Math.PI);
    context.globalAlpha = isStill ? 1 : 0.35 + 0.65 * wave;
    outline(frame, box, colors.text, 2, [4, 3]);
    context.globalAlpha = 1;
    lines(frame, box, colors.text, rateText(bet.rewardBps), { stake: bet.stakeMicros });
  },
  confirmed(frame, bet, box) {
    fill(frame, box, frame.colors.held);
    outline(frame, box, frame.colors.text, 2);
    lines(frame, box, frame.colors.text, rateText(bet.rewardBps), { stake: bet.stakeMicros });
  },
  touching(frame, bet, box) {
    fill(frame, box, frame.colors.text);
    lines(frame, box, frame.colors.ground, rateText(bet.rewardBps), { below: "touching" });
  },
  unknown(frame, bet, box) {
    fill(frame, box, frame.colors.ground);
    hatch(frame, box, frame.colors.attention);
    outline(frame, box, frame.colors.attention, 2);
    label(frame, box, frame.colors.attention, "?", bet.stakeMicros);
  },
  won(frame, bet, box) {
    fill(frame, box, frame.colors.won);
    const paid = usdText(bet.payoutMicros ?? 0);
    lines(frame, box, frame.colors.ground, paid, { check: true });
  },
  lost(frame, bet, box) {
    const { context, colors, nowMs, isStill } = frame;
    const gone = isStill ? 1 : Math.min(1, (nowMs - bet.phaseAtMs) / FADE_MS);
    fill(frame, box, colors.ground);
    if (gone < 1) {
      context.globalAlpha = 1 - gone;
      fill(frame, box, colors.held);
      context.globalAlpha = 1;
    }
    outline(frame, box, colors.line, 1);
    lines(frame, box, colors.lost, "lost", {});
  },
  void(frame, _bet, box) {
    fill(frame, box, frame.colors.ground);
    outline(frame, box, frame.colors.quiet, 1.5, [1.5, 3]);
    lines(frame, box, frame.colors.quiet, "void", { below: "refunded" });
  },
};

/**
 * Within the lines of the cell.
 *
 * @param {Box} box
 * @param {number} dpr
 * @returns {Box}
 */
function inner({ x, y, width, height }, dpr) {
  const hair = hairPx(dpr);
  return { x: x + hair, y: y + hair, width: width - hair, height: height - hair };
}

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
 * @param {Frame} frame
 * @param {Box} box
 * @param {string} color
 * @param {number} widthPx
 * @param {readonly number[]} [dashes]
 */
export function outline({ context, viewport }, box, color, widthPx, dashes = []) {
  const { dpr } = viewport.layout;
  const thick = Math.max(1, Math.round(widthPx * dpr)) / dpr;
  context.strokeStyle = color;
  context.lineWidth = thick;
  context.setLineDash(/** @type {number[]} */ (dashes));
  context.strokeRect(box.x + thick / 2, box.y + thick / 2, box.width - thick, box.height - thick);
  context.setLineDash([]);
}

/**
 * What is written on a bet, as far as there is room: one line, and below it the stake or a word.
 *
 * @param {Frame} frame
 * @param {Box} box
 * @param {string} color
 * @param {string} text
 * @param {{stake?: number, below?: string, check?: boolean}} more
 */
function lines(frame, box, color, text, { stake, below, check = false }) {
  const { context, faces } = frame;
  const size = Math.max(8, Math.min(13, Math.floor(box.height * 0.36)));
  const face = faces.of(size, 600);
  const middle = box.x + box.width / 2;
  const isTall = box.height >= TWO_LINES_PX;
  const fits = faces.widthOf(face, text) <= box.width - 6;
  context.fillStyle = color;
  if (!isTall) {
    short(frame, box, color, { text: fits ? text : "", stake, check });
    return;
  }
  const first = box.y + box.height * 0.32;
  const second = box.y + box.height * 0.7;
  if (check) {
    tick(frame, middle, first, size * 0.5, color);
    write(context, fits ? face : faces.of(8, 600), text, middle, second);
    return;
  }
  if (fits) {
    write(
      context,
      face,
      text,
      middle,
      stake === undefined && below === undefined ? box.y + box.height / 2 : first,
    );
  }
  if (stake !== undefined) {
    chip(frame, middle, second, chipText(stake), box.width - 8);
  } else if (below !== undefined) {
    const small = faces.of(9.5);
    if (faces.widthOf(small, below) <= box.width - 3) {
      write(context, small, below, middle, second);
    } else {
      write(context, faces.of(10, 600), "•", middle, second);
    }
  }
}

/**
 * A low cell: the one thing that matters most.
 *
 * @param {Frame} frame
 * @param {Box} box
 * @param {string} color
 * @param {{text: string, stake: number | undefined, check: boolean}} what
 */
function short(frame, box, color, { text, stake, check }) {
  const { context, faces } = frame;
  const middle = box.x + box.width / 2;
  const y = box.y + box.height / 2;
  const size = Math.max(7, Math.min(11, Math.floor(box.height * 0.62)));
  if (stake !== undefined && box.height >= 14) {
    chip(frame, middle, y, chipText(stake), box.width - 4);
    return;
  }
  if (check) {
    tick(frame, middle, y, Math.min(5, box.height * 0.3), color);
    return;
  }
  const face = faces.of(size, 600);
  if (text !== "" && faces.widthOf(face, text) <= box.width - 4) {
    context.fillStyle = color;
    write(context, face, text, middle, y);
  }
}

/**
 * The stake, on a chip.
 *
 * @param {Frame} frame
 * @param {number} x its middle
 * @param {number} y
 * @param {string} text
 * @param {number} widthMost
 */
function chip({ context, colors, faces }, x, y, text, widthMost) {
  const face = faces.of(9.5, 600);
  const width = Math.min(widthMost, Math.max(18, faces.widthOf(face, text) + 10));
  context.fillStyle = colors.text;
  context.beginPath();
  context.roundRect(x - width / 2, y - 6.5, width, 13, 6.5);
  context.fill();
  context.fillStyle = colors.ground;
  write(context, face, text, x, y);
}

/**
 * @param {Frame} frame
 * @param {Box} box
 * @param {string} color
 * @param {string} text
 * @param {number} stake
 */
function label(frame, box, color, text, stake) {
  const { context, faces, colors } = frame;
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const isTall = box.height >= TWO_LINES_PX;
  const words = isTall ? `${text} ${chipText(stake)}` : text;
  const face = faces.of(isTall ? 12 : Math.max(8, Math.min(11, box.height * 0.6)), 600);
  const width = Math.min(box.width - 4, faces.widthOf(face, words) + 8);
  const height = face.sizePx + 5;
  context.fillStyle = colors.ground;
  context.fillRect(middle.x - width / 2, middle.y - height / 2, width, height);
  context.fillStyle = color;
  write(context, face, words, middle.x, middle.y);
}

/**
 * A check mark.
 *
 * @param {Frame} frame
 * @param {number} x
 * @param {number} y
 * @param {number} size
 * @param {string} color
 */
function tick({ context }, x, y, size, color) {
  context.strokeStyle = color;
  context.lineWidth = 2;
  context.lineCap = "round";
  context.lineJoin = "round";
  context.beginPath();
  context.moveTo(x - size, y);
  context.lineTo(x - size * 0.3, y + size * 0.7);
  context.lineTo(x + size, y - size * 0.7);
  context.stroke();
  context.lineCap = "butt";
}

/**
 * Lines aslant.
 *
 * @param {Frame} frame
 * @param {Box} box
 * @param {string} color
 */
export function hatch({ context }, { x, y, width, height }, color) {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.beginPath();
  for (let from = -height; from < width; from += HATCH_PX) {
    context.moveTo(x + from, y + height);
    context.lineTo(x + from + height, y);
  }
  context.globalAlpha = 0.55;
  context.strokeStyle = color;
  context.lineWidth = 1.5;
  context.stroke();
  context.restore();
}

/**
 * An open bet that there was no room for: where it is.
 *
 * @param {Frame} frame
 * @param {HeldBet} bet
 * @param {Box} box
 */
function paintOutOfSight({ context, viewport, colors, nowMs }, bet, box) {
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
