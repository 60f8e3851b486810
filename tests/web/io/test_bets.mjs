// A tap, and every way in which it can end.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Stage } from "../support/stage.mjs";
import {
  BET_ID,
  CELL,
  confirmed,
  held,
  listed,
  NOBODY,
  NOW_MS,
  OTHER_CELL,
  QUOTE,
  SESSION,
  STATUS,
  WALLET,
} from "../support/states.mjs";

/** @import { Connection } from "../support/fake_venue.mjs" */

/** @type {Stage} */
let page;
/** @type {string} */
let nonce;

beforeEach(async () => {
  page = await Stage.open();
  nonce = page.nonce(1);
});

afterEach(() => page.close());

const { type: _, ...PLACED } = confirmed();
const phase = () => page.state.bets[CELL]?.phase;
const words = () => page.state.refused.map(({ text }) => text);

/** @param {string} path @param {object} answer */
function answers(path, answer) {
  page.venue.answers[path] = answer;
}

/** The reply to a bet is lost with the connection; when it is back, this is offered. */
async function lostAnswer(quote = QUOTE) {
  const first = await page.playing();
  page.bets.tap(CELL);
  await first.request("bet");
  first.cut();
  await page.until(({ connection }) => connection.phase === "lost");
  page.clock.pass(0);
  const venue = await page.greet(await page.venue.joined());
  venue.send(quote);
  const auth = await venue.request("auth");
  venue.reply(auth, { wallet: WALLET, expires_at_ms: 0, resync_required: false, seq: 1 });
  return venue;
}

/** As long as the connection is to live, there are heartbeats. @param {Connection} venue @param {number} ms */
async function wait(venue, ms) {
  for (let left = ms; left > 0; left -= 4_000) {
    await page.settled(venue);
    page.clock.pass(Math.min(left, 4_000));
  }
  await page.settled(venue);
}

test("a tap is held at once, signed by the session key, and sent", async () => {
  const venue = await page.playing();
  page.store.dispatch({ type: "page:view", view: { toleranceBps: 100 } });
  page.bets.tap(CELL);
  assert.equal(phase(), "pending", "before anything is awaited");
  const bet = await venue.request("bet");
  const timestamp = Math.floor(NOW_MS / 1000);
  assert.deepEqual(bet, {
    op: "bet",
    id: bet.id,
    wallet: WALLET,
    cell_id: CELL,
    amount: 1_000_000,
    nonce,
    timestamp,
    chain_id: 31_337,
    version: "2",
    rate: 18_315, // 1 % below the rate shown
    quote: 812,
    key_id: SESSION.key?.keyId,
    signature: `0x${"ab".repeat(64)}`,
  });
  assert.deepEqual(page.signed, [
    "Tap Trading Bet\nAction: place_bet\n" +
      `Cell: ${CELL}\nAmount: 1000000\nNonce: ${nonce}\nTimestamp: ${timestamp}\n` +
      "Chain: 31337\nRate: 18315\nQuote: 812\nVersion: 2",
  ]);
  venue.reply(bet, PLACED);
  await page.until(() => phase() === "confirmed");
  assert.equal(page.state.account?.balance_micros, 100_000_000, "its event brings the money");
  venue.send(confirmed());
  await page.until(({ account }) => account?.balance_micros === 99_000_000);
});

test("what can't be sent is refused in words, at once, and nothing is sent", async () => {
  const venue = await page.connected();
  page.bets.tap(CELL);
  assert.deepEqual(words(), ["Sign in to tap"]);
  assert.deepEqual(page.state.bets, {});
  await page.settled(venue);
  assert.deepEqual(await page.sent(venue, "bet"), []);
});

/** @type {[string, object, string][]} */
const REFUSALS = [
  ["quote_expired", { reward_bps: 17_250, quote: 813 }, "Rate moved to 1.72x: tap again"],
  ["rate_limited", { retry_after: 3 }, "Too many taps. Wait 3 s"],
  ["insufficient_funds", {}, "Your balance does not cover this stake"],
  ["exposure_limit", {}, "The house can't take this stake here now. Try a smaller one"],
  [
    "limit_reached",
    { limit: "loss_day", max_micros: 20_000_000, lost_micros: 20_000_000 },
    "Over your own loss limit of 20 USD a day",
  ],
];
for (const [code, details, text] of REFUSALS) {
  test(`a tap refused by ${code} is gone, and the trader reads why`, async () => {
    const venue = await page.playing();
    page.bets.tap(CELL);
    venue.refuse(await venue.request("bet"), code, details);
    await page.until(({ refused }) => refused.length > 0);
    assert.deepEqual(words(), [text]);
    assert.deepEqual(page.state.bets, {});
    page.bets.tap(CELL);
    assert.equal((await venue.request("bet"))["nonce"], page.nonce(2), "a new tap is a new bet");
  });
}

test("a signature that came too late sets the clock", async () => {
  const venue = await page.playing();
  page.bets.tap(CELL);
  venue.refuse(await venue.request("bet"), "signature_expired", {
    server_time_ms: NOW_MS + 40_000,
  });
  await page.until(({ refused }) => refused.length > 0);
  assert.equal(page.clock.nowMs(), NOW_MS + 40_000);
});

test("a key that has ended is looked into", async () => {
  const venue = await page.playing();
  page.bets.tap(CELL);
  venue.refuse(await venue.request("bet"), "unauthorized", { key_id: SESSION.key?.keyId });
  await page.until(({ refused }) => refused.length > 0);
  assert.deepEqual(words(), ["Your key has ended. Sign in again"]);
  assert.equal(page.checks, 1);
});

test("a bet of his on the cell that the page did not know of is shown", async () => {
  const venue = await page.playing();
  answers(`/api/bets/${BET_ID}`, listed({ nonce: "another" }));
  page.bets.tap(CELL);
  venue.refuse(await venue.request("bet"), "cell_taken", { bet_id: BET_ID });
  await page.until(() => phase() === "confirmed");
  assert.equal(held(page.state).betId, BET_ID);
});

test("an answer that does not come in time is unknown, and asked after on the same socket", async () => {
  const venue = await page.playing();
  page.bets.tap(CELL);
  await venue.request("bet");
  await wait(venue, 5_999);
  assert.equal(phase(), "pending");
  page.clock.pass(1);
  await page.until(() => phase() === "unknown");
  const probe = await venue.request("bet");
  assert.equal(probe["nonce"], nonce);
  assert.equal(probe["rate"], 1_000_000_000, "a rate that is never paid");
  answers(`/api/bets/${BET_ID}`, listed({ nonce }));
  venue.refuse(probe, "replay_detected", { bet: { bet_id: BET_ID, status: "confirmed" } });
  await page.until(() => phase() === "confirmed");
  assert.deepEqual(page.venue.asked.at(-1), `/api/bets/${BET_ID}`);
});

test("a venue that can't tell itself is asked again", async () => {
  const venue = await page.playing();
  page.bets.tap(CELL);
  venue.refuse(await venue.request("bet"), "status_unknown", { bet_id: BET_ID });
  await page.until(() => phase() === "unknown");
  assert.equal((await venue.request("bet"))["nonce"], nonce);
});

test("after a break the nonce is used up by a bet that can't be placed", async () => {
  const venue = await lostAnswer({ ...QUOTE, rates: [21_000, 0, 0, 17_100, 0, 0] });
  assert.equal(phase(), "unknown");
  const probe = await venue.request("bet");
  assert.equal(probe["nonce"], nonce);
  assert.equal(probe["rate"], 1_000_000_000);
  assert.equal(probe["cell_id"], OTHER_CELL, "a cell that can be tapped, or the venue never looks");
  venue.refuse(probe, "quote_expired", { reward_bps: 18_500, quote: 812 });
  await page.until(({ bets }) => bets[CELL] === undefined);
  assert.deepEqual(words(), ["Not placed: tap again"]);
});

test("after a break an event that was missed makes asking needless", async () => {
  const first = await page.playing();
  page.bets.tap(CELL);
  await first.request("bet");
  first.cut();
  await page.until(({ connection }) => connection.phase === "lost");
  page.clock.pass(0);
  const venue = await page.greet(await page.venue.joined());
  const auth = await venue.request("auth");
  venue.send(confirmed());
  venue.reply(auth, { wallet: WALLET, expires_at_ms: 0, resync_required: false, seq: 2 });
  await page.settled(venue);
  assert.equal(phase(), "confirmed");
  assert.deepEqual(await page.sent(venue, "bet"), []);
});

test("a bet that is in flight is asked after until it is decided", async () => {
  const venue = await lostAnswer();
  const inFlight = { bet: { bet_id: BET_ID, status: "unknown" } };
  venue.refuse(await venue.request("bet"), "replay_detected", inFlight);
  await page.settled(venue);
  assert.equal(phase(), "unknown");
  assert.deepEqual(await page.sent(venue, "bet"), []);
  page.clock.pass(1_000);
  venue.refuse(await venue.request("bet"), "replay_detected", { bet: null });
  await page.until(({ bets }) => bets[CELL] === undefined);
  assert.deepEqual(words(), ["Not placed: tap again"]);
});

test("a bet that has ended meanwhile shows how", async () => {
  const venue = await lostAnswer();
  const won = { status: "won", payout_micros: 1_850_000, resolved_at_ms: NOW_MS + 19_000 };
  answers(`/api/bets/${BET_ID}`, listed(/** @type {any} */ ({ nonce, ...won })));
  const first = { bet: { bet_id: BET_ID, status: "won" } };
  venue.refuse(await venue.request("bet"), "replay_detected", first);
  await page.until(() => phase() === "won");
  assert.equal(page.state.results.length, 1);
});

test("a bet that the balance did not cover was refused", async () => {
  const venue = await lostAnswer();
  answers(`/api/bets/${BET_ID}`, listed({ nonce, status: "insufficient_funds" }));
  const first = { bet: { bet_id: BET_ID, status: "insufficient_funds" } };
  venue.refuse(await venue.request("bet"), "replay_detected", first);
  await page.until(({ bets }) => bets[CELL] === undefined);
  assert.deepEqual(words(), ["Your balance does not cover this stake"]);
});

test("while betting is closed the venue's list is asked, and its silence is final after 70 s", async () => {
  const venue = await lostAnswer();
  for (let count = 0; count < 4; count += 1) {
    venue.refuse(await venue.request("bet"), "held");
    await asked(venue, count + 1);
    assert.equal(phase(), "unknown");
    await wait(venue, 3_000);
  }
  const late = { ...STATUS, server_time_ms: NOW_MS + 71_000 };
  venue.refuse(await venue.request("bet"), "held");
  await asked(venue, 5);
  venue.send(late);
  await page.settled(venue);
  page.clock.pass(3_000);
  await page.until(({ bets }) => bets[CELL] === undefined);
  assert.deepEqual(words(), ["Not placed: tap again"]);
});

test("a bet that is found in the venue's list is shown", async () => {
  const venue = await lostAnswer();
  answers(`/api/bets/by-nonce/${nonce}`, listed({ nonce }));
  venue.refuse(await venue.request("bet"), "cell_unavailable");
  await page.until(() => phase() === "confirmed");
});

test("what could not be sent was certainly not placed", async () => {
  const venue = await page.playing();
  page.bets.tap(CELL);
  page.follower.socket.close(); // while it is being signed
  await page.until(({ bets }) => bets[CELL] === undefined);
  assert.deepEqual(words(), ["Not placed: tap again"]);
  assert.deepEqual(venue.left("bet"), []);
});

test("a bet that is asked after is let be once its trader has left", async () => {
  const venue = await lostAnswer();
  const probe = await venue.request("bet");
  answers(`/api/bets/${BET_ID}`, listed({ nonce }));
  page.token = null;
  page.store.dispatch({ type: "page:session", session: NOBODY });
  venue.refuse(probe, "replay_detected", { bet: { bet_id: BET_ID, status: "confirmed" } });
  while (!page.venue.asked.includes(`/api/bets/${BET_ID}`)) {
    await page.settled(venue);
  }
  await fetch(`http://${page.venue.host}/version`); // so the answer before has come, too
  await page.settled(venue);
  assert.deepEqual(page.state.bets, {});
});

test("nobody asks after a session that is over", async () => {
  const venue = await lostAnswer();
  venue.send({ type: "session:expired" });
  venue.refuse(await venue.request("bet"), "unauthorized", { key_id: SESSION.key?.keyId });
  await asked(venue, 1);
  await fetch(`http://${page.venue.host}/version`);
  await page.settled(venue);
  page.clock.pass(3_000);
  await page.settled(venue);
  await fetch(`http://${page.venue.host}/version`);
  const lookups = page.venue.asked.filter((path) => path.startsWith("/api/bets"));
  assert.equal(lookups.length, 1);
  assert.equal(phase(), "unknown", "nor is anything claimed");
});

/** The list was asked for the nonce so often. @param {Connection} venue @param {number} count */
async function asked(venue, count) {
  const path = `/api/bets/by-nonce/${nonce}`;
  while (page.venue.asked.filter((one) => one === path).length < count) {
    await page.settled(venue);
  }
}
