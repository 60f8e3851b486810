// The rows of the history, by day. A row that stays is never taken out of the page: it may have the
// focus.

import { resultText } from "../../domain/bet_list.js";
import { dayText, rangeText, STATUS_WORDS } from "../../domain/evidence_words.js";
import { clockText, rateText, usdText } from "../../domain/numbers.js";
import { arrange, make } from "../dom.js";
import { icon } from "../icons.js";

/** @import { Page } from "../../page.js" */
/** @import { Row } from "../../domain/bet_list.js" */
/** @import { BetStatus } from "../../types/wire.js" */

/** @type {Readonly<Record<BetStatus, Parameters<typeof icon>[0]>>} */
const SIGNS = {
  confirmed: "open",
  won: "won",
  lost: "lost",
  void: "void",
  insufficient_funds: "close",
};

/**
 * @param {HTMLElement} section
 * @param {Page} page
 */
export function mountRows(section, page) {
  const list = make("ol", { class: "history-rows", "aria-label": "Bets, newest first" });
  section.append(list);
  /** @type {Map<string, HTMLElement>} */
  let shown = new Map();
  const way = new WayBack(section, page);
  return {
    /**
     * @param {readonly Row[]} rows
     * @param {number} nowMs
     */
    show(rows, nowMs) {
      /** @type {Map<string, HTMLElement>} */
      const next = new Map();
      let day = dayText(nowMs);
      for (const row of rows) {
        const own = dayText(row.placed_at_ms);
        if (own !== day) {
          day = own;
          next.set(day, shown.get(day) ?? make("li", { class: "history-day" }, day));
        }
        next.set(row.bet_id, rowOf(shown.get(row.bet_id), row, way));
      }
      shown = next;
      list.hidden = rows.length === 0;
      arrange(list, [...next.values()]);
    },
  };
}

/**
 * The item of a bet, as it was unless something has changed.
 *
 * @param {HTMLElement | undefined} before
 * @param {Row} row
 * @param {WayBack} way
 */
function rowOf(before, row, way) {
  const item = before ?? make("li", { class: "history-row", "data-bet": row.bet_id });
  if (item.dataset["status"] !== row.status) {
    item.dataset["status"] = row.status;
    const button =
      item.querySelector("button") ??
      item.appendChild(
        make("button", {
          type: "button",
          class: "history-open",
          onclick: () => way.leave(row.bet_id),
        }),
      );
    button.replaceChildren(...rowParts(row));
  }
  return item;
}

/** @param {Row} row */
function rowParts(row) {
  const stake = `${usdText(row.stake_micros)} at ${rateText(row.reward_bps)}`;
  return [
    icon(SIGNS[row.status], "history-sign"),
    make("span", { class: "history-range" }, rangeText(row)),
    make("span", { class: "history-result" }, resultText(row)),
    make("span", { class: "history-stake" }, `${clockText(row.placed_at_ms)}, ${stake}`),
    make("span", { class: "history-word" }, STATUS_WORDS[row.status]),
  ];
}

/** Whoever comes back from a bet's evidence finds the list where he left it. */
class WayBack {
  #section;
  #page;
  /** @type {{betId: string, scrolledPx: number} | null} */
  #left = null;

  /**
   * @param {HTMLElement} section
   * @param {Page} page
   */
  constructor(section, page) {
    this.#section = section;
    this.#page = page;
    page.store.show(
      ({ view }) => [view.panel],
      (panel) => {
        if (panel === "history") {
          // Once the panel has come up, and has put the focus on its heading.
          requestAnimationFrame(() => this.#return());
        } else if (panel !== "evidence") {
          this.#left = null;
        }
      },
    );
  }

  /** @param {string} betId */
  leave(betId) {
    this.#left = { betId, scrolledPx: this.#scroller()?.scrollTop ?? 0 };
    this.#page.actions.openEvidence(betId);
  }

  #return() {
    const left = this.#left;
    const scroller = this.#scroller();
    this.#left = null;
    if (left !== null && scroller !== null) {
      scroller.scrollTop = left.scrolledPx;
      const row = this.#section.querySelector(`[data-bet="${left.betId}"] button`);
      if (row instanceof HTMLElement) {
        row.focus({ preventScroll: true });
      }
    }
  }

  #scroller() {
    return this.#section.closest(".panel-body");
  }
}
