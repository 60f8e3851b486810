// Where an operator acts: what he can have done, the withdrawals that wait, an account looked up.

import { actionGroups, actionOf } from "../../domain/ops_actions.js";
import { make, setText } from "../dom.js";
import { mountAccountPage } from "./account.js";
import { mountOrderForm } from "./order_form.js";
import { mountWithdrawals } from "./withdrawals.js";

/** @import { Desk } from "../../state/operate.js" */
/** @import { OperatePage } from "./page.js" */

/** @type {readonly {page: Desk["page"], title: string}[]} */
const PAGES = [
  { page: "actions", title: "Actions" },
  { page: "withdrawals", title: "Withdrawals" },
  { page: "account", title: "Account" },
];

/**
 * @param {HTMLElement} place
 * @param {OperatePage} page
 */
export function mountDesk(place, page) {
  const { store, actions } = page;
  const tabs = PAGES.map(({ page: name, title }) => ({
    name,
    title,
    element: make(
      "button",
      {
        class: "op-tab",
        type: "button",
        onclick: () => actions.turnTo({ page: name, form: null }),
      },
      title,
    ),
  }));
  const menu = menuOf(page);
  const [form, withdrawals, account] = [make("div"), make("div"), make("div")];
  mountWithdrawals(withdrawals, page);
  mountAccountPage(account, page);
  const scroll = make("div", {
    class: "op-scroll",
    tabindex: "0",
    role: "group",
    "aria-label": "Desk",
  });
  scroll.append(menu.element, form, withdrawals, account);
  place.append(
    make("h2", { class: "unseen" }, "Desk"),
    make("div", { class: "op-tabs" }, ...tabs.map(({ element }) => element)),
    scroll,
  );
  let endForm = () => {};
  /** @type {string | null} */
  let left = null;

  store.show(
    ({ desk }) => [desk.page, desk.form],
    (open, wanted) => {
      for (const { name, element } of tabs) {
        element.setAttribute("aria-pressed", String(name === open));
      }
      menu.element.hidden = open !== "actions" || wanted !== null;
      withdrawals.hidden = open !== "withdrawals" || wanted !== null;
      account.hidden = open !== "account" || wanted !== null;
      form.hidden = wanted === null;
      form.replaceChildren();
      endForm();
      endForm = () => {};
      if (wanted !== null) {
        endForm = mountOrderForm(form, page, actionOf(wanted.action), wanted.given);
      } else if (left !== null && open === "actions") {
        menu.buttons.get(left)?.focus();
      }
      left = wanted?.action ?? null;
      scroll.scrollTop = 0;
    },
  );
  store.show(
    ({ withdrawals: { found } }) => [found?.length ?? 0],
    (count) => {
      for (const { name, title, element } of tabs) {
        setText(element, name === "withdrawals" && count > 0 ? `${title} (${count})` : title);
      }
    },
  );
}

/** @param {OperatePage} page */
function menuOf({ actions }) {
  /** @type {Map<string, HTMLElement>} */
  const buttons = new Map();
  const groups = actionGroups().map(({ group, actions: own }) => {
    for (const { name, title } of own) {
      const open = () => actions.turnTo({ form: { action: name, given: {} } });
      buttons.set(
        name,
        make("button", { class: "op-button", type: "button", onclick: open }, `${title}…`),
      );
    }
    const shown = own.map(({ name }) => buttons.get(name) ?? null);
    return make("div", { class: "op-group" }, make("h3", {}, group), ...shown);
  });
  return { element: make("div", { class: "op-menu" }, ...groups), buttons };
}
