// The trader's own bets, newest first. A tap on one opens its evidence.

import {
  emptyList,
  queryOf,
  withConfirmed,
  withFirst,
  withNext,
  withResolved,
} from "../domain/bet_list.js";
import { problemOf } from "../io/api.js";
import { make } from "./dom.js";
import { filterBar } from "./history/filters.js";
import { mountFoot } from "./history/foot.js";
import { mountRows } from "./history/rows.js";

/** @import { Page } from "../page.js" */
/** @import { BetList, Filter } from "../domain/bet_list.js" */
/** @import { TradingEvent } from "../state/events.js" */
/** @import { Bets } from "../types/wire.js" */

/** After news the first page is asked for again, once for all that came within this long. */
const ASK_AGAIN_MS = 1_000;

/**
 * How the list stands with the venue.
 *
 * @typedef {object} Loading
 * @property {"idle" | "first" | "next" | "failed"} phase
 * @property {string} problem why the last request failed
 * @property {number | null} asOfMs when the list was last whole, by the venue's clock
 */

/**
 * @param {HTMLElement} place
 * @param {Page} page
 */
export function mountHistory(place, page) {
  const history = new History(page);
  const section = make("section", { class: "history" });
  place.append(section);
  const filters = filterBar((filter) => history.choose(filter));
  section.append(filters.element);
  const above = make("div", { class: "history-foot", role: "status", hidden: true });
  section.append(above);
  const rows = mountRows(section, page);
  const foot = mountFoot(section, above, {
    next: () => void history.next(),
    again: () => void history.first(),
    signIn: () => page.actions.look({ panel: "sign_in" }),
  });
  history.show = () => {
    const { wallet } = history;
    filters.show(history.list.filter, wallet !== null);
    rows.show(wallet === null ? [] : (history.list.rows ?? []), page.clock.nowMs());
    foot.show(history.list, history.loading, wallet !== null);
  };
  history.follow();
}

class History {
  #page;
  #asked = 0;
  #isOpen = false;
  /** @type {number | undefined} */
  #timer;
  /** @type {BetList} */
  list = emptyList("all");
  /** @type {Loading} */
  loading = { phase: "idle", problem: "", asOfMs: null };
  /** @type {string | null} */
  wallet = null;
  show = () => {};

  /** @param {Page} page */
  constructor(page) {
    this.#page = page;
  }

  /** Begin to follow whose bets are asked for, and what becomes of them. */
  follow() {
    const { store } = this.#page;
    store.show(
      ({ view, session }) => [
        view.panel === "history",
        session.phase === "in" ? session.wallet : null,
      ],
      (isOpen, wallet) => this.#turn(isOpen, wallet),
    );
    store.watch((_state, _before, event) => this.#hear(event));
  }

  /** @param {Filter} filter */
  choose(filter) {
    this.list = emptyList(filter);
    void this.first();
  }

  /** Ask for the first page, the first time or again. */
  async first() {
    if (this.list.rows === null) {
      this.loading = { ...this.loading, phase: "first", problem: "" };
      this.show();
    }
    await this.#load(null);
  }

  /** Ask for the next page. */
  async next() {
    if (this.list.cursor !== null && this.loading.phase === "idle") {
      this.loading = { ...this.loading, phase: "next" };
      this.show();
      await this.#load(this.list.cursor);
    }
  }

  /** @param {string | null} cursor */
  async #load(cursor) {
    this.#asked += 1;
    const mine = this.#asked;
    try {
      /** @type {Bets} */
      const page = await this.#page.api.get(queryOf(this.list.filter, cursor));
      if (mine === this.#asked) {
        this.list = cursor === null ? withFirst(this.list, page) : withNext(this.list, page);
        this.loading = { phase: "idle", problem: "", asOfMs: this.#page.clock.nowMs() };
        this.show();
      }
    } catch (error) {
      if (mine === this.#asked) {
        this.loading = { ...this.loading, phase: "failed", problem: problemOf(error) };
        this.show();
      }
    }
  }

  /**
   * @param {boolean} isOpen
   * @param {string | null} wallet
   */
  #turn(isOpen, wallet) {
    if (wallet !== this.wallet) {
      this.wallet = wallet;
      this.#asked += 1;
      this.list = emptyList(this.list.filter);
      this.loading = { phase: "idle", problem: "", asOfMs: null };
    }
    this.#isOpen = isOpen;
    this.show();
    if (isOpen && wallet !== null) {
      void this.first();
    }
  }

  /** @param {TradingEvent} event */
  #hear(event) {
    if (!this.#isOpen || this.wallet === null) {
      return;
    }
    switch (event.type) {
      case "bet:confirmed":
        this.list = withConfirmed(this.list, event);
        break;
      case "bet:resolved":
        this.list = withResolved(this.list, event);
        break;
      case "page:snapshot":
      case "page:connected":
        break;
      default:
        return;
    }
    this.show();
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#askAgain(), ASK_AGAIN_MS);
  }

  /** Unless a page is on its way. */
  #askAgain() {
    const { phase } = this.loading;
    if (this.#isOpen && this.wallet !== null && phase !== "first" && phase !== "next") {
      void this.first();
    }
  }
}
