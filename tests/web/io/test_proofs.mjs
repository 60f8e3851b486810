// What there is to know of one bet, as the venue answers it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { Api } from "../../../web/io/api.js";
import { linkedBet } from "../../../web/io/deep_link.js";
import { findBet, sha256Of } from "../../../web/io/proofs.js";
import { BET_ID, named, proofOf, sha256 } from "../support/verdicts.mjs";

/** @import { AddressInfo } from "node:net" */
/** @import { TestContext } from "node:test" */

const PROOF = `/api/bets/${BET_ID}/proof`;
const BET = `/api/bets/${BET_ID}`;
const GIVEN = proofOf(named("touch: the first of several decides"));
const OPEN = {
  status: "confirmed",
  rule: "touch",
  cell_id: "1770100010_4200000_4201000",
  column_start_s: 1_770_100_010,
  column_s: 5,
  lo_cents: 4_200_000,
  hi_cents: 4_201_000,
};

/**
 * A venue that answers by path, and what it was asked.
 *
 * @param {TestContext} t
 * @param {Readonly<Record<string, [number, unknown]>>} answers
 * @param {string | null} [token]
 */
async function venue(t, answers, token = null) {
  /** @type {string[]} */
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const [status, body] = answers[request.url ?? ""] ?? [
      404,
      { error: "not_found", message: "There is nothing here by that name." },
    ];
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  const { port } = /** @type {AddressInfo} */ (server.address());
  return { api: new Api(() => token, { origin: `http://127.0.0.1:${port}` }), asked };
}

test("the hash that the browser makes is that of the published lines", async () => {
  assert.equal(await sha256Of(GIVEN), sha256(GIVEN));
  assert.equal(await sha256Of(GIVEN), GIVEN.ticks_sha256);
});

test("a proof needs no session, and nothing else is asked for", async (t) => {
  const { api, asked } = await venue(t, { [PROOF]: [200, GIVEN] });
  const found = await findBet(api, BET_ID);
  assert.deepEqual(found, { kind: "proof", proof: GIVEN, sha256: GIVEN.ticks_sha256, bet: null });
  assert.deepEqual(asked, [PROOF]);
});

test("who is signed in sees his own stake with it", async (t) => {
  const bet = { bet_id: BET_ID, stake_micros: 5_000_000 };
  const { api } = await venue(t, { [PROOF]: [200, GIVEN], [BET]: [200, bet] }, "token");
  const found = await findBet(api, BET_ID);
  assert.deepEqual(found.kind === "proof" && found.bet, bet);
});

test("another's bet is shown without its stake", async (t) => {
  const { api } = await venue(t, { [PROOF]: [200, GIVEN] }, "token");
  const found = await findBet(api, BET_ID);
  assert.equal(found.kind === "proof" && found.bet, null);
});

/** @param {object} open */
function noVerdict(open) {
  return { error: "not_found", message: "This bet has no verdict yet.", bet: open };
}

test("an open bet has no proof yet, but a cell", async (t) => {
  const { api } = await venue(t, { [PROOF]: [404, noVerdict(OPEN)] });
  assert.deepEqual(await findBet(api, BET_ID), { kind: "open", open: OPEN, bet: null });
});

test("a bet that the balance did not cover was not taken", async (t) => {
  const refused = { ...OPEN, status: "insufficient_funds" };
  const { api } = await venue(t, { [PROOF]: [404, noVerdict(refused)] });
  assert.equal((await findBet(api, BET_ID)).kind, "not_taken");
});

test("a bet that never was is missing", async (t) => {
  const { api } = await venue(t, {});
  assert.deepEqual(await findBet(api, BET_ID), { kind: "missing" });
});

test("what is no bet's id is not asked after", async (t) => {
  const { api, asked } = await venue(t, {});
  for (const id of ["", "nonsense", "../ops/status", BET_ID.toLowerCase(), `${BET_ID}A`]) {
    assert.deepEqual(await findBet(api, id), { kind: "missing" });
  }
  assert.deepEqual(asked, []);
});

test("a bet of an archived week names the weeks that an operator can bring back", async (t) => {
  const gone = { error: "archived", message: "", partitions: ["2026-11-08"] };
  const { api } = await venue(t, { [PROOF]: [410, gone] });
  assert.deepEqual(await findBet(api, BET_ID), { kind: "archived", weeks: ["2026-11-08"] });
});

test("a venue that is too busy says so", async (t) => {
  const busy = { error: "overloaded", message: "The venue is busy.", retry_after: 1 };
  const { api } = await venue(t, { [PROOF]: [503, busy] });
  assert.deepEqual(await findBet(api, BET_ID), { kind: "refused", text: "The venue is busy." });
});

test("a venue that does not answer can't be reached", async () => {
  const api = new Api(() => null, { origin: "http://127.0.0.1:1" });
  assert.deepEqual(await findBet(api, BET_ID), { kind: "unreachable" });
});

test("a link names one bet", () => {
  assert.equal(linkedBet(`#bet=${BET_ID}`), BET_ID);
  for (const hash of ["", "#", "#bet=", "#bets=x", "#x&bet=y", `#bet=${"A".repeat(65)}`]) {
    assert.equal(linkedBet(hash), null, hash);
  }
});
