// Which bets are shown.

import { FILTERS } from "../../domain/bet_list.js";
import { make } from "../dom.js";

/** @import { Filter } from "../../domain/bet_list.js" */

/**
 * @param {(filter: Filter) => void} choose
 */
export function filterBar(choose) {
  const buttons = FILTERS.map(({ filter, text }) => ({
    filter,
    button: make(
      "button",
      { type: "button", class: "history-filter", onclick: () => choose(filter) },
      text,
    ),
  }));
  const element = make("div", { class: "history-filters", role: "group" });
  element.setAttribute("aria-label", "Which bets");
  element.append(...buttons.map(({ button }) => button));
  return {
    element,
    /**
     * @param {Filter} chosen
     * @param {boolean} isSignedIn
     */
    show(chosen, isSignedIn) {
      element.hidden = !isSignedIn;
      for (const { filter, button } of buttons) {
        button.setAttribute("aria-pressed", String(filter === chosen));
      }
    },
  };
}
