// The other tabs of this browser that have the page open: they share one session.

const CHANNEL = "tapgrid-session";
const LOCK = "tapgrid-sign-in";

export class Tabs {
  // Older browsers have no channel; they look when a tab is shown again.
  #channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(CHANNEL);

  /** @param {() => void} hear that another tab has signed in or out */
  constructor(hear) {
    this.#channel?.addEventListener("message", hear);
  }

  /** Tell the others that what is kept has changed. What it is they read themselves. */
  tell() {
    this.#channel?.postMessage("changed");
  }

  /** Nothing is heard from now on. */
  close() {
    this.#channel?.close();
  }

  /**
   * Do this while no other tab does: two that are opened at once make one demo account, not two.
   *
   * @param {AbortSignal} signal
   * @param {() => Promise<void>} work
   */
  async oneAtATime(signal, work) {
    // Only pages that came by https, or from this machine, have locks.
    if (navigator.locks === undefined) {
      await work();
    } else {
      await navigator.locks.request(LOCK, { signal }, work);
    }
  }
}
