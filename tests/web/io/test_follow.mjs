// The page keeps up with the venue, whatever happens to the connection.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { resync, Stage } from "../support/stage.mjs";
import {
  CELL,
  confirmed,
  held,
  listed,
  NOBODY,
  NOW_MS,
  pending,
  QUOTE,
  RULES,
  resolved,
  SESSION,
  STATUS,
  snapshot,
  WALLET,
} from "../support/states.mjs";

/** @type {Stage} */
let page;

beforeEach(async () => {
  page = await Stage.open();
});

afterEach(async () => {
  await page.close();
});

test("what everybody may see is there without a sign-in", async () => {
  const venue = await page.connected();
  venue.send({ type: "price", ts_ms: NOW_MS, price_cents: 4_200_500, trade_id: 2, source: "x" });
  await page.until(({ market }) => market.trail.length === 2);
  const { market, connection, account } = page.state;
  assert.equal(connection.phase, "live");
  assert.deepEqual(market.rules, RULES);
  assert.equal(market.demo, true);
  assert.deepEqual(market.quote, QUOTE);
  assert.deepEqual(market.status, STATUS);
  assert.deepEqual(
    market.trail.map(({ ts_ms }) => ts_ms - NOW_MS),
    [-1000, 0],
  );
  assert.equal(account, null);
  assert.deepEqual(await page.sent(venue, "auth"), []);
});

test("the venue's time is known from the first ping on", async () => {
  await page.connected();
  assert.equal(page.clock.nowMs(), NOW_MS);
  page.clock.pass(40);
  assert.equal(page.clock.nowMs(), NOW_MS + 40);
});

test("pings go on, every fifteen seconds in the end", async () => {
  const venue = await page.connected();
  for (const inMs of [700, 700, 15_000, 15_000]) {
    for (let left = inMs; left > 0; left -= 4_000) {
      await page.settled(venue);
      page.clock.pass(Math.min(left, 4_000));
    }
    venue.reply(await venue.request("ping"), { server_time_ms: NOW_MS });
    await page.settled(venue);
  }
});

test("rules that can't be read are asked for again", async () => {
  page.venue.answers["/api/grid"] = {
    http_status: 503,
    error: "overloaded",
    message: "No.",
    retry_after: 1,
  };
  page.follower.socket.connect();
  const venue = await page.venue.joined();
  venue.reply(await venue.request("subscribe"), {});
  await page.until(({ connection }) => connection.phase === "live");
  let isRead = false;
  const read = page
    .until(({ market }) => market.rules !== null)
    .then(() => {
      isRead = true;
    });
  while (!isRead) {
    await page.settled(venue);
    page.clock.pass(100);
    if (page.venue.asked.length > 2) {
      page.venue.answers["/api/grid"] = { ...RULES, quote: null };
    }
  }
  await read;
  assert.ok(page.venue.asked.length > 4);
});

test("whoever signs in is told all there is of him, and the next events follow", async () => {
  const venue = await page.connected();
  page.signIn("T");
  const auth = await page.caughtUp(venue, { open: [listed()], seq: 7 });
  assert.equal(auth["token"], "T");
  assert.ok(auth["seq"] > 1e12, "no account has such a seq: the venue answers with the snapshot");
  assert.equal(held(page.state).phase, "confirmed");
  venue.send(resolved({ seq: 8 }));
  await page.until(({ account }) => account?.seq === 8);
  assert.equal(held(page.state).phase, "won");
});

test("one who is signed in before the page connects is followed as well", async () => {
  page.signIn("T");
  const venue = await page.connected();
  await page.caughtUp(venue);
  assert.equal(page.state.account?.wallet, WALLET);
});

test("after a break it goes on where it was, with what it missed", async () => {
  const first = await page.playing();
  page.store.dispatch({ type: "page:tapped", bet: pending() });
  first.cut();
  await page.until(({ connection }) => connection.phase === "lost");
  assert.equal(held(page.state).phase, "unknown");
  page.clock.pass(1);
  const venue = await page.greet(await page.venue.joined());
  const auth = await venue.request("auth");
  assert.equal(auth["seq"], 1);
  venue.send(confirmed());
  venue.send(resolved());
  venue.reply(auth, { wallet: WALLET, expires_at_ms: 0, resync_required: false, seq: 3 });
  await page.until(({ account }) => account?.seq === 3);
  assert.equal(held(page.state).phase, "won");
});

test("after a restart of the venue the snapshot brings everything back", async () => {
  const first = await page.playing({ open: [listed()] });
  first.send({ type: "drain", reconnect_in_ms: 2_000 });
  await page.settled(first);
  first.cut();
  await page.until(({ connection }) => connection.phase === "drained");
  assert.ok((page.state.connection.retryAtMs ?? 0) > page.clock.pageMs());
  assert.equal(held(page.state).phase, "confirmed", "the bet is the venue's, and safe");
  page.clock.pass(2_000);
  const venue = await page.greet(await page.venue.joined());
  await page.caughtUp(venue, { open: [listed()], seq: 12 });
  assert.equal(held(page.state).phase, "confirmed");
  assert.equal(page.state.connection.phase, "live");
});

test("an event after a gap is not believed before what is missing has come", async () => {
  const venue = await page.playing();
  venue.send(resolved({ seq: 3 }));
  const resume = await venue.request("resume");
  assert.equal(resume["seq"], 1);
  assert.equal(page.state.account?.seq, 1);
  venue.send(resolved({ seq: 3 })); // still on its way: nothing is asked twice
  venue.send(confirmed());
  venue.send(resolved());
  venue.reply(resume, { resync_required: false, seq: 3 });
  await page.until(({ account }) => account?.seq === 3);
  assert.equal(held(page.state).phase, "won");
  assert.deepEqual(await page.sent(venue, "resume"), []);
});

test("a venue that may have lost events is asked for them", async () => {
  const venue = await page.playing();
  venue.send({ type: "resync_required" });
  const resume = await venue.request("resume");
  venue.reply(resume, { resync_required: true, snapshot: snapshot({ seq: 5, balance_micros: 3 }) });
  await page.until(({ account }) => account?.seq === 5);
  assert.equal(page.state.account?.balance_micros, 3);
  venue.send({ type: "resync_required" });
  assert.equal((await venue.request("resume"))["seq"], 5);
});

test("a resume that is refused for a moment is asked again", async () => {
  const venue = await page.playing();
  venue.send({ type: "resync_required" });
  venue.refuse(await venue.request("resume"), "store_unavailable", { retry_after: 2 });
  await page.settled(venue);
  page.clock.pass(2_000);
  venue.reply(await venue.request("resume"), {
    resync_required: true,
    snapshot: snapshot({ seq: 5 }),
  });
  await page.until(({ account }) => account?.seq === 5);
});

test("a token that is no good ends the session", async () => {
  const venue = await page.connected();
  page.signIn("T");
  venue.refuse(await venue.request("auth"), "unauthorized");
  await page.until(({ session }) => session.phase === "expired");
  assert.deepEqual(page.endedTokens, ["T"]);
});

test("a session that the venue ends is over; what the trader saw stays", async () => {
  const venue = await page.playing({ open: [listed()] });
  venue.send({ type: "session:expired" });
  await page.until(({ session }) => session.phase === "expired");
  assert.deepEqual(page.endedTokens, ["T"]);
  assert.equal(held(page.state).phase, "confirmed");
  page.signIn("T2");
  const auth = await venue.request("auth");
  assert.deepEqual([auth["token"], auth["seq"]], ["T2", 1]);
});

test("an answer about somebody who has left since is let be", async () => {
  const venue = await page.connected();
  page.signIn("T");
  const auth = await venue.request("auth");
  page.token = null;
  page.store.dispatch({ type: "page:session", session: NOBODY });
  venue.reply(auth, resync());
  await page.settled(venue);
  assert.equal(page.state.account, null);
});

test("another trader's stream begins with his own snapshot", async () => {
  const venue = await page.playing({ open: [listed()] });
  const wallet = "0x2b5ad5c4795c026514f8317c7a215e218dccd6cf";
  page.signIn("T2", { ...SESSION, wallet });
  assert.deepEqual(page.state.bets, {});
  const auth = await page.caughtUp(venue, { wallet, seq: 3 });
  assert.ok(auth["seq"] > 1e12);
  assert.equal(page.state.bets[CELL], undefined);
});
