import assert from "node:assert/strict";
import { test } from "node:test";
import { addedUp, asEnded } from "../../../web/domain/day_result.js";

/**
 * @param {string} id
 * @param {import("../../../web/types/wire.js").BetStatus} status
 * @param {number | null} payout
 */
const bet = (id, status, payout) =>
  asEnded({ bet_id: id, status, stake_micros: 1_000_000, payout_micros: payout });

test("what was won and lost counts, and nothing else", () => {
  const bets = [
    bet("A", "won", 1_850_000),
    bet("B", "lost", 0),
    bet("C", "lost", 0),
    bet("D", "void", 1_000_000),
    bet("E", "confirmed", null),
    bet("F", "insufficient_funds", null),
  ];
  assert.deepEqual(addedUp(bets), {
    resultMicros: -1_150_000,
    ended: 3,
    counted: new Set(["A", "B", "C"]),
  });
});

test("a bet that ends while it is counted counts once", () => {
  const listed = [bet("A", "confirmed", null), bet("B", "won", 1_850_000)];
  const heard = [bet("A", "lost", 0), bet("B", "won", 1_850_000)];
  assert.deepEqual(addedUp([...listed, ...heard]), {
    resultMicros: -150_000,
    ended: 2,
    counted: new Set(["A", "B"]),
  });
});
