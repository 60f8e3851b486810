// Time on the page: what time it is at the venue, by whose clock bets are signed and drawn, and by
// our own, by which the page waits.

import { answered, NOT_HEARD, overheard, venueMs } from "../domain/venue_time.js";

export class VenueClock {
  #time = NOT_HEARD;

  /** @returns {number} ms since 1970, UTC, by the venue's clock */
  nowMs() {
    return venueMs(this.#time, this.pageMs());
  }

  /** @returns {number} ms since 1970 by the page's own clock; never steps back */
  pageMs() {
    return performance.timeOrigin + performance.now();
  }

  /**
   * Do it later.
   *
   * @param {number} ms
   * @param {() => void} work
   * @returns {() => void} calls it off
   */
  after(ms, work) {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  }

  /** @param {number} ms */
  pause(ms) {
    return /** @type {Promise<void>} */ (new Promise((resolve) => this.after(ms, resolve)));
  }

  /**
   * The venue has said what time it is.
   *
   * @param {number} saidMs
   * @param {number | null} askedAtMs when it was asked, by the page's clock; null: it was not
   */
  hear(saidMs, askedAtMs = null) {
    const atMs = this.pageMs();
    this.#time =
      askedAtMs === null
        ? overheard(this.#time, saidMs, atMs)
        : answered(this.#time, saidMs, askedAtMs, atMs);
  }
}
