// The withdrawals that wait for an operator: pay outside, then say so; or give the money back.

import { exactUsdText } from "../../domain/amounts.js";
import { ageText } from "../../domain/ops_words.js";
import { make, setText } from "../dom.js";

/** @import { OpsWithdrawal } from "../../types/wire.js" */
/** @import { OperatePage } from "./page.js" */

/**
 * @param {HTMLElement} place
 * @param {OperatePage} page
 */
export function mountWithdrawals(place, page) {
  const { store, actions } = page;
  const told = make("p", { class: "op-quiet" });
  const body = make("tbody");
  const heads = ["Asked", "Amount, USD", "", "To", "Wallet", "Withdrawal"].map((text) =>
    make("th", { scope: "col" }, text === "" ? make("span", { class: "unseen" }, "Decide") : text),
  );
  const table = make(
    "table",
    { class: "op-rows" },
    make("caption", { class: "unseen" }, "Pending withdrawals"),
    make("thead", {}, make("tr", {}, ...heads)),
    body,
  );
  const again = make(
    "button",
    { class: "op-button op-small", type: "button", onclick: () => actions.loadWithdrawals() },
    "Look again",
  );
  place.append(make("div", { class: "op-buttons" }, told, again), table);
  /** @type {Map<string, ReturnType<typeof rowOf>>} */
  let rows = new Map();

  store.show(
    ({ withdrawals }) => [withdrawals],
    ({ phase, found, problem }) => {
      const nowMs = store.state.status?.server_time_ms ?? 0;
      const waiting = found ?? [];
      setText(told, problem || summaryText(phase, waiting.length));
      table.hidden = waiting.length === 0;
      // A row lives as long as its withdrawal waits: the list is read again by itself, and must not
      // take the focus from whoever is about to decide.
      rows = new Map(waiting.map((one) => [one.id, rows.get(one.id) ?? rowOf(one, page)]));
      keepOnly(body, [...rows.values()]);
      for (const one of waiting) {
        rows.get(one.id)?.show(nowMs - one.requested_at_ms);
      }
    },
  );
}

/**
 * @param {string} phase
 * @param {number} count
 */
function summaryText(phase, count) {
  if (phase !== "here") {
    return "Asking…";
  }
  return count === 0 ? "No withdrawal waits." : "Pay first, then say so.";
}

/**
 * Put these rows into the table in this order, without moving one that stands right.
 *
 * @param {HTMLElement} body
 * @param {readonly {element: HTMLElement}[]} rows
 */
function keepOnly(body, rows) {
  const wanted = new Set(rows.map(({ element }) => element));
  for (const child of [...body.children]) {
    if (!wanted.has(/** @type {HTMLTableRowElement} */ (child))) {
      child.remove();
    }
  }
  for (const [index, { element }] of rows.entries()) {
    if (body.children[index] !== element) {
      body.insertBefore(element, body.children[index] ?? null);
    }
  }
}

/**
 * @param {OpsWithdrawal} withdrawal
 * @param {OperatePage} page
 */
function rowOf(withdrawal, { actions }) {
  const { id, amount_micros: micros, wallet, destination } = withdrawal;
  const about = `${exactUsdText(micros)} USD of ${wallet} to ${destination}`;
  /** @param {"paid" | "reject"} action @param {string} text */
  const decide = (action, text) =>
    make(
      "button",
      {
        class: "op-button op-small",
        type: "button",
        "aria-label": `${text} ${exactUsdText(micros)} USD to ${destination}`,
        onclick: () => actions.turnTo({ form: { action, given: { withdrawal_id: id, about } } }),
      },
      `${text}…`,
    );
  const asked = make("td", { class: "op-short" });
  const element = make(
    "tr",
    {},
    asked,
    make("td", { class: "op-number" }, exactUsdText(micros)),
    make("td", { class: "op-buttons" }, decide("paid", "Paid"), decide("reject", "Reject")),
    make("td", { class: "op-long" }, destination),
    make("td", { class: "op-long" }, accountButton(wallet, actions)),
    make("td", { class: "op-long" }, id),
  );
  return {
    element,
    show: (/** @type {number} */ ageMs) => setText(asked, `${ageText(ageMs)} ago`),
  };
}

/**
 * @param {string} wallet
 * @param {OperatePage["actions"]} actions
 */
function accountButton(wallet, actions) {
  const look = () => {
    actions.turnTo({ page: "account" });
    actions.loadAccount(wallet);
  };
  return make("button", { class: "op-link", type: "button", onclick: look }, wallet);
}
