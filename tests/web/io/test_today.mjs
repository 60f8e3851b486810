// Today's result, counted from a venue of real HTTP that has the bets given here.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { afterEach, test } from "node:test";
import { Api } from "../../../web/io/api.js";
import { VenueClock } from "../../../web/io/clock.js";
import { followToday } from "../../../web/io/today.js";
import { initialState } from "../../../web/state/state.js";
import { Store } from "../../../web/state/store.js";
import { reduce } from "../../../web/state/trading.js";

/** @import { Today } from "../../../web/state/state.js" */

const NOW_MS = Date.UTC(2026, 1, 3, 6, 26, 43);
const DAY_S = Date.UTC(2026, 1, 3) / 1000;
const WALLET = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf";

/** @type {(() => void)[]} */
const endings = [];
afterEach(() => {
  for (const end of endings.splice(0)) {
    end();
  }
});

/** @param {string} id @param {string} status @param {number | null} payout */
const bet = (id, status, payout) => ({
  bet_id: id,
  status,
  stake_micros: 1_000_000,
  payout_micros: payout,
});

/**
 * A page that is in, and a venue that answers each request as `answer` says, given its query.
 *
 * @param {(query: URLSearchParams, asked: number) => object | null | Promise<object>} answer null: 503
 * @param {VenueClock} [clock]
 */
async function pageOf(answer, clock = new VenueClock()) {
  let asked = 0;
  const server = createServer(async (request, response) => {
    asked += 1;
    const body = await answer(new URL(request.url ?? "", "http://venue").searchParams, asked);
    response.writeHead(body === null ? 503 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(body ?? { error: "store_unavailable", message: "Not now." }));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  endings.push(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const origin = `http://127.0.0.1:${address.port}`;
  clock.hear(NOW_MS);
  const store = new Store(reduce, initialState());
  followToday({ store, clock, api: new Api(() => "token", { origin }) });
  const session = { ...store.state.session, phase: /** @type {const} */ ("in"), wallet: WALLET };
  store.dispatch({ type: "page:session", session });
  return { store, asked: () => asked };
}

/**
 * @param {Store<import("../../../web/state/state.js").State, any>} store
 * @param {(today: Today | null) => boolean} isSo
 * @returns {Promise<Today | null>}
 */
function todayWhen(store, isSo) {
  return new Promise((resolve) => {
    const end = store.watch((state) => {
      if (isSo(state.today)) {
        end();
        resolve(state.today);
      }
    });
  });
}

/** @param {Today | null} today */
const isCounted = (today) => today !== null && today.state !== "loading";

const CONNECTED = { type: /** @type {const} */ ("page:connected"), atMs: 1 };

test("all pages since midnight UTC are added up, once the page is in and live", async () => {
  /** @type {(string | null)[]} */
  const froms = [];
  const { store, asked } = await pageOf((query) => {
    froms.push(query.get("from"));
    return query.get("cursor") === null
      ? { bets: [bet("B", "won", 1_850_000), bet("C", "confirmed", null)], next_cursor: "a b" }
      : { bets: [bet("A", query.get("cursor") === "a b" ? "lost" : "won", 0)], next_cursor: null };
  });
  assert.equal(asked(), 0);
  const counted = todayWhen(store, isCounted);
  store.dispatch(CONNECTED);
  assert.equal(store.state.today?.state, "loading");
  assert.deepEqual(await counted, {
    dayS: DAY_S,
    resultMicros: -150_000,
    ended: 2,
    state: "whole",
    counted: new Set(["A", "B"]),
  });
  assert.deepEqual(froms, [String(DAY_S * 1000), String(DAY_S * 1000)]);
});

test("more than ten pages are a part, and said to be", async () => {
  const { store, asked } = await pageOf((_, page) => ({
    bets: [bet(`B${page}`, "lost", 0)],
    next_cursor: "more",
  }));
  const counted = todayWhen(store, isCounted);
  store.dispatch(CONNECTED);
  const today = await counted;
  assert.deepEqual([today?.state, today?.ended, asked()], ["part", 10, 10]);
});

test("bets that end while they are counted count once, listed as ended already or as open", async () => {
  const { store } = await pageOf(async () => {
    for (const id of ["A", "B"]) {
      store.dispatch({
        type: "bet:resolved",
        bet_id: id,
        cell_id: "1770100015_4200000_4201000",
        status: "won",
        stake_micros: 1_000_000,
        payout_micros: 1_850_000,
        balance_micros: 100_850_000,
        resolved_at_ms: NOW_MS,
        seq: 3,
      });
    }
    return { bets: [bet("B", "confirmed", null), bet("A", "won", 1_850_000)], next_cursor: null };
  });
  const counted = todayWhen(store, isCounted);
  store.dispatch(CONNECTED);
  const today = await counted;
  assert.deepEqual([today?.resultMicros, today?.ended], [1_700_000, 2]);
});

test("what fails is asked again, after ten seconds", async () => {
  const clock = new SteppedClock();
  /** @type {number[]} */
  const askedAtMs = [];
  const { store } = await pageOf((_, asked) => {
    askedAtMs.push(clock.ms);
    return asked === 1 ? null : { bets: [], next_cursor: null };
  }, clock);
  store.dispatch(CONNECTED);
  while (!isCounted(store.state.today)) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.ms += 100;
    store.dispatch({ type: "page:tick", nowMs: NOW_MS });
  }
  const [firstMs = 0, secondMs = 0] = askedAtMs;
  assert.equal(askedAtMs.length, 2);
  assert.ok(secondMs >= firstMs + 10_000);
});

class SteppedClock extends VenueClock {
  ms = 0;
  pageMs() {
    return this.ms;
  }
}
