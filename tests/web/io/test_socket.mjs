// The socket comes back by itself, and says of each request what became of it.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Refused, Unreachable } from "../../../web/io/api.js";
import { NotSent, VenueSocket } from "../../../web/io/socket.js";
import { FakeVenue } from "../support/fake_venue.mjs";
import { HandClock } from "../support/hand_clock.mjs";
import { STATUS } from "../support/states.mjs";

/** @typedef {{what: string, [more: string]: any}} Told */

/** @type {FakeVenue} */
let venue;
/** @type {VenueSocket} */
let socket;
/** @type {Told[]} */
let told;
/** @type {(() => void)[]} */
let watchers;
/** @type {HandClock} */
let clock;

beforeEach(async () => {
  venue = await FakeVenue.open();
  told = [];
  watchers = [];
  clock = new HandClock();
  /** @param {Told} one */
  const tell = (one) => {
    told.push(one);
    for (const watcher of watchers) {
      watcher();
    }
  };
  socket = new VenueSocket(
    `ws://${venue.host}/ws`,
    {
      connecting: () => tell({ what: "connecting" }),
      opened: () => tell({ what: "opened" }),
      heard: (frame) => tell({ what: "heard", frame }),
      lost: (loss) => tell({ what: "lost", ...loss }),
    },
    clock,
    () => 1,
  );
});

afterEach(async () => {
  socket.close();
  await venue.close();
});

/**
 * The next thing that is told after `count` others.
 *
 * @param {string} what
 * @param {number} [count]
 * @returns {Promise<Told>}
 */
function hears(what, count = 0) {
  return new Promise((resolve) => {
    const look = () => {
      const found = told.filter((one) => one.what === what)[count];
      if (found !== undefined) {
        resolve(found);
      }
    };
    watchers.push(look);
    look();
  });
}

async function connected() {
  socket.connect();
  const connection = await venue.joined();
  await hears("opened");
  return connection;
}

const kinds = () => told.map(({ what }) => what);

test("replies go to those who asked, in whatever order they come", async () => {
  const connection = await connected();
  const first = socket.request("ping");
  const second = socket.request("auth", { token: "T" });
  const [ping, auth] = [await connection.request("ping"), await connection.request("auth")];
  assert.equal(auth["token"], "T");
  connection.reply(auth, { seq: 4 });
  connection.reply(ping, { server_time_ms: 5 });
  assert.equal((await second)["seq"], 4);
  assert.equal((await first)["server_time_ms"], 5);
});

test("a refusal is thrown with all that came along", async () => {
  const connection = await connected();
  const asked = socket.request("bet");
  connection.refuse(await connection.request("bet"), "quote_expired", { reward_bps: 17_000 });
  await assert.rejects(asked, (error) => {
    assert.ok(error instanceof Refused);
    assert.equal(error.code, "quote_expired");
    assert.equal(error.details["reward_bps"], 17_000);
    return true;
  });
});

test("what is asked without a connection was certainly not sent", async () => {
  await assert.rejects(socket.request("bet"), NotSent);
});

test("an answer that does not come in time leaves open whether it was heard", async () => {
  const connection = await connected();
  const asked = socket.request("bet", {}, 6_000);
  await connection.request("bet");
  connection.send(STATUS);
  clock.pass(4_000);
  connection.send(STATUS);
  await hears("heard", 1);
  clock.pass(2_000);
  await assert.rejects(asked, (error) => {
    assert.ok(error instanceof Unreachable);
    assert.ok(!(error instanceof NotSent));
    return true;
  });
  assert.ok(socket.isOpen);
});

test("a cut connection is told before its requests fail, and comes back", async () => {
  const connection = await connected();
  /** @type {string[]} */
  const order = [];
  watchers.push(() => order.push(told.at(-1)?.what ?? ""));
  const asked = socket.request("bet").catch((error) => {
    order.push("failed");
    return error;
  });
  await connection.request("bet");
  connection.cut();
  const failure = await asked;
  assert.ok(failure instanceof Unreachable && !(failure instanceof NotSent));
  assert.deepEqual(order, ["lost", "failed"]);
  const loss = await hears("lost");
  assert.deepEqual(loss, { what: "lost", retryAtMs: clock.atMs + 500, drained: false });
  clock.pass(499);
  assert.equal(kinds().filter((kind) => kind === "connecting").length, 1);
  clock.pass(1);
  const again = await venue.joined();
  await hears("opened", 1);
  again.cut();
  const next = await hears("lost", 1);
  assert.equal(next["retryAtMs"], clock.atMs + 500, "what was in vain before does not count");
});

test("each attempt in vain doubles the longest wait, up to 15 s", async () => {
  const connection = await connected();
  await venue.close();
  connection.cut();
  const waits = [];
  for (let count = 0; count < 7; count += 1) {
    const loss = await hears("lost", count);
    waits.push(loss["retryAtMs"] - clock.atMs);
    clock.pass(loss["retryAtMs"] - clock.atMs);
  }
  assert.deepEqual(waits, [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
  venue = await FakeVenue.open(); // for the end of the test
});

test("after a drain it comes back at the told time, and not before", async () => {
  const connection = await connected();
  connection.send({ type: "drain", reconnect_in_ms: 3_120 });
  await hears("heard");
  connection.cut();
  const loss = await hears("lost");
  assert.deepEqual(loss, { what: "lost", retryAtMs: clock.atMs + 3_120, drained: true });
  socket.hasten();
  clock.pass(3_119);
  assert.equal(kinds().filter((kind) => kind === "connecting").length, 1);
  clock.pass(1);
  const again = await venue.joined();
  await hears("opened", 1);
  again.cut();
  const next = await hears("lost", 1);
  assert.equal(next["drained"], false, "it has come back since");
});

test("a venue that is not back yet is still the one that drained", async () => {
  const connection = await connected();
  connection.send({ type: "drain", reconnect_in_ms: 100 });
  await hears("heard");
  await venue.close();
  connection.cut();
  await hears("lost");
  clock.pass(100);
  const loss = await hears("lost", 1);
  assert.equal(loss["drained"], true);
  venue = await FakeVenue.open();
});

test("five seconds without a heartbeat are a lost connection", async () => {
  const connection = await connected();
  clock.pass(4_999);
  connection.send(STATUS);
  await hears("heard");
  clock.pass(4_999);
  assert.ok(socket.isOpen);
  clock.pass(1);
  assert.equal(kinds().at(-1), "lost");
  assert.ok(!socket.isOpen);
});

test("prices are no heartbeat", async () => {
  const connection = await connected();
  clock.pass(3_000);
  connection.send({ type: "price", ts_ms: 1, price_cents: 1, trade_id: 1, source: "x" });
  await hears("heard");
  clock.pass(2_000);
  assert.equal(kinds().at(-1), "lost");
});

test("a page that slept hears first what has come meanwhile", async () => {
  const connection = await connected();
  clock.sleep(3_600_000);
  clock.pass(0);
  assert.ok(socket.isOpen);
  connection.send(STATUS);
  await hears("heard");
  clock.pass(1_000);
  assert.ok(socket.isOpen);
});

test("a page that slept and hears nothing has lost the connection", async () => {
  await connected();
  clock.sleep(3_600_000);
  clock.pass(0);
  clock.pass(1_000);
  assert.equal(kinds().at(-1), "lost");
});

test("the network coming back hastens the next attempt", async () => {
  const connection = await connected();
  connection.cut();
  await hears("lost");
  socket.hasten();
  await venue.joined();
  await hears("opened", 1);
});

test("a page that is seen again does not wait for a socket that has gone silent", async () => {
  await connected();
  clock.sleep(5_001);
  socket.hasten();
  assert.deepEqual(kinds(), ["connecting", "opened", "lost", "connecting"]);
  await venue.joined();
  await hears("opened", 1);
});

test("it is left alone while it is well", async () => {
  await connected();
  socket.hasten();
  socket.connect();
  assert.deepEqual(kinds(), ["connecting", "opened"]);
});
