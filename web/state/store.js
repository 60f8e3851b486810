// The store: one value, one way to change it, and those who look at it. Pure; knows nothing of what
// it holds.

/**
 * @template S, E
 */
export class Store {
  /** @type {Set<(state: S, before: S, event: E) => void>} */
  #watchers = new Set();
  /** @type {E[]} */
  #waiting = [];
  #running = false;

  /**
   * @param {(state: S, event: E) => S} reduce gives the same object where nothing changes
   * @param {S} state the first one
   * @param {(defect: unknown) => void} [report] hears of a watcher that threw
   */
  constructor(reduce, state, report = throwLater) {
    this.reduce = reduce;
    this.state = state;
    this.report = report;
  }

  /**
   * Apply an event and tell all who watch. An event that a watcher dispatches comes after this one.
   * A defect of one of them keeps nothing from the others, nor from whoever dispatched it: a view
   * that can't be drawn must not cost a bet.
   *
   * @param {E} event
   */
  dispatch(event) {
    this.#waiting.push(event);
    if (this.#running) {
      return;
    }
    this.#running = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        const before = this.state;
        this.state = this.reduce(before, next);
        for (const watcher of [...this.#watchers]) {
          this.#show(watcher, before, next);
        }
      }
    } finally {
      this.#running = false;
      this.#waiting.length = 0;
    }
  }

  /**
   * @param {(state: S, before: S, event: E) => void} watcher
   * @param {S} before
   * @param {E} event
   */
  #show(watcher, before, event) {
    try {
      watcher(this.state, before, event);
    } catch (defect) {
      this.report(defect);
    }
  }

  /**
   * Be told of each event.
   *
   * @param {(state: S, before: S, event: E) => void} watcher
   * @returns {() => void} ends it
   */
  watch(watcher) {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /**
   * Run `show` now, and again whenever one of the values that `pick` names is another one.
   *
   * @template {readonly unknown[]} const P
   * @param {(state: S) => P} pick
   * @param {(...picked: P) => void} show
   * @returns {() => void} ends it
   */
  show(pick, show) {
    let shown = pick(this.state);
    show(...shown);
    return this.watch((state) => {
      const picked = pick(state);
      if (picked.some((value, index) => value !== shown[index])) {
        shown = picked;
        show(...picked);
      }
    });
  }
}

/**
 * To the console, as any defect that nobody catches.
 *
 * @param {unknown} defect
 */
export function throwLater(defect) {
  queueMicrotask(() => {
    throw defect;
  });
}
