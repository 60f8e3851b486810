// What time it is at the venue: bets are signed and drawn by its clock, not by ours.

export class VenueClock {
  #aheadMs = 0;

  /** @returns {number} ms since 1970, UTC, by the venue's clock */
  nowMs() {
    return this.pageMs() + this.#aheadMs;
  }

  /** @returns {number} ms since 1970 by the page's own clock; never steps back */
  pageMs() {
    return performance.timeOrigin + performance.now();
  }

  /**
   * The venue has said what time it is.
   *
   * @param {number} venueMs
   * @param {number | null} askedAtMs when it was asked, by the page's clock; null: it was not
   */
  hear(venueMs, askedAtMs = null) {
    const atMs = this.pageMs();
    this.#aheadMs = venueMs - (askedAtMs === null ? atMs : (askedAtMs + atMs) / 2);
  }
}
