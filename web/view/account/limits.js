// Limits that a trader sets for himself: the most per bet, the most lost in a day, and a pause.

import { changedWords, limitsSummary, maxWords, pendingWords } from "../../domain/account_words.js";
import { readUsd } from "../../domain/amounts.js";
import { make, setText } from "../dom.js";
import { AMOUNT, busy, button, field, fold, outcome, problemText } from "./parts.js";
import { pauseForm } from "./pause.js";

/** @import { Page } from "../../page.js" */
/** @import { Account, Limits } from "../../types/wire.js" */

/**
 * One of the two maxima, as the wire names it.
 *
 * @typedef {object} Max
 * @property {"stake_max_micros" | "loss_day_max_micros"} name
 * @property {"next_stake_max" | "next_loss_day_max"} next
 * @property {string} label
 * @property {string} hint
 */

/** @type {readonly Max[]} */
const MAXIMA = [
  { name: "stake_max_micros", next: "next_stake_max", label: "Most per bet", hint: "" },
  {
    name: "loss_day_max_micros",
    next: "next_loss_day_max",
    label: "Most lost per day",
    hint: "A day begins at 00:00 UTC. Stakes of open bets count as lost.",
  },
];

/** @param {Page} page */
export function limitsSection(page) {
  const place = fold("Limits");
  const words = `Lowering a limit or pausing holds at once. Raising a limit, removing one or ending a
    pause waits a day.`;
  place.body.append(
    make("p", { class: "account-hint" }, words.replace(/\s+/g, " ")),
    ...MAXIMA.map((max) => maxForm(page, max)),
    pauseForm(page, (until) => ask(page, { paused_until_ms: until })),
  );
  page.store.show(
    (state) => [state.account?.limits ?? null],
    (limits) => place.sum(limitsSummary(limits, page.clock.nowMs())),
  );
  return place.element;
}

/**
 * @param {Page} page
 * @param {Partial<Record<"stake_max_micros" | "loss_day_max_micros" | "paused_until_ms", number | null>>} change
 * @returns {Promise<Limits>} as they stand then
 */
async function ask(page, change) {
  const account = /** @type {Account} */ (await page.api.post("/api/account/limits", change));
  return account.limits;
}

/**
 * @param {Page} page
 * @param {Max} max
 */
function maxForm(page, { name, next, label, hint }) {
  const said = outcome();
  const set = button("Set", () => {}, { submit: true, label: `Set: ${label.toLowerCase()}` });
  const remove = button("Remove", () => change(remove, null), {
    label: `Remove: ${label.toLowerCase()}`,
  });
  const now = make("p", { class: "account-now" });
  const above = make("div", { class: "account-row" }, now, remove);
  const typed = field(`${label}, USD`, { hint, attributes: AMOUNT, beside: set, above });
  const form = make(
    "form",
    { class: "account-form", novalidate: true, onsubmit: submitted },
    typed.element,
    said.element,
  );

  /** @param {SubmitEvent} event */
  function submitted(event) {
    event.preventDefault();
    const { micros, problem } = readUsd(typed.input.value);
    typed.complain(problem);
    if (micros === null) {
      typed.input.focus();
    } else {
      change(set, micros);
    }
  }

  /**
   * @param {HTMLButtonElement} by
   * @param {number | null} micros
   */
  function change(by, micros) {
    said.say("");
    busy(by, async () => {
      try {
        const limits = await ask(page, { [name]: micros });
        said.say(changedWords(micros, limits[name], limits[next], page.clock.nowMs()));
        typed.input.value = "";
      } catch (error) {
        said.say(problemText(error), true);
      }
    });
  }

  page.store.show(
    (state) => [state.account?.limits[name] ?? null, state.account?.limits[next] ?? null],
    (micros, pending) => {
      const becomes = pendingWords(pending, page.clock.nowMs());
      setText(now, `Now: ${maxWords(micros)}.${becomes === "" ? "" : ` ${becomes}`}`);
      remove.hidden = micros === null || (pending !== null && pending.micros === null);
    },
  );
  return form;
}
