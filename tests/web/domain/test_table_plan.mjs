// Rules: columns of 5 s, one locked after the running one, 3 to tap; rows of 10 USD.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ENDED_STAYS_MS,
  firstOpen,
  nearestRow,
  ROWS_STAY,
  tablePlan,
} from "../../../web/domain/table_plan.js";
import { initialState } from "../../../web/state/state.js";

const NOW_MS = 1_770_100_003_000;
const NOTHING_SHOWN = { before: { columns: [], rows: [] }, at: null };

/** @type {import("../../../web/state/state.js").Rules} */
const RULES = {
  server_time_ms: NOW_MS,
  chain_id: 1,
  column_s: 5,
  row_cents: 1_000,
  lockout_columns: 1,
  horizon_columns: 3,
  presets_micros: [],
  rule: "touch",
};

/** @type {import("../../../web/types/wire.js").GridFrame} */
const QUOTE = {
  type: "grid",
  n: 1,
  published_at_ms: NOW_MS,
  price_cents: 6_500_512,
  column_s: 5,
  row_cents: 1_000,
  first_column_s: 1_770_100_010,
  lowest_row_cents: 6_498_000,
  rows: 5,
  rates: [0, 20_000, 18_000, 0, 0, 0, 0, 18_000, 21_000, 0],
};

/**
 * @param {Partial<import("../../../web/state/state.js").Market>} [market]
 * @param {readonly import("../../../web/state/state.js").HeldBet[]} [held]
 */
function stateWith(market = {}, held = []) {
  const state = initialState();
  return {
    ...state,
    market: { ...state.market, rules: RULES, quote: QUOTE, ...market },
    bets: Object.fromEntries(held.map((bet) => [bet.cellId, bet])),
  };
}

/**
 * @param {Partial<import("../../../web/state/state.js").HeldBet>} change
 * @returns {import("../../../web/state/state.js").HeldBet}
 */
function bet(change) {
  const { columnStartS = 1_770_100_010, loCents = 6_500_000 } = change;
  return {
    cellId: `${columnStartS}_${loCents}_${loCents + 1_000}`,
    columnStartS,
    columnS: 5,
    loCents,
    hiCents: loCents + 1_000,
    phase: "confirmed",
    betId: null,
    nonce: null,
    stakeMicros: 1_000_000,
    rewardBps: 18_000,
    payoutMicros: null,
    tappedAtMs: NOW_MS,
    phaseAtMs: NOW_MS,
    ...change,
  };
}

/** @param {import("../../../web/domain/table_plan.js").TablePlan} plan */
const startsOf = ({ columns }) =>
  columns.map(({ startS, phase }) => [startS - 1_770_100_000, phase]);

const OPEN = [
  [10, "open"],
  [15, "open"],
  [20, "open"],
];

test("columns are those that may be tapped", () => {
  assert.deepEqual(startsOf(tablePlan(stateWith(), NOW_MS, NOTHING_SHOWN)), OPEN);
});

test("a column that can't be tapped any more is shown with a bet in it", () => {
  const bets = [bet({ columnStartS: 1_770_100_005 }), bet({ columnStartS: 1_770_100_000 })];
  assert.deepEqual(startsOf(tablePlan(stateWith({}, bets), NOW_MS, NOTHING_SHOWN)), [
    [0, "running"],
    [5, "closed"],
    ...OPEN,
  ]);
});

test("the column of the focus stays until it is over", () => {
  const at = { columnStartS: 1_770_100_000, loCents: 6_500_000, hiCents: 6_501_000 };
  const shown = { ...NOTHING_SHOWN, at };
  assert.deepEqual(startsOf(tablePlan(stateWith(), NOW_MS, shown)), [[0, "running"], ...OPEN]);
  assert.deepEqual(
    startsOf(tablePlan(stateWith(), NOW_MS + 2_000, shown)).map(([, phase]) => phase),
    ["open", "open", "open"],
  );
});

test("a column that is over stays while a bet in it waits, and a moment longer", () => {
  const over = 1_770_099_990;
  const starts = (/** @type {Partial<import("../../../web/state/state.js").HeldBet>} */ change) =>
    tablePlan(
      stateWith({}, [bet({ columnStartS: over, ...change })]),
      NOW_MS,
      NOTHING_SHOWN,
    ).columns.filter((column) => column.phase === "over");
  assert.deepEqual(starts({}), [{ startS: over, endS: over + 5, phase: "over" }]);
  assert.equal(starts({ phase: "lost", phaseAtMs: NOW_MS - ENDED_STAYS_MS + 1 }).length, 1);
  assert.equal(starts({ phase: "lost", phaseAtMs: NOW_MS - ENDED_STAYS_MS }).length, 0);
});

test("rows are those on offer, from the highest price down, with the price's own marked", () => {
  const { rows } = tablePlan(stateWith(), NOW_MS, NOTHING_SHOWN);
  assert.deepEqual(
    rows.map(({ loCents, hasPrice }) => [loCents, hasPrice]),
    [
      [6_501_000, false],
      [6_500_000, true],
      [6_499_000, false],
    ],
  );
  const trail = [{ ts_ms: NOW_MS, price_cents: 6_499_999 }];
  const moved = tablePlan(stateWith({ trail }), NOW_MS, NOTHING_SHOWN).rows;
  assert.equal(moved.find((row) => row.hasPrice)?.loCents, 6_499_000, "the newest price counts");
});

test("a bet's row is shown far from the price, too, and set apart", () => {
  const { rows } = tablePlan(stateWith({}, [bet({ loCents: 6_510_000 })]), NOW_MS, NOTHING_SHOWN);
  assert.deepEqual(
    rows.map(({ loCents, isApart }) => [loCents, isApart]),
    [
      [6_510_000, false],
      [6_501_000, true],
      [6_500_000, false],
      [6_499_000, false],
    ],
  );
});

test("rows that were shown stay while they are near, and where the focus is", () => {
  const before = tablePlan(stateWith(), NOW_MS, NOTHING_SHOWN);
  const near = { ...QUOTE, lowest_row_cents: QUOTE.lowest_row_cents + ROWS_STAY * 1_000 };
  const far = { ...near, lowest_row_cents: near.lowest_row_cents + 1_000 };
  const lowest = (/** @type {typeof QUOTE} */ quote, /** @type {any} */ at = null) =>
    tablePlan(stateWith({ quote }), NOW_MS, { before, at }).rows.at(-1)?.loCents;
  assert.equal(lowest(near), 6_499_000);
  assert.equal(lowest(far), 6_500_000);
  const at = { columnStartS: 1_770_100_010, loCents: 6_499_000, hiCents: 6_500_000 };
  assert.equal(lowest(far, at), 6_499_000);
});

test("while nothing is offered the rows stay as they were", () => {
  const before = tablePlan(stateWith(), NOW_MS, NOTHING_SHOWN);
  const without = tablePlan(stateWith({ quote: null }), NOW_MS, { before, at: null });
  assert.deepEqual(
    without.rows.map((row) => row.loCents),
    before.rows.map((row) => row.loCents),
  );
  assert.deepEqual(tablePlan(stateWith({ quote: null }), NOW_MS, NOTHING_SHOWN).rows, []);
  assert.deepEqual(tablePlan(stateWith({ rules: null }), NOW_MS, NOTHING_SHOWN).columns, []);
});

test("from a column that is gone the focus goes to the first to tap, in the nearest row", () => {
  const plan = tablePlan(stateWith(), NOW_MS, NOTHING_SHOWN);
  assert.equal(firstOpen(plan)?.startS, 1_770_100_010);
  assert.equal(nearestRow(plan, 6_530_000)?.loCents, 6_501_000);
  assert.equal(nearestRow({ columns: [], rows: [] }, 1), null);
});
