import assert from "node:assert/strict";
import { test } from "node:test";
import {
  channelKey,
  findingsOf,
  handlingMs,
  initialOperate,
  isStale,
  LOG_MAX,
  reduceOperate,
  SAMPLES_MAX,
  STALE_MS,
  writtenPerS,
} from "../../../web/state/operate.js";
import { actor, channel, NOW_MS, root, statusAt } from "../support/ops_status.mjs";

/** @import { OperateEvent, OperateState } from "../../../web/state/operate.js" */
/** @import { OpsStatus } from "../../../web/types/wire.js" */

/** @param {...OperateEvent} events @returns {OperateState} */
const after = (...events) => events.reduce(reduceOperate, initialOperate());

/** @param {OpsStatus} status @param {number} [atMs] @returns {OperateEvent} */
const polled = (status, atMs = status.server_time_ms - NOW_MS) => ({
  type: "ops:status",
  status,
  atMs,
});

/** @param {OperateState} state */
const told = (state) => state.log.map(({ level, what, text }) => [level, what, text]);

/**
 * The lines that a change adds.
 *
 * @param {Partial<OpsStatus>} was
 * @param {Partial<OpsStatus>} now
 */
function lines(was, now) {
  const first = after(polled(statusAt(0, was)));
  const second = reduceOperate(first, polled(statusAt(1, now)));
  return told({ ...second, log: second.log.filter((line) => !first.log.includes(line)) });
}

const OPENED = "Opened; what follows was seen from here on";

test("the first status lets the operator in, and the log begins", () => {
  const state = after({ type: "ops:entering" }, polled(statusAt(0)));
  assert.equal(state.entry.phase, "in");
  assert.deepEqual(told(state), [["", "page", OPENED]]);
});

test("who is turned away sees nothing of what was shown before", () => {
  const state = after(polled(statusAt(0)), { type: "ops:turned_away", problem: "no" });
  assert.deepEqual(state, { ...initialOperate(), entry: { phase: "out", problem: "no" } });
});

test("what an event does not change stays the same object", () => {
  const state = after(polled(statusAt(0)));
  assert.equal(reduceOperate(state, { type: "ops:audit", entries: [] }), state);
});

// --- samples ------------------------------------------------------------------------------------

test("the last two minutes are kept", () => {
  const polls = Array.from({ length: SAMPLES_MAX + 5 }, (_, s) => polled(statusAt(s)));
  const { samples } = after(...polls);
  assert.equal(samples.length, SAMPLES_MAX);
  assert.equal(samples.at(0)?.atMs, NOW_MS + 5_000);
  assert.equal(samples.at(-1)?.atMs, NOW_MS + (SAMPLES_MAX + 4) * 1000);
});

test("a channel's handling time is found by actor and channel", () => {
  const of = (/** @type {number} */ ms) => [
    root(60),
    actor({ channels: [channel({ handling_p99_ms: ms }), channel({ name: "other" })] }),
  ];
  const { samples } = after(
    polled(statusAt(0, { actors: of(3) })),
    polled(statusAt(1, { actors: of(7) })),
  );
  assert.deepEqual(handlingMs(samples, channelKey("venue/batcher", "money")), [3, 7]);
  assert.deepEqual(handlingMs(samples, channelKey("venue/quoter", "money")), []);
});

test("what is written a second is counted over the last samples, and not before there are two", () => {
  const writer = statusAt(0).writer;
  const first = polled(statusAt(0));
  assert.deepEqual(writtenPerS(after(first).samples), { batches: null, commands: null });
  const { samples } = after(
    first,
    polled(statusAt(4, { writer: { ...writer, batches: 12, commands: 60 } })),
  );
  assert.deepEqual(writtenPerS(samples), { batches: 0.5, commands: 5 });
});

test("a venue that was started anew begins the samples anew, and is told", () => {
  const state = after(
    polled(statusAt(0)),
    polled(statusAt(5, { actors: [root(2), actor({ restarts: 9 })] })),
  );
  assert.equal(state.samples.length, 1);
  assert.deepEqual(told(state)[0], ["look", "venue", "The venue was started anew"]);
  assert.equal(state.log[0]?.atMs, NOW_MS + 3_000);
  assert.equal(state.log.length, 2);
});

// --- a venue that is away -----------------------------------------------------------------------

test("a venue that does not answer is told at once, and once", () => {
  const lost = { type: /** @type {const} */ ("ops:lost"), problem: "It does not answer" };
  const state = after(polled(statusAt(0), 0), { ...lost, atMs: 1_000 }, { ...lost, atMs: 2_000 });
  assert.equal(isStale(state), true);
  assert.deepEqual(told(state).slice(0, 1), [["act", "page", "It does not answer"]]);
  assert.equal(state.log.length, 2);
  assert.equal(state.log[0]?.atMs, NOW_MS + 1_000);
  const back = reduceOperate(state, polled(statusAt(3), 3_000));
  assert.equal(isStale(back), false);
  assert.deepEqual(told(back)[0], ["", "page", "The venue answers again"]);
});

test("a status that is not followed by another grows old by itself", () => {
  const state = after(polled(statusAt(0), 0));
  assert.equal(isStale({ ...state, nowMs: STALE_MS }), false);
  assert.equal(isStale({ ...state, nowMs: STALE_MS + 1 }), true);
});

test("before the first status nothing is old", () => {
  assert.equal(isStale(after({ type: "ops:lost", problem: "gone", atMs: 9 })), false);
});

test("that what is shown is old comes before what the venue has said", () => {
  const look = { where: "hold.held", level: /** @type {const} */ ("look"), text: "h", runbook: "" };
  const state = after(polled(statusAt(0, { attention: [look] }), 0));
  assert.deepEqual(findingsOf(state), [look]);
  const lost = reduceOperate(state, { type: "ops:lost", problem: "It is away", atMs: 12_000 });
  assert.deepEqual(
    findingsOf(lost).map(({ level, text }) => [level, text]),
    [
      ["act", "It is away. What is shown below is 12 s old"],
      ["look", "h"],
    ],
  );
});

// --- what has happened --------------------------------------------------------------------------

test("nothing is told while nothing changes", () => {
  assert.deepEqual(lines({}, {}), []);
});

test("failures from before the page was opened are told with their time", () => {
  const failure = { type: "OSError", message: "disk", ago_s: 90 };
  const state = after(
    polled(statusAt(0, { actors: [root(600), actor({ last_failure: failure })] })),
  );
  assert.deepEqual(told(state)[1], ["look", "batcher", "Failed: OSError: disk"]);
  assert.equal(state.log[1]?.atMs, NOW_MS - 90_000);
});

test("a crash is told with its reason, its restart and its states", () => {
  const failure = { type: "ValueError", message: "bad", ago_s: 0.4 };
  const down = actor({ state: "restarting", last_failure: failure, uptime_s: null });
  assert.deepEqual(lines({}, { actors: [root(61), down] }), [
    ["act", "batcher", "running → restarting"],
    ["look", "batcher", "Failed: ValueError: bad"],
  ]);
  const back = actor({ restarts: 1, last_failure: { ...failure, ago_s: 1.4 }, uptime_s: 0.2 });
  assert.deepEqual(lines({ actors: [root(61), down] }, { actors: [root(62), back] }), [
    ["", "batcher", "Restarted; once since the venue started"],
    ["", "batcher", "restarting → running"],
  ]);
});

test("the same failure again is told again", () => {
  const failure = { type: "ValueError", message: "bad", ago_s: 40 };
  const again = { ...failure, ago_s: 0.3 };
  assert.deepEqual(
    lines(
      { actors: [root(60), actor({ last_failure: failure, restarts: 1 })] },
      { actors: [root(61), actor({ last_failure: again, restarts: 2 })] },
    ),
    [
      ["", "batcher", "Restarted; 2 times since the venue started"],
      ["look", "batcher", "Failed: ValueError: bad"],
    ],
  );
});

test("messages that were turned away or lost are told", () => {
  const full = actor({ channels: [channel({ refused: 12, dropped: 1_000 })] });
  assert.deepEqual(lines({}, { actors: [root(61), full] }), [
    ["look", "batcher", "12 refused by money"],
    ["look", "batcher", "1,000 dropped by money"],
  ]);
});

test("what happens each second is one line a minute", () => {
  const refused = (/** @type {number} */ count) => ({
    actors: [root(600), actor({ channels: [channel({ refused: count })] })],
  });
  const polls = Array.from({ length: 63 }, (_, s) => polled(statusAt(s, refused(3 * s))));
  const counted = told(after(...polls)).filter(([, what]) => what === "batcher");
  assert.deepEqual(counted, [
    ["look", "batcher", "6 refused by money"],
    ["look", "batcher", "180 refused by money"],
  ]);
});

test("feed, breaker, override, hold and store", () => {
  const { feed } = statusAt(0);
  assert.deepEqual(
    lines(
      {},
      {
        feed: { ...feed, level: "critical", source: "coinbase" },
        breaker: { open: true, override: "open", by: "ann", why: "drill" },
        hold: { held: true, by: "bob", why: "drift" },
        store: { up: false },
        draining: true,
      },
    ),
    [
      ["act", "feed", "healthy → critical"],
      ["look", "feed", "The source is coinbase now"],
      ["act", "breaker", "Opened: bets are refused"],
      ["look", "breaker", "Override auto → open"],
      ["look", "hold", "Betting is on hold by bob"],
      ["look", "venue", "The venue is stopping"],
      ["act", "store", "Does not answer: bets are refused"],
    ],
  );
});

test("a source that comes and goes, between two looks too", () => {
  const [source] = statusAt(0).sources;
  assert.ok(source);
  const gone = { ...source, connected: false, last_error: "refused" };
  assert.deepEqual(lines({}, { sources: [gone] }), [
    ["look", "feed", "binance is not connected: refused"],
  ]);
  const again = [["", "feed", "binance is connected again"]];
  assert.deepEqual(lines({ sources: [gone] }, {}), again);
  assert.deepEqual(lines({}, { sources: [{ ...source, reconnects: 1 }] }), again);
});

test("money and storage", () => {
  const { writer, audit, archive, backups, disk, resolver } = statusAt(0);
  assert.deepEqual(
    lines(
      {},
      {
        writer: { ...writer, expired: 3, rotation_failure: "no room" },
        resolver: { ...resolver, bets_void: 2 },
        audit: { ...audit, age_s: 0, drifts: 2, first_drift: "balance" },
        house: null,
        archive: { ...archive, archived: 1, failures: 1, last_failure: "no bucket" },
        backups: { ...backups, taken: 2, failures: 1, last_failure: "late" },
        disk: { ...disk, level: "full" },
      },
    ),
    [
      ["act", "house", "The ledger can't be read"],
      ["act", "writer", "The week can't be closed: no room"],
      ["look", "writer", "3 commands expired unwritten"],
      ["look", "resolver", "2 bets void and given back"],
      ["act", "money check", "2 drifts: balance"],
      ["", "archive", "A week was archived and verified"],
      ["look", "archive", "Failed: no bucket"],
      ["", "backups", "Taken and verified: 4.2 KiB in 12 ms"],
      ["look", "backups", "Failed: late"],
      ["act", "disk", "normal → full"],
    ],
  );
});

test("a check of the money is told though it finds the same", () => {
  const { audit } = statusAt(0);
  const older = { audit: { ...audit, age_s: 400 } };
  assert.deepEqual(lines(older, { audit: { ...audit, age_s: 401 } }), []);
  assert.deepEqual(lines(older, { audit: { ...audit, age_s: 0 } }), [
    ["", "money check", "Zero drift"],
  ]);
});

test("the log is bounded, newest first", () => {
  const polls = Array.from({ length: LOG_MAX + 20 }, (_, s) =>
    polled(statusAt(s, { hold: { held: s % 2 === 1, by: "", why: "" } })),
  );
  const { log } = after(...polls);
  assert.equal(log.length, LOG_MAX);
  assert.ok((log[0]?.atMs ?? 0) > (log.at(-1)?.atMs ?? 0));
});

// --- the desk -----------------------------------------------------------------------------------

test("another form has no answer yet, and another page no form", () => {
  const form = { action: "hold", given: {} };
  const state = after(
    { type: "ops:desk", desk: { form } },
    { type: "ops:order", order: { id: 1, action: "hold", phase: "asked", text: "" } },
    { type: "ops:order", order: { id: 1, action: "hold", phase: "done", text: "" } },
  );
  assert.equal(state.order?.phase, "done");
  assert.deepEqual(state.desk.form, form);
  const other = reduceOperate(state, { type: "ops:desk", desk: { page: "account" } });
  assert.deepEqual([other.desk, other.order], [{ page: "account", form: null }, null]);
});

test("an answer is never read below another form: of one that was left the log tells", () => {
  const first = { id: 1, action: "paid", text: "" };
  const second = { ...first, id: 2 };
  const asked = after(
    polled(statusAt(0)),
    { type: "ops:desk", desk: { form: { action: "paid", given: { withdrawal_id: "first" } } } },
    { type: "ops:order", order: { ...first, phase: "asked" } },
    { type: "ops:desk", desk: { form: { action: "paid", given: { withdrawal_id: "second" } } } },
  );
  const text = "5.00 USD is marked as paid.";
  const late = reduceOperate(asked, {
    type: "ops:order",
    order: { ...first, phase: "done", text },
  });
  assert.equal(late.order, null);
  assert.deepEqual(told(late)[0], ["", "paid", text]);

  const again = reduceOperate(asked, {
    type: "ops:order",
    order: { ...second, phase: "asked" },
  });
  const unsure = reduceOperate(again, {
    type: "ops:order",
    order: { ...first, phase: "unknown", text: "There was no answer." },
  });
  assert.deepEqual([unsure.order?.id, unsure.order?.phase], [2, "asked"]);
  assert.deepEqual(told(unsure)[0], ["look", "paid", "There was no answer."]);
});
