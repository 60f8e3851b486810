// An operator's orders and what he looks up: asked of the venue, told to the store.

import { afterNoAnswer } from "../domain/ops_actions.js";
import { problemOf, Refused, Unreachable } from "./api.js";

/** @import { Action, Values } from "../domain/ops_actions.js" */
/** @import { AccountPage, OperateEvent } from "../state/operate.js" */
/** @import { OpsVenue } from "./ops.js" */

/** Codes with which it is not known whether an order was carried out. */
const NOT_KNOWN = new Set(["status_unknown", "internal"]);

export class OpsDesk {
  #venue;
  #tell;
  #orders = 0;
  /** How often each was looked up: an answer to any but the last is no longer wanted. */
  #lookups = { "ops:withdrawals": 0, "ops:account": 0 };

  /**
   * @param {Pick<OpsVenue, "order" | "pendingWithdrawals" | "user" | "ledger">} venue
   * @param {(event: OperateEvent) => void} tell
   */
  constructor(venue, tell) {
    this.#venue = venue;
    this.#tell = tell;
  }

  /**
   * Have it done. True if it was, or may have been.
   *
   * @param {Action} action
   * @param {Values} values
   * @param {string} reason
   */
  async order(action, values, reason) {
    this.#orders += 1;
    const order = { id: this.#orders, action: action.name };
    this.#tell({ type: "ops:order", order: { ...order, phase: "asked", text: "" } });
    const body = { ...action.body?.(values), reason };
    const said = await this.#venue.order(action.path(values), body).then(
      (answer) => ({ phase: /** @type {const} */ ("done"), text: doneText(action, answer) }),
      (error) => answerOf(error, action),
    );
    this.#tell({ type: "ops:order", order: { ...order, ...said } });
    return said.phase !== "refused";
  }

  /** @param {{quietly?: boolean}} [how] what is shown stays until there is another */
  async loadWithdrawals({ quietly = false } = {}) {
    const ask = async () => (await this.#venue.pendingWithdrawals()).withdrawals;
    await this.#lookUp("ops:withdrawals", ask, quietly);
  }

  /** @param {string} user */
  async loadAccount(user) {
    await this.#lookUp("ops:account", async () => {
      const [account, ledger] = await Promise.all([
        this.#venue.user(user),
        this.#venue.ledger(user, null),
      ]);
      return { user: account, ledger };
    });
  }

  /**
   * The next page of the ledger, below what is shown.
   *
   * @param {AccountPage} shown
   */
  async moreLedger({ user, ledger }) {
    try {
      const page = await this.#venue.ledger(String(user.user_id), ledger.next_cursor);
      const entries = [...ledger.entries, ...page.entries];
      const found = { user, ledger: { ...page, entries } };
      this.#tell({ type: "ops:account", lookup: { phase: "here", found, problem: "" } });
    } catch (error) {
      const problem = problemOf(error);
      const found = { user, ledger };
      this.#tell({ type: "ops:account", lookup: { phase: "here", found, problem } });
    }
  }

  /**
   * @template {"ops:withdrawals" | "ops:account"} T
   * @param {T} type
   * @param {() => Promise<any>} ask
   * @param {boolean} [quietly]
   */
  async #lookUp(type, ask, quietly = false) {
    this.#lookups[type] += 1;
    const mine = this.#lookups[type];
    if (!quietly) {
      this.#tell({ type, lookup: { phase: "loading", found: null, problem: "" } });
    }
    /** @type {OperateEvent} */
    let event;
    try {
      event = { type, lookup: { phase: "here", found: await ask(), problem: "" } };
    } catch (error) {
      event = { type, lookup: { phase: "here", found: null, problem: problemOf(error) } };
    }
    if (mine === this.#lookups[type]) {
      this.#tell(event);
    }
  }
}

/**
 * A venue that was replaced under the page may answer otherwise than the page reads it; that it was
 * done stands all the same.
 *
 * @param {Action} action
 * @param {unknown} answer
 */
function doneText(action, answer) {
  try {
    return action.done(answer);
  } catch {
    return "This page can't read the answer. Load it anew.";
  }
}

/**
 * @param {unknown} error
 * @param {Action} action
 * @returns {{phase: "refused" | "unknown", text: string}}
 */
function answerOf(error, action) {
  if (error instanceof Unreachable) {
    return { phase: "unknown", text: `There was no answer. ${afterNoAnswer(action)}` };
  }
  if (!(error instanceof Refused)) {
    throw error;
  }
  return NOT_KNOWN.has(error.code)
    ? { phase: "unknown", text: `${error.message} ${afterNoAnswer(action)}` }
    : { phase: "refused", text: `${refusedText(error)} Nothing was done.` };
}

/** @param {Refused} refused */
function refusedText({ message, code, details }) {
  const field = typeof details["field"] === "string" ? ` (${details["field"]})` : "";
  return `${message}${field} [${code}]`;
}
