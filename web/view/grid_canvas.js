// The grid on a canvas: time from left to right, the price line up to NOW, and cells to tap. What is
// painted stands in grid/*.js, where it is in domain/viewport.js.

import { cellLook, cellWords } from "../domain/cell_words.js";
import { firstCell, stayed, stepped } from "../domain/cursor.js";
import { cellId, columnStartS, placeableStartsS } from "../domain/grid.js";
import { priceText } from "../domain/numbers.js";
import { suspension } from "../domain/suspension.js";
import {
  boxOf,
  cellAt,
  columnsInView,
  keptInView,
  layoutOf,
  scaleAt,
  stepScale,
  viewportOf,
  ZOOMS,
} from "../domain/viewport.js";
import { byId, make, setText } from "./dom.js";
import { Cells } from "./grid/cells.js";
import { paintAxes, paintBoundary, paintGround, paintLine } from "./grid/chart.js";
import { followFingers } from "./grid/gestures.js";
import { paintHeld } from "./grid/held.js";
import { Hints } from "./grid/hints.js";
import { followKeys } from "./grid/keys.js";
import { Notes } from "./grid/notes.js";
import { paintOverlay, spreading } from "./grid/overlay.js";
import { Surface } from "./grid/surface.js";

/** @import { Page } from "../page.js" */
/** @import { HeldBet, State } from "../state/state.js" */
/** @import { Reach, Step } from "../domain/cursor.js" */
/** @import { Cell } from "../domain/grid.js" */
/** @import { GridShape, Layout, Scale, Viewport } from "../domain/viewport.js" */
/** @import { Frame, Ring } from "./grid/frame.js" */

/** How quickly the label of the price glides to a new one. */
const GLIDE_MS = 60;
/** Below the cells: the marks of time. */
const TIMES_PX = 24;
/** Frames that took longer than this were none: the page was away. */
const AWAY_MS = 1_000;
/** Until the venue has said how its grid is made, it is drawn as it is by default. */
const SHAPE = { columnS: 5, rowCents: 1_000, columnsAhead: 14, rows: 40 };

const DESCRIPTION =
  "Arrow keys move over the cells that can be tapped, Enter or Space taps. Home and End go to the " +
  "first and the last column, plus and minus change the size of the cells. The same cells are in " +
  "the table.";

/**
 * @param {HTMLElement} place
 * @param {Page} page
 */
export function mountGrid(place, page) {
  new GridView(place, page);
}

class GridView {
  /** @type {Layout | null} */
  #layout = null;
  /** @type {readonly unknown[]} what the layout was made of */
  #laidOut = [];
  /** @type {Scale | null} */
  #scale = null;
  /** @type {Viewport | null} */
  #viewport = null;
  /** @type {number | null} */
  #glideCents = null;
  #frameMs = 0;
  /** @type {Cell | null} */
  #pressed = null;
  /** @type {Cell | null} */
  #pointed = null;
  /** @type {Cell | null} */
  #cursor = null;
  /** @type {readonly Ring[]} */
  #rings = [];
  /** @type {readonly HeldBet[]} */
  #kept = [];
  /** @type {readonly unknown[]} what the last frame was painted from */
  #painted = [];
  #moves = true;
  #cells = new Cells();
  #still = matchMedia("(prefers-reduced-motion: reduce)");

  /**
   * @param {HTMLElement} place
   * @param {Page} page
   */
  constructor(place, page) {
    this.page = page;
    this.host = make("div", {
      class: "grid-host",
      tabindex: 0,
      role: "application",
      "aria-label": "Grid of cells: time from left to right, price from bottom to top",
      "aria-describedby": "grid-keys",
    });
    // Whoever looks from outside, a test or a debugger, can tell where cells are drawn.
    Object.defineProperty(this.host, "viewport", { get: () => this.#viewport });
    const notes = make("div", { class: "grid-notes" });
    this.empty = make("div", { class: "grid-empty" });
    this.smaller = this.#button("−", "Smaller cells, more of them", 1);
    this.larger = this.#button("+", "Larger cells, fewer of them", -1);
    place.replaceChildren(
      this.host,
      notes,
      this.empty,
      make("div", { class: "grid-zoom" }, this.larger, this.smaller),
      make("p", { id: "grid-keys", hidden: true }, DESCRIPTION),
    );
    this.notes = new Notes(notes, page.api);
    this.hints = new Hints(notes);
    followFingers(this.host, {
      viewport: () => this.#viewport,
      cellAt: (x, y) => (this.#viewport === null ? null : cellAt(this.#viewport, x, y)),
      tap: (cell, x, y) => {
        this.#cursor = null;
        this.#tap(cell, x, y);
      },
      press: (cell) => {
        this.#pressed = cell;
      },
      point: (cell) => {
        this.#pointed = cell;
      },
      zoom: (steps) => this.#zoom(steps),
    });
    followKeys(this.host, {
      step: (step) => this.#step(step),
      tap: () => this.#tapCursor(),
      zoom: (steps) => this.#zoom(steps),
    });
    this.host.addEventListener("blur", () => {
      this.#cursor = null;
    });
    page.store.show(
      (state) => [state.view.zoom],
      (zoom) => this.#showZoom(zoom),
    );
    this.surface = new Surface(this.host, (frameMs) => this.#frame(frameMs));
  }

  // --- What the trader does ---------------------------------------------------------------------

  /**
   * A bet of his own opens its evidence; anything that is still to come is tapped, and what can't be
   * is refused in words.
   *
   * @param {Cell} cell
   * @param {number} x
   * @param {number} y
   */
  #tap(cell, x, y) {
    const { store, actions, clock } = this.page;
    const id = cellId(cell);
    const held = store.state.bets[id];
    if (held !== undefined) {
      if (held.betId !== null) {
        actions.openEvidence(held.betId);
      }
      return;
    }
    const nowMs = clock.nowMs();
    if (cell.columnStartS >= columnStartS({ column_s: this.#shape().columnS }, nowMs)) {
      if (!this.#still.matches) {
        this.#rings = [...this.#rings, { x, y, atMs: nowMs }];
      }
      actions.tap(id);
    }
    if (!store.state.view.hintsDone) {
      actions.look({ hintsDone: true });
    }
  }

  #tapCursor() {
    const cell = this.#cursor;
    const viewport = this.#viewport;
    if (cell === null || viewport === null) {
      this.#step("first");
      return;
    }
    const { x, y, width, height } = boxOf(viewport, cell);
    this.#tap(cell, x + width / 2, y + height / 2);
  }

  /** @param {Step} step */
  #step(step) {
    const reach = this.#reach(this.page.clock.nowMs());
    if (reach === null) {
      return;
    }
    this.#cursor = this.#cursor === null ? firstCell(reach) : stepped(this.#cursor, step, reach);
    this.#tell(this.#cursor, reach.nowMs);
  }

  /**
   * @param {Cell} cell
   * @param {number} nowMs
   */
  #tell(cell, nowMs) {
    const look = cellLook(this.page.store.state, cell, cellId(cell), nowMs);
    setText(byId("told"), cellWords(look, nowMs));
  }

  /** @param {number} steps */
  #zoom(steps) {
    const { store, actions } = this.page;
    const zoom = Math.max(0, Math.min(ZOOMS - 1, store.state.view.zoom + steps));
    if (zoom !== store.state.view.zoom) {
      actions.look({ zoom });
    }
  }

  /** @param {number} zoom */
  #showZoom(zoom) {
    this.larger.toggleAttribute("disabled", zoom === 0);
    this.smaller.toggleAttribute("disabled", zoom === ZOOMS - 1);
  }

  /**
   * @param {string} sign
   * @param {string} name
   * @param {number} steps
   */
  #button(sign, name, steps) {
    const onclick = () => this.#zoom(steps);
    return make("button", { type: "button", "aria-label": name, title: name, onclick }, sign);
  }

  // --- What is seen -----------------------------------------------------------------------------

  /** @returns {GridShape} */
  #shape() {
    const { rules, quote } = this.page.store.state.market;
    return {
      columnS: rules?.column_s ?? quote?.column_s ?? SHAPE.columnS,
      rowCents: rules?.row_cents ?? quote?.row_cents ?? SHAPE.rowCents,
      columnsAhead:
        rules === null ? SHAPE.columnsAhead : 1 + rules.lockout_columns + rules.horizon_columns,
      rows: quote?.rows ?? this.#layout?.shape.rows ?? SHAPE.rows,
    };
  }

  /**
   * The layout, made anew where what it is made of has changed.
   *
   * @param {number | null} priceCents
   */
  #laid(priceCents) {
    const { size, faces } = this.surface;
    const shape = this.#shape();
    const { zoom } = this.page.store.state.view;
    const digits = priceText(priceCents ?? 10_000_000).length;
    const made = [size, zoom, digits, ...Object.values(shape)];
    if (this.#layout === null || made.some((value, index) => value !== this.#laidOut[index])) {
      const face = faces.of(11, 600);
      const pricesPx = Math.ceil(faces.widthOf(face, "0".repeat(digits - 2))) + 18;
      const isZoomed = zoom !== this.#laidOut[1];
      this.#laidOut = made;
      this.#layout = layoutOf(shape, size, { pricesPx, timesPx: TIMES_PX }, zoom);
      if (isZoomed && this.#scale !== null) {
        this.#scale = { ...this.#scale, rowPx: this.#layout.rowPx };
      }
    }
    return this.#layout;
  }

  /** @param {number} frameMs */
  #frame(frameMs) {
    const dtMs = Math.min(AWAY_MS, Math.max(0, frameMs - this.#frameMs));
    this.#frameMs = frameMs;
    const { store, clock } = this.page;
    const { state } = store;
    const nowMs = clock.nowMs();
    const priceCents = state.market.trail.at(-1)?.price_cents ?? state.market.quote?.price_cents;
    const layout = this.#laid(priceCents ?? null);
    this.#glide(priceCents ?? null, dtMs);
    this.#follow(state, layout, priceCents ?? null, nowMs, dtMs);
    this.#moveCursor(nowMs);
    const viewport = viewportOf(layout, this.#scale ?? scaleAt(layout, 0), nowMs);
    this.#viewport = viewport;
    this.#rings = spreading(this.#rings, nowMs);
    this.#showEmpty(state, priceCents ?? null);
    const frame = this.#frameOf(state, viewport, nowMs);
    if (this.#moves || this.#differs(frame)) {
      this.#paint(frame);
    }
  }

  /**
   * @param {State} state
   * @param {Viewport} viewport
   * @param {number} nowMs
   * @returns {Frame}
   */
  #frameOf(state, viewport, nowMs) {
    const { rules } = state.market;
    const isOpen = suspension(state, nowMs) === null;
    const { columnS } = viewport.layout.shape;
    return {
      context: this.surface.context,
      state,
      viewport,
      colors: this.surface.colors,
      faces: this.surface.faces,
      nowMs,
      firstS:
        rules === null
          ? viewport.anchorMs / 1000 + 2 * columnS
          : placeableStartsS(rules, nowMs).firstS,
      isOpen,
      priceCents: this.#glideCents,
      isStill: this.#still.matches,
      pressed: this.#pressed,
      pointed: this.#pointed,
      cursor: this.#cursor,
      hinted: this.hints.cell(state, nowMs, isOpen),
      rings: this.#rings,
    };
  }

  /**
   * Time flows by less than a pixel in most frames, and what is the same need not be painted again.
   *
   * @param {Frame} frame
   */
  #differs(frame) {
    const { viewport, priceCents } = frame;
    const now = [
      frame.state,
      viewport.layout,
      viewport.anchorPx,
      viewport.levelPx,
      viewport.levelCents,
      viewport.rowPx,
      frame.colors,
      priceCents,
      frame.isOpen,
      frame.pressed,
      frame.pointed,
      frame.cursor,
      frame.rings.length,
    ];
    const differs = now.some((value, index) => value !== this.#painted[index]);
    if (differs) {
      this.#painted = now;
    }
    return differs;
  }

  /** @param {Frame} frame */
  #paint(frame) {
    paintGround(frame);
    this.#cells.draw(frame);
    paintBoundary(frame);
    const isPulsing = paintHeld(frame);
    paintLine(frame);
    const isAnswering = paintOverlay(frame);
    this.hints.draw(frame);
    paintAxes(frame);
    this.notes.draw(frame);
    this.#moves = isPulsing || isAnswering;
  }

  /**
   * @param {number | null} priceCents
   * @param {number} dtMs
   */
  #glide(priceCents, dtMs) {
    const from = this.#glideCents;
    if (priceCents === null || from === null || this.#still.matches) {
      this.#glideCents = priceCents;
      return;
    }
    const next = priceCents + (from - priceCents) * Math.exp(-dtMs / GLIDE_MS);
    this.#glideCents = Math.abs(next - priceCents) < 1 ? priceCents : next;
  }

  /**
   * @param {State} state
   * @param {Layout} layout
   * @param {number | null} priceCents
   * @param {number} nowMs
   * @param {number} dtMs
   */
  #follow(state, layout, priceCents, nowMs, dtMs) {
    if (priceCents === null) {
      return;
    }
    if (this.#scale === null || dtMs >= AWAY_MS) {
      this.#scale = scaleAt(layout, priceCents);
    }
    this.#kept = keptInView(Object.values(state.bets), nowMs);
    const seen = this.#cursor === null ? this.#kept : [...this.#kept, this.#cursor];
    this.#scale = stepScale(this.#scale, layout, priceCents, seen, dtMs);
  }

  /** @param {number} nowMs */
  #moveCursor(nowMs) {
    const reach = this.#cursor === null ? null : this.#reach(nowMs);
    if (this.#cursor === null || reach === null) {
      return;
    }
    const cell = stayed(this.#cursor, reach);
    if (cell !== this.#cursor) {
      this.#cursor = cell;
      this.#tell(cell, nowMs);
    }
  }

  /**
   * @param {number} nowMs
   * @returns {Reach | null}
   */
  #reach(nowMs) {
    const { rules, quote } = this.page.store.state.market;
    if (rules === null || quote === null || this.#viewport === null) {
      return null;
    }
    const { lastS } = columnsInView(this.#viewport);
    return { rules, quote, nowMs, seenS: lastS - rules.column_s };
  }

  /**
   * Before there is anything to draw, what is being waited for.
   *
   * @param {State} state
   * @param {number | null} priceCents
   */
  #showEmpty(state, priceCents) {
    this.empty.hidden = priceCents !== null;
    if (priceCents !== null) {
      return;
    }
    const why = suspension(state, 0);
    const isLive = state.connection.phase === "live";
    setText(this.empty, isLive ? "Waiting for the first price." : (why?.text ?? ""));
  }
}
