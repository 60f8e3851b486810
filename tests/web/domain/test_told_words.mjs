import assert from "node:assert/strict";
import { test } from "node:test";
import { toldWords } from "../../../web/domain/told_words.js";

/** @import { BetConfirmedFrame, BetResolvedFrame } from "../../../web/types/wire.js" */

const CELL_ID = "1770100015_4200000_4201000";

/** @type {BetConfirmedFrame} */
const CONFIRMED = {
  type: "bet:confirmed",
  bet_id: "01KGH6JZ9W5Q8XN4T2R7V3M1CA",
  status: "confirmed",
  cell_id: CELL_ID,
  reward_bps: 18_500,
  stake_micros: 1_000_000,
  balance_micros: 99_000_000,
  placed_at_ms: 1_770_100_003_000,
  seq: 2,
};

/** @param {BetResolvedFrame["status"]} status @param {number} payoutMicros @returns {BetResolvedFrame} */
const ended = (status, payoutMicros) => ({
  type: "bet:resolved",
  bet_id: "01KGH6JZ9W5Q8XN4T2R7V3M1CA",
  cell_id: CELL_ID,
  status,
  stake_micros: 1_000_000,
  payout_micros: payoutMicros,
  balance_micros: 100_850_000,
  resolved_at_ms: 1_770_100_022_000,
  seq: 3,
});

/** @param {string} text */
const refused = (text) => ({
  type: /** @type {const} */ ("page:refused"),
  nonce: null,
  refused: { cellId: CELL_ID, code: /** @type {const} */ ("quote_expired"), text, atMs: 0 },
});

test("one thing is told in full", () => {
  assert.equal(toldWords([CONFIRMED]), "Bet of 1 confirmed at 1.85 times.");
  assert.equal(toldWords([ended("won", 1_850_000)]), "Won 1.85 on 42,000 to 42,010.");
  assert.equal(toldWords([ended("lost", 0)]), "Lost on 42,000 to 42,010.");
  assert.equal(toldWords([ended("void", 1_000_000)]), "Void on 42,000 to 42,010, stake refunded.");
  assert.equal(
    toldWords([refused("Rate moved to 1.72x: tap again")]),
    "Rate moved to 1.72x: tap again.",
  );
});

test("a bet that never reached the venue is told of, too", () => {
  const nonce = "6f1c0f4e-2a7b-4c1d-9e8f-0123456789ab";
  assert.equal(toldWords([{ type: "page:not_placed", nonce, nowMs: 0 }]), "Not placed: tap again.");
});

test("several are told together, of refusals the newest", () => {
  assert.equal(
    toldWords([
      CONFIRMED,
      refused("Too late"),
      CONFIRMED,
      ended("won", 1_850_000),
      ended("lost", 0),
      ended("lost", 0),
      refused("Tap again"),
    ]),
    "2 bets confirmed. Tap again. 3 bets ended: 1 won, 2 lost. Result −1.15.",
  );
});

test("what is not for ears is not told", () => {
  assert.equal(toldWords([{ type: "page:tick", nowMs: 0 }]), "");
});
