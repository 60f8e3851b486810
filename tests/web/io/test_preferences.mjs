import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { recallView, rememberView } from "../../../web/io/preferences.js";
import { initialState } from "../../../web/state/state.js";
import { Store } from "../../../web/state/store.js";
import { reduce } from "../../../web/state/trading.js";

/** A browser's storage. */
class Shelf {
  /** @type {Map<string, string>} */
  texts = new Map();
  writes = 0;
  /** @param {string} key */
  getItem(key) {
    return this.texts.get(key) ?? null;
  }
  /** @param {string} key @param {string} text */
  setItem(key, text) {
    this.writes += 1;
    this.texts.set(key, text);
  }
}

/** @param {PropertyDescriptor} localStorage */
function browserWith(localStorage) {
  const page = Object.defineProperty({}, "localStorage", localStorage);
  Object.defineProperty(globalThis, "window", { value: page, configurable: true });
}

afterEach(() => {
  Reflect.deleteProperty(globalThis, "window");
});

test("what is chosen is there on the next visit", () => {
  const shelf = new Shelf();
  browserWith({ value: shelf });
  const store = new Store(reduce, initialState(recallView()));
  rememberView(store);
  store.dispatch({ type: "page:view", view: { theme: "light", panel: "help" } });
  const next = initialState(recallView());
  assert.equal(next.view.theme, "light");
  assert.equal(next.view.panel, "none");
});

test("what is not remembered writes nothing", () => {
  const shelf = new Shelf();
  browserWith({ value: shelf });
  const store = new Store(reduce, initialState());
  rememberView(store);
  store.dispatch({ type: "page:view", view: { panel: "help" } });
  store.dispatch({ type: "page:tick", nowMs: 1 });
  assert.equal(shelf.writes, 0);
});

test("storage that is blocked costs only the memory", () => {
  browserWith({
    get() {
      throw new DOMException("blocked", "SecurityError");
    },
  });
  const store = new Store(reduce, initialState(recallView()));
  rememberView(store);
  store.dispatch({ type: "page:view", view: { theme: "light" } });
  assert.equal(store.state.view.theme, "light");
});
