// The table's elements. Those of a cell that stays are the same ones from draw to draw, and are never
// moved: whoever has the focus keeps it, and a finger finds under it what it saw there.

import { bandWords } from "../../domain/cell_words.js";
import { cellId, columnStartS, parseCellId } from "../../domain/grid.js";
import { clockText } from "../../domain/numbers.js";
import { make, setText } from "../dom.js";
import { TableCell } from "./cell.js";

/** @import { Cell } from "../../domain/grid.js" */
/** @import { PlannedColumn, PlannedRow, TablePlan } from "../../domain/table_plan.js" */
/** @import { State } from "../../state/state.js" */

export class TableGrid {
  /** @type {Map<number, ReturnType<typeof newColumn>>} by start */
  #columns = new Map();
  /** @type {Map<number, TableRow>} by low edge */
  #rows = new Map();
  #heading = make("tr", {}, make("th", { class: "table-corner", scope: "col" }, "Price range"));
  #body = make("tbody");

  constructor() {
    this.element = make(
      "table",
      { class: "table-grid", role: "grid", "aria-label": "Cells by price and time" },
      make("thead", {}, this.#heading),
      this.#body,
    );
  }

  /**
   * @param {TablePlan} plan
   * @param {State} state
   * @param {number} nowMs
   * @param {Cell | null} focused
   * @returns {boolean} has a row or a column come or gone?
   */
  draw(plan, state, nowMs, focused) {
    const hasChanged = this.#arrange(plan);
    const isNext = plan.columns.find((column) => column.phase === "open");
    for (const column of plan.columns) {
      const closesInS = column === isNext ? secondsToTap(state, nowMs) : null;
      this.#drawColumn(column, columnTexts(column, closesInS, nowMs));
    }
    const focusedId = focused === null ? null : cellId(focused);
    for (const planned of plan.rows) {
      this.#rows.get(planned.loCents)?.draw(planned, state, nowMs, focusedId);
    }
    return hasChanged;
  }

  /**
   * @param {PlannedColumn} column
   * @param {readonly [string, string]} texts
   */
  #drawColumn({ startS, phase }, [when, clock]) {
    const shown = this.#columns.get(startS);
    if (shown !== undefined) {
      shown.element.dataset.phase = phase;
      setText(shown.when, when);
      setText(shown.clock, clock);
    }
  }

  /**
   * @param {Cell} cell
   * @returns {HTMLButtonElement | null}
   */
  button(cell) {
    return this.#rows.get(cell.loCents)?.cells.get(cell.columnStartS)?.button ?? null;
  }

  /**
   * The cell that something on the page belongs to.
   *
   * @param {EventTarget | null} target
   * @returns {Cell | null}
   */
  cellOf(target) {
    const button = target instanceof Element ? target.closest("[data-cell]") : null;
    return button instanceof HTMLElement && this.element.contains(button)
      ? parseCellId(button.dataset.cell ?? "")
      : null;
  }

  /**
   * Bring the current price's row to the middle.
   *
   * @param {HTMLElement} scroll
   */
  showPrice(scroll) {
    const row = this.#priceRow();
    if (row !== null) {
      const headingPx = this.#heading.offsetHeight;
      const freePx = scroll.clientHeight - headingPx - row.offsetHeight;
      scroll.scrollTop = row.offsetTop - headingPx - freePx / 2;
    }
  }

  /**
   * Where the current price's row is, as seen from what is in sight.
   *
   * @param {HTMLElement} scroll
   * @returns {"above" | "below" | "in sight"}
   */
  priceSide(scroll) {
    const row = this.#priceRow();
    if (row === null) {
      return "in sight";
    }
    const top = row.offsetTop - scroll.scrollTop;
    const headingPx = this.#heading.offsetHeight;
    if (top < headingPx - row.offsetHeight / 2) {
      return "above";
    }
    return top > scroll.clientHeight - row.offsetHeight / 2 ? "below" : "in sight";
  }

  #priceRow() {
    const row = this.element.querySelector("tr[data-price]");
    return row instanceof HTMLElement ? row : null;
  }

  /** @param {TablePlan} plan */
  #arrange(plan) {
    const starts = plan.columns.map((column) => column.startS);
    const edges = plan.rows.map((row) => row.loCents);
    const isSame = areKeys(this.#columns, starts) && areKeys(this.#rows, edges);
    if (!isSame) {
      keep(this.#heading, 1, this.#columns, starts, (startS) => newColumn(startS));
      keep(this.#body, 0, this.#rows, edges, (loCents) => {
        const row = plan.rows.find((planned) => planned.loCents === loCents);
        return new TableRow(/** @type {PlannedRow} */ (row));
      });
      for (const row of this.#rows.values()) {
        row.arrange(starts);
      }
    }
    return !isSame;
  }
}

class TableRow {
  /** @type {Map<number, TableCell>} by their columns' starts */
  cells = new Map();

  /** @param {PlannedRow} planned */
  constructor({ loCents, hiCents }) {
    this.loCents = loCents;
    this.hiCents = hiCents;
    const words = bandWords(this);
    this.element = make(
      "tr",
      {},
      make(
        "th",
        { class: "table-band", scope: "row" },
        make("span", { class: "unseen" }, words),
        make("span", { "aria-hidden": "true" }, words.replace(" to ", "–")),
      ),
    );
  }

  /** @param {readonly number[]} starts */
  arrange(starts) {
    const { loCents, hiCents } = this;
    keep(
      this.element,
      1,
      this.cells,
      starts,
      (columnStartS) => new TableCell({ columnStartS, loCents, hiCents }),
    );
  }

  /**
   * @param {PlannedRow} planned
   * @param {State} state
   * @param {number} nowMs
   * @param {string | null} focusedId
   */
  draw({ hasPrice, isApart }, state, nowMs, focusedId) {
    this.element.toggleAttribute("data-price", hasPrice);
    this.element.toggleAttribute("data-apart", isApart);
    for (const cell of this.cells.values()) {
      cell.draw(state, nowMs, cell.id === focusedId);
    }
  }
}

/**
 * How long the next column to close may still be tapped: until the running one ends.
 *
 * @param {State} state
 * @param {number} nowMs
 */
function secondsToTap({ market: { rules } }, nowMs) {
  return rules === null ? null : columnStartS(rules, nowMs) + rules.column_s - nowMs / 1000;
}

/** @param {number} startS */
function newColumn(startS) {
  const when = make("span", { class: "table-when" });
  const clock = make("span", { class: "table-clock" }, clockText(startS * 1000));
  const element = make("th", { class: "table-column", scope: "col" }, when, " ", clock);
  return { element, when, clock };
}

/**
 * When a column is, in two lines; of the next to close, how long it may still be tapped.
 *
 * @param {PlannedColumn} column
 * @param {number | null} closesInS null: it is not the next to close
 * @param {number} nowMs
 * @returns {readonly [string, string]}
 */
function columnTexts({ startS, endS, phase }, closesInS, nowMs) {
  const seconds = (/** @type {number} */ atS) => Math.max(0, Math.ceil(atS - nowMs / 1000));
  const clock = clockText(startS * 1000);
  switch (phase) {
    case "over":
      return ["ended", clock];
    case "running":
      return ["now", `${seconds(endS)} s left`];
    case "closed":
      return [`in ${seconds(startS)} s`, "closed"];
    case "open":
      return [
        `in ${seconds(startS)} s`,
        closesInS === null ? clock : `${Math.ceil(closesInS)} s to tap`,
      ];
  }
}

/**
 * @param {ReadonlyMap<number, unknown>} shown
 * @param {readonly number[]} keys
 */
function areKeys(shown, keys) {
  return shown.size === keys.length && keys.every((key) => shown.has(key));
}

/**
 * Let `parent` have one child for each key, in their order, after `first` others. What stays is not
 * touched: taking an element out, even to put it back, takes the focus from it.
 *
 * @template {{element: HTMLElement}} V
 * @param {HTMLElement} parent
 * @param {number} first
 * @param {Map<number, V>} shown
 * @param {readonly number[]} keys
 * @param {(key: number) => V} made
 */
function keep(parent, first, shown, keys, made) {
  const wanted = new Set(keys);
  for (const [key, { element }] of shown) {
    if (!wanted.has(key)) {
      element.remove();
      shown.delete(key);
    }
  }
  for (const [index, key] of keys.entries()) {
    if (!shown.has(key)) {
      const value = made(key);
      shown.set(key, value);
      parent.insertBefore(value.element, parent.children[first + index] ?? null);
    }
  }
}
