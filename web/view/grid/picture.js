// One frame after the other, from the ground up. A frame that would look like the last one is left out.

import { paintAxes } from "./axes.js";
import { Cells } from "./cells.js";
import { paintBoundary, paintDot, paintFade, paintGround, paintLine } from "./chart.js";
import { heldInView, paintHeld } from "./held.js";
import { paintHeldWords } from "./held_words.js";
import { paintOverlay } from "./overlay.js";

/** @import { Frame } from "./frame.js" */
/** @import { Hints } from "./hints.js" */
/** @import { Notes } from "./notes.js" */

export class Picture {
  #cells = new Cells();
  /** @type {readonly unknown[]} what the last frame was painted from */
  #painted = [];
  /** Does something move that is in no state: a ring, a pulse? */
  #moves = true;

  /**
   * @param {Notes} notes
   * @param {Hints} hints
   */
  constructor(notes, hints) {
    this.notes = notes;
    this.hints = hints;
  }

  /** @param {Frame} frame */
  show(frame) {
    if (this.#differs(frame) || this.#moves) {
      this.#paint(frame);
    }
  }

  /**
   * Time flows by less than a pixel in most frames.
   *
   * @param {Frame} frame
   */
  #differs(frame) {
    const { viewport } = frame;
    const now = [
      frame.state,
      frame.colors,
      viewport.layout,
      viewport.anchorPx,
      viewport.levelPx,
      viewport.levelCents,
      viewport.rowPx,
      frame.firstS,
      frame.isOpen,
      frame.priceCents,
      frame.lineEndMs === frame.nowMs,
      frame.pressed,
      frame.pointed,
      frame.cursor,
      frame.hinted,
      frame.rings,
    ];
    const differs = now.some((value, index) => value !== this.#painted[index]);
    this.#painted = differs ? now : this.#painted;
    return differs;
  }

  /** @param {Frame} frame */
  #paint(frame) {
    // Before the first price nothing has a height.
    const seen = frame.priceCents === null ? [] : heldInView(frame);
    paintGround(frame);
    this.#cells.draw(frame);
    paintBoundary(frame);
    const isPulsing = paintHeld(frame, seen);
    paintFade(frame);
    paintLine(frame);
    paintHeldWords(frame, seen);
    paintDot(frame);
    const isAnswering = paintOverlay(frame);
    this.hints.draw(frame);
    // The axes cover what reached beyond the cells: a clip would cost more.
    paintAxes(frame);
    if (frame.priceCents !== null) {
      this.notes.draw(frame);
    }
    this.#moves = isPulsing || isAnswering;
  }
}
