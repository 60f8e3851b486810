// The venue's time: found from what it says, and drawn without a jump.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  answered,
  NOT_HEARD,
  overheard,
  SAMPLES,
  SLEW_MS_PER_S,
  STEP_MS,
  venueMs,
} from "../../../web/domain/venue_time.js";

/** @import { VenueTime } from "../../../web/domain/venue_time.js" */

/** The venue's clock is this far ahead of ours. */
const AHEAD_MS = 1_000_000;

/**
 * A question that took `thereMs` on its way and `backMs` on its way back.
 *
 * @param {VenueTime} time
 * @param {number} atMs when it was asked
 * @param {number} thereMs
 * @param {number} backMs
 */
function asked(time, atMs, thereMs, backMs, aheadMs = AHEAD_MS) {
  return answered(time, atMs + thereMs + aheadMs, atMs, atMs + thereMs + backMs);
}

test("until something was heard our own clock is shown", () => {
  assert.equal(venueMs(NOT_HEARD, 5_000), 5_000);
});

test("the first answer is believed at once, with half of what it took", () => {
  const time = asked(NOT_HEARD, 0, 30, 30);
  assert.equal(venueMs(time, 60), 60 + AHEAD_MS);
  assert.equal(venueMs(time, 10_000), 10_000 + AHEAD_MS);
});

test("of the last answers the quickest is believed", () => {
  const quick = asked(NOT_HEARD, 0, 10, 10);
  const slow = asked(quick, 1_000, 10, 200);
  assert.equal(venueMs(slow, 100_000), 100_000 + AHEAD_MS);
  const quicker = asked(asked(NOT_HEARD, 0, 10, 200), 1_000, 5, 5);
  assert.equal(venueMs(quicker, 100_000), 100_000 + AHEAD_MS);
});

test("a quick answer is forgotten after so many others", () => {
  let time = asked(NOT_HEARD, 0, 5, 5);
  for (let count = 1; count <= SAMPLES; count += 1) {
    time = asked(time, count * 1_000, 20, 60);
  }
  assert.equal(venueMs(time, 100_000), 100_000 + AHEAD_MS - 20);
});

test("a small difference is made up little by little, and time goes on meanwhile", () => {
  const off = asked(NOT_HEARD, 0, 0, 200); // believed to be 100 ms behind
  const time = asked(off, 1_000, 5, 5);
  const shown = [1_010, 1_510, 2_010, 3_010, 4_010].map((atMs) => venueMs(time, atMs) - atMs);
  const perStep = SLEW_MS_PER_S / 2;
  assert.deepEqual(shown, [
    AHEAD_MS - 100,
    AHEAD_MS - 100 + perStep,
    AHEAD_MS - 100 + 2 * perStep,
    AHEAD_MS,
    AHEAD_MS,
  ]);
});

test("time never goes back for a small difference", () => {
  const off = asked(NOT_HEARD, 0, 200, 0);
  const time = asked(off, 1_000, 5, 5);
  let before = venueMs(time, 1_010);
  for (let atMs = 1_026; atMs < 5_000; atMs += 16) {
    const now = venueMs(time, atMs);
    assert.ok(now > before && now - before <= 16);
    before = now;
  }
});

test("a large difference is made up at once: the page slept, or a clock was set", () => {
  const time = asked(asked(NOT_HEARD, 0, 10, 10), 1_000, 10, 10, AHEAD_MS + 60_000);
  assert.equal(venueMs(time, 1_020), 1_020 + AHEAD_MS + 60_000);
  const back = asked(time, 2_000, 10, 10, AHEAD_MS);
  assert.equal(venueMs(back, 2_020), 2_020 + AHEAD_MS);
});

test("before an answer the promptest heartbeat counts", () => {
  const late = overheard(NOT_HEARD, AHEAD_MS, 90);
  assert.equal(venueMs(late, 90), AHEAD_MS);
  const prompt = overheard(late, AHEAD_MS + 1_000, 1_010);
  assert.equal(venueMs(prompt, 10_000), 10_000 + AHEAD_MS - 10);
  assert.equal(overheard(prompt, AHEAD_MS + 2_000, 2_050), prompt);
});

test("a heartbeat does not outweigh an answer, unless it rules it out", () => {
  const time = asked(NOT_HEARD, 0, 10, 10);
  assert.equal(overheard(time, 1_000 + AHEAD_MS - 200, 1_000), time);
  assert.equal(overheard(time, 1_000 + AHEAD_MS + STEP_MS, 1_000), time);
  const woken = overheard(time, 1_000 + AHEAD_MS + 3_600_000, 1_000);
  assert.equal(venueMs(woken, 1_000), 1_000 + AHEAD_MS + 3_600_000);
});
