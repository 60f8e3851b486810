// A trader's bets as a list, newest first.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  emptyList,
  queryOf,
  resultText,
  withConfirmed,
  withFirst,
  withNext,
  withResolved,
} from "../../../web/domain/bet_list.js";

/** @import { BetList } from "../../../web/domain/bet_list.js" */
/** @import { Bet, BetConfirmedFrame, BetResolvedFrame, Bets } from "../../../web/types/wire.js" */

/**
 * @param {string} id
 * @param {Partial<Bet>} [more]
 * @returns {Bet}
 */
function bet(id, more = {}) {
  return {
    bet_id: id,
    cell_id: "1770100010_4200000_4201000",
    status: "confirmed",
    stake_micros: 5_000_000,
    reward_bps: 18_500,
    payout_micros: null,
    placed_at_ms: 1_770_100_000_000,
    resolved_at_ms: null,
    nonce: id,
    key_id: null,
    quote: 1,
    rule: "touch",
    column_start_s: 1_770_100_010,
    column_s: 5,
    lo_cents: 4_200_000,
    hi_cents: 4_201_000,
    ...more,
  };
}

/**
 * @param {readonly string[]} ids
 * @param {string | null} [next]
 * @param {string[]} [archived]
 * @returns {Bets}
 */
function page(ids, next = null, archived) {
  const bets = ids.map((id) => bet(id));
  return archived === undefined
    ? { bets, next_cursor: next }
    : { bets, next_cursor: next, archived };
}

/** @param {BetList} list */
function ids({ rows }) {
  return rows?.map((row) => row.bet_id);
}

/**
 * @param {string} id
 * @returns {BetConfirmedFrame}
 */
function confirmed(id) {
  const { cell_id, reward_bps, stake_micros, placed_at_ms } = bet(id);
  return {
    type: "bet:confirmed",
    status: "confirmed",
    bet_id: id,
    cell_id,
    reward_bps,
    stake_micros,
    placed_at_ms,
    balance_micros: 0,
    seq: 1,
  };
}

/**
 * @param {string} id
 * @returns {BetResolvedFrame}
 */
function resolved(id) {
  return {
    type: "bet:resolved",
    bet_id: id,
    cell_id: bet(id).cell_id,
    status: "won",
    stake_micros: 5_000_000,
    payout_micros: 9_250_000,
    balance_micros: 0,
    resolved_at_ms: 1,
    seq: 2,
  };
}

const TWO = withFirst(emptyList("all"), page(["d", "c"], "after_c"));

test("the venue is asked for a page by status and cursor", () => {
  assert.equal(queryOf("all", null), "/api/bets?limit=50");
  assert.equal(queryOf("void", null), "/api/bets?limit=50&status=void");
  assert.equal(queryOf("open", "1_A"), "/api/bets?limit=50&status=confirmed&cursor=1_A");
});

test("pages follow one another, each bet once", () => {
  const whole = withNext(TWO, page(["c", "b", "a"]));
  assert.deepEqual(ids(whole), ["d", "c", "b", "a"]);
  assert.equal(whole.cursor, null);
});

test("the first page asked for again goes before what lies behind it", () => {
  const long = withNext(TWO, page(["b", "a"], "after_a"));
  const again = withFirst(long, page(["e", "d"], "after_d"));
  assert.deepEqual(ids(again), ["e", "d", "c", "b", "a"]);
  assert.equal(again.cursor, "after_a");
});

test("where the two do not meet, what lies between is not passed over", () => {
  const again = withFirst(TWO, page(["z", "y"], "after_y"));
  assert.deepEqual(ids(again), ["z", "y"]);
  assert.equal(again.cursor, "after_y");
});

test("what the venue does not list any more goes", () => {
  const open = withFirst(emptyList("open"), page(["b", "a"]));
  assert.deepEqual(ids(withFirst(open, page(["b"]))), ["b"]);
});

test("weeks that are missing are gathered from all pages", () => {
  const list = withNext(
    withFirst(emptyList("all"), page(["b"], "x", ["2026-11-08"])),
    page(["a"], null, ["2026-11-01", "2026-11-08"]),
  );
  assert.deepEqual(list.archived, ["2026-11-01", "2026-11-08"]);
});

test("a bet that is placed comes first, once, with the range of its cell", () => {
  const list = withConfirmed(TWO, confirmed("e"));
  assert.deepEqual(ids(list), ["e", "d", "c"]);
  assert.deepEqual([list.rows?.[0]?.lo_cents, list.rows?.[0]?.hi_cents], [4_200_000, 4_201_000]);
  assert.equal(withConfirmed(list, confirmed("e")), list);
});

test("a bet that is placed is not among the won ones, nor in a list that was never asked for", () => {
  const won = withFirst(emptyList("won"), page([]));
  assert.equal(withConfirmed(won, confirmed("e")), won);
  const fresh = emptyList("all");
  assert.equal(withConfirmed(fresh, confirmed("e")), fresh);
});

test("a bet that ends says so in its place", () => {
  const list = withResolved(TWO, resolved("c"));
  assert.deepEqual(ids(list), ["d", "c"]);
  assert.deepEqual([list.rows?.[1]?.status, list.rows?.[1]?.payout_micros], ["won", 9_250_000]);
  assert.equal(withResolved(list, resolved("c")), list);
  assert.equal(withResolved(list, resolved("nowhere")), list);
});

test("a bet that ends goes from the open ones", () => {
  const open = withFirst(emptyList("open"), page(["d", "c"]));
  assert.deepEqual(ids(withResolved(open, resolved("c"))), ["d"]);
});

test("what came of a bet has its sign; nothing has come of an open one", () => {
  assert.equal(resultText(bet("a", { status: "won", payout_micros: 9_250_000 })), "+4.25");
  assert.equal(resultText(bet("a", { status: "lost", payout_micros: 0 })), "−5.00");
  assert.equal(resultText(bet("a", { status: "void", payout_micros: 5_000_000 })), "0.00");
  assert.equal(resultText(bet("a")), "");
  assert.equal(resultText(bet("a", { status: "insufficient_funds" })), "");
});
