// The price line claims no price that nobody has heard, and none to be a market's that is not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { lineEndMs, playedWord } from "../../../web/domain/price_line.js";
import { initialState } from "../../../web/state/state.js";
import { NOW_MS, STATUS } from "../support/states.mjs";

const NEWEST_MS = NOW_MS - 3_000;
const FRESH = initialState();

/**
 * @param {"connecting" | "live" | "lost" | "drained"} phase
 * @param {"healthy" | "critical" | null} level
 */
function heard(phase, level) {
  return {
    connection: { ...FRESH.connection, phase },
    market: {
      ...FRESH.market,
      trail: [{ ts_ms: NEWEST_MS, price_cents: 4_200_000 }],
      status: level === null ? null : { ...STATUS, level },
    },
  };
}

test("while prices are heard the line goes to NOW, however quiet the market is", () => {
  assert.equal(lineEndMs(heard("live", "healthy"), NOW_MS), NOW_MS);
  assert.equal(lineEndMs(heard("live", null), NOW_MS), NOW_MS);
});

test("without a connection it ends at the newest price", () => {
  for (const phase of /** @type {const} */ (["connecting", "lost", "drained"])) {
    assert.equal(lineEndMs(heard(phase, null), NOW_MS), NEWEST_MS);
  }
});

test("and where the exchange is silent", () => {
  assert.equal(lineEndMs(heard("live", "critical"), NOW_MS), NEWEST_MS);
});

test("it never ends in the future, nor without a price", () => {
  assert.equal(lineEndMs(heard("lost", null), NEWEST_MS - 20), NEWEST_MS - 20);
  assert.equal(lineEndMs(FRESH, NOW_MS), NOW_MS);
});

test("a price that no market made is called so", () => {
  assert.equal(playedWord("simulator"), "simulated");
  assert.equal(playedWord("replay:2026-01-02.csv"), "replayed");
  for (const source of ["binance", "coinbase", null, undefined]) {
    assert.equal(playedWord(source), "");
  }
});
