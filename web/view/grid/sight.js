// What the grid's view is of: its layout, its scale and the price's label, carried from frame to
// frame. How they move is decided in domain/viewport.js.

import { priceText } from "../../domain/numbers.js";
import {
  hasCents,
  keptInView,
  layoutOf,
  scaleAt,
  stepScale,
  viewportOf,
} from "../../domain/viewport.js";
import { MARK_PX } from "./frame.js";

/** @import { HeldBet, State } from "../../state/state.js" */
/** @import { Cell } from "../../domain/grid.js" */
/** @import { GridShape, Layout, Scale, Viewport } from "../../domain/viewport.js" */
/** @import { Surface } from "./surface.js" */

/** How quickly the label of the price glides to a new one. */
const GLIDE_MS = 60;
/** Below the cells: the marks of time. */
const TIMES_PX = 24;
/** Beside the longest price. */
const PRICE_MARGIN_PX = 16;
/** Frames that took longer than this were none: the page was away. */
const AWAY_MS = 1_000;
/** Before the first price: as long as most, and nowhere shown. */
const ANY_CENTS = 10_000_000;
/** Until the venue has said how its grid is made, it is drawn as it is by default. */
const SHAPE = { columnS: 5, rowCents: 1_000, columnsAhead: 14, rows: 40 };

/**
 * How the venue's grid is made, as far as it has said.
 *
 * @param {State["market"]} market
 * @param {number} rows while there is no quote
 * @returns {GridShape}
 */
export function shapeOf({ rules, quote }, rows = SHAPE.rows) {
  return {
    columnS: rules?.column_s ?? quote?.column_s ?? SHAPE.columnS,
    rowCents: rules?.row_cents ?? quote?.row_cents ?? SHAPE.rowCents,
    columnsAhead:
      rules === null ? SHAPE.columnsAhead : 1 + rules.lockout_columns + rules.horizon_columns,
    rows: quote?.rows ?? rows,
  };
}

export class Sight {
  /** @type {number | null} the newest price */
  priceCents = null;
  /** @type {number | null} where the label and the end of the line are */
  glideCents = null;
  /** @type {Layout | null} */
  #layout = null;
  /** @type {readonly unknown[]} what the layout was made of */
  #laidOut = [];
  /** @type {Scale | null} */
  #scale = null;
  /** @type {readonly HeldBet[]} */
  #kept = [];
  /** @type {readonly unknown[]} what they were chosen from */
  #keptOf = [];
  #frameMs = 0;

  /**
   * The view of this frame.
   *
   * @param {State} state
   * @param {{surface: Surface, nowMs: number, frameMs: number, cursor: Cell | null, isStill: boolean}} at
   * @returns {Viewport}
   */
  step(state, { surface, nowMs, frameMs, cursor, isStill }) {
    const dtMs = Math.min(AWAY_MS, Math.max(0, frameMs - this.#frameMs));
    this.#frameMs = frameMs;
    const { trail, quote } = state.market;
    this.priceCents = trail.at(-1)?.price_cents ?? quote?.price_cents ?? null;
    const layout = this.#laid(state, surface);
    this.#glide(isStill ? AWAY_MS : dtMs);
    if (this.priceCents !== null) {
      if (this.#scale === null || dtMs >= AWAY_MS) {
        this.#scale = scaleAt(layout, this.priceCents);
      }
      const kept = this.#keep(state.bets, Math.floor(nowMs / 1000));
      const seen = cursor === null ? kept : [...kept, cursor];
      this.#scale = stepScale(this.#scale, layout, this.priceCents, seen, dtMs);
    }
    return viewportOf(layout, this.#scale ?? scaleAt(layout, ANY_CENTS), nowMs);
  }

  /**
   * The layout, made anew where what it is made of has changed.
   *
   * @param {State} state
   * @param {Surface} surface
   */
  #laid({ market, view }, { size, faces }) {
    const shape = shapeOf(market, this.#layout?.shape.rows);
    const { columnS, rowCents, columnsAhead, rows } = shape;
    const digits = priceText(this.priceCents ?? ANY_CENTS).length;
    const made = [size, view.zoom, digits, columnS, rowCents, columnsAhead, rows];
    if (this.#layout === null || made.some((value, index) => value !== this.#laidOut[index])) {
      const figures = hasCents(shape, size.widthPx) ? digits - 2 : digits - 4;
      const widest = faces.widthOf(faces.of(MARK_PX, 600), "0".repeat(figures));
      const pricesPx = Math.ceil(widest) + PRICE_MARGIN_PX;
      const isZoomed = view.zoom !== this.#laidOut[1];
      this.#laidOut = made;
      this.#layout = layoutOf(shape, size, { pricesPx, timesPx: TIMES_PX }, view.zoom);
      if (isZoomed && this.#scale !== null) {
        this.#scale = { ...this.#scale, rowPx: this.#layout.rowPx };
      }
    }
    return this.#layout;
  }

  /** @param {number} dtMs */
  #glide(dtMs) {
    const to = this.priceCents;
    const from = this.glideCents;
    if (to === null || from === null || dtMs >= AWAY_MS) {
      this.glideCents = to;
      return;
    }
    const next = to + (from - to) * Math.exp(-dtMs / GLIDE_MS);
    this.glideCents = Math.abs(next - to) < 1 ? to : next;
  }

  /**
   * @param {State["bets"]} bets
   * @param {number} atS
   */
  #keep(bets, atS) {
    if (bets !== this.#keptOf[0] || atS !== this.#keptOf[1]) {
      this.#keptOf = [bets, atS];
      this.#kept = keptInView(Object.values(bets), atS * 1000);
    }
    return this.#kept;
  }
}
