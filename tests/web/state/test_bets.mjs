// What becomes of a bet, whoever tells it first.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ENDED_MS, REFUSED_MS } from "../../../web/state/state.js";
import {
  ACCOUNT,
  after,
  atTheTable,
  BET_ID,
  CELL,
  COLUMN_S,
  confirmed,
  held,
  listed,
  NOBODY,
  NONCE,
  NOW_MS,
  OTHER_CELL,
  pending,
  resolved,
  SESSION,
  snapshot,
} from "../support/states.mjs";

/** @import { TradingEvent } from "../../../web/state/events.js" */

/** @type {TradingEvent} */
const TAP = { type: "page:tapped", bet: pending() };
/** @type {TradingEvent} */
const EVENT = confirmed();
const { type: _, ...reply } = confirmed();
/** @type {TradingEvent} */
const REPLY = { type: "page:placed", nonce: NONCE, bet: reply, nowMs: NOW_MS + 30 };
/** @type {TradingEvent} */
const LOST = { type: "page:lost", atMs: 9, nowMs: NOW_MS + 50, retryAtMs: 10, drained: false };
/** @type {TradingEvent} */
const TODAY = {
  type: "page:today",
  today: { dayS: COLUMN_S - (COLUMN_S % 86_400), resultMicros: 0, ended: 0, state: "whole" },
};

test("a tap is pending until the venue says otherwise, and the balance stays as it was", () => {
  const state = after(atTheTable(), TAP);
  assert.equal(held(state).phase, "pending");
  assert.equal(held(state).betId, null);
  assert.equal(state.account?.balance_micros, 100_000_000);
  assert.equal(state.account?.open_bets, 0);
});

/** @type {[string, TradingEvent[]][]} */
const ORDERS = [
  ["the event comes before the reply", [TAP, EVENT, REPLY]],
  ["the reply comes before the event", [TAP, REPLY, EVENT]],
  ["the event comes and no reply", [TAP, EVENT]],
  ["the event comes twice", [TAP, EVENT, EVENT, REPLY]],
];
for (const [name, events] of ORDERS) {
  test(`a bet is confirmed when ${name}`, () => {
    const state = after(atTheTable(), ...events);
    assert.deepEqual(held(state), {
      ...pending(),
      phase: "confirmed",
      betId: BET_ID,
      phaseAtMs: NOW_MS + 20,
    });
    assert.deepEqual(state.account, {
      ...ACCOUNT,
      balance_micros: 99_000_000,
      open_bets: 1,
      open_stake_micros: 1_000_000,
      seq: 2,
    });
  });
}

test("a reply alone confirms the bet; the money follows with its event", () => {
  const state = after(atTheTable(), TAP, REPLY);
  assert.equal(held(state).phase, "confirmed");
  assert.deepEqual(state.account, ACCOUNT);
});

test("a bet is shown at the rate and stake that it was taken at", () => {
  const state = after(atTheTable(), TAP, confirmed({ reward_bps: 19_000 }));
  assert.equal(held(state).rewardBps, 19_000);
});

test("a bet placed in another tab appears", () => {
  const state = after(atTheTable(), EVENT);
  assert.equal(held(state).phase, "confirmed");
  assert.equal(held(state).nonce, null);
  assert.equal(held(state).columnS, 5);
  assert.equal(state.account?.balance_micros, 99_000_000);
});

test("a bet that has ended is won, lost or void by the venue's word, and counted once", () => {
  const won = after(atTheTable(), TODAY, TAP, EVENT, resolved());
  assert.equal(held(won).phase, "won");
  assert.equal(held(won).payoutMicros, 1_850_000);
  assert.equal(won.account?.balance_micros, 100_850_000);
  assert.equal(won.account?.open_bets, 0);
  assert.equal(won.account?.open_stake_micros, 0);
  assert.deepEqual(won.results, [held(won)]);
  assert.equal(won.today?.resultMicros, 850_000);
  assert.equal(won.today?.ended, 1);
  assert.equal(after(won, resolved()), won);
  const foundAgain = after(won, { type: "page:found", bet: wonBet() });
  assert.deepEqual(foundAgain.today, won.today);
  assert.equal(foundAgain.results.length, 1);
});

test("a reply that comes after the bet has ended changes nothing", () => {
  const state = after(atTheTable(), TAP, EVENT, resolved());
  assert.equal(after(state, REPLY), state);
});

test("a lost bet takes its stake from today's result, a void one counts nothing", () => {
  const lost = after(
    atTheTable(),
    ...[TODAY, TAP, EVENT],
    resolved({ status: "lost", payout_micros: 0 }),
  );
  assert.equal(held(lost).phase, "lost");
  assert.equal(lost.today?.resultMicros, -1_000_000);
  const given = after(
    atTheTable(),
    ...[TODAY, TAP, EVENT],
    resolved({ status: "void", payout_micros: 1_000_000 }),
  );
  assert.equal(held(given).phase, "void");
  assert.equal(given.today?.resultMicros, 0);
  assert.equal(given.results.length, 1);
});

test("a bet that ended and was never seen here is among the results", () => {
  const state = after(atTheTable(), resolved({ seq: 2 }));
  assert.equal(state.results[0]?.rewardBps, 18_500);
  assert.equal(held(state).phase, "won");
});

test("the last twenty results are kept, newest first", () => {
  let state = atTheTable();
  for (let count = 1; count <= 21; count += 1) {
    const id = `${COLUMN_S}_${count * 1000}_${count * 1000 + 1000}`;
    state = after(state, resolved({ bet_id: `BET${count}`, cell_id: id, seq: count + 1 }));
  }
  assert.equal(state.results.length, 20);
  assert.equal(state.results[0]?.betId, "BET21");
});

test("what is pending when the connection is lost is unknown, and what is confirmed stays so", () => {
  const other = pending({ cellId: OTHER_CELL, nonce: "another" });
  const state = after(atTheTable(), TAP, EVENT, { type: "page:tapped", bet: other }, LOST);
  assert.equal(held(state).phase, "confirmed");
  assert.equal(held(state, OTHER_CELL).phase, "unknown");
  assert.equal(held(state, OTHER_CELL).phaseAtMs, NOW_MS + 50);
});

test("an unknown bet is confirmed by its event, once it is sent again", () => {
  const state = after(atTheTable(), TAP, LOST, EVENT);
  assert.equal(held(state).phase, "confirmed");
  assert.equal(held(state).nonce, NONCE);
});

test("an answer that is late makes only its own bet unknown", () => {
  const other = pending({ cellId: OTHER_CELL, nonce: "another" });
  const state = after(
    atTheTable(),
    TAP,
    { type: "page:tapped", bet: other },
    { type: "page:unsure", nonce: NONCE, nowMs: NOW_MS },
  );
  assert.equal(held(state).phase, "unknown");
  assert.equal(held(state, OTHER_CELL).phase, "pending");
});

test("a bet that certainly was not placed is gone, and the trader is told", () => {
  const state = after(atTheTable(), TAP, LOST, {
    type: "page:not_placed",
    nonce: NONCE,
    nowMs: NOW_MS,
  });
  assert.deepEqual(state.bets, {});
  assert.equal(state.refused[0]?.text, "Not placed: tap again");
});

test("that a bet was not placed is not believed of one that the venue has confirmed", () => {
  const state = after(atTheTable(), TAP, EVENT);
  assert.equal(after(state, { type: "page:not_placed", nonce: NONCE, nowMs: NOW_MS }), state);
});

/** @param {string | null} nonce @returns {TradingEvent} */
const refusal = (nonce) => ({
  type: "page:refused",
  nonce,
  refused: { cellId: CELL, code: "quote_expired", text: "Rate moved", atMs: NOW_MS },
});

test("a refused tap is gone at once, its words after a moment", () => {
  const state = after(atTheTable(), TAP, refusal(NONCE));
  assert.deepEqual(state.bets, {});
  assert.deepEqual(
    state.refused.map(({ text }) => text),
    ["Rate moved"],
  );
  const soon = after(state, { type: "page:tick", nowMs: NOW_MS + REFUSED_MS - 1 });
  assert.equal(soon.refused.length, 1);
  const later = after(state, { type: "page:tick", nowMs: NOW_MS + REFUSED_MS });
  assert.deepEqual(later.refused, []);
});

test("the words of a refusal go when the cell is tapped again", () => {
  const state = after(atTheTable(), refusal(null), TAP);
  assert.deepEqual(state.refused, []);
});

test("a refusal leaves alone what another tab has placed on the cell meanwhile", () => {
  const state = after(atTheTable(), TAP, EVENT, refusal(NONCE));
  assert.equal(held(state).phase, "confirmed");
});

test("an ended bet leaves the grid some time after its column, an open one never", () => {
  const endsMs = (COLUMN_S + 20) * 1000;
  /** @type {TradingEvent} */
  const tick = { type: "page:tick", nowMs: endsMs + ENDED_MS + 1 };
  assert.deepEqual(after(atTheTable(), EVENT, resolved(), tick).bets, {});
  assert.equal(held(after(atTheTable(), EVENT, tick)).phase, "confirmed");
});

function wonBet() {
  return listed({ status: "won", payout_micros: 1_850_000, resolved_at_ms: NOW_MS + 19_000 });
}

test("the snapshot stands in place of all that was known", () => {
  const before = after(atTheTable(), TODAY, TAP, EVENT);
  const told = snapshot({ seq: 9, balance_micros: 70_000_000, last: [wonBet()] });
  const state = after(before, { type: "page:snapshot", snapshot: told, nowMs: NOW_MS + 20_000 });
  assert.equal(held(state).phase, "won");
  assert.deepEqual(
    state.results.map(({ betId }) => betId),
    [BET_ID],
  );
  assert.equal(state.account?.balance_micros, 70_000_000);
  assert.equal(state.account?.seq, 9);
  assert.equal(state.today, null, "it is to be counted anew");
  const empty = after(before, { type: "page:snapshot", snapshot: snapshot(), nowMs: NOW_MS });
  assert.deepEqual(empty.bets, {}, "a bet that the venue does not list is not held");
});

test("open bets of an earlier visit come with the snapshot", () => {
  const told = snapshot({ open: [listed()] });
  const state = after(atTheTable(), { type: "page:snapshot", snapshot: told, nowMs: NOW_MS });
  assert.deepEqual(held(state), {
    ...pending(),
    phase: "confirmed",
    betId: BET_ID,
    tappedAtMs: NOW_MS,
    phaseAtMs: NOW_MS,
  });
});

test("results that ended long ago are not put on the grid again", () => {
  const told = snapshot({ last: [wonBet()] });
  const nowMs = NOW_MS + 20_000 + ENDED_MS;
  const state = after(atTheTable(), { type: "page:snapshot", snapshot: told, nowMs });
  assert.deepEqual(state.bets, {});
  assert.equal(state.results.length, 1);
});

test("an unknown bet stays unknown over a snapshot without it, and is confirmed by one that has it", () => {
  const before = after(atTheTable(), TAP, LOST);
  const without = after(before, { type: "page:snapshot", snapshot: snapshot(), nowMs: NOW_MS });
  assert.equal(held(without).phase, "unknown");
  const told = snapshot({ open: [listed()] });
  const withIt = after(before, { type: "page:snapshot", snapshot: told, nowMs: NOW_MS });
  assert.equal(held(withIt).phase, "confirmed");
});

test("a bet that the page did not know of is shown once it is looked up", () => {
  const state = after(atTheTable(), { type: "page:found", bet: listed() });
  assert.equal(held(state).phase, "confirmed");
  const failed = listed({ status: "insufficient_funds" });
  const before = atTheTable();
  assert.equal(after(before, { type: "page:found", bet: failed }), before);
});

test("when another trader signs in, nothing of the former is left", () => {
  const before = after(atTheTable(), TODAY, TAP, EVENT, refusal(null));
  const another = { ...SESSION, wallet: "0x2b5ad5c4795c026514f8317c7a215e218dccd6cf" };
  for (const session of [NOBODY, another]) {
    const state = after(before, { type: "page:session", session });
    assert.deepEqual(state.bets, {});
    assert.deepEqual([state.results, state.refused], [[], []]);
    assert.equal(state.account, null);
    assert.equal(state.today, null);
    assert.deepEqual(after(state, REPLY).bets, {}, "nor does a late reply bring it back");
  }
});

test("one whose session has run out keeps what he saw", () => {
  const before = after(atTheTable(), TAP, EVENT);
  const state = after(before, {
    type: "page:session",
    session: { ...NOBODY, phase: "expired", kind: "demo" },
  });
  assert.equal(state.bets, before.bets);
  assert.equal(state.account, before.account);
});

test("of a session that is over nothing more is heard: its bets go once they must have ended", () => {
  const before = after(atTheTable(), TAP, EVENT, {
    type: "page:session",
    session: { ...NOBODY, phase: "expired", kind: "demo" },
  });
  const endsMs = (COLUMN_S + 20) * 1000;
  const still = after(before, { type: "page:tick", nowMs: endsMs + ENDED_MS });
  assert.equal(held(still).phase, "confirmed");
  const later = after(before, { type: "page:tick", nowMs: endsMs + ENDED_MS + 1 });
  assert.deepEqual(later.bets, {});
});
