// What is told to those who listen: what the page has taken for true, and once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Store } from "../../../web/state/store.js";
import { reduce } from "../../../web/state/trading.js";
import { mountTold } from "../../../web/view/told.js";
import { atTheTable, confirmed, NONCE, NOW_MS, resolved } from "../support/states.mjs";

/** @import { Page } from "../../../web/page.js" */

test("an event that is not taken, for it is known or comes too early, is not told", () => {
  const { store, told } = listening();
  store.dispatch(confirmed());
  store.dispatch(confirmed());
  assert.deepEqual(told(), ["Bet of 1 confirmed at 1.85 times."]);
  store.dispatch(resolved({ seq: 4 }));
  assert.deepEqual(told(), []);
  store.dispatch({ type: "page:not_placed", nonce: NONCE, nowMs: NOW_MS });
  assert.deepEqual(told(), []);
  store.dispatch(resolved());
  assert.deepEqual(told(), ["Won 1.85 on 42,000 to 42,010."]);
});

/** A page that tells, without a browser. */
function listening() {
  /** @type {string[]} */
  const said = [];
  /** @type {(() => void)[]} */
  const timers = [];
  const setTimeout = (/** @type {() => void} */ work) => timers.push(work);
  Object.assign(globalThis, { window: { setTimeout } });
  const store = new Store(reduce, atTheTable());
  const place = { textContent: "", append: (/** @type {string} */ text) => said.push(text) };
  const page = { store, clock: { nowMs: () => NOW_MS } };
  mountTold(
    /** @type {HTMLElement} */ (/** @type {unknown} */ (place)),
    /** @type {Page} */ (/** @type {unknown} */ (page)),
  );
  const told = () => {
    for (const work of timers.splice(0)) {
      work();
    }
    return said.splice(0);
  };
  return { store, told };
}
