// What a trader reads where a tap was refused.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { refusalText } from "../../../web/domain/refusal_words.js";

/** @import { RefusalCode } from "../../../web/domain/refusal_words.js" */

const errors = new URL("../../../docs/errors.md", import.meta.url);
const codes = [...readFileSync(errors, "utf-8").matchAll(/^\| `(\w+)` \|/gm)].map(
  (found) => /** @type {RefusalCode} */ (found[1]),
);

test("every code of the venue has words, short enough for a cell", () => {
  assert.ok(codes.length > 20);
  for (const code of codes) {
    const text = refusalText(code, {});
    assert.ok(text.length > 0 && text.length <= 60, `${code}: ${text}`);
    assert.doesNotMatch(text, /!|_/);
  }
});

test("a code that the page does not know yet has words, too", () => {
  const code = /** @type {RefusalCode} */ ("of_tomorrow");
  assert.equal(refusalText(code, {}), "The venue has a fault. Not placed");
});

/** @type {[RefusalCode, object, string][]} */
const NAMED = [
  ["quote_expired", { reward_bps: 17_250, quote: 9 }, "Rate moved to 1.72x: tap again"],
  ["quote_expired", {}, "The rate moved: tap again"],
  [
    "limit_reached",
    { limit: "stake", max_micros: 5_000_000 },
    "Over your own limit of 5 USD a bet",
  ],
  [
    "limit_reached",
    { limit: "loss_day", max_micros: 20_500_000, lost_micros: 20_000_000 },
    "Over your own loss limit of 20.50 USD a day",
  ],
  ["limit_reached", { limit: "paused", until_ms: 5 }, "You have paused betting"],
  ["limit_reached", { limit: "key_bet", max_micros: 1e6 }, "Over your key's limit of 1 USD a bet"],
  ["limit_reached", { limit: "key_day", max_micros: 1e6 }, "Over your key's limit of 1 USD a day"],
  ["limit_reached", { limit: "of_tomorrow" }, "A limit is reached"],
  ["unauthorized", { key_id: "4b9f" }, "Your key has ended. Sign in again"],
  ["unauthorized", {}, "Your session has ended. Sign in again"],
  ["rate_limited", { retry_after: 1 }, "Too many taps. Wait a moment"],
  ["rate_limited", { retry_after: 7 }, "Too many taps. Wait 7 s"],
];
for (const [code, details, text] of NAMED) {
  test(`${code} with ${JSON.stringify(details)} is "${text}"`, () => {
    assert.equal(refusalText(code, /** @type {any} */ (details)), text);
  });
}
