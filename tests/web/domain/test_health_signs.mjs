import assert from "node:assert/strict";
import { test } from "node:test";
import { healthSigns } from "../../../web/domain/health_signs.js";
import { suspension } from "../../../web/domain/suspension.js";
import { initialState } from "../../../web/state/state.js";
import { QUOTE, STATUS } from "../support/states.mjs";

/** @import { StatusFrame } from "../../../web/types/wire.js" */
/** @import { State } from "../../../web/state/state.js" */

/**
 * @param {State["connection"]["phase"]} phase
 * @param {Partial<StatusFrame> | null} status
 */
function shown(phase, status) {
  const first = initialState();
  const state = {
    ...first,
    connection: { phase, sinceMs: 0, retryAtMs: null },
    market: {
      ...first.market,
      quote: QUOTE,
      status: status === null ? null : { ...STATUS, ...status },
    },
  };
  const { connection, feed, betting } = healthSigns(state, suspension(state, 0));
  return [connection, feed, betting].map(({ text, look }) => (look ? `! ${text}` : text));
}

test("what is well is quiet", () => {
  assert.deepEqual(shown("live", {}), ["Live", "Price age 0.1 s", "Betting open"]);
});

test("a price that no market made is not shown as one that is", () => {
  assert.equal(shown("live", { source: "simulator" })[1], "Simulated price 0.1 s");
  assert.equal(shown("live", { source: "replay:day.csv" })[1], "Replayed price 0.1 s");
});

test("before the first heartbeat only the connection is known", () => {
  assert.deepEqual(shown("connecting", null), ["Connecting", "", ""]);
  assert.deepEqual(shown("live", null), ["Live", "", ""]);
});

test("without a connection nothing else is claimed", () => {
  assert.deepEqual(shown("lost", { level: "critical" }), ["! No connection", "", ""]);
  assert.deepEqual(shown("drained", {}), ["! Venue restarting", "", ""]);
});

test("what somebody should look at is marked", () => {
  assert.deepEqual(shown("live", { level: "degraded", feed_age_ms: 4_200 }), [
    "Live",
    "! Price age 4.2 s",
    "Betting open",
  ]);
  assert.deepEqual(shown("live", { level: "critical", feed_age_ms: null, breaker: "open" }), [
    "Live",
    "! No prices",
    "! Betting suspended",
  ]);
  assert.equal(shown("live", { held: true })[2], "! Betting on hold");
  assert.equal(shown("live", { draining: true })[2], "! Venue restarting");
});
