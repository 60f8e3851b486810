// The grid without a canvas: every cell on offer is a button in a table, with its price range as the
// row's heading and its time as the column's. It does no work while the chart is shown.

import { cellId } from "../domain/grid.js";
import { chipText } from "../domain/numbers.js";
import { suspension } from "../domain/suspension.js";
import { EMPTY_PLAN, tablePlan } from "../domain/table_plan.js";
import { make, setText } from "./dom.js";
import { TableCursor } from "./table/cursor.js";
import { TableGrid } from "./table/grid.js";
import { keepPlace } from "./table/keep_place.js";

/** @import { Page } from "../page.js" */
/** @import { Cell } from "../domain/grid.js" */

/** Calm enough to be read; a quote comes no more often either. */
const DRAWN_EVERY_MS = 250;
/** A cell that came under the pointer so lately is not the one that was meant. */
const UNSEEN_MS = 350;
/** One that the focus came to by itself has to be heard first. */
const UNHEARD_MS = 1_000;
/** How long a remark of the table's own stands. */
const REMARK_MS = 4_000;

/**
 * @param {HTMLElement} place
 * @param {Page} page
 */
export function mountTable(place, page) {
  const table = new TableView(place, page);
  document.body.prepend(skipLink(page, () => table.enter()));
}

/**
 * The first thing on the page that takes the focus: the way to the cells for whom the chart is none.
 *
 * @param {Page} page
 * @param {() => void} enter
 */
function skipLink(page, enter) {
  const follow = (/** @type {Event} */ event) => {
    event.preventDefault();
    page.actions.look({ board: "table" });
    enter();
  };
  const link = make("a", { class: "table-skip", href: "#table", onclick: follow });
  page.store.show(
    (state) => [state.view.board],
    (board) =>
      setText(link, board === "table" ? "Go to the table" : "Use the table instead of the chart"),
  );
  return link;
}

class TableView {
  /** @type {ReturnType<typeof setInterval> | null} */
  #timer = null;
  #plan = EMPTY_PLAN;
  #note = make("p", { class: "table-note" });
  #said = make("p", { class: "unseen", "aria-live": "polite" });
  #toPrice = make(
    "button",
    { class: "table-to-price", type: "button", onclick: () => this.#showPrice() },
    "Show the price",
  );
  #empty = make("p", { class: "table-empty", hidden: true });
  #shiftedAtMs = Number.NEGATIVE_INFINITY;
  #remarkedAtMs = Number.NEGATIVE_INFINITY;

  /**
   * @param {HTMLElement} place
   * @param {Page} page
   */
  constructor(place, page) {
    this.place = place;
    this.page = page;
    place.tabIndex = -1;
    this.grid = new TableGrid();
    this.scroll = make("div", { class: "table-scroll" }, this.grid.element);
    this.cursor = new TableCursor(this.grid, (text) => setText(this.#said, text));
    this.grid.element.addEventListener("click", (event) => this.#click(event));
    place.replaceChildren(this.#head(), this.#empty, this.scroll, this.#said);
    page.store.show(
      (state) => [state.view.board],
      (board) => this.#choose(board === "table"),
    );
    // Of what the trader does himself he is told at once.
    page.store.watch((state, before) => {
      if (
        this.#timer !== null &&
        (state.bets !== before.bets || state.refused !== before.refused)
      ) {
        this.#draw();
      }
    });
  }

  #head() {
    return make(
      "div",
      { class: "table-head" },
      make("h2", { class: "unseen" }, "Table of cells"),
      this.#note,
      this.#toPrice,
    );
  }

  /** @param {boolean} isChosen */
  #choose(isChosen) {
    this.place.hidden = !isChosen;
    if (isChosen && this.#timer === null) {
      this.#timer = setInterval(() => this.#draw(), DRAWN_EVERY_MS);
      this.#draw();
      this.grid.showPrice(this.scroll);
    } else if (!isChosen && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
  }

  #draw() {
    const { state } = this.page.store;
    const nowMs = this.page.clock.nowMs();
    const focused = this.cursor.focused();
    const wasEmpty = this.#plan.rows.length === 0;
    this.#plan = tablePlan(state, nowMs, { before: this.#plan, at: focused });
    this.#drawWords(nowMs);
    const hasShifted = keepPlace(this.scroll, this.grid.element, () =>
      this.cursor.around(this.#plan, () => this.grid.draw(this.#plan, state, nowMs, focused)),
    );
    if (wasEmpty) {
      this.grid.showPrice(this.scroll);
    } else if (hasShifted) {
      this.#shiftedAtMs = performance.now();
    }
    this.cursor.tell(state, nowMs);
    const side = this.grid.priceSide(this.scroll);
    setText(this.#toPrice, side === "above" ? "Price is above ↑" : "Price is below ↓");
    this.#toPrice.toggleAttribute("data-needed", side !== "in sight");
  }

  /** Bring the keyboard here. */
  enter() {
    if (this.#plan.rows.length === 0) {
      this.place.focus();
    } else {
      this.#showPrice();
    }
  }

  /** Bring the current price's row into sight, and the keyboard to it. */
  #showPrice() {
    this.grid.showPrice(this.scroll);
    this.#shiftedAtMs = performance.now();
    this.cursor.toPrice();
  }

  /** @param {number} nowMs */
  #drawWords(nowMs) {
    const { state } = this.page.store;
    const stopped = suspension(state, nowMs);
    const isEmpty = this.#plan.rows.length === 0;
    this.#empty.hidden = !isEmpty;
    this.scroll.hidden = isEmpty;
    this.place.toggleAttribute("data-suspended", stopped !== null);
    setText(this.#empty, stopped?.text ?? "Rates are on their way.");
    if (performance.now() - this.#remarkedAtMs >= REMARK_MS) {
      setText(this.#note, this.#noteText(stopped !== null));
    }
  }

  /** @param {boolean} isStopped */
  #noteText(isStopped) {
    const { refused, view } = this.page.store.state;
    const last = refused.at(-1);
    if (last !== undefined) {
      return last.text;
    }
    return isStopped
      ? "No taps are taken at the moment."
      : `A tap stakes ${chipText(view.stakeMicros)} USD on a cell.`;
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const cell = this.grid.cellOf(event.target);
    if (cell === null) {
      return;
    }
    const nowMs = performance.now();
    const isByPointer = event.detail > 0;
    const hasMoved =
      nowMs - this.cursor.movedAtMs < UNHEARD_MS ||
      (isByPointer && nowMs - this.#shiftedAtMs < UNSEEN_MS);
    if (hasMoved) {
      this.#remark("The table moved just then: nothing was staked. Tap again.");
    } else {
      this.#chosen(cell);
    }
  }

  /**
   * A tap on a bet asks what is known of it; any other stakes, or says why not.
   *
   * @param {Cell} cell
   */
  #chosen(cell) {
    const id = cellId(cell);
    const held = this.page.store.state.bets[id];
    if (held?.betId) {
      this.page.actions.openEvidence(held.betId);
    } else if (held === undefined) {
      this.page.actions.tap(id);
    }
  }

  /** @param {string} text */
  #remark(text) {
    this.#remarkedAtMs = performance.now();
    setText(this.#note, text);
    setText(this.#said, text);
  }
}
