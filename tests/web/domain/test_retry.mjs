// When a lost connection is tried again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { retryInMs } from "../../../web/domain/retry.js";

test("the longest wait doubles from half a second to fifteen", () => {
  const longest = [0, 1, 2, 3, 4, 5, 6, 1_000].map((failures) => retryInMs(failures, 1));
  assert.deepEqual(longest, [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
});

test("it is anything up to that, so that not all come back at once", () => {
  assert.equal(retryInMs(3, 0), 0);
  assert.equal(retryInMs(3, 0.25), 1_000);
});
