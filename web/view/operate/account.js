// One account, looked up: what it has, what it may, its open bets and its ledger.

import { exactSignedUsdText, exactUsdText } from "../../domain/amounts.js";
import { NOTHING, rateText } from "../../domain/numbers.js";
import { ACCOUNT } from "../../domain/ops_fields.js";
import { utcDayText } from "../../domain/ops_words.js";
import { make, setText } from "../dom.js";
import { fieldRow } from "./fields.js";

/** @import { AccountPage } from "../../state/operate.js" */
/** @import { Bet, Limits, OpsEntry, User } from "../../types/wire.js" */
/** @import { OperatePage } from "./page.js" */

/**
 * @param {HTMLElement} place
 * @param {OperatePage} page
 */
export function mountAccountPage(place, page) {
  const { store, actions } = page;
  const user = fieldRow("user", "Wallet, house, external, or the number of an account", ACCOUNT);
  const look = make("button", { class: "op-button", type: "submit" }, "Look up");
  const told = make("p", { class: "op-quiet", role: "status" });
  const found = make("div");
  place.append(
    make("form", { class: "op-lookup", onsubmit: submit }, user.element, look),
    told,
    found,
  );

  store.show(
    ({ account }) => [account],
    ({ phase, found: account, problem }) => {
      setText(told, problem || (phase === "loading" ? "Asking…" : ""));
      found.replaceChildren(...(account === null ? [] : shown(account, page)));
    },
  );

  /** @param {SubmitEvent} event */
  function submit(event) {
    event.preventDefault();
    const { value, problem } = user.read();
    user.mark(problem);
    if (problem === "") {
      actions.loadAccount(String(value));
    }
  }
}

/**
 * @param {AccountPage} account
 * @param {OperatePage} page
 */
function shown({ user, ledger }, { actions }) {
  const isTrader = user.wallet.startsWith("0x");
  /** @param {string} action @param {string} text @param {string} field */
  const button = (action, text, field) =>
    make(
      "button",
      {
        class: "op-button op-small",
        type: "button",
        onclick: () => actions.turnTo({ form: { action, given: { [field]: user.wallet } } }),
      },
      `${text}…`,
    );
  const buttons = isTrader
    ? [
        user.frozen ? button("unfreeze", "Unfreeze", "user") : button("freeze", "Freeze", "user"),
        button("deposit", "Deposit", "wallet"),
        button("adjust", "Adjust", "wallet"),
        button("rebuild", "Rebuild the balance", "wallet"),
      ]
    : [button("rebuild", "Rebuild the balance", "wallet")];
  const more = make(
    "button",
    { class: "op-button op-small", type: "button", onclick: () => actions.moreLedger() },
    "Older lines",
  );
  more.hidden = ledger.next_cursor === null;
  return [
    make("div", { class: "op-buttons" }, ...buttons),
    factsOf(user),
    ...(user.bets.length === 0 ? [] : [betsOf(user.bets)]),
    ledgerOf(ledger.entries),
    make("p", { class: "op-quiet" }, archivedText(ledger.archived ?? [])),
    more,
  ];
}

/** @param {User} user */
function factsOf(user) {
  const facts = [
    ["Account", `${user.wallet}, number ${user.user_id}`],
    ["State", user.frozen ? "frozen: no bets, no withdrawals" : "free"],
    ["Balance", `${exactUsdText(user.balance_micros)} USD`],
    ["At stake", `${exactUsdText(user.open_stake_micros)} USD in ${user.open_bets} open bets`],
    ["Limits", limitsText(user.limits)],
    ["Keys", `${user.keys.length}, ${user.keys.filter(isLive).length} of them not revoked`],
    ["Since", `${utcDayText(user.created_at_ms)} UTC`],
  ];
  const rows = facts.flatMap(([term = "", text = ""]) => [
    make("dt", {}, term),
    make("dd", { class: "op-long" }, text),
  ]);
  return make("dl", { class: "op-detail" }, ...rows);
}

/** @param {{revoked_at_ms: number | null}} key */
function isLive({ revoked_at_ms: revokedAtMs }) {
  return revokedAtMs === null;
}

/** @param {Limits} limits */
function limitsText(limits) {
  const set = Object.entries(limits).filter(([, value]) => value !== null && value !== 0);
  return set.length === 0
    ? "none"
    : set.map(([name, value]) => `${name} ${plain(value)}`).join(", ");
}

/** @param {unknown} value */
function plain(value) {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** @param {readonly Bet[]} bets */
function betsOf(bets) {
  const rows = bets.map((bet) => [
    `${utcDayText(bet.placed_at_ms)}`,
    bet.cell_id,
    exactUsdText(bet.stake_micros),
    rateText(bet.reward_bps),
    bet.bet_id,
  ]);
  return tableOf("Open bets", ["Placed, UTC", "Cell", "Stake", "Rate", "Bet"], rows);
}

/** @param {readonly OpsEntry[]} entries */
function ledgerOf(entries) {
  const rows = entries.map((entry) => [
    utcDayText(entry.created_at_ms),
    entry.ref_type,
    exactSignedUsdText(entry.amount_micros),
    exactUsdText(entry.balance_after_micros),
    `${entry.ref_id}${notesText(entry.metadata)}`,
  ]);
  return tableOf("Ledger", ["When, UTC", "What", "Amount", "Balance", "Reference"], rows);
}

/** @param {Readonly<Record<string, unknown>>} metadata */
function notesText(metadata) {
  const notes = Object.entries(metadata).map(([name, value]) => `${name} ${plain(value)}`);
  return notes.length === 0 ? "" : ` (${notes.join(", ")})`;
}

/** @param {readonly string[]} weeks */
function archivedText(weeks) {
  return weeks.length === 0
    ? ""
    : `In the archive only: ${weeks.join(", ")}. Bring a week back to read it.`;
}

/**
 * @param {string} title
 * @param {readonly string[]} heads
 * @param {readonly string[][]} rows
 */
function tableOf(title, heads, rows) {
  const lines = rows.map((row) =>
    make("tr", {}, ...row.map((text, index) => make("td", { class: classOf(heads[index]) }, text))),
  );
  const none = make("tr", {}, make("td", { colspan: heads.length }, NOTHING));
  return make(
    "table",
    { class: "op-rows" },
    make("caption", {}, title),
    make("thead", {}, make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)))),
    make("tbody", {}, ...(lines.length === 0 ? [none] : lines)),
  );
}

/** @param {string | undefined} head */
function classOf(head = "") {
  if (["Amount", "Balance", "Stake", "Rate"].includes(head)) {
    return "op-number";
  }
  return ["Reference", "Cell", "Bet"].includes(head) ? "op-long" : null;
}
