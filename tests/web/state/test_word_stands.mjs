// Answers over HTTP and events over the WebSocket overtake one another. What the venue has said of a
// bet's end stands, and counts once, in whichever order the rest comes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { RESULTS_MAX } from "../../../web/state/state.js";
import {
  after,
  atTheTable,
  BET_ID,
  CELL,
  COLUMN_S,
  confirmed,
  held,
  listed,
  NONCE,
  NOW_MS,
  pending,
  resolved,
} from "../support/states.mjs";

/** @import { TradingEvent } from "../../../web/state/events.js" */
/** @import { Today } from "../../../web/state/state.js" */

/** @type {TradingEvent} */
const TAP = { type: "page:tapped", bet: pending() };
/** @type {TradingEvent} */
const FOUND_OPEN = { type: "page:found", bet: listed({ nonce: NONCE }) };
/** @type {TradingEvent} */
const FOUND_WON = {
  type: "page:found",
  bet: listed({ status: "won", payout_micros: 1_850_000, resolved_at_ms: NOW_MS + 19_000 }),
};
/** @type {Today} */
const TODAY = {
  dayS: COLUMN_S - (COLUMN_S % 86_400),
  resultMicros: 0,
  ended: 0,
  state: "whole",
};

test("an answer from before a bet's end does not open it again", () => {
  const won = after(atTheTable(), TAP, confirmed(), resolved());
  assert.equal(after(won, FOUND_OPEN), won);
  const bet = { ...listed({ nonce: NONCE }), balance_micros: 99_000_000 };
  assert.equal(after(won, { type: "page:placed", nonce: NONCE, bet, nowMs: NOW_MS }), won);
});

test("... nor once it has left the grid", () => {
  const won = after(atTheTable(), TAP, confirmed(), resolved());
  const gone = after(won, { type: "page:tick", nowMs: NOW_MS + 3_600_000 });
  assert.equal(gone.bets[CELL], undefined);
  assert.equal(after(gone, FOUND_OPEN), gone);
});

test("a bet that is told as ended twice counts once, however many ended between", () => {
  const told = after(
    atTheTable(),
    { type: "page:today", today: TODAY },
    ...[TAP, FOUND_WON],
    confirmed(),
    ...others(RESULTS_MAX),
    resolved({ seq: 3 + RESULTS_MAX }),
  );
  assert.equal(held(told).phase, "won");
  assert.equal(told.today?.ended, 1 + RESULTS_MAX);
  assert.equal(told.today?.resultMicros, 850_000 - RESULTS_MAX * 1_000_000);
});

test("an event of a bet that the venue's list had as ended does not count it again", () => {
  const state = after(
    atTheTable(),
    {
      type: "page:today",
      today: { ...TODAY, resultMicros: 850_000, ended: 1, counted: new Set([BET_ID]) },
    },
    ...[TAP, confirmed(), resolved()],
  );
  assert.equal(held(state).phase, "won");
  assert.deepEqual([state.today?.resultMicros, state.today?.ended], [850_000, 1]);
});

/**
 * So many other bets end as lost.
 *
 * @param {number} count
 */
function others(count) {
  return Array.from({ length: count }, (_, index) => {
    const loCents = 4_100_000 + index * 1000;
    return resolved({
      bet_id: `other ${index}`,
      cell_id: `${COLUMN_S + 15}_${loCents}_${loCents + 1000}`,
      status: "lost",
      payout_micros: 0,
      seq: 3 + index,
    });
  });
}
