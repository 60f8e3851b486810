// Where did my money go? Every movement, newest first, with the balance after it.

import { betOf, entryWords, exactWhenWords } from "../../domain/account_words.js";
import { exactSignedUsdText, exactUsdText } from "../../domain/amounts.js";
import { make } from "../dom.js";
import { busy, button, fold, outcome, problemText } from "./parts.js";

/** @import { Page } from "../../page.js" */
/** @import { Entry, Statement } from "../../types/wire.js" */

const LINES = 20;

/** @param {Page} page */
export function statementSection(page) {
  return new StatementSection(page).element;
}

class StatementSection {
  /** @type {string | null} */
  #cursor = null;
  /** @type {number | null} the balance that the newest line shown leaves */
  #balanceMicros = null;
  #said = outcome();
  #lines = make("tbody");
  #table = make(
    "table",
    { class: "account-statement", hidden: true },
    make("caption", { class: "unseen" }, "Movements of money, newest first, in USD"),
    make(
      "thead",
      {},
      make(
        "tr",
        {},
        make("th", { scope: "col" }, "What and when"),
        make("th", { scope: "col", class: "account-number" }, "Amount"),
        make("th", { scope: "col", class: "account-number" }, "Balance"),
      ),
    ),
    this.#lines,
  );
  #more = button("Show earlier", () => busy(this.#more, () => this.#load(this.#cursor)));
  #again = button("Show the newest", () => busy(this.#again, () => this.#load(null)));

  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.fold = fold("Where did my money go?", () => this.#load(null));
    this.element = this.fold.element;
    this.#again.hidden = true;
    this.#more.hidden = true;
    this.fold.body.append(this.#again, this.#table, this.#more, this.#said.element);
    page.store.show(
      (state) => [state.session.sessionId],
      (_sessionId) => this.#forget(),
    );
    page.store.show(
      (state) => [state.account?.balance_micros ?? null, state.view.panel],
      (balance, panel) => this.#look(balance, panel === "account"),
    );
  }

  /** Another account's money is nobody's business. */
  #forget() {
    this.#lines.replaceChildren();
    this.#table.hidden = true;
    this.#more.hidden = true;
    this.#cursor = null;
    this.#balanceMicros = null;
    this.fold.element.open = false;
  }

  /**
   * Lines that are read do not move: what is newer is offered.
   *
   * @param {number | null} balanceMicros
   * @param {boolean} isSeen
   */
  #look(balanceMicros, isSeen) {
    if (isSeen && this.element.open) {
      this.#again.hidden = balanceMicros === null || balanceMicros === this.#balanceMicros;
    }
  }

  /** @param {string | null} cursor null: from the newest */
  async #load(cursor) {
    const query = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    try {
      const path = `/api/ledger?limit=${LINES}${query}`;
      this.#show(cursor, /** @type {Statement} */ (await this.page.api.get(path)));
    } catch (error) {
      this.#said.say(problemText(error), true);
      this.#more.hidden = false;
    }
  }

  /**
   * @param {string | null} cursor
   * @param {Statement} statement
   */
  #show(cursor, { entries, next_cursor, archived = [] }) {
    const rows = entries.map((entry) => this.#line(entry));
    if (cursor === null) {
      this.#lines.replaceChildren(...rows);
      this.#balanceMicros = entries[0]?.balance_after_micros ?? 0;
      this.#again.hidden = true;
    } else {
      this.#lines.append(...rows);
    }
    this.#cursor = next_cursor;
    this.#more.hidden = next_cursor === null;
    this.#table.hidden = this.#lines.children.length === 0;
    this.#said.say(this.#words(archived));
  }

  /** @param {readonly string[]} archived */
  #words(archived) {
    if (archived.length > 0) {
      return `Weeks in the archive are not shown: ${archived.join(", ")}.`;
    }
    return this.#table.hidden ? "No money has moved yet." : "";
  }

  /** @param {Entry} entry */
  #line(entry) {
    const words = entryWords(entry);
    const when = exactWhenWords(entry.created_at_ms, this.page.clock.nowMs());
    const betId = betOf(entry);
    const what =
      betId === null
        ? words
        : make(
            "button",
            {
              class: "account-link",
              type: "button",
              "aria-label": `${words}, ${when}: show the evidence of the bet`,
              onclick: () => this.page.actions.openEvidence(betId),
            },
            words,
          );
    return make(
      "tr",
      { "data-gain": entry.amount_micros > 0 && entry.ref_type === "PAYOUT" },
      make("th", { scope: "row" }, what, make("span", { class: "account-when" }, when)),
      make("td", { class: "account-number" }, exactSignedUsdText(entry.amount_micros)),
      make("td", { class: "account-number" }, exactUsdText(entry.balance_after_micros)),
    );
  }
}
