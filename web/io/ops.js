// The venue as an operator's page asks it: his token, the polls, and his orders.

import { throwLater } from "../state/store.js";
import { Api, Refused, Unreachable } from "./api.js";

/** @import { OperateEvent } from "../state/operate.js" */
/** @import { AuditPage, OpsStatement, OpsStatus, OpsWithdrawals, User } from "../types/wire.js" */

const POLL_MS = 1_000;
const AUDIT_MS = 10_000;
/** A poll that takes longer is given up; the next one may find a venue that answers. */
const POLL_WITHIN_MS = 3_000;
/** A backup or a check of the money takes up to a minute, and says so itself when it takes longer. */
const ORDER_WITHIN_MS = 75_000;
const AUDIT_LINES = 100;
const UNREADABLE = "This page can't read the venue's status; load it anew";
/** Of pending withdrawals; the API lists the newest first, and the oldest have waited longest. */
const WITHDRAWAL_PAGES_MAX = 25;
const KEPT = "tapgrid.operator_token";
const TOKEN = /^[!-~]{1,256}$/;

/** The operator's token: in memory, and with his leave in the tab's own storage. Nowhere else. */
export class Token {
  /** @type {string | null} */
  #token = null;
  #storage;

  /** @param {Pick<Storage, "getItem" | "setItem" | "removeItem"> | null} [storage] of the tab */
  constructor(storage = tabStorage()) {
    this.#storage = storage;
  }

  value() {
    return this.#token;
  }

  /** Take up the one that is kept for this tab; false if there is none. */
  recall() {
    this.#token = this.#quietly((storage) => storage.getItem(KEPT)) ?? null;
    return this.#token !== null;
  }

  /**
   * @param {string} text
   * @param {boolean} keep for this tab, over a reload
   * @returns {boolean} false if it can't be a token
   */
  enter(text, keep) {
    const token = text.trim();
    if (!TOKEN.test(token)) {
      return false;
    }
    this.#token = token;
    this.#quietly((storage) => (keep ? storage.setItem(KEPT, token) : storage.removeItem(KEPT)));
    return true;
  }

  forget() {
    this.#token = null;
    this.#quietly((storage) => storage.removeItem(KEPT));
  }

  /**
   * Storage that is blocked is none.
   *
   * @template T
   * @param {(storage: Pick<Storage, "getItem" | "setItem" | "removeItem">) => T} use
   */
  #quietly(use) {
    try {
      return this.#storage === null ? undefined : use(this.#storage);
    } catch {
      return undefined;
    }
  }
}

/** What is asked of the venue. All of it throws Refused or Unreachable. */
export class OpsVenue {
  #polls;
  #orders;

  /**
   * @param {Token} token
   * @param {string} [origin] of the venue; the page's own
   */
  constructor(token, origin = location.origin) {
    this.#polls = new Api(() => token.value(), { origin, deadlineMs: POLL_WITHIN_MS });
    this.#orders = new Api(() => token.value(), { origin, deadlineMs: ORDER_WITHIN_MS });
  }

  /** @returns {Promise<OpsStatus>} */
  status() {
    return this.#polls.get("/ops/status");
  }

  /** @returns {Promise<AuditPage>} its newest lines */
  audit() {
    return this.#polls.get(`/ops/audit?limit=${AUDIT_LINES}`);
  }

  /**
   * All that are pending, those that have waited longest first: what comes new moves none of them.
   *
   * @returns {Promise<OpsWithdrawals>} with a cursor if there are more than any operator looks through
   */
  async pendingWithdrawals() {
    /** @type {OpsWithdrawals["withdrawals"]} */
    const withdrawals = [];
    /** @type {string | null} */
    let cursor = null;
    for (let page = 0; page < WITHDRAWAL_PAGES_MAX && (page === 0 || cursor !== null); page += 1) {
      const after = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const path = `/ops/withdrawals?status=pending&limit=200${after}`;
      const found = /** @type {OpsWithdrawals} */ (await this.#polls.get(path));
      withdrawals.push(...found.withdrawals);
      cursor = found.next_cursor;
    }
    return { withdrawals: withdrawals.reverse(), next_cursor: cursor };
  }

  /**
   * @param {string} user
   * @returns {Promise<User>}
   */
  user(user) {
    return this.#polls.get(`/ops/users/${encodeURIComponent(user)}`);
  }

  /**
   * @param {string} user
   * @param {string | null} cursor
   * @returns {Promise<OpsStatement>}
   */
  ledger(user, cursor) {
    const after = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    return this.#polls.get(`/ops/users/${encodeURIComponent(user)}/ledger?limit=50${after}`);
  }

  /**
   * @param {string} path
   * @param {Readonly<Record<string, unknown>>} body
   * @returns {Promise<any>}
   */
  order(path, body) {
    return this.#orders.post(path, body);
  }
}

/** Asks for status and audit log again and again, and says what came of it. */
export class Poller {
  #venue;
  #tell;
  #report;
  #life = 0;
  /** @type {() => void} */
  #wake = () => {};
  #isHastened = false;
  #auditAtMs = Number.NEGATIVE_INFINITY;

  /**
   * @param {Pick<OpsVenue, "status" | "audit">} venue
   * @param {(event: OperateEvent) => void} tell
   * @param {(defect: unknown) => void} [report] hears of what should never have been thrown
   */
  constructor(venue, tell, report = throwLater) {
    this.#venue = venue;
    this.#tell = tell;
    this.#report = report;
  }

  /** Begin; what a former run still waits for is no longer told. */
  start() {
    this.#life += 1;
    this.#auditAtMs = Number.NEGATIVE_INFINITY;
    this.#run(this.#life);
  }

  stop() {
    this.#life += 1;
    this.#wake();
  }

  /**
   * Ask now, and not when it is time.
   *
   * @param {{audit?: boolean}} [what]
   */
  hasten({ audit = false } = {}) {
    if (audit) {
      this.#auditAtMs = Number.NEGATIVE_INFINITY;
    }
    this.#isHastened = true;
    this.#wake();
  }

  /** @param {number} life */
  async #run(life) {
    while (life === this.#life) {
      const began = performance.now();
      this.#isHastened = false;
      const isHere = await this.#pollSafely(life);
      if (isHere && life === this.#life && performance.now() - this.#auditAtMs >= AUDIT_MS) {
        this.#auditAtMs = performance.now();
        // Beside the next poll: an audit log that is slow to read holds up no figure.
        this.#readAudit(life);
      }
      await this.#pause(POLL_MS - (performance.now() - began));
    }
  }

  /**
   * A status that this page can't read, as of a venue that was replaced under it, is told as a loss
   * and asked for again: a page that silently stands still is worse.
   *
   * @param {number} life
   */
  async #pollSafely(life) {
    try {
      return await this.#poll(life);
    } catch (defect) {
      this.#report(defect);
      this.#tellOf(life, { type: "ops:lost", problem: UNREADABLE, atMs: performance.now() });
      return false;
    }
  }

  /**
   * @param {number} life
   * @returns {Promise<boolean>} did the venue answer with its status?
   */
  async #poll(life) {
    /** @type {OperateEvent} */
    let event;
    try {
      event = { type: "ops:status", status: await this.#venue.status(), atMs: performance.now() };
    } catch (error) {
      event = lossOf(error);
    }
    if (life !== this.#life) {
      return false;
    }
    if (event.type === "ops:turned_away") {
      this.stop();
    }
    this.#tell(event);
    return event.type === "ops:status";
  }

  /** @param {number} life */
  async #readAudit(life) {
    try {
      const { entries } = await this.#venue.audit();
      this.#tellOf(life, { type: "ops:audit", entries });
    } catch (error) {
      // That the venue is away is told by the status; here only what concerns the log alone.
      if (error instanceof Refused) {
        this.#tellOf(life, { type: "ops:audit_lost", problem: error.message });
      } else {
        this.#auditAtMs = Number.NEGATIVE_INFINITY;
      }
    }
  }

  /**
   * @param {number} life
   * @param {OperateEvent} event
   */
  #tellOf(life, event) {
    if (life === this.#life) {
      this.#tell(event);
    }
  }

  /** @param {number} ms */
  #pause(ms) {
    return new Promise((done) => {
      if (this.#isHastened) {
        done(undefined);
        return;
      }
      const timer = setTimeout(done, Math.max(0, ms));
      this.#wake = () => {
        clearTimeout(timer);
        done(undefined);
      };
    });
  }
}

/**
 * @param {unknown} error
 * @returns {OperateEvent}
 */
function lossOf(error) {
  const atMs = performance.now();
  if (error instanceof Refused && isTokenRefused(error)) {
    return { type: "ops:turned_away", problem: turnedAwayText(error) };
  }
  if (error instanceof Refused) {
    return { type: "ops:lost", problem: `The venue says: ${error.message}`, atMs };
  }
  if (error instanceof Unreachable) {
    return { type: "ops:lost", problem: "The venue does not answer", atMs };
  }
  throw error;
}

/** @param {Refused} refused */
function isTokenRefused({ code }) {
  // Wrong tokens are counted by address, so one that is refused for their number is wrong, too.
  return code === "unauthorized" || code === "rate_limited";
}

/** @param {Refused} refused */
function turnedAwayText({ code }) {
  return code === "rate_limited"
    ? "The venue does not accept this token, and there were many wrong ones from this address."
    : "The venue does not accept this token.";
}

/** @returns {Storage | null} null where it is blocked */
function tabStorage() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}
