// The account's events in their order, the market, the connection, the day.

import assert from "node:assert/strict";
import { test } from "node:test";
import { seqAfter } from "../../../web/state/account.js";
import { initialState, QUOTE_MS, TRAIL_MS } from "../../../web/state/state.js";
import {
  ACCOUNT,
  after,
  atTheTable,
  confirmed,
  NOW_MS,
  openVenue,
  QUOTE,
  resolved,
  STATUS,
  snapshot,
} from "../support/states.mjs";

/** @import { TradingEvent } from "../../../web/state/events.js" */

/** @param {number} seq @returns {TradingEvent & {type: "balance"}} */
const deposit = (seq) => ({
  type: "balance",
  reason: "deposit",
  amount_micros: 5_000_000,
  balance_micros: 105_000_000,
  reference: "faucet",
  seq,
});

test("an event is taken once, in its order", () => {
  const state = after(atTheTable(), deposit(2));
  assert.equal(state.account?.balance_micros, 105_000_000);
  assert.equal(state.account?.seq, 2);
  assert.equal(after(state, deposit(2)), state);
  assert.equal(after(state, deposit(1)), state);
  assert.deepEqual([seqAfter(state, deposit(2)), seqAfter(state, deposit(1))], ["known", "known"]);
});

test("what comes after a gap is not taken, for what is missing comes first", () => {
  const state = atTheTable();
  for (const event of [deposit(3), confirmed({ seq: 3 }), resolved({ seq: 3 })]) {
    assert.equal(seqAfter(state, event), "gap");
    assert.equal(after(state, event), state);
  }
  assert.equal(seqAfter(state, deposit(2)), "next");
});

test("events of a trader of whom nothing is known yet are not taken", () => {
  const state = openVenue();
  assert.equal(after(state, deposit(1)), state);
});

test("limits and a freeze are taken over, and nothing of the money", () => {
  const limits = { ...ACCOUNT.limits, stake_max_micros: 1_000_000 };
  const state = after(atTheTable(), {
    type: "account",
    what: "limits",
    frozen: true,
    limits,
    reference: "",
    seq: 2,
  });
  assert.deepEqual(state.account, { ...ACCOUNT, frozen: true, limits, seq: 2 });
});

test("a refused stake that is on record changes no money", () => {
  const state = after(atTheTable(), {
    type: "bet:failed",
    bet_id: "01KGH6JZ9W5Q8XN4T2R7V3M1CB",
    cell_id: "1_0_1000",
    error: "insufficient_funds",
    message: "",
    seq: 2,
  });
  assert.deepEqual(state.account, { ...ACCOUNT, seq: 2 });
});

test("that all is known again changes nothing by itself", () => {
  const state = atTheTable();
  assert.equal(after(state, { type: "page:resumed", nowMs: NOW_MS }), state);
  assert.equal(after(state, { type: "page:tick", nowMs: NOW_MS }), state);
});

/** @param {number} ts_ms @returns {TradingEvent & {type: "price"}} */
const price = (ts_ms, price_cents = 4_200_500) => ({
  type: "price",
  ts_ms,
  price_cents,
  trade_id: ts_ms,
  source: "binance",
});

test("the trail holds two minutes, oldest first, and never goes back", () => {
  const state = after(
    openVenue(),
    price(NOW_MS - TRAIL_MS - 1),
    price(NOW_MS - TRAIL_MS),
    price(NOW_MS - 1),
    price(NOW_MS),
    price(NOW_MS - 500),
    price(NOW_MS, 4_200_600),
  );
  assert.deepEqual(
    state.market.trail.map(({ ts_ms }) => ts_ms - NOW_MS),
    [-TRAIL_MS, -1, 0, 0],
  );
});

test("prices that stop scroll out, and only the last one is left", () => {
  const state = after(openVenue(), price(NOW_MS - 10), price(NOW_MS), {
    type: "page:tick",
    nowMs: NOW_MS + TRAIL_MS + 1,
  });
  assert.deepEqual(state.market.trail, [{ ts_ms: NOW_MS, price_cents: 4_200_500 }]);
});

test("the past goes before what was heard live, and nothing is twice", () => {
  const past = [NOW_MS - TRAIL_MS - 5, NOW_MS - 30, NOW_MS - 20, NOW_MS - 10].map((ts_ms) => ({
    ts_ms,
    price_cents: 1,
  }));
  const state = after(openVenue(), price(NOW_MS - 20), price(NOW_MS), {
    type: "page:past",
    points: past,
  });
  assert.deepEqual(
    state.market.trail.map(({ ts_ms, price_cents }) => [ts_ms - NOW_MS, price_cents]),
    [
      [-30, 1],
      [-20, 1],
      [-10, 1],
      [0, 4_200_500],
    ],
  );
  assert.equal(after(state, { type: "page:past", points: [] }), state);
});

test("a quote is gone when the venue says so, or makes no other", () => {
  const state = openVenue();
  assert.equal(state.market.quote, QUOTE);
  assert.equal(after(state, { type: "grid", n: null }).market.quote, null);
  const kept = after(state, { type: "page:tick", nowMs: NOW_MS + QUOTE_MS });
  assert.equal(kept.market.quote, QUOTE);
  const old = after(state, { type: "page:tick", nowMs: NOW_MS + QUOTE_MS + 1 });
  assert.equal(old.market.quote, null);
});

/** @param {number} atMs @returns {TradingEvent} */
const lost = (atMs, drained = false) => ({
  type: "page:lost",
  atMs,
  nowMs: NOW_MS,
  retryAtMs: atMs + 500,
  drained,
});

test("a lost connection stays lost from when it was, until it is back", () => {
  const state = after(openVenue(), lost(1_000));
  assert.deepEqual(state.connection, { phase: "lost", sinceMs: 1_000, retryAtMs: 1_500 });
  assert.equal(state.market.status, null, "what it last said of itself it no longer says");
  const trying = after(state, { type: "page:connecting", atMs: 1_500 });
  assert.deepEqual(trying.connection, { phase: "lost", sinceMs: 1_000, retryAtMs: null });
  const again = after(trying, lost(2_000));
  assert.deepEqual(again.connection, { phase: "lost", sinceMs: 1_000, retryAtMs: 2_500 });
  const back = after(again, { type: "page:connected", atMs: 3_000 });
  assert.deepEqual(back.connection, { phase: "live", sinceMs: 3_000, retryAtMs: null });
});

test("a venue that said it is stopping is drained, with the time to come back", () => {
  const state = after(openVenue(), lost(1_000, true));
  assert.deepEqual(state.connection, { phase: "drained", sinceMs: 1_000, retryAtMs: 1_500 });
});

test("the first attempt is connecting, not lost", () => {
  const state = after(initialState(), { type: "page:connecting", atMs: 7 });
  assert.equal(state.connection.phase, "connecting");
});

test("the day begins anew at 00:00 UTC", () => {
  const dayS = 1_770_076_800;
  const state = after(atTheTable(), {
    type: "page:today",
    today: { dayS, resultMicros: 5, ended: 2, state: "part" },
  });
  const still = after(state, { type: "page:tick", nowMs: (dayS + 86_400) * 1000 - 1 });
  assert.equal(still.today?.resultMicros, 5);
  const next = after(state, { type: "page:tick", nowMs: (dayS + 86_400) * 1000 });
  assert.deepEqual(next.today, {
    dayS: dayS + 86_400,
    resultMicros: 0,
    ended: 0,
    state: "whole",
  });
});

test("a heartbeat is kept as it came", () => {
  const told = { ...STATUS, feed_age_ms: 5_000 };
  assert.equal(after(openVenue(), told).market.status, told);
});

test("the snapshot's lists are no part of the account", () => {
  const state = after(atTheTable(), {
    type: "page:snapshot",
    snapshot: snapshot({ seq: 4 }),
    nowMs: NOW_MS,
  });
  assert.deepEqual(state.account, { ...ACCOUNT, seq: 4 });
});
