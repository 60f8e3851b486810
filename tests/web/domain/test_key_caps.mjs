import assert from "node:assert/strict";
import { test } from "node:test";
import {
  capChoices,
  capsText,
  hoursText,
  keyEndText,
  proposedCaps,
} from "../../../web/domain/key_caps.js";
import { initialState } from "../../../web/state/state.js";

/** @import { Session } from "../../../web/state/state.js" */

const USD = 1_000_000;
const MINUTE_MS = 60_000;

test("the limits that can be chosen follow from the stakes there are", () => {
  const choices = capChoices([5 * USD, 2 * USD]);
  assert.deepEqual(choices.betMaxMicros, [2 * USD, 5 * USD]);
  assert.deepEqual(choices.dayMaxMicros, [5 * USD, 25 * USD, 50 * USD, 250 * USD]);
});

test("no day's limit is below one bet's", () => {
  for (const presets of [undefined, [], [7 * USD], [1 * USD, 100 * USD]]) {
    const { betMaxMicros, dayMaxMicros } = capChoices(presets);
    assert.ok(Math.min(...dayMaxMicros) >= Math.max(...betMaxMicros));
  }
});

test("what is proposed can be chosen, and is not the most there is", () => {
  for (const presets of [undefined, [7 * USD], [1 * USD, 5 * USD, 100 * USD]]) {
    const choices = capChoices(presets);
    const { betMaxMicros, dayMaxMicros, hours } = proposedCaps(choices);
    assert.ok(choices.betMaxMicros.includes(betMaxMicros));
    assert.ok(choices.dayMaxMicros.includes(dayMaxMicros));
    assert.ok(choices.hours.includes(hours));
    assert.ok(dayMaxMicros < Math.max(...choices.dayMaxMicros));
  }
  const { betMaxMicros, dayMaxMicros } = proposedCaps(capChoices(undefined));
  assert.deepEqual([betMaxMicros, dayMaxMicros], [25 * USD, 500 * USD]);
});

test("limits in words; a demo account's key has none", () => {
  const caps = { betMaxMicros: 25 * USD, dayMaxMicros: 5_000 * USD };
  assert.equal(capsText(caps), "25 USD a bet, 5,000 USD a day");
  assert.equal(capsText({ betMaxMicros: 10 ** 15, dayMaxMicros: 10 ** 15 }), "");
  assert.deepEqual([1, 8].map(hoursText), ["1 hour", "8 hours"]);
});

/**
 * @param {"demo" | "wallet"} kind
 * @param {number | null} keyEndsMs null: it has none
 * @returns {Session}
 */
function signedIn(kind, keyEndsMs) {
  const key =
    keyEndsMs === null
      ? null
      : { keyId: "00", betMaxMicros: 1, dayMaxMicros: 1, expiresAtMs: keyEndsMs };
  return { ...initialState().session, phase: "in", kind, expiresAtMs: 999 * MINUTE_MS, key };
}

test("the end of a key is told before it comes", () => {
  assert.equal(keyEndText(signedIn("wallet", 60 * MINUTE_MS), 0), "");
  assert.equal(
    keyEndText(signedIn("wallet", 5 * MINUTE_MS), 0),
    "Taps by this key end in 5 min: renew it below.",
  );
  for (const ended of [signedIn("wallet", 0), signedIn("wallet", null)]) {
    assert.equal(keyEndText(ended, 1), "The key that signs your taps has ended: renew it below.");
  }
});

test("a demo account's key ends with it, and can't be renewed", () => {
  assert.equal(keyEndText(signedIn("demo", 5 * MINUTE_MS), 0), "It ends in 5 min.");
  assert.equal(keyEndText(signedIn("demo", 0), 1), "This demo account has ended.");
});

test("who is not signed in has no key that could end", () => {
  assert.equal(keyEndText(initialState().session, 0), "");
});
