// A page may be frozen between a tap and its signature: the trader has put the phone away. What he
// tapped then is not sent once he comes back.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Stage } from "../support/stage.mjs";
import { CELL } from "../support/states.mjs";

/** @type {Stage} */
let page;

beforeEach(async () => {
  page = await Stage.open();
});

afterEach(() => page.close());

test("a tap whose signature took long is not sent, and the trader reads so", async () => {
  const venue = await page.playing();
  page.bets.tap(CELL);
  page.clock.sleep(3_001);
  await page.until(({ bets }) => bets[CELL] === undefined);
  assert.deepEqual(
    page.state.refused.map(({ text }) => text),
    ["Not placed: tap again"],
  );
  await page.settled(venue);
  assert.deepEqual(venue.left("bet"), []);
});

test("... one that was signed in time is", async () => {
  const venue = await page.playing();
  page.bets.tap(CELL);
  page.clock.sleep(3_000);
  assert.equal((await venue.request("bet"))["cell_id"], CELL);
});
