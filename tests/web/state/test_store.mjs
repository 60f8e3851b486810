import assert from "node:assert/strict";
import { test } from "node:test";
import { Store } from "../../../web/state/store.js";

/** @param {{a: number, b: number}} state @param {"a" | "b" | "neither"} event */
const count = (state, event) =>
  event === "neither" ? state : { ...state, [event]: state[event] + 1 };

test("an event that a watcher dispatches comes after the one in hand, for every watcher", () => {
  const store = new Store(count, { a: 0, b: 0 });
  /** @type {string[]} */
  const seen = [];
  store.watch((_, __, event) => {
    if (event === "a") {
      store.dispatch("b");
    }
  });
  store.watch((state, before, event) =>
    seen.push(`${event} ${before.a},${before.b} ${state.a},${state.b}`),
  );
  store.dispatch("a");
  assert.deepEqual(seen, ["a 0,0 1,0", "b 1,0 1,1"]);
});

test("what is shown is shown at once, and again only when it is another", () => {
  const store = new Store(count, { a: 0, b: 0 });
  /** @type {number[]} */
  const shown = [];
  const end = store.show(
    (state) => [state.a],
    (a) => shown.push(a),
  );
  store.dispatch("b");
  store.dispatch("a");
  store.dispatch("neither");
  assert.deepEqual(shown, [0, 1]);
  end();
  store.dispatch("a");
  assert.deepEqual(shown, [0, 1]);
});

test("a watcher that throws is reported, and keeps nothing from the others", () => {
  /** @type {unknown[]} */
  const defects = [];
  const store = new Store(count, { a: 0, b: 0 }, (defect) => defects.push(defect));
  /** @type {number[]} */
  const seen = [];
  store.watch((_, __, event) => {
    if (event === "a") {
      store.dispatch("b");
      throw new Error("a defect of a view");
    }
  });
  store.watch((state) => seen.push(state.a + state.b));
  store.dispatch("a");
  assert.deepEqual(seen, [1, 2]);
  assert.match(String(defects), /a defect of a view/);
  store.dispatch("b");
  assert.deepEqual(store.state, { a: 1, b: 2 });
});
