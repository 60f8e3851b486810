import assert from "node:assert/strict";
import { test } from "node:test";
import { exactSignedUsdText, exactUsdText, readUsd } from "../../../web/domain/amounts.js";

test("what is typed is read to the last micro", () => {
  /** @type {[string, number][]} */
  const read = [
    ["1,000.50", 1_000_500_000],
    ["1.5", 1_500_000],
    ["25", 25_000_000],
    [" 25 ", 25_000_000],
    ["$25", 25_000_000],
    ["$ 25", 25_000_000],
    [".5", 500_000],
    ["007", 7_000_000],
    ["0.000001", 1],
    // As floats these would be off: 1.1 * 1e6 = 1100000.0000000002, 8.2 * 1e6 = 8199999.999999999.
    ["1.1", 1_100_000],
    ["8.2", 8_200_000],
    ["999,999,999.999999", 999_999_999_999_999],
    ["1000000000", 1_000_000_000_000_000],
  ];
  for (const [text, micros] of read) {
    assert.deepEqual(readUsd(text), { micros, problem: "" }, text);
  }
});

test("what could be meant otherwise is refused and not guessed", () => {
  const shape = "Write an amount like 25 or 1,000.50.";
  /** @type {[string, string][]} */
  const refused = [
    ["", "Enter an amount."],
    ["   ", "Enter an amount."],
    ["1,5", shape],
    ["1.000,50", shape],
    ["1,0000", shape],
    ["10,00", shape],
    ["1 000", shape],
    ["5.", shape],
    [".", shape],
    ["$", shape],
    ["-5", shape],
    ["+5", shape],
    ["1e3", shape],
    ["0x10", shape],
    ["١٢", shape],
    ["NaN", shape],
    ["Infinity", shape],
    ["5 USD", shape],
    ["0", "Enter more than zero."],
    ["0.000000", "Enter more than zero."],
    ["0.0000001", "An amount has at most 6 decimals."],
    ["1000000000.000001", "That is more than the venue can count."],
    ["9".repeat(40), "That is more than the venue can count."],
  ];
  for (const [text, problem] of refused) {
    assert.deepEqual(readUsd(text), { micros: null, problem }, text);
  }
});

test("an amount is written out exactly, and read again it is the same", () => {
  /** @type {[number, string][]} */
  const written = [
    [0, "0.00"],
    [1, "0.000001"],
    [1_855_400, "1.8554"],
    [1_000_500_000, "1,000.50"],
    [100_000_000, "100.00"],
    [1_000_000_000_000_000, "1,000,000,000.00"],
  ];
  for (const [micros, text] of written) {
    assert.equal(exactUsdText(micros), text);
    assert.equal(micros === 0 ? 0 : readUsd(text).micros, micros);
  }
  assert.deepEqual([1_855_400, -1_000_000, 0].map(exactSignedUsdText), [
    "+1.8554",
    "−1.00",
    "0.00",
  ]);
});
