// All that is to come, painted once a quote onto a canvas of its own; each frame only moves it.

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
  /** @type {readonly unknown[]} what decides where cells are on the canvas, and in which colors */
  #painted = [];
  /** @type {string[]} how each cell looks on it, column by column from the top */
  #looks = [];
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
    const isNew = this.#listen(frame.state.market.quote);
    const { viewport, colors, firstS, isOpen } = frame;
    const { layout } = viewport;
    // Of the running column there is nothing left to say.
    const startS = viewport.anchorMs / 1000 + layout.shape.columnS;
    const { lowestCents, highestCents } = rowsInView(viewport);
    const { lastS } = columnsInView(viewport);
    const isCovered =
      lowestCents >= this.#shown.lowestCents && highestCents <= this.#shown.highestCents;
    const wanted = [startS, lastS, firstS, isOpen, colors, layout, viewport.rowPx];
    if (!isCovered || wanted.some((value, index) => value !== this.#painted[index])) {
      const spareCents = SPARE_ROWS * layout.shape.rowCents;
      this.#shown = {
        startS,
        lowestCents: lowestCents - spareCents,
        highestCents: highestCents + spareCents,
      };
      this.#painted = wanted;
      this.#looks = [];
    } else if (!isNew) {
      this.#put(frame);
      return;
    }
    this.#paint(frame, lastS);
    this.#put(frame);
  }

  /**
   * Keep what a column was last offered at: it is still seen, dimmed, once it is too late for it.
   *
   * @param {GridFrame | null} quote
   * @returns {boolean} is it another quote?
   */
  #listen(quote) {
    if (quote === this.#heard) {
      return false;
    }
    this.#heard = quote;
    if (quote === null) {
      this.#offers.clear();
      return true;
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
    return true;
  }

  /**
   * Every cell that does not look as it should: from one quote to the next, many still do.
   *
   * @param {Frame} frame
   * @param {number} lastS
   */
  #paint(frame, lastS) {
    const { viewport } = frame;
    const { shape, columnPx, dpr } = viewport.layout;
    const { startS, lowestCents, highestCents } = this.#shown;
    const columns = (lastS - startS) / shape.columnS + 1;
    const rows = (highestCents - lowestCents) / shape.rowCents + 1;
    const context = this.#sized(
      Math.max(1, Math.round(columns * columnPx * dpr)),
      Math.max(1, Math.ceil(rows * viewport.rowPx * dpr)),
    );
    context.setTransform(dpr, 0, 0, dpr, 0, 0);
    const type = typeOf(frame.faces, columnPx, viewport.rowPx);
    for (let column = 0; column < columns; column += 1) {
      const columnStartS = startS + column * shape.columnS;
      const offer = this.#offers.get(columnStartS);
      const isClosed = columnStartS < frame.firstS;
      for (let row = 0; row < rows; row += 1) {
        const loCents = highestCents - row * shape.rowCents;
        const rate = offer?.rates[(loCents - offer.lowestCents) / shape.rowCents] ?? 0;
        const cell = cellOf(frame, type, { rate, isClosed, column, row });
        const index = column * rows + row;
        if (this.#looks[index] !== cell.look) {
          this.#looks[index] = cell.look;
          paintCell(context, frame, type, cell);
        }
      }
    }
  }

  /**
   * The canvas, of that size. Nothing shines through it: what is copied need not be blended.
   *
   * @param {number} width
   * @param {number} height
   */
  #sized(width, height) {
    const context = /** @type {CanvasRenderingContext2D} */ (
      this.#canvas.getContext("2d", { alpha: false })
    );
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      forgetFace(context);
    }
    return context;
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
function typeOf(faces, columnPx, rowPx) {
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
 * One cell on the canvas, offered or not.
 *
 * @typedef {object} Painted
 * @property {number} column from the left
 * @property {number} row from the top
 * @property {"offered" | "closed" | "ground" | "closed_ground"} kind
 * @property {number} shade
 * @property {string} text
 * @property {string} look cells with the same one look the same
 */

/**
 * @param {Frame} frame
 * @param {ReturnType<typeof typeOf>} type
 * @param {{rate: number, isClosed: boolean, column: number, row: number}} at
 * @returns {Painted}
 */
function cellOf({ isOpen }, type, { rate, isClosed, column, row }) {
  if (rate <= 0) {
    const kind = isClosed ? "closed_ground" : "ground";
    return { column, row, kind, shade: 0, text: "", look: kind };
  }
  const text = type?.text(rate) ?? "";
  const isOffered = isOpen && !isClosed;
  const shade = isOffered ? shadeOf(rate) : 0;
  const kind = isOffered ? "offered" : "closed";
  return { column, row, kind, shade, text, look: `${kind}${shade} ${text}` };
}

/**
 * Its lines above and to the left, its ground, and its rate; the next cells have the other lines.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Frame} frame
 * @param {ReturnType<typeof typeOf>} type
 * @param {Painted} cell
 */
function paintCell(context, { viewport, colors }, type, { column, row, kind, shade, text }) {
  const { columnPx, dpr } = viewport.layout;
  const hair = hairPx(dpr);
  const isOffered = kind === "offered";
  const x = column * columnPx;
  const top = rowTop(viewport, row);
  const height = rowTop(viewport, row + 1) - top;
  context.fillStyle = isOffered ? colors.edge : colors.faint;
  context.fillRect(x, top, columnPx, height);
  if (isOffered) {
    context.fillStyle = colors.shades[shade] ?? colors.ground;
  } else {
    context.fillStyle = kind === "ground" ? colors.ground : colors.closed;
  }
  context.fillRect(x + hair, top + hair, columnPx - hair, height - hair);
  if (type !== null && text !== "") {
    context.fillStyle = isOffered ? colors.text : colors.closedText;
    write(context, type.face, text, x + columnPx / 2, top + height / 2);
  }
}

/**
 * On a pixel of the device.
 *
 * @param {Frame["viewport"]} viewport
 * @param {number} row from the top of the canvas
 */
function rowTop({ layout, rowPx }, row) {
  return Math.round(row * rowPx * layout.dpr) / layout.dpr;
}
