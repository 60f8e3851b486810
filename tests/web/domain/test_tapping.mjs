// Which taps are sent, and what is said of the others.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decideTap } from "../../../web/domain/tapping.js";
import {
  ACCOUNT,
  after,
  atTheTable,
  CELL,
  COLUMN_S,
  NOBODY,
  NOW_MS,
  OTHER_CELL,
  openVenue,
  pending,
  QUOTE,
  RULES,
  resolved,
  SESSION,
  STATUS,
  snapshot,
  WALLET,
} from "../support/states.mjs";

/** @import { TradingEvent } from "../../../web/state/events.js" */

/** @param {Partial<import("../../../web/state/state.js").View>} view @returns {TradingEvent} */
const look = (view) => ({ type: "page:view", view });
/** @param {Partial<import("../../../web/state/state.js").Session>} session @returns {TradingEvent} */
const session = (session) => ({ type: "page:session", session: { ...SESSION, ...session } });
/** @param {Parameters<typeof snapshot>[0]} told @returns {TradingEvent} */
const account = (told) => ({ type: "page:snapshot", snapshot: snapshot(told), nowMs: NOW_MS });
/** @param {Partial<import("../../../web/types/wire.js").Limits>} limits */
const limited = (limits) => account({ limits: { ...ACCOUNT.limits, ...limits } });

test("a tap on an offered cell is sent at the rate shown, signed for by the quote shown", () => {
  const exact = after(atTheTable(), look({ toleranceBps: 0 }));
  const { draft } = decideTap(exact, CELL, NOW_MS);
  assert.deepEqual(draft, {
    cell: { columnStartS: COLUMN_S + 15, loCents: 4_200_000, hiCents: 4_201_000 },
    cellId: CELL,
    columnS: 5,
    stakeMicros: 1_000_000,
    rewardBps: 18_500,
    leastBps: 18_500,
    quoteN: 812,
    chainId: 31_337,
    wallet: WALLET,
    keyId: SESSION.key?.keyId,
  });
});

test("a tolerance lowers the least rate, and never by more than was chosen", () => {
  const state = after(atTheTable(), look({ toleranceBps: 99 }));
  assert.equal(decideTap(state, CELL, NOW_MS).draft?.leastBps, 18_317); // 18,316.85
});

/** @type {[string, TradingEvent[], string][]} */
const REFUSED = [
  ["nobody is signed in", [{ type: "page:session", session: NOBODY }], "Sign in to tap"],
  [
    "he is being signed in",
    [session({ phase: "signing_in" })],
    "You are being signed in: tap again in a moment",
  ],
  [
    "his session has ended",
    [session({ phase: "expired" })],
    "Your session has ended. Sign in again",
  ],
  ["his session has no key", [session({ key: null })], "Your key has ended. Sign in again"],
  [
    "his key has ended",
    [session({ key: { keyId: "k", betMaxMicros: 1e9, dayMaxMicros: 1e9, expiresAtMs: NOW_MS } })],
    "Your key has ended. Sign in again",
  ],
  [
    "the connection is lost",
    [{ type: "page:lost", atMs: 1, nowMs: 1, retryAtMs: 2, drained: false }],
    "Not connected: nothing was sent",
  ],
  [
    "the venue restarts",
    [{ type: "page:lost", atMs: 1, nowMs: 1, retryAtMs: 2, drained: true }],
    "The venue is restarting. Not placed",
  ],
  ["it is about to", [{ ...STATUS, draining: true }], "The venue is restarting. Not placed"],
  ["betting is held", [{ ...STATUS, held: true }], "Betting is on hold"],
  [
    "the feed is not to be trusted",
    [{ ...STATUS, breaker: "open" }],
    "Betting is suspended: prices do not come reliably",
  ],
  [
    "an operator has opened the breaker",
    [{ ...STATUS, breaker: "open", override: "open" }],
    "An operator has suspended betting",
  ],
  ["the disk is full", [{ ...STATUS, disk_full: true }], "The venue can't take bets just now"],
  ["the account is frozen", [account({ frozen: true })], "This account is frozen"],
  ["he has paused", [limited({ paused_until_ms: NOW_MS + 1 })], "You have paused betting"],
  ["nothing is offered", [{ type: "grid", n: null }], "No rates are offered just now"],
  [
    "he holds the cell",
    [{ type: "page:tapped", bet: pending() }],
    "You hold a bet on this cell already",
  ],
  [
    "he has held it, and it has ended",
    [resolved({ seq: 2 })],
    "You hold a bet on this cell already",
  ],
  [
    "the stake is no preset",
    [look({ stakeMicros: 2_000_000 })],
    "This stake is not offered. Choose another",
  ],
  [
    "the stake is over his own limit",
    [look({ stakeMicros: 5_000_000 }), limited({ stake_max_micros: 1_000_000 })],
    "Over your own limit of 1 USD a bet",
  ],
  [
    "the stake is over his key's limit",
    [
      look({ stakeMicros: 5_000_000 }),
      session({ key: { keyId: "k", betMaxMicros: 1e6, dayMaxMicros: 1e9, expiresAtMs: 2e15 } }),
    ],
    "Over your key's limit of 1 USD a bet",
  ],
  [
    "the stake is over what his key may stake in a day",
    [
      look({ stakeMicros: 5_000_000 }),
      session({ key: { keyId: "k", betMaxMicros: 1e9, dayMaxMicros: 1e6, expiresAtMs: 2e15 } }),
    ],
    "Over your key's limit of 1 USD a day",
  ],
  [
    "the balance does not cover the stake",
    [account({ balance_micros: 999_999 })],
    "Your balance does not cover this stake",
  ],
  [
    "a tap on its way has taken the balance",
    [
      account({ balance_micros: 1_999_999 }),
      { type: "page:tapped", bet: pending({ cellId: OTHER_CELL, nonce: "another" }) },
    ],
    "Your balance does not cover this stake",
  ],
];
for (const [name, events, text] of REFUSED) {
  test(`a tap is refused at once where ${name}`, () => {
    const { draft, refusal } = decideTap(after(atTheTable(), ...events), CELL, NOW_MS);
    assert.equal(draft, null);
    assert.equal(refusal?.text, text);
  });
}

test("an account that is still being read is waited for", () => {
  const state = after(openVenue(), { type: "page:session", session: SESSION });
  const { refusal } = decideTap(state, CELL, NOW_MS);
  assert.equal(refusal?.text, "Your account is being read: tap again in a moment");
});

test("columns that are locked out or not yet open are refused by the venue's time", () => {
  const state = atTheTable();
  const lockedMs = (COLUMN_S + 10) * 1000; // current + 1
  assert.notEqual(decideTap(state, CELL, lockedMs - 1).draft, null);
  assert.equal(decideTap(state, CELL, lockedMs).refusal?.text, "Too late for this cell");
  const early = `${COLUMN_S + 70}_4200000_4201000`;
  assert.equal(decideTap(state, early, NOW_MS).refusal?.text, "Too early for this cell");
});

test("a cell that is not on the grid, or has no rate, is refused", () => {
  const state = atTheTable();
  const none = `${COLUMN_S + 15}_4201000_4202000`;
  assert.equal(decideTap(state, none, NOW_MS).refusal?.text, "No rate is offered on this cell");
  for (const id of ["", "1_2_3", `${COLUMN_S + 15}_4200000_4202000`, `${COLUMN_S + 16}_0_1000`]) {
    assert.equal(decideTap(state, id, NOW_MS).refusal?.code, "cell_unavailable");
  }
});

test("of several reasons the one that he can do least about comes first", () => {
  const state = after(
    atTheTable(),
    { ...STATUS, held: true },
    look({ stakeMicros: 2_000_000 }),
    account({ balance_micros: 0 }),
  );
  assert.equal(decideTap(state, CELL, NOW_MS).refusal?.code, "held");
});

test("every cell that the quote offers can be tapped while its column is open", () => {
  const state = atTheTable();
  const ids = QUOTE.rates.slice(0, 5).map((_, index) => {
    const startS = QUOTE.first_column_s + Math.floor(index / 3) * RULES.column_s;
    const lo = QUOTE.lowest_row_cents + (index % 3) * RULES.row_cents;
    return `${startS}_${lo}_${lo + RULES.row_cents}`;
  });
  assert.ok(ids.every((id) => decideTap(state, id, NOW_MS).draft !== null));
});
