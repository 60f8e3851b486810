// Time that passes when a test says so.

import { VenueClock } from "../../../web/io/clock.js";

export class HandClock extends VenueClock {
  /** The page's own clock is not the venue's. */
  atMs = 1_000_000;
  /** @type {Set<{dueMs: number, work: () => void}>} */
  #waiting = new Set();

  /** @override */
  pageMs() {
    return this.atMs;
  }

  /** @override @param {number} ms @param {() => void} work */
  after(ms, work) {
    const one = { dueMs: this.atMs + ms, work };
    this.#waiting.add(one);
    return () => void this.#waiting.delete(one);
  }

  /** All that is due until then is done in its order. @param {number} ms */
  pass(ms) {
    const untilMs = this.atMs + ms;
    for (let next = this.#first(); next.dueMs <= untilMs; next = this.#first()) {
      this.#waiting.delete(next);
      this.atMs = Math.max(this.atMs, next.dueMs);
      next.work();
    }
    this.atMs = untilMs;
  }

  /** The page sleeps: its timers do not run, and are late when it wakes. @param {number} ms */
  sleep(ms) {
    this.atMs += ms;
  }

  #first() {
    const none = { dueMs: Number.POSITIVE_INFINITY, work: () => {} };
    return [...this.#waiting].reduce((one, other) => (other.dueMs < one.dueMs ? other : one), none);
  }
}
