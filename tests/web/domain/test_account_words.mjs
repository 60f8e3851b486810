import assert from "node:assert/strict";
import { test } from "node:test";
import {
  accountRefusalText,
  betOf,
  capWords,
  changedWords,
  entryWords,
  exactWhenWords,
  isAddress,
  limitsSummary,
  pendingWords,
  shortenedMs,
  whenWords,
  withdrawalWords,
} from "../../../web/domain/account_words.js";

const DAY_MS = 86_400_000;
/** 14:03 by the clock of whoever runs this. */
const NOW_MS = new Date(2026, 10, 20, 14, 3, 5).getTime();

/** @type {import("../../../web/types/wire.js").Limits} */
const NO_LIMITS = {
  stake_max_micros: null,
  loss_day_max_micros: null,
  paused_until_ms: 0,
  next_stake_max: null,
  next_loss_day_max: null,
};

test("a time is said as one says it", () => {
  /** @type {[Date, string][]} */
  const said = [
    [new Date(2026, 10, 20, 0, 0), "today, 00:00"],
    [new Date(2026, 10, 21, 23, 59), "tomorrow, 23:59"],
    [new Date(2026, 10, 19, 23, 59), "yesterday, 23:59"],
    [new Date(2026, 10, 22, 9, 5), "Sun 22 Nov, 09:05"],
    [new Date(2026, 0, 1, 9, 5), "Thu 1 Jan, 09:05"],
    [new Date(2027, 0, 1, 9, 5), "Fri 1 Jan 2027, 09:05"],
  ];
  for (const [at, words] of said) {
    assert.equal(whenWords(at.getTime(), NOW_MS), words);
    assert.equal(exactWhenWords(at.getTime(), NOW_MS), `${words}:00`);
  }
});

test("a line of the statement says what the money was for", () => {
  /** @type {[import("../../../web/types/wire.js").Entry["ref_type"], string, number, string][]} */
  const lines = [
    ["BET", "01KGH6JZ9W5Q8XN4T2R7V3M1CA", -1, "Stake"],
    ["PAYOUT", "01KGH6JZ9W5Q8XN4T2R7V3M1CA", 1, "Payout"],
    ["REFUND", "01KGH6JZ9W5Q8XN4T2R7V3M1CA", 1, "Refund"],
    ["DEPOSIT", "wire-17", 1, "Deposit"],
    ["DEPOSIT", "faucet:0a", 1, "Paper money"],
    ["DEPOSIT", "demo:0x7e", 1, "Paper money"],
    ["WITHDRAWAL", "01M7", -1, "Withdrawal"],
    ["WITHDRAWAL", "01M7", 1, "Withdrawal returned"],
    ["ADJUSTMENT", "ticket-9", -1, "Adjustment"],
    ["CARRY", "", 1, "Brought forward"],
  ];
  for (const [ref_type, ref_id, amount_micros, words] of lines) {
    assert.equal(entryWords({ ref_type, ref_id, amount_micros }), words);
    const isBet = ["BET", "PAYOUT", "REFUND"].includes(ref_type);
    assert.equal(betOf({ ref_type, ref_id }), isBet ? ref_id : null);
  }
});

test("what a limit becomes is said with when, and only where something waits", () => {
  assert.equal(pendingWords(null, NOW_MS), "");
  const from_ms = NOW_MS + DAY_MS;
  assert.equal(
    pendingWords({ micros: 50_000_000, from_ms }, NOW_MS),
    "Becomes 50.00 USD tomorrow, 14:03.",
  );
  assert.equal(pendingWords({ micros: null, from_ms }, NOW_MS), "Removed tomorrow, 14:03.");
});

test("after a change it is said what holds now, or when it will", () => {
  const pending = { micros: null, from_ms: NOW_MS + DAY_MS };
  assert.equal(
    changedWords(null, 25_000_000, pending, NOW_MS),
    "Asked for. It takes effect tomorrow, 14:03.",
  );
  assert.equal(changedWords(10_000_000, 10_000_000, null, NOW_MS), "Holds from now: 10.00 USD.");
  assert.equal(changedWords(null, null, null, NOW_MS), "There is no limit now.");
});

test("limits come to one word, and a pause comes first", () => {
  assert.equal(limitsSummary(null, NOW_MS), "");
  assert.equal(limitsSummary(NO_LIMITS, NOW_MS), "None set");
  const both = { ...NO_LIMITS, stake_max_micros: 1, loss_day_max_micros: 1 };
  assert.equal(limitsSummary(both, NOW_MS), "2 set");
  assert.equal(limitsSummary({ ...both, paused_until_ms: NOW_MS + 1 }, NOW_MS), "Paused");
  assert.equal(limitsSummary({ ...both, paused_until_ms: NOW_MS }, NOW_MS), "2 set");
});

test("a pause is cut short to a day, and one that ends before that not at all", () => {
  assert.equal(shortenedMs(NOW_MS + DAY_MS + 1, NOW_MS), NOW_MS + DAY_MS);
  assert.equal(shortenedMs(NOW_MS + DAY_MS, NOW_MS), null);
});

test("a demo account's key has no cap worth a figure", () => {
  assert.equal(capWords(1_000_000_000_000_000), "no limit");
  assert.equal(capWords(25_000_000), "25.00 USD");
});

test("a cap that is high is a cap all the same", () => {
  assert.equal(capWords(2_000_000_000_000), "2,000,000.00 USD");
});

test("a withdrawal says where it stands, and why it came back", () => {
  assert.equal(
    withdrawalWords({ status: "pending", reason: null, reference: null }),
    "Waiting to be paid",
  );
  assert.equal(withdrawalWords({ status: "paid", reason: null, reference: "0xab" }), "Paid: 0xab");
  assert.equal(
    withdrawalWords({ status: "rejected", reason: "unknown bank", reference: null }),
    "Returned to your balance: unknown bank",
  );
});

test("a refusal says what to do, and names a figure where it has one", () => {
  assert.equal(
    accountRefusalText("limit_reached", { balance_max_micros: 10_000_000_000 }, ""),
    "Your balance has reached what the venue gives: 10,000.00 USD.",
  );
  assert.equal(
    accountRefusalText("rate_limited", { retry_after: 42 }, ""),
    "The venue is busy. Try again in 42 s.",
  );
  assert.equal(
    accountRefusalText("overloaded", { retry_after: 1 }, ""),
    "The venue is busy. Try again in a moment.",
  );
  assert.match(accountRefusalText("internal", {}, "It has been logged."), /It has been logged\.$/);
});

test("an address is 0x and 40 hexadecimal digits", () => {
  assert.ok(isAddress("0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"));
  for (const text of ["", "0x12", `0x${"g".repeat(40)}`, `0x${"0".repeat(41)}`, "0".repeat(42)]) {
    assert.equal(isAddress(text), false, text);
  }
});
