// Three hints on the grid of a first visit: what the line is, what a cell is, what is too late. They
// stay until the first tap.

import { placeableStartsS, rewardBps, rowLoCents } from "../../domain/grid.js";
import { playedWord } from "../../domain/price_line.js";
import { boxOf, xOf, yOf } from "../../domain/viewport.js";
import { make, setText } from "../dom.js";
import { hairPx } from "./frame.js";

/** @import { Cell } from "../../domain/grid.js" */
/** @import { State } from "../../state/state.js" */
/** @import { Frame } from "./frame.js" */

const GAP_PX = 10;
const EDGE_PX = 8;
/** Right of the buttons that change the size of the cells. */
const LEFT_PX = 60;
/** On a grid less high, e.g. above an open sheet, they would cover it all. */
const LEAST_HEIGHT_PX = 240;
/** Below the word over what is closed. */
const TOP_PX = 24;
/** Rows above the price at which a cell is shown: near enough to be understood, clear of the line. */
const ROWS_UP = 2;

/**
 * @typedef {object} Hint
 * @property {HTMLElement} element
 * @property {number} width
 * @property {number} height
 */

export class Hints {
  /** @type {{line: Hint, cell: Hint, closed: Hint} | null} */
  #hints = null;
  /** @type {Cell | null} */
  #cell = null;
  #laidOut = "";

  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
  }

  /**
   * The cell that is pointed out; null: none.
   *
   * @param {State} state
   * @param {number} nowMs
   * @param {boolean} isOpen
   */
  cell(state, nowMs, isOpen) {
    const { rules, quote } = state.market;
    if (state.view.hintsDone || rules === null || quote === null || !isOpen) {
      this.#cell = null;
      return null;
    }
    const { firstS } = placeableStartsS(rules, nowMs);
    if (this.#cell === null || this.#cell.columnStartS < firstS || !near(this.#cell, quote)) {
      const loCents = rowLoCents(quote, quote.price_cents) + ROWS_UP * quote.row_cents;
      const cell = {
        columnStartS: firstS + rules.column_s,
        loCents,
        hiCents: loCents + quote.row_cents,
      };
      this.#cell = rewardBps(quote, cell) > 0 ? cell : null;
    }
    return this.#cell;
  }

  /** @param {Frame} frame */
  draw(frame) {
    const { priceCents, viewport, state, hinted } = frame;
    const isTooLow = viewport.layout.bottomPx < LEAST_HEIGHT_PX;
    if (state.view.hintsDone || hinted === null || priceCents === null || isTooLow) {
      this.#remove();
      return;
    }
    this.#hints ??= this.#make(state.market.rules?.column_s ?? 5);
    const { line, cell, closed } = this.#hints;
    const lineWords = wordsOfLine(state);
    setText(line.element, lineWords);
    const { nowPx, rightPx, bottomPx } = viewport.layout;
    this.#measure(`${rightPx} ${bottomPx} ${lineWords}`);
    const lineY = yOf(viewport, priceCents);
    const box = boxOf(viewport, hinted);
    const middle = box.x + box.width / 2;
    const aboveY = box.y - 2 * GAP_PX - cell.height;
    // Where there is no room above the cell, the words are beside it: they must not cover it.
    const isBeside = aboveY < TOP_PX;
    const cellX = isBeside ? box.x + box.width + GAP_PX : middle - cell.width / 2;
    put(cell, clamp(cellX, EDGE_PX, rightPx - cell.width - EDGE_PX), Math.max(TOP_PX, aboveY));
    if (!isBeside) {
      lead(frame, middle, aboveY + cell.height, box.y);
    }

    const lineX = clamp(nowPx - line.width + 2 * GAP_PX, LEFT_PX, nowPx);
    const lowest = bottomPx - line.height - closed.height - 5 * GAP_PX;
    const lineTop = Math.min(lineY + 4 * GAP_PX, lowest);
    put(line, lineX, lineTop);
    lead(frame, nowPx, lineTop, lineY + 8);

    const openX = xOf(viewport, frame.firstS * 1000);
    const between = (nowPx + openX) / 2;
    const closedX = clamp(between - closed.width / 2, LEFT_PX, rightPx - closed.width - EDGE_PX);
    const closedTop = lineTop + line.height + 4 * GAP_PX;
    put(closed, closedX, closedTop);
    span(frame, nowPx, openX, closedTop - GAP_PX);
  }

  /** @param {number} columnS */
  #make(columnS) {
    const hint = (/** @type {string} */ text) => {
      const element = make("p", { class: "grid-note grid-hint" });
      setText(element, text);
      this.place.append(element);
      return { element, width: 0, height: 0 };
    };
    this.#laidOut = "";
    return {
      line: hint(""),
      cell: hint(
        `Tap a cell: if the line enters it in its ${seconds(columnS)}, you are paid its rate times your stake.`,
      ),
      closed: hint("Too late for these."),
    };
  }

  /** @param {string} size of the place: what is measured holds until it changes */
  #measure(size) {
    if (this.#hints === null || size === this.#laidOut) {
      return;
    }
    this.#laidOut = size;
    for (const hint of Object.values(this.#hints)) {
      hint.width = hint.element.offsetWidth;
      hint.height = hint.element.offsetHeight;
    }
  }

  #remove() {
    if (this.#hints !== null) {
      for (const { element } of Object.values(this.#hints)) {
        element.remove();
      }
      this.#hints = null;
    }
  }
}

/** @param {State} state */
function wordsOfLine({ market }) {
  const played = playedWord(market.status?.source);
  return played === "" ? "The line is the BTC price." : `The line is a ${played} price.`;
}

/**
 * Is the cell still about where a hint belongs?
 *
 * @param {Cell} cell
 * @param {NonNullable<State["market"]["quote"]>} quote
 */
function near(cell, quote) {
  const rows = (cell.loCents - rowLoCents(quote, quote.price_cents)) / quote.row_cents;
  return rows >= 1 && rows <= 2 * ROWS_UP && rewardBps(quote, cell) > 0;
}

/**
 * From the words to what they are about, up or down.
 *
 * @param {Frame} frame
 * @param {number} x
 * @param {number} fromY
 * @param {number} toY
 */
function lead({ context, colors, viewport }, x, fromY, toY) {
  const hair = hairPx(viewport.layout.dpr);
  context.fillStyle = colors.text;
  context.fillRect(x, Math.min(fromY, toY), hair, Math.abs(fromY - toY));
}

/**
 * From here to there: the strip that the words are about.
 *
 * @param {Frame} frame
 * @param {number} fromX
 * @param {number} toX
 * @param {number} y
 */
function span({ context, colors, viewport }, fromX, toX, y) {
  const hair = hairPx(viewport.layout.dpr);
  context.fillStyle = colors.text;
  context.fillRect(fromX, y, toX - fromX, hair);
  context.fillRect(fromX, y - 4, hair, 8);
  context.fillRect(toX - hair, y - 4, hair, 8);
}

/**
 * @param {Hint} hint
 * @param {number} x
 * @param {number} y
 */
function put({ element }, x, y) {
  element.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
function clamp(value, least, most) {
  return Math.max(least, Math.min(most, value));
}

/** @param {number} count */
function seconds(count) {
  return count === 5 ? "five seconds" : `${count} seconds`;
}
