// The cells on offer, painted once a quote onto a canvas of their own; each frame only moves it.

import { rateText, shortRateText } from "../../domain/numbers.js";
import { columnsInView, edgeY, rowsInView, xOf } from "../../domain/viewport.js";
import { shadeOf } from "./colors.js";
import { forgetFace, write } from "./faces.js";
import { hairPx } from "./frame.js";

/** @import { GridFrame } from "../../types/wire.js" */
/** @import { Face, Faces } from "./faces.js" */
/** @import { Frame } from "./frame.js" */

/**
 * One column's rates, from the lowest row up.
 *
 * @typedef {object} Offer
 * @property {number} lowestCents
 * @property {readonly number[]} rates
 */

/** Rows beyond the edges that are painted along, so that following the price seldom paints anew. */
const SPARE_ROWS = 3;
/** Rates larger than this are harder to read, not easier. */
const RATE_PX_MOST = 13;
const RATE_PX_LEAST = 9;
const SHORT_PX_LEAST = 7;

export class Cells {
  /** @type {Map<number, Offer>} by the column's start */
  #offers = new Map();
  #canvas = document.createElement("canvas");
  /** @type {readonly unknown[]} */
  #painted = [];
  /** @type {GridFrame | null} */
  #heard = null;
  /** What the canvas shows. */
  #shown = { startS: 0, lowestCents: 0, highestCents: -1 };

  /**
   * Put the cells where they are now; paint them first where they are not what they were.
   *
   * @param {Frame} frame
   */
  draw(frame) {
    this.#listen(frame.state.market.quote);
    const { viewport, colors, firstS, isOpen } = frame;
    const { layout } = viewport;
    // Of the running column there is nothing left to say.
    const startS = viewport.anchorMs / 1000 + layout.shape.columnS;
    const { lowestCents, highestCents } = rowsInView(viewport);
    const { lastS } = columnsInView(viewport);
    const isCovered =
      lowestCents >= this.#shown.lowestCents && highestCents <= this.#shown.highestCents;
    const wanted = [this.#heard, startS, lastS, firstS, isOpen, colors, layout, viewport.rowPx];
    if (!isCovered || wanted.some((value, index) => value !== this.#painted[index])) {
      const spareCents = SPARE_ROWS * layout.shape.rowCents;
      this.#shown = {
        startS,
        lowestCents: lowestCents - spareCents,
        highestCents: highestCents + spareCents,
      };
      this.#paint(frame, lastS);
      this.#painted = wanted;
    }
    this.#put(frame);
  }

  /**
   * Keep what a column was last offered at: it is still seen, dimmed, once it is too late for it.
   *
   * @param {GridFrame | null} quote
   */
  #listen(quote) {
    if (quote === this.#heard) {
      return;
    }
    this.#heard = quote;
    if (quote === null) {
      this.#offers.clear();
      return;
    }
    const { first_column_s: firstS, column_s: columnS, rows, rates } = quote;
    for (const startS of this.#offers.keys()) {
      if (startS < firstS - 4 * columnS || startS >= firstS) {
        this.#offers.delete(startS);
      }
    }
    for (let index = 0; index * rows < rates.length; index += 1) {
      this.#offers.set(firstS + index * columnS, {
        lowestCents: quote.lowest_row_cents,
        rates: rates.slice(index * rows, (index + 1) * rows),
      });
    }
  }

  /**
   * @param {Frame} frame
   * @param {number} lastS
   */
  #paint(frame, lastS) {
    const { viewport, firstS, isOpen } = frame;
    const { shape, columnPx, dpr } = viewport.layout;
    const { startS, lowestCents, highestCents } = this.#shown;
    const columns = (lastS - startS) / shape.columnS + 1;
    const width = Math.max(1, Math.round(columns * columnPx * dpr));
    const rows = (highestCents - lowestCents) / shape.rowCents + 1;
    const height = Math.max(1, Math.ceil(rows * viewport.rowPx * dpr));
    const context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d"));
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      forgetFace(context);
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    context.setTransform(dpr, 0, 0, dpr, 0, 0);
    const type = typeOf(frame.faces, columnPx, viewport.rowPx);
    for (let index = 0; index < columns; index += 1) {
      const columnS = startS + index * shape.columnS;
      const offer = this.#offers.get(columnS);
      if (offer !== undefined) {
        const isOffered = isOpen && columnS >= firstS;
        paintColumn(context, frame, type, {
          offer,
          isOffered,
          x: index * columnPx,
          topCents: highestCents + shape.rowCents,
        });
      }
    }
  }

  /** @param {Frame} frame */
  #put({ context, viewport }) {
    const { layout } = viewport;
    const { dpr } = layout;
    const x = Math.round(xOf(viewport, this.#shown.startS * 1000) * dpr);
    const y = Math.round(edgeY(viewport, this.#shown.highestCents + layout.shape.rowCents) * dpr);
    const width = Math.min(this.#canvas.width, Math.round(layout.rightPx * dpr) - x);
    const above = Math.max(0, -y);
    const height = Math.min(
      this.#canvas.height - above,
      Math.round(layout.bottomPx * dpr) - Math.max(0, y),
    );
    if (width > 0 && height > 0) {
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.drawImage(this.#canvas, 0, above, width, height, x, y + above, width, height);
      context.setTransform(dpr, 0, 0, dpr, 0, 0);
    }
  }
}

/**
 * How rates are written in cells of this size; null: they are too small for it.
 *
 * @param {Faces} faces
 * @param {number} columnPx
 * @param {number} rowPx
 * @returns {{face: Face, text: (rewardBps: number) => string} | null}
 */
export function typeOf(faces, columnPx, rowPx) {
  const most = Math.min(RATE_PX_MOST, Math.floor(rowPx * 0.62));
  const whole = fitting(faces, "00.0x", columnPx - 8, most, RATE_PX_LEAST);
  if (whole !== null) {
    return { face: whole, text: rateText };
  }
  const short = fitting(faces, "0.0", columnPx - 4, Math.min(most, 10), SHORT_PX_LEAST);
  return short === null ? null : { face: short, text: shortRateText };
}

/**
 * @param {Faces} faces
 * @param {string} sample
 * @param {number} widthPx
 * @param {number} most
 * @param {number} least
 */
function fitting(faces, sample, widthPx, most, least) {
  for (let size = most; size >= least; size -= 0.5) {
    const face = faces.of(size);
    if (faces.widthOf(face, sample) <= widthPx) {
      return face;
    }
  }
  return null;
}

/**
 * @typedef {object} Column
 * @property {Offer} offer
 * @property {boolean} isOffered can it be tapped?
 * @property {number} x
 * @property {number} topCents the upper edge of the canvas
 */

/**
 * One column: the lines around its cells at once, the cells upon them, and then their rates.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Frame} frame
 * @param {ReturnType<typeof typeOf>} type
 * @param {Column} column
 */
function paintColumn(context, frame, type, column) {
  const { viewport, colors } = frame;
  const { columnPx, dpr } = viewport.layout;
  const { isOffered, x } = column;
  const hair = hairPx(dpr);
  const cells = cellsOf(frame, column);
  context.fillStyle = isOffered ? colors.edge : colors.faint;
  for (const { top, bottom } of cells) {
    context.fillRect(x, top, columnPx + hair, bottom - top + hair);
  }
  context.fillStyle = colors.closed;
  for (const { top, bottom, rate } of cells) {
    if (isOffered) {
      context.fillStyle = colors.shades[shadeOf(rate)] ?? colors.ground;
    }
    context.fillRect(x + hair, top + hair, columnPx - hair, bottom - top - hair);
  }
  if (type !== null) {
    context.fillStyle = isOffered ? colors.text : colors.closedText;
    for (const { top, bottom, rate } of cells) {
      write(context, type.face, type.text(rate), x + columnPx / 2, (top + bottom) / 2);
    }
  }
}

/**
 * The cells of a column that are offered, with their edges on pixels of the device.
 *
 * @param {Frame} frame
 * @param {Column} column
 */
function cellsOf({ viewport }, { offer, topCents }) {
  const { shape, dpr } = viewport.layout;
  const { rowPx } = viewport;
  const cells = [];
  for (const [index, rate] of offer.rates.entries()) {
    const rows = (topCents - offer.lowestCents) / shape.rowCents - index - 1;
    if (rate > 0 && rows >= 0) {
      const top = Math.round(rows * rowPx * dpr) / dpr;
      cells.push({ rate, top, bottom: Math.round((rows + 1) * rowPx * dpr) / dpr });
    }
  }
  return cells;
}
