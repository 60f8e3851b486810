// The account panel: whose account, what is in it, and what its owner has settled for himself.

import { limitsSection } from "./account/limits.js";
import { moneySection } from "./account/money.js";
import { preferencesSection } from "./account/preferences.js";
import { sessionsSection } from "./account/sessions.js";
import { statementSection } from "./account/statement.js";
import { whoSection } from "./account/who.js";
import { withdrawalsSection } from "./account/withdrawals.js";
import { make } from "./dom.js";

/** @import { Page } from "../page.js" */

/**
 * @param {HTMLElement} place
 * @param {Page} page
 */
export function mountAccount(place, page) {
  const own = make(
    "div",
    { class: "account-own" },
    moneySection(page),
    limitsSection(page),
    withdrawalsSection(page),
    statementSection(page),
    sessionsSection(page),
  );
  place.classList.add("account");
  place.replaceChildren(whoSection(page), own, preferencesSection(page));
  page.store.show(
    (state) => [state.session.phase],
    (phase) => {
      own.hidden = phase !== "in";
    },
  );
}
