import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bandWords,
  cellLook,
  cellWords,
  heldWord,
  stateWords,
  timeWords,
} from "../../../web/domain/cell_words.js";
import { cellId } from "../../../web/domain/grid.js";
import { initialState } from "../../../web/state/state.js";

const CELL = { columnStartS: 1_770_100_015, loCents: 6_499_000, hiCents: 6_500_000 };
const ID = cellId(CELL);
const NOW_MS = 1_770_100_003_000;

/** @type {import("../../../web/domain/cell_words.js").CellLook} */
const OFFERED = {
  cell: CELL,
  columnS: 5,
  rewardBps: 18_599,
  placeable: true,
  held: null,
  refused: null,
};

/** @type {import("../../../web/state/state.js").HeldBet} */
const HELD = {
  cellId: ID,
  columnStartS: CELL.columnStartS,
  columnS: 5,
  loCents: CELL.loCents,
  hiCents: CELL.hiCents,
  phase: "confirmed",
  betId: "01KGH6JZ9W5Q8XN4T2R7V3M1CA",
  nonce: null,
  stakeMicros: 5_000_000,
  rewardBps: 18_500,
  payoutMicros: null,
  tappedAtMs: NOW_MS,
  phaseAtMs: NOW_MS,
};

test("a cell that is offered says where, when and what it pays", () => {
  assert.equal(cellWords(OFFERED, NOW_MS), "64,990 to 65,000, opens in 12 seconds, pays 1.85x");
});

test("a cell that can't be tapped says so, and why there is no rate", () => {
  const closed = { ...OFFERED, placeable: false };
  assert.match(cellWords(closed, NOW_MS), /, closed for taps$/);
  assert.match(cellWords({ ...OFFERED, rewardBps: 0 }, NOW_MS), /, not offered$/);
});

test("a held cell says what became of the bet, offered or not", () => {
  const held = { ...OFFERED, placeable: false, held: HELD };
  assert.match(cellWords(held, NOW_MS), /, your bet at 1\.85x, 5 placed$/);
});

test("every phase has words, and money is claimed only by the venue's figure", () => {
  /** @type {[Partial<typeof HELD>, string][]} */
  const phases = [
    [{ phase: "pending" }, "5 sent, not confirmed yet"],
    [{ phase: "confirmed" }, "5 placed"],
    [
      { phase: "unknown" },
      "5 unknown, the connection was lost before an answer, the venue is being asked",
    ],
    [{ phase: "won", payoutMicros: 9_250_000 }, "won 9.25"],
    [{ phase: "won", payoutMicros: null }, "won"],
    [{ phase: "lost", payoutMicros: 0 }, "5 lost"],
    [{ phase: "void", payoutMicros: 5_000_000 }, "5 refunded, it could not be judged"],
  ];
  for (const [change, words] of phases) {
    const held = { ...HELD, ...change };
    assert.equal(stateWords({ ...OFFERED, held }), `your bet at 1.85x, ${words}`);
    assert.ok(words.startsWith(heldWord(held)), "what is read on the cell is said of it");
  }
});

test("a refusal is said with the offer that still stands", () => {
  const refused = {
    cellId: ID,
    code: /** @type {const} */ ("quote_expired"),
    text: "Rate moved to 1.72x: tap again",
    atMs: NOW_MS,
  };
  assert.equal(
    stateWords({ ...OFFERED, refused }),
    "pays 1.85x, refused: Rate moved to 1.72x: tap again",
  );
});

test("seconds are counted towards the opening, then towards the end, then since", () => {
  const at = (/** @type {number} */ ms) => timeWords(OFFERED, CELL.columnStartS * 1000 + ms);
  assert.deepEqual([-1_000, -1, 0, 4_001, 4_999, 5_000, 6_000, 8_999].map(at), [
    "opens in 1 second",
    "opens in 1 second",
    "runs now, 5 seconds left",
    "runs now, 1 second left",
    "runs now, 1 second left",
    "ended 0 seconds ago",
    "ended 1 second ago",
    "ended 3 seconds ago",
  ]);
});

test("edges have cents only where there are any", () => {
  assert.equal(bandWords({ loCents: 4_200_050, hiCents: 4_200_100 }), "42,000.50 to 42,001");
});

test("what is known of a cell comes from the quote, the rules and the bets", () => {
  const state = initialState();
  /** @type {import("../../../web/state/state.js").Rules} */
  const rules = {
    server_time_ms: NOW_MS,
    chain_id: 1,
    column_s: 5,
    row_cents: 1_000,
    lockout_columns: 1,
    horizon_columns: 12,
    presets_micros: [],
    rule: "touch",
  };
  assert.deepEqual(cellLook(state, CELL, ID, NOW_MS), {
    ...OFFERED,
    columnS: 0,
    rewardBps: 0,
    placeable: false,
  });
  /** @type {import("../../../web/types/wire.js").GridFrame} */
  const quote = {
    type: "grid",
    n: 1,
    published_at_ms: NOW_MS,
    price_cents: 6_499_500,
    column_s: 5,
    row_cents: 1_000,
    first_column_s: 1_770_100_010,
    lowest_row_cents: 6_499_000,
    rows: 1,
    rates: [21_000, 18_599],
  };
  const known = {
    ...state,
    market: { ...state.market, rules, quote },
    bets: { [ID]: HELD },
  };
  const look = cellLook(known, { ...CELL, hiCents: 6_500_000 }, ID, NOW_MS);
  assert.equal(look.rewardBps, 18_599);
  assert.equal(look.placeable, true);
  assert.equal(look.held, HELD);
  // Two columns later the cell's column is the one after the running one: too late.
  assert.equal(cellLook(known, CELL, ID, NOW_MS + 7_000).placeable, false);
});
