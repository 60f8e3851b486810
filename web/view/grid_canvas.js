// The grid on a canvas: time from left to right, the price line up to NOW, and cells to tap. Where
// everything is stands in domain/viewport.js, how it is painted and what the trader's hand does in
// grid/*.js; here they are put together.

import { placeableStartsS } from "../domain/grid.js";
import { lineEndMs } from "../domain/price_line.js";
import { suspension } from "../domain/suspension.js";
import { ZOOMS } from "../domain/viewport.js";
import { make, setText } from "./dom.js";
import { Hand } from "./grid/hand.js";
import { Hints } from "./grid/hints.js";
import { Notes } from "./grid/notes.js";
import { Picture } from "./grid/picture.js";
import { Sight, shapeOf } from "./grid/sight.js";
import { Surface } from "./grid/surface.js";

/** @import { Page } from "../page.js" */
/** @import { State } from "../state/state.js" */
/** @import { Viewport } from "../domain/viewport.js" */
/** @import { Frame } from "./grid/frame.js" */

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
    Object.defineProperty(this.host, "viewport", { get: () => this.hand.viewport });
    const notes = make("div", { class: "grid-notes" });
    this.empty = make("p", { class: "grid-empty" });
    this.hand = new Hand(this.host, page, this.#still);
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
    page.store.show(
      (state) => [state.view.zoom],
      (zoom) => this.#showZoom(zoom),
    );
    this.surface = new Surface(this.host, (frameMs) => this.#frame(frameMs));
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
    const onclick = () => this.hand.zoom(steps);
    return make("button", { type: "button", "aria-label": name, title: name, onclick }, sign);
  }

  /** @param {number} frameMs */
  #frame(frameMs) {
    const { store, clock } = this.page;
    const { state } = store;
    const nowMs = clock.nowMs();
    const isStill = this.#still.matches;
    this.hand.step(state, nowMs);
    const { surface } = this;
    const { cursor } = this.hand;
    const viewport = this.#sight.step(state, { surface, nowMs, frameMs, cursor, isStill });
    this.hand.viewport = viewport;
    this.#showEmpty(state);
    this.picture.show(this.#frameOf(state, viewport, isStill));
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
      lineEndMs: lineEndMs(state, nowMs),
      isStill,
      pressed: this.hand.pressed,
      pointed: this.hand.pointed,
      cursor: this.hand.cursor,
      hinted: this.hints.cell(state, nowMs, isOpen),
      rings: this.hand.rings,
    };
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
