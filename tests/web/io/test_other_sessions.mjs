// One connection, and a session that follows another on it: each is told of its own end, and follows
// its own events.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Stage } from "../support/stage.mjs";
import { confirmed, NOW_MS, SESSION, WALLET } from "../support/states.mjs";

/** @type {Stage} */
let page;

beforeEach(async () => {
  page = await Stage.open();
});

afterEach(() => page.close());

/** The key was renewed: the same trader, another token. */
const RENEWED = { ...SESSION, sessionId: "renewed" };
const FOLLOWING = { wallet: WALLET, expires_at_ms: NOW_MS, resync_required: false, seq: 1 };

test("the end of a session that was renewed does not end the new one", async () => {
  const venue = await page.playing();
  page.signIn("U", RENEWED);
  const auth = await venue.request("auth");
  assert.equal(auth["token"], "U");
  venue.send({ type: "session:expired" }); // the former one's: the new one is not followed yet
  await page.settled(venue);
  assert.deepEqual(page.endedTokens, ["T"]);
});

test("... and its own end, once it is followed, does", async () => {
  const venue = await page.playing();
  page.signIn("U", RENEWED);
  venue.reply(await venue.request("auth"), FOLLOWING);
  await page.settled(venue);
  venue.send({ type: "session:expired" });
  await page.settled(venue);
  assert.deepEqual(page.endedTokens, ["U"]);
});

test("what a former session has missed is not asked for any more", async () => {
  const venue = await page.playing();
  venue.send(confirmed({ seq: 3 })); // after a gap
  const resume = await venue.request("resume");
  page.signIn("U", RENEWED);
  const auth = await venue.request("auth");
  venue.refuse(resume, "unauthorized");
  venue.reply(auth, FOLLOWING);
  await page.settled(venue);
  page.clock.pass(2_000);
  await page.settled(venue);
  assert.deepEqual(venue.left("resume"), []);
  venue.send(confirmed({ seq: 3 }));
  assert.equal((await venue.request("resume"))["seq"], 1, "a gap of its own is");
});
