import assert from "node:assert/strict";
import { test } from "node:test";
import { stakeProblem } from "../../../web/domain/stakes.js";
import { initialState } from "../../../web/state/state.js";
import { after, atTheTable, pending } from "../support/states.mjs";

const USD = 1_000_000;

/** @param {{balance?: number, own?: number | null, bet?: number, day?: number}} of in USD */
function stateWith({ balance = 1_000, own = null, bet, day = 1_000 }) {
  const state = initialState();
  const key =
    bet === undefined
      ? null
      : { keyId: "k", betMaxMicros: bet * USD, dayMaxMicros: day * USD, expiresAtMs: 0 };
  return {
    bets: state.bets,
    session: { ...state.session, key },
    account: /** @type {import("../../../web/types/wire.js").Account} */ ({
      balance_micros: balance * USD,
      limits: { stake_max_micros: own === null ? null : own * USD },
    }),
  };
}

test("a stake up to each bound can be chosen", () => {
  assert.equal(stakeProblem(stateWith({ balance: 5, own: 5, bet: 5, day: 5 }), 5 * USD), "");
});

test("above one it says which", () => {
  /** @type {[Parameters<typeof stateWith>[0], string][]} */
  const cases = [
    [{ balance: 4.5 }, "More than your balance of 4.50 USD."],
    [{ own: 2 }, "More than your own limit of 2.00 USD a bet."],
    [{ bet: 3 }, "More than your wallet lets this browser stake: 3.00 USD a bet."],
    [{ bet: 100, day: 4 }, "More than your wallet lets this browser stake: 4.00 USD a day."],
  ];
  for (const [of, words] of cases) {
    assert.equal(stakeProblem(stateWith(of), 5 * USD), words);
  }
});

test("what a tap on its way takes is not there to be staked again", () => {
  const state = after(atTheTable(), { type: "page:tapped", bet: pending() });
  const restMicros = (state.account?.balance_micros ?? 0) - pending().stakeMicros;
  assert.equal(
    stakeProblem(state, restMicros),
    "More than your wallet lets this browser stake: 50.00 USD a bet.",
  );
  const keyless = { ...state, session: { ...state.session, key: null } };
  assert.equal(stakeProblem(keyless, restMicros), "");
  assert.equal(stakeProblem(keyless, restMicros + 1), "More than your balance of 99.00 USD.");
});

test("of nobody nothing is known", () => {
  assert.equal(stakeProblem(initialState(), 100 * USD), "");
});
