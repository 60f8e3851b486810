// The grid on a canvas: time from left to right, the price line up to NOW, and cells to tap. Where
// everything is stands in domain/viewport.js, how it is painted in grid/*.js; here is what the
// trader's hand does.

import { cellLook, cellWords } from "../domain/cell_words.js";
import { firstCell, stayed, stepped } from "../domain/cursor.js";
import { cellId, columnStartS, placeableStartsS } from "../domain/grid.js";
import { suspension } from "../domain/suspension.js";
import { boxOf, cellAt, columnsInView, ZOOMS } from "../domain/viewport.js";
import { byId, make, setText } from "./dom.js";
import { followFingers } from "./grid/gestures.js";
import { Hints } from "./grid/hints.js";
import { followKeys } from "./grid/keys.js";
import { Notes } from "./grid/notes.js";
import { spreading } from "./grid/overlay.js";
import { Picture } from "./grid/picture.js";
import { Sight, shapeOf } from "./grid/sight.js";
import { Surface } from "./grid/surface.js";

/** @import { Page } from "../page.js" */
/** @import { State } from "../state/state.js" */
/** @import { Reach, Step } from "../domain/cursor.js" */
/** @import { Cell } from "../domain/grid.js" */
/** @import { Viewport } from "../domain/viewport.js" */
/** @import { Frame, Ring } from "./grid/frame.js" */

const KEYS =
  "Arrow keys move over the cells that can be tapped, Enter or Space taps. Home and End go to the " +
  "first and the last column, plus and minus change the size of the cells. The table shows the " +
  "same cells as buttons.";

/**
 * @param {HTMLElement} place
 * @param {Page} page
 */
export function mountGrid(place, page) {
  new GridView(place, page);
}

class GridView {
  /** @type {Viewport | null} of the last frame */
  #viewport = null;
  /** @type {Cell | null} under a finger */
  #pressed = null;
  /** @type {Cell | null} under the mouse */
  #pointed = null;
  /** @type {Cell | null} where the keyboard stands */
  #cursor = null;
  /** @type {readonly Ring[]} */
  #rings = [];
  #sight = new Sight();
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
    this.empty = make("p", { class: "grid-empty" });
    this.larger = this.#button("+", "Larger cells, fewer of them", -1);
    this.smaller = this.#button("−", "Smaller cells, more of them", 1);
    place.replaceChildren(
      this.host,
      notes,
      this.empty,
      make("div", { class: "grid-zoom" }, this.larger, this.smaller),
      make("p", { id: "grid-keys", hidden: true }, KEYS),
    );
    this.hints = new Hints(notes);
    this.picture = new Picture(new Notes(notes, page.api), this.hints);
    this.#followHand();
    page.store.show(
      (state) => [state.view.zoom],
      (zoom) => this.#showZoom(zoom),
    );
    this.surface = new Surface(this.host, (frameMs) => this.#frame(frameMs));
  }

  #followHand() {
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
  }

  /**
   * A bet of the trader's opens its evidence; all that is still to come is tapped, and where that is
   * refused, it is in words. All of it at once: the request is on its way before the next frame.
   *
   * @param {Cell} cell
   * @param {number} x
   * @param {number} y
   */
  #tap(cell, x, y) {
    const { store, actions, clock } = this.page;
    const { state } = store;
    const nowMs = clock.nowMs();
    const held = state.bets[cellId(cell)];
    if (held !== undefined) {
      if (held.betId !== null) {
        actions.openEvidence(held.betId);
      }
    } else if (cell.columnStartS >= columnStartS(runs(state), nowMs)) {
      actions.tap(cellId(cell));
      if (!this.#still.matches) {
        this.#rings = [...this.#rings, { x, y, atMs: nowMs }];
      }
    }
    if (!state.view.hintsDone) {
      actions.look({ hintsDone: true });
    }
  }

  #tapCursor() {
    const cell = this.#cursor;
    if (cell === null || this.#viewport === null) {
      this.#step("first");
      return;
    }
    const { x, y, width, height } = boxOf(this.#viewport, cell);
    this.#tap(cell, x + width / 2, y + height / 2);
  }

  /** @param {Step} step */
  #step(step) {
    const reach = this.#reach(this.page.clock.nowMs());
    if (reach !== null) {
      this.#stand(this.#cursor === null ? firstCell(reach) : stepped(this.#cursor, step, reach));
    }
  }

  /**
   * Put the cursor on a cell, and tell what it is.
   *
   * @param {Cell} cell
   */
  #stand(cell) {
    this.#cursor = cell;
    const nowMs = this.page.clock.nowMs();
    const look = cellLook(this.page.store.state, cell, cellId(cell), nowMs);
    setText(byId("told"), cellWords(look, nowMs));
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

  /** @param {number} frameMs */
  #frame(frameMs) {
    const { store, clock } = this.page;
    const { state } = store;
    const nowMs = clock.nowMs();
    const isStill = this.#still.matches;
    this.#moveCursor(nowMs);
    const { surface } = this;
    const cursor = this.#cursor;
    this.#viewport = this.#sight.step(state, { surface, nowMs, frameMs, cursor, isStill });
    this.#rings = spreading(this.#rings, nowMs);
    this.#showEmpty(state);
    this.picture.show(this.#frameOf(state, this.#viewport, isStill));
  }

  /**
   * @param {State} state
   * @param {Viewport} viewport
   * @param {boolean} isStill
   * @returns {Frame}
   */
  #frameOf(state, viewport, isStill) {
    const { nowMs } = viewport;
    const isOpen = suspension(state, nowMs) === null;
    return {
      context: this.surface.context,
      colors: this.surface.colors,
      faces: this.surface.faces,
      state,
      viewport,
      nowMs,
      firstS: placeableStartsS(runs(state), nowMs).firstS,
      isOpen,
      priceCents: this.#sight.glideCents,
      isStill,
      pressed: this.#pressed,
      pointed: this.#pointed,
      cursor: this.#cursor,
      hinted: this.hints.cell(state, nowMs, isOpen),
      rings: this.#rings,
    };
  }

  /**
   * The cursor flows with its cell until it is too late for it.
   *
   * @param {number} nowMs
   */
  #moveCursor(nowMs) {
    const reach = this.#cursor === null ? null : this.#reach(nowMs);
    if (this.#cursor !== null && reach !== null) {
      const cell = stayed(this.#cursor, reach);
      if (cell !== this.#cursor) {
        this.#stand(cell);
      }
    }
  }

  /**
   * Before there is anything to draw, what is being waited for.
   *
   * @param {State} state
   */
  #showEmpty(state) {
    const isEmpty = this.#sight.priceCents === null;
    if (this.empty.hidden === isEmpty) {
      this.empty.hidden = !isEmpty;
    }
    if (isEmpty) {
      const isLive = state.connection.phase === "live";
      const why = isLive ? null : suspension(state, 0);
      setText(this.empty, why?.text ?? "Waiting for the first price.");
    }
  }
}

/**
 * How time runs, before the venue has said so, too.
 *
 * @param {State} state
 */
function runs({ market }) {
  return (
    market.rules ?? {
      column_s: shapeOf(market).columnS,
      lockout_columns: 1,
      horizon_columns: 12,
    }
  );
}
