import assert from "node:assert/strict";
import { test } from "node:test";
import { isRemembered, recalled, rememberedText } from "../../../web/domain/remembered.js";
import { FIRST_VIEW } from "../../../web/state/state.js";

/** @type {import("../../../web/state/state.js").View} */
const CHOSEN = {
  panel: "evidence",
  betId: "01KGH6JZ9W5Q8XN4T2R7V3M1CA",
  board: "table",
  zoom: 2,
  stakeMicros: 25_000_000,
  toleranceBps: 200,
  theme: "light",
  sound: true,
  hintsDone: true,
};

test("what was chosen comes back, without the panel that was open", () => {
  const { panel, betId, ...kept } = CHOSEN;
  assert.deepEqual(recalled(rememberedText(CHOSEN)), kept);
  assert.ok(panel && betId);
});

test("what can't be is left out, and the rest is kept", () => {
  const text = JSON.stringify({
    board: "hologram",
    zoom: 7,
    stakeMicros: -1,
    toleranceBps: 0.5,
    theme: { toString: "light" },
    sound: 1,
    hintsDone: true,
    panel: "account",
    __proto__: { board: "table" },
  });
  assert.deepEqual(recalled(text), { hintsDone: true });
});

test("a broken memory is none", () => {
  for (const text of [null, "", "{", "null", "7", '"dark"', "[]"]) {
    assert.deepEqual(recalled(text), {}, JSON.stringify(text));
  }
});

test("only what is remembered is worth writing", () => {
  assert.equal(isRemembered({ ...FIRST_VIEW, panel: "help" }, FIRST_VIEW), false);
  assert.equal(isRemembered({ ...FIRST_VIEW, zoom: 1 }, FIRST_VIEW), true);
});
