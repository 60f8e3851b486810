import assert from "node:assert/strict";
import { test } from "node:test";
import { suspension } from "../../../web/domain/suspension.js";
import { initialState } from "../../../web/state/state.js";
import { ACCOUNT, NOW_MS, QUOTE, STATUS } from "../support/states.mjs";

/** @import { Account, StatusFrame } from "../../../web/types/wire.js" */
/** @import { Connection } from "../../../web/state/state.js" */

const LIVE = { phase: /** @type {const} */ ("live"), sinceMs: 1, retryAtMs: null };

/**
 * @param {{connection?: Connection, status?: Partial<StatusFrame> | null, quote?: null,
 *   account?: Partial<Account> | null, pausedUntilMs?: number}} but what is otherwise than well
 */
function stateBut({ connection = LIVE, status = {}, quote, account = {}, pausedUntilMs = 0 }) {
  const { market } = initialState();
  const limits = { ...ACCOUNT.limits, paused_until_ms: pausedUntilMs };
  return {
    connection,
    market: {
      ...market,
      quote: quote === null ? null : QUOTE,
      status: status === null ? null : { ...STATUS, ...status },
    },
    account: account === null ? null : { ...ACCOUNT, limits, ...account },
  };
}

test("a live venue that is well takes taps, signed in or not", () => {
  assert.equal(suspension(stateBut({}), NOW_MS), null);
  assert.equal(suspension(stateBut({ account: null }), NOW_MS), null);
});

test("a degraded feed takes taps", () => {
  assert.equal(suspension(stateBut({ status: { level: "degraded" } }), NOW_MS), null);
});

test("before the first heartbeat there is nothing to say", () => {
  assert.equal(suspension(stateBut({ status: null, quote: null }), NOW_MS), null);
});

const LOST = { phase: /** @type {const} */ ("lost"), sinceMs: 1, retryAtMs: 3_000 };
const DRAINED = { phase: /** @type {const} */ ("drained"), sinceMs: 1, retryAtMs: 4_000 };
const CONNECTING = { phase: /** @type {const} */ ("connecting"), sinceMs: 1, retryAtMs: null };

/** @type {[Parameters<typeof stateBut>[0], string, RegExp, RegExp][]} */
const REASONS = [
  [{ connection: CONNECTING }, "connecting", /^Connecting to the venue\.$/, /^$/],
  [{ connection: LOST }, "lost", /connection .* is lost\. Your open bets are safe/, /by itself/],
  [{ connection: DRAINED }, "drained", /restarting\. Your open bets are safe/, /by itself/],
  [{ status: { draining: true } }, "draining", /The venue is restarting\./, /by itself/],
  [{ status: { held: true } }, "held", /^Betting is on hold\.$/, /operator/],
  [{ status: { held: true, held_why: "drill." } }, "held", /on hold: drill\.$/, /operator/],
  [{ status: { breaker: "open" } }, "feed", /prices/, /after 30 s of steady prices/],
  [{ status: { breaker: "open", override: "open" } }, "breaker", /operator/, /operator/],
  [{ status: { disk_full: true } }, "disk_full", /disk/, /operator/],
  [{ account: { frozen: true } }, "frozen", /frozen/, /operator/],
  [{ pausedUntilMs: NOW_MS + 86_400_000 }, "paused", /You have paused/, /can't be ended early/],
  [{ pausedUntilMs: NOW_MS + 86_400_001 }, "paused", /You have paused/, /can be cut short/],
  [{ quote: null }, "no_rates", /No rates/, /by themselves/],
];

for (const [but, kind, text, ends] of REASONS) {
  test(`${kind}: ${JSON.stringify(but)}`, () => {
    const why = suspension(stateBut(but), NOW_MS);
    assert.equal(why?.kind, kind);
    assert.match(why?.text ?? "", text);
    assert.match(why?.ends ?? "", ends);
  });
}

test("of several reasons the first is told: those that leave the others unknown, then the market's", () => {
  const kinds = [];
  const all = {
    connection: LOST,
    status: /** @type {Partial<StatusFrame>} */ ({
      draining: true,
      held: true,
      breaker: "open",
      disk_full: true,
    }),
    account: { frozen: true },
    quote: null,
  };
  kinds.push(suspension(stateBut(all), NOW_MS)?.kind);
  const live = { ...all, connection: LIVE };
  kinds.push(suspension(stateBut(live), NOW_MS)?.kind);
  for (const name of /** @type {const} */ (["draining", "held", "breaker", "disk_full"])) {
    live.status = { ...live.status, [name]: STATUS[name] };
    kinds.push(suspension(stateBut(live), NOW_MS)?.kind);
  }
  kinds.push(suspension(stateBut({ ...live, account: {} }), NOW_MS)?.kind);
  assert.deepEqual(kinds, ["lost", "draining", "held", "feed", "disk_full", "frozen", "no_rates"]);
});

test("when it ends is told by the clock that knows it", () => {
  const until = [{ connection: LOST }, { connection: DRAINED }, { pausedUntilMs: NOW_MS + 5 }].map(
    (but) => suspension(stateBut(but), NOW_MS)?.until,
  );
  assert.deepEqual(until, [
    { atMs: 3_000, by: "page" },
    { atMs: 4_000, by: "page" },
    { atMs: NOW_MS + 5, by: "venue" },
  ]);
});

test("a pause ends at its time", () => {
  assert.equal(suspension(stateBut({ pausedUntilMs: NOW_MS }), NOW_MS), null);
});

test("somebody without an account is told nothing of his bets", () => {
  const why = suspension(stateBut({ connection: DRAINED, account: null }), NOW_MS);
  assert.equal(why?.text, "The venue is restarting.");
});
