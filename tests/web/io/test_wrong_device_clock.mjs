// The device's clock may be hours off: what is asked for by time is asked for by the venue's.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TRAIL_MS } from "../../../web/state/state.js";
import { Stage } from "../support/stage.mjs";
import { NOW_MS } from "../support/states.mjs";

test("the price's past is that of the venue's time, known or not when the page opens", async () => {
  const page = await Stage.open();
  try {
    page.follower.socket.connect();
    const venue = await page.venue.joined();
    await page.until(({ market }) => market.trail.length > 0);
    assert.equal(venue.left("ping").length, 1, "nothing was answered over the WebSocket yet");
    const [history] = page.venue.asked.filter((path) => path.startsWith("/api/prices/history"));
    const query = new URLSearchParams(history?.split("?")[1]);
    assert.equal(Number(query.get("from")), NOW_MS - TRAIL_MS);
  } finally {
    await page.close();
  }
});
