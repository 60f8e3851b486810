import assert from "node:assert/strict";
import { test } from "node:test";
import {
  chipText,
  durationText,
  leftText,
  payoutMicros,
  priceText,
  rateText,
  shortRateText,
  signedUsdText,
  usdText,
  walletText,
  whenText,
} from "../../../web/domain/numbers.js";

test("a rate is never shown higher than it is paid", () => {
  const shown = [0, 10_100, 18_599, 99_999, 100_000, 123_456, 1_000_000].map(rateText);
  assert.deepEqual(shown, ["", "1.01x", "1.85x", "9.99x", "10.0x", "12.3x", "100x"]);
});

test("where there is little room, a rate has fewer figures, and is not shown higher either", () => {
  const shown = [0, 10_100, 18_599, 99_999, 100_000, 129_999, 1_000_000].map(shortRateText);
  assert.deepEqual(shown, ["", "1.0", "1.8", "9.9", "10", "12", "100"]);
});

test("a payout is rounded down, and exact beyond 2^53", () => {
  assert.equal(payoutMicros(1_000_001, 18_555), 1_855_501);
  assert.equal(payoutMicros(100_000_000, 1_000_000), 10_000_000_000);
  assert.equal(payoutMicros(999_999_999_999, 999_999), 99_999_899_999_900);
});

test("money is in whole cents, towards zero", () => {
  const amounts = [0, 9_999, 10_000, 1_234_567_890, -500_000, -1_009_999, -9_999];
  assert.deepEqual(amounts.map(usdText), [
    "0.00",
    "0.00",
    "0.01",
    "1,234.56",
    "−0.50",
    "−1.00",
    "0.00",
  ]);
  assert.deepEqual([850_000, 0, 9_999, -1_000_000].map(signedUsdText), [
    "+0.85",
    "0.00",
    "0.00",
    "−1.00",
  ]);
  assert.deepEqual([1_000_000, 2_500_000, 1_000_000_000].map(chipText), ["1", "2.50", "1,000"]);
});

test("prices have two decimals and groups", () => {
  assert.deepEqual([4_200_512, 100, 5, 123_456_789_00].map(priceText), [
    "42,005.12",
    "1.00",
    "0.05",
    "123,456,789.00",
  ]);
});

test("times and wallets are short", () => {
  assert.deepEqual([0, 340, 12_400, 180_000, 7_200_000].map(durationText), [
    "0.0 s",
    "0.3 s",
    "12 s",
    "3 min",
    "2 h",
  ]);
  assert.equal(walletText("0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"), "0x7e5f…5bdf");
});

test("what is left is never told as less than it is", () => {
  const lefts = [-5, 0, 1, 2_001, 90_000, 90_001, 5_400_000, 7_200_000, 7_800_001, 172_800_001];
  assert.deepEqual(lefts.map(leftText), [
    "0 s",
    "0 s",
    "1 s",
    "3 s",
    "90 s",
    "2 min",
    "90 min",
    "2 h",
    "2 h 11 min",
    "3 days",
  ]);
});

test("a time to come has its day where it is another", () => {
  const nowMs = new Date(2026, 10, 20, 9, 0).getTime();
  assert.equal(whenText(new Date(2026, 10, 20, 14, 3).getTime(), nowMs), "14:03");
  assert.equal(whenText(new Date(2026, 11, 1, 0, 5).getTime(), nowMs), "1 Dec, 00:05");
});
