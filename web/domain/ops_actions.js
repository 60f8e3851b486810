// What an operator can have done: one table, from which the forms are made. Pure.
//
// Each says what it asks for, what must be typed to confirm it, where it goes and how its answer
// reads. The reason, which all of them want, is not in their fields.

import { exactSignedUsdText, exactUsdText } from "./amounts.js";
import * as fields from "./ops_fields.js";
import { bytesText, countText, utcDayText } from "./ops_words.js";

/** @import { Kind } from "./ops_fields.js" */

/**
 * @typedef {Readonly<Record<string, string | number | null>>} Values
 */

/**
 * @typedef {object} ActionField
 * @property {string} name as the API has it, or as the path does
 * @property {string} label
 * @property {Kind} kind
 * @property {boolean} [actors] it is chosen from the tree
 */

/**
 * @typedef {object} Action
 * @property {string} name
 * @property {string} group
 * @property {string} title what it does, as its button says
 * @property {string} about in a sentence or two
 * @property {readonly ActionField[]} fields
 * @property {(values: Values) => string} confirm what must be typed
 * @property {(values: Values) => string} path
 * @property {(values: Values) => Record<string, unknown>} [body] all but the reason
 * @property {boolean} [once] may it be sent again after no answer, because its reference counts once?
 * @property {(body: any) => string} done how the answer reads
 */

const WALLET = { name: "wallet", label: "Wallet", kind: fields.WALLET_FIELD };
const AMOUNT = { name: "amount_micros", label: "Amount, USD", kind: fields.USD };
const REFERENCE = { name: "reference", label: "Reference", kind: fields.REFERENCE_FIELD };
const USER = { name: "user", label: "Wallet, or number of the account", kind: fields.ACCOUNT };
const WITHDRAWAL = { name: "withdrawal_id", label: "Withdrawal", kind: fields.ID };

/** @type {readonly Action[]} */
export const ACTIONS = [
  override("open", "Open the breaker", "Bets are refused until the breaker is set to auto."),
  override(
    "close",
    "Hold breaker closed",
    "It no longer opens by itself, however bad the feed is. Without a live quote bets are refused all the same.",
  ),
  override("auto", "Breaker to auto", "Ends an override: the feed decides again."),
  {
    name: "hold",
    group: "Betting",
    title: "Hold betting",
    about: "No bet is taken until it is released. Open bets are settled and paid.",
    fields: [],
    confirm: () => "hold",
    path: () => "/ops/hold",
    done: () => "Betting is on hold.",
  },
  {
    name: "release",
    group: "Betting",
    title: "Release the hold",
    about: "Bets are taken again, as far as feed, breaker and disk let them.",
    fields: [],
    confirm: () => "release",
    path: () => "/ops/release",
    done: () => "The hold is released.",
  },
  {
    name: "void",
    group: "Betting",
    title: "Void a column",
    about: "Every bet on it gets its stake back, whatever the price did. Only before its verdict.",
    fields: [{ name: "start", label: "Column", kind: fields.COLUMN_FIELD }],
    confirm: ({ start }) => String(start ?? "void"),
    path: ({ start }) => `/ops/columns/${start}/void`,
    done: ({ start_s: startS, repeated }) =>
      `The column of ${utcDayText(startS * 1000)} UTC is given back${repeated ? ", as ordered before" : ""}.`,
  },
  {
    name: "restart",
    group: "Venue",
    title: "Restart an actor",
    about:
      "It is asked to stop, cancelled after its limit, and started. Its mailbox waits meanwhile.",
    fields: [{ name: "name", label: "Actor or supervisor", kind: fields.ACTOR, actors: true }],
    confirm: ({ name }) => lastPart(String(name ?? "restart")),
    path: ({ name }) => `/ops/actors/${name}/restart`,
    done: ({ path, became }) => `${lastPart(path)}: ${BECAME[became] ?? became}`,
  },
  {
    name: "integrity",
    group: "Venue",
    title: "Check the money",
    about: "Adds up every row of the ledger while the venue goes on. Seconds per million bets.",
    fields: [],
    confirm: () => "check",
    path: () => "/ops/integrity",
    done: integrityText,
  },
  {
    name: "backup",
    group: "Venue",
    title: "Take a backup",
    about: "A copy of this week's money, checked, stored and read back.",
    fields: [],
    confirm: () => "backup",
    path: () => "/ops/backup",
    done: ({ key, bytes }) => `Stored and read back: ${key}, ${bytesText(bytes)}.`,
  },
  {
    name: "archive",
    group: "Venue",
    title: "Archive now",
    about: "Tries every week that waits, without regard to earlier failures.",
    fields: [],
    confirm: () => "archive",
    path: () => "/ops/archive",
    done: ({ waiting }) =>
      waiting === 0 ? "No week waits." : `It has begun; ${weeks(waiting)}. See Archive.`,
  },
  {
    name: "restore",
    group: "Venue",
    title: "Bring a week back",
    about: "An archived week is fetched for reading, in the background.",
    fields: [{ name: "week", label: "Week", kind: fields.WEEK_FIELD }],
    confirm: ({ week }) => String(week ?? "restore"),
    path: ({ week }) => `/ops/restore/${week}`,
    done: ({ week, already_here: isHere }) =>
      isHere ? `${week} can be read already.` : `${week} is being brought back. See Archive.`,
  },
  {
    name: "deposit",
    group: "Money",
    title: "Deposit",
    about: "Credits a wallet, or the bankroll (house), once per reference.",
    fields: [{ name: "wallet", label: "Wallet", kind: fields.CREDITED }, AMOUNT, REFERENCE],
    confirm: () => "deposit",
    path: () => "/ops/deposits",
    body: ({ wallet, amount_micros, reference }) => ({ wallet, amount_micros, reference }),
    once: true,
    done: ({ wallet, amount_micros: micros, balance_micros: balance, repeated }) =>
      repeated
        ? `That reference was credited before; nothing was added. ${balanceText(balance)}`
        : `${exactUsdText(micros)} USD credited to ${wallet}. ${balanceText(balance)}`,
  },
  {
    name: "bankroll",
    group: "Money",
    title: "House withdrawal",
    about:
      "Takes money out of the bankroll, once per reference, as long as every open bet stays covered.",
    fields: [
      AMOUNT,
      REFERENCE,
      { name: "destination", label: "Where it goes (may be left out)", kind: fields.MAY_SAY },
    ],
    confirm: () => "withdraw",
    path: () => "/ops/withdrawals",
    body: ({ amount_micros, reference, destination }) => ({
      wallet: "house",
      amount_micros,
      reference,
      ...(destination === null ? {} : { destination }),
    }),
    once: true,
    done: ({ balance_micros: balance, repeated }) =>
      `${repeated ? "That reference was taken before; nothing more was." : "Taken."} ${balanceText(balance)}`,
  },
  {
    name: "adjust",
    group: "Money",
    title: "Adjust a balance",
    about: "From the house to a trader, with a minus from him to the house; once per reference.",
    fields: [
      WALLET,
      { name: "amount_micros", label: "Amount, USD", kind: fields.SIGNED_USD },
      REFERENCE,
      { name: "bet_id", label: "The bet it is about (may be left out)", kind: fields.MAY_BE_ID },
    ],
    confirm: () => "adjust",
    path: () => "/ops/adjustments",
    body: ({ wallet, amount_micros, reference, bet_id }) => ({
      wallet,
      amount_micros,
      reference,
      ...(bet_id === null ? {} : { bet_id }),
    }),
    once: true,
    done: ({ amount_micros: micros, balance_micros: balance, repeated }) =>
      repeated
        ? `That reference was booked before; nothing was moved. ${balanceText(balance)}`
        : `${exactSignedUsdText(micros)} USD. ${balanceText(balance)}`,
  },
  {
    name: "paid",
    group: "Money",
    title: "Withdrawal paid",
    about: "Say so only after you have paid it. The trader is shown the payment's reference.",
    fields: [WITHDRAWAL, { ...REFERENCE, label: "Reference of the payment" }],
    confirm: () => "paid",
    path: ({ withdrawal_id: id }) => `/ops/withdrawals/${id}/paid`,
    body: ({ reference }) => ({ reference }),
    once: true,
    done: ({ withdrawal }) => `${exactUsdText(withdrawal.amount_micros)} USD is marked as paid.`,
  },
  {
    name: "reject",
    group: "Money",
    title: "Reject withdrawal",
    about: "Its money goes back to the trader, who is shown the reason.",
    fields: [WITHDRAWAL],
    confirm: () => "reject",
    path: ({ withdrawal_id: id }) => `/ops/withdrawals/${id}/rejected`,
    done: ({ withdrawal }) =>
      `${exactUsdText(withdrawal.amount_micros)} USD went back to ${withdrawal.wallet}.`,
  },
  {
    name: "freeze",
    group: "Accounts",
    title: "Freeze an account",
    about:
      "Its bets and withdrawals are refused. Open bets go on and are paid. The trader is told.",
    fields: [USER],
    confirm: () => "freeze",
    path: ({ user }) => `/ops/users/${user}/freeze`,
    done: ({ wallet }) => `${wallet} is frozen.`,
  },
  {
    name: "unfreeze",
    group: "Accounts",
    title: "Unfreeze an account",
    about: "It is as free as before.",
    fields: [USER],
    confirm: () => "unfreeze",
    path: ({ user }) => `/ops/users/${user}/unfreeze`,
    done: ({ wallet }) => `${wallet} is free.`,
  },
  {
    name: "rebuild",
    group: "Accounts",
    title: "Rebuild a balance",
    about: "Sets it to the sum of its ledger rows. Only when it is known that the rows are right.",
    fields: [{ name: "wallet", label: "Wallet, house or external", kind: fields.OWNER }],
    confirm: () => "rebuild",
    path: () => "/ops/integrity/rebuild",
    body: ({ wallet }) => ({ wallet }),
    done: ({ balance_before_micros: before, balance_micros: after, noted_in_row: row }) =>
      row === null
        ? `It was right already: ${exactUsdText(after)} USD.`
        : `${exactUsdText(before)} USD before, ${exactUsdText(after)} USD now; ledger row ${row}.`,
  },
];

/** @type {Readonly<Record<string, string>>} */
const BECAME = {
  started: "started.",
  running: "it runs.",
  restarting: "it failed again, and is tried again by itself.",
  stopped: "it is stopped.",
  stuck: "its last life does not end. It is started once that does.",
  ignored: "it has nothing to do in this venue.",
  start_failed: "it could not be started and stays stopped.",
};

/**
 * The action of that name; it is a defect to ask for another.
 *
 * @param {string} name
 * @returns {Action}
 */
export function actionOf(name) {
  const found = ACTIONS.find((action) => action.name === name);
  if (found === undefined) {
    throw new Error(`no action ${name}`);
  }
  return found;
}

/**
 * The groups in their order, each with its actions.
 *
 * @returns {{group: string, actions: Action[]}[]}
 */
export function actionGroups() {
  const names = [...new Set(ACTIONS.map(({ group }) => group))];
  return names.map((group) => ({
    group,
    actions: ACTIONS.filter((action) => action.group === group),
  }));
}

/**
 * What an order that had no clear answer is followed by.
 *
 * @param {Action} action
 */
export function afterNoAnswer({ once }) {
  return once === true
    ? "It may have been done. Send it again with the same reference: it is done once."
    : "It may have been done. Look at the log and the figures before you send it again.";
}

/**
 * @param {"open" | "close" | "auto"} state
 * @param {string} title
 * @param {string} about
 * @returns {Action}
 */
function override(state, title, about) {
  return {
    name: state,
    group: "Betting",
    title,
    about,
    fields: [],
    confirm: () => state,
    path: () => "/ops/circuit",
    body: () => ({ state }),
    done: ({ breaker, override: now }) => `The override is ${now}; the breaker is ${breaker}.`,
  };
}

/** @param {{clean: boolean, ledger_rows: number, bets: number, drifts: {what: string, where: string, expected: number, found: number}[]}} report */
function integrityText({ clean, ledger_rows: rows, bets, drifts }) {
  const checked = `${countText(rows)} ledger rows, ${countText(bets)} bets`;
  const [first] = drifts;
  if (clean || first === undefined) {
    return `Zero drift in ${checked}.`;
  }
  const { what, where, expected, found } = first;
  return `${drifts.length} drifts in ${checked}. The first, ${what} of ${where}: expected ${expected}, found ${found}.`;
}

/** @param {number} micros */
function balanceText(micros) {
  return `The balance is ${exactUsdText(micros)} USD.`;
}

/** @param {number} count */
function weeks(count) {
  return count === 1 ? "one week waits" : `${count} weeks wait`;
}

/** @param {string} path */
function lastPart(path) {
  return path.slice(path.lastIndexOf("/") + 1);
}
