// Where the keyboard stands in the table: one cell is in the tab order, arrow keys choose another.
// The focus stays on its cell while columns pass; when that column is over it goes to the first that
// may be tapped, and says so.

import { bandWords } from "../../domain/cell_words.js";
import { PAGE_ROWS } from "../../domain/cursor.js";
import { cellId, placeableStartsS } from "../../domain/grid.js";
import { EMPTY_PLAN, firstOpen, nearestRow } from "../../domain/table_plan.js";

/** @import { Cell } from "../../domain/grid.js" */
/** @import { TablePlan } from "../../domain/table_plan.js" */
/** @import { State } from "../../state/state.js" */
/** @import { TableGrid } from "./grid.js" */

/**
 * What a key does to the place in the table: columns and rows, or their first or last.
 *
 * @type {Readonly<Record<string, (at: {column: number, row: number}, toTheEnd: boolean) => {column: number, row: number}>>}
 */
const MOVES = {
  ArrowLeft: ({ column, row }) => ({ column: column - 1, row }),
  ArrowRight: ({ column, row }) => ({ column: column + 1, row }),
  ArrowUp: ({ column, row }) => ({ column, row: row - 1 }),
  ArrowDown: ({ column, row }) => ({ column, row: row + 1 }),
  PageUp: ({ column, row }) => ({ column, row: row - PAGE_ROWS }),
  PageDown: ({ column, row }) => ({ column, row: row + PAGE_ROWS }),
  Home: ({ row }, toTheEnd) => ({ column: 0, row: toTheEnd ? 0 : row }),
  End: ({ row }, toTheEnd) => ({ column: Infinity, row: toTheEnd ? Infinity : row }),
};

export class TableCursor {
  /** @type {Cell | null} */
  #at = null;
  #plan = EMPTY_PLAN;
  /** Could the focused cell be tapped when it was last looked at? */
  #wasOpen = false;
  /** When the focus was last moved without a key, by the page's clock. */
  movedAtMs = Number.NEGATIVE_INFINITY;

  /**
   * @param {TableGrid} grid
   * @param {(text: string) => void} say
   */
  constructor(grid, say) {
    this.grid = grid;
    this.say = say;
    grid.element.addEventListener("keydown", (event) => this.#key(event));
    grid.element.addEventListener("focusin", (event) => this.#focused(event));
  }

  /** @returns {Cell | null} the cell that has the focus */
  focused() {
    return this.grid.cellOf(document.activeElement);
  }

  /** Go to the current price's row. */
  toPrice() {
    const next = this.#instead(null);
    if (next !== null) {
      this.#become(next);
      this.grid.button(next)?.focus();
    }
  }

  /**
   * Draw, and have the focus where it belongs afterwards.
   *
   * @param {TablePlan} plan
   * @param {() => boolean} draw
   * @returns {boolean} what `draw` gives
   */
  around(plan, draw) {
    const focused = this.focused();
    this.#plan = plan;
    const isOther = draw();
    const at = focused ?? this.#at;
    const next = at !== null && this.grid.button(at) !== null ? at : this.#instead(at);
    if (next !== null) {
      this.#become(next);
    }
    if (focused !== null && next !== null && next !== at) {
      this.movedAtMs = performance.now();
      this.grid.button(next)?.focus();
    }
    return isOther;
  }

  /**
   * Say it when the focused cell has closed.
   *
   * @param {State} state
   * @param {number} nowMs
   */
  tell({ market }, nowMs) {
    const at = this.focused();
    const window = market.rules === null ? null : placeableStartsS(market.rules, nowMs);
    const isOpen = at !== null && window !== null && at.columnStartS >= window.firstS;
    if (this.#wasOpen && !isOpen && at !== null) {
      this.say(`${bandWords(at)} is closed for taps now. Right arrow: the next column.`);
    }
    this.#wasOpen = isOpen;
  }

  /**
   * Where to go from a cell that is gone.
   *
   * @param {Cell | null} gone
   * @returns {Cell | null}
   */
  #instead(gone) {
    const column = firstOpen(this.#plan);
    const price = this.#plan.rows.find((row) => row.hasPrice) ?? this.#plan.rows[0] ?? null;
    const row = gone === null ? price : nearestRow(this.#plan, gone.loCents);
    return column === null || row === null
      ? null
      : { columnStartS: column.startS, loCents: row.loCents, hiCents: row.hiCents };
  }

  /**
   * Have this one, and no other, in the tab order.
   *
   * @param {Cell} cell
   */
  #become(cell) {
    if (this.#at !== null && cellId(this.#at) !== cellId(cell)) {
      this.grid.button(this.#at)?.setAttribute("tabindex", "-1");
    }
    this.#at = cell;
    this.grid.button(cell)?.setAttribute("tabindex", "0");
  }

  /** @param {FocusEvent} event */
  #focused(event) {
    const cell = this.grid.cellOf(event.target);
    if (cell !== null) {
      this.#wasOpen = false;
      this.#become(cell);
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const move = MOVES[event.key];
    const at = this.focused();
    if (move === undefined || at === null || event.altKey || event.metaKey || event.shiftKey) {
      return;
    }
    event.preventDefault();
    const { columns, rows } = this.#plan;
    const next = move(
      {
        column: columns.findIndex((column) => column.startS === at.columnStartS),
        row: rows.findIndex((row) => row.loCents === at.loCents),
      },
      event.ctrlKey,
    );
    const column = columns[Math.min(Math.max(next.column, 0), columns.length - 1)];
    const row = rows[Math.min(Math.max(next.row, 0), rows.length - 1)];
    if (column !== undefined && row !== undefined) {
      const { loCents, hiCents } = row;
      this.grid.button({ columnStartS: column.startS, loCents, hiCents })?.focus();
    }
  }
}
