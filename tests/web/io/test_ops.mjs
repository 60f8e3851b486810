import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { actionOf } from "../../../web/domain/ops_actions.js";
import { OpsVenue, Poller, Token } from "../../../web/io/ops.js";
import { OpsDesk } from "../../../web/io/ops_desk.js";
import { statusAt } from "../support/ops_status.mjs";

/** @import { ServerResponse } from "node:http" */
/** @import { AddressInfo } from "node:net" */
/** @import { TestContext } from "node:test" */
/** @import { OperateEvent } from "../../../web/state/operate.js" */

const TOKEN = "an-operators-token-of-32-letters";

/** Storage of a tab. */
class Tab {
  /** @type {Map<string, string>} */
  kept = new Map();
  /** @param {string} key */
  getItem = (key) => this.kept.get(key) ?? null;
  /** @param {string} key @param {string} value */
  setItem = (key, value) => void this.kept.set(key, value);
  /** @param {string} key */
  removeItem = (key) => void this.kept.delete(key);
}

/**
 * A venue that answers by path; a path that is not there is never answered.
 *
 * @param {TestContext} t
 * @param {Record<string, [number, unknown] | ((path: string) => [number, unknown])>} answers
 */
async function venue(t, answers) {
  /** @type {{method: string, path: string, token: string, body: string}[]} */
  const asked = [];
  const server = createServer(async (request, response) => {
    const path = String(request.url).split("?", 1)[0] ?? "";
    const body = await new Response(/** @type {any} */ (request)).text();
    const token = request.headers.authorization ?? "";
    asked.push({ method: String(request.method), path: String(request.url), token, body });
    const found = answers[path];
    const answer = typeof found === "function" ? found(String(request.url)) : found;
    if (answer === undefined) {
      request.socket.destroy();
    } else {
      say(response, ...answer);
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  const { port } = /** @type {AddressInfo} */ (server.address());
  const token = new Token(new Tab());
  token.enter(TOKEN, false);
  return { asked, answers, at: new OpsVenue(token, `http://127.0.0.1:${port}`) };
}

/**
 * @param {ServerResponse} response
 * @param {number} status
 * @param {unknown} body
 */
function say(response, status, body) {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

/** Events as they are told, and a promise of the next. */
class Told {
  /** @type {OperateEvent[]} */
  events = [];
  /** @type {(() => void)[]} */
  #waiting = [];
  /** @param {OperateEvent} event */
  tell = (event) => {
    this.events.push(event);
    for (const done of this.#waiting.splice(0)) {
      done();
    }
  };

  /** @param {(events: OperateEvent[]) => boolean} isIt */
  async until(isIt) {
    while (!isIt(this.events)) {
      await new Promise((done) => this.#waiting.push(() => done(undefined)));
    }
  }

  /** @param {OperateEvent["type"]} type */
  of(type) {
    return this.events.filter((event) => event.type === type);
  }
}

// --- the token ----------------------------------------------------------------------------------

test("a token is kept for the tab only where that is wanted, and nowhere when it is forgotten", () => {
  const tab = new Tab();
  const token = new Token(tab);
  assert.equal(token.enter(` ${TOKEN} `, false), true);
  assert.deepEqual([token.value(), tab.kept.size], [TOKEN, 0]);
  token.enter(TOKEN, true);
  const reloaded = new Token(tab);
  assert.equal(reloaded.recall(), true);
  assert.equal(reloaded.value(), TOKEN);
  reloaded.forget();
  assert.deepEqual([reloaded.value(), tab.kept.size], [null, 0]);
  assert.equal(new Token(tab).recall(), false);
});

test("one that is entered without leave to keep it takes the kept one away", () => {
  const tab = new Tab();
  new Token(tab).enter(TOKEN, true);
  new Token(tab).enter("another-token", false);
  assert.equal(tab.kept.size, 0);
});

test("what can't be a token is not taken", () => {
  const token = new Token(new Tab());
  for (const text of ["", "  ", "two words", "tökèn", "x".repeat(257)]) {
    assert.equal(token.enter(text, true), false, text);
  }
  assert.equal(token.value(), null);
});

test("a tab whose storage is blocked keeps nothing, and works", () => {
  const blocked = () => {
    throw new Error("blocked");
  };
  const token = new Token({ getItem: blocked, setItem: blocked, removeItem: blocked });
  assert.equal(token.recall(), false);
  assert.equal(token.enter(TOKEN, true), true);
  assert.equal(token.value(), TOKEN);
  assert.equal(new Token(null).enter(TOKEN, true), true);
});

// --- polls --------------------------------------------------------------------------------------

test("status and audit log are asked for with the token, which stands in no address", async (t) => {
  const entries = [{ n: 1 }];
  const { at, asked } = await venue(t, {
    "/ops/status": [200, statusAt(0)],
    "/ops/audit": [200, { entries, next_cursor: null }],
  });
  const told = new Told();
  const poller = new Poller(at, told.tell);
  t.after(() => poller.stop());
  poller.start();
  await told.until(() => told.of("ops:audit").length > 0);
  assert.deepEqual(told.events[0], { ...told.events[0], type: "ops:status", status: statusAt(0) });
  assert.deepEqual(told.of("ops:audit"), [{ type: "ops:audit", entries }]);
  assert.deepEqual(new Set(asked.map(({ token }) => token)), new Set([`Bearer ${TOKEN}`]));
  assert.ok(asked.every(({ path }) => !path.includes(TOKEN)));
});

test("it is asked again each second, and at once when that is wanted", async (t) => {
  const { at } = await venue(t, {
    "/ops/status": [200, statusAt(0)],
    "/ops/audit": [200, { entries: [], next_cursor: null }],
  });
  const told = new Told();
  const poller = new Poller(at, told.tell);
  t.after(() => poller.stop());
  poller.start();
  await told.until(() => told.of("ops:status").length === 1);
  const before = performance.now();
  await told.until(() => told.of("ops:status").length === 2);
  assert.ok(performance.now() - before > 500);
  for (const count of [3, 4, 5, 6]) {
    poller.hasten();
    await told.until(() => told.of("ops:status").length >= count);
  }
  assert.ok(performance.now() - before < 4_000);
});

test("a token that is not accepted ends the polls, in words", async (t) => {
  const { at, asked } = await venue(t, { "/ops/status": [401, { error: "unauthorized" }] });
  const told = new Told();
  const poller = new Poller(at, told.tell);
  t.after(() => poller.stop());
  poller.start();
  await told.until((events) => events.length > 0);
  assert.deepEqual(told.events, [
    { type: "ops:turned_away", problem: "The venue does not accept this token." },
  ]);
  poller.hasten();
  assert.equal(asked.length, 1);
});

test("many wrong tokens are no reason to go on asking", async (t) => {
  const { at } = await venue(t, { "/ops/status": [429, { error: "rate_limited" }] });
  const told = new Told();
  const poller = new Poller(at, told.tell);
  t.after(() => poller.stop());
  poller.start();
  await told.until((events) => events.length > 0);
  assert.equal(told.events[0]?.type, "ops:turned_away");
});

test("a venue that is away, or says why it does not answer, is asked on", async (t) => {
  const { at, answers } = await venue(t, {});
  const told = new Told();
  const poller = new Poller(at, told.tell);
  t.after(() => poller.stop());
  poller.start();
  await told.until((events) => events.length > 0);
  answers["/ops/status"] = [503, { error: "overloaded", message: "Too many connections." }];
  poller.hasten();
  await told.until((events) => events.length > 1);
  answers["/ops/status"] = [200, statusAt(0)];
  answers["/ops/audit"] = [503, { error: "store_unavailable", message: "It can't be read." }];
  poller.hasten();
  await told.until(() => told.of("ops:audit_lost").length > 0);
  const said = told.events.map((event) => ("problem" in event ? event.problem : event.type));
  assert.deepEqual(said.slice(0, 2), [
    "The venue does not answer",
    "The venue says: Too many connections.",
  ]);
  assert.ok(told.of("ops:status").length > 0);
  assert.deepEqual(told.of("ops:audit_lost")[0], {
    type: "ops:audit_lost",
    problem: "It can't be read.",
  });
});

test("a status that this page can't read is a loss, and is asked for again", async (t) => {
  const { at } = await venue(t, {
    "/ops/status": [200, statusAt(0)],
    "/ops/audit": [200, { entries: [], next_cursor: null }],
  });
  const told = new Told();
  const defect = new TypeError("no such field");
  let isFirst = true;
  const read = (/** @type {OperateEvent} */ event) => {
    if (event.type === "ops:status" && isFirst) {
      isFirst = false;
      throw defect;
    }
    told.tell(event);
  };
  /** @type {unknown[]} */
  const reported = [];
  const poller = new Poller(at, read, (found) => reported.push(found));
  t.after(() => poller.stop());
  poller.start();
  await told.until(() => told.of("ops:lost").length === 1);
  poller.hasten();
  await told.until(() => told.of("ops:status").length === 1);
  assert.deepEqual(reported, [defect]);
});

test("after it was stopped nothing is told any more", async (t) => {
  const { at } = await venue(t, { "/ops/status": [200, statusAt(0)] });
  const told = new Told();
  const poller = new Poller(at, told.tell);
  poller.start();
  poller.stop();
  const second = new Told();
  const other = new Poller(at, second.tell);
  t.after(() => other.stop());
  other.start();
  await second.until((events) => events.length > 0);
  assert.deepEqual(told.events, []);
});

// --- orders -------------------------------------------------------------------------------------

const DEPOSIT = { wallet: "house", amount_micros: 5_000_000, reference: "wire-17" };

/** @param {TestContext} t @param {[number, unknown] | undefined} answer */
async function deposit(t, answer) {
  const { at, asked } = await venue(t, answer === undefined ? {} : { "/ops/deposits": answer });
  const told = new Told();
  const mayBeDone = await new OpsDesk(at, told.tell).order(actionOf("deposit"), DEPOSIT, "drill");
  const orders = told.events.map((event) => (event.type === "ops:order" ? event.order : null));
  return { asked, mayBeDone, orders, last: orders.at(-1) };
}

test("an order is sent once, with its reason, and its answer is told", async (t) => {
  const answer = { ...DEPOSIT, balance_micros: 9_000_000, repeated: false };
  const { asked, mayBeDone, orders } = await deposit(t, [200, answer]);
  assert.deepEqual(
    asked.map(({ method, path, body }) => [method, path, JSON.parse(body)]),
    [["POST", "/ops/deposits", { ...DEPOSIT, reason: "drill" }]],
  );
  assert.equal(mayBeDone, true);
  assert.deepEqual(orders, [
    { id: 1, action: "deposit", phase: "asked", text: "" },
    {
      id: 1,
      action: "deposit",
      phase: "done",
      text: "5.00 USD credited to house. The balance is 9.00 USD.",
    },
  ]);
});

test("what is refused was not done, and it is said why", async (t) => {
  const refusal = {
    error: "reference_conflict",
    message: "It stands for another.",
    field: "wallet",
  };
  const { mayBeDone, last } = await deposit(t, [409, refusal]);
  assert.equal(mayBeDone, false);
  assert.deepEqual(last, {
    id: 1,
    action: "deposit",
    phase: "refused",
    text: "It stands for another. (wallet) [reference_conflict] Nothing was done.",
  });
});

for (const code of ["status_unknown", "internal"]) {
  test(`after ${code} it is not known, and how to find out`, async (t) => {
    const { mayBeDone, last } = await deposit(t, [504, { error: code, message: "No word." }]);
    assert.equal(mayBeDone, true);
    assert.equal(last?.phase, "unknown");
    assert.match(String(last?.text), /^No word\. It may have been done\. Send it again/);
  });
}

test("without an answer it is not known either", async (t) => {
  const { mayBeDone, last } = await deposit(t, undefined);
  assert.deepEqual([mayBeDone, last?.phase], [true, "unknown"]);
  assert.match(String(last?.text), /^There was no answer\. It may have been done\./);
});

test("a proxy's word is no word of the venue's: it is not known", async (t) => {
  const { mayBeDone, last } = await deposit(t, [504, { error: "Gateway Timeout" }]);
  assert.deepEqual([mayBeDone, last?.phase], [true, "unknown"]);
});

test("an answer that this page can't read says that it was done", async (t) => {
  for (const answer of [null, {}, { amount_micros: 0.5 }]) {
    const { mayBeDone, last } = await deposit(t, [200, answer]);
    assert.deepEqual([mayBeDone, last?.phase], [true, "done"]);
  }
});

// --- lookups ------------------------------------------------------------------------------------

test("an account comes with its ledger, and older lines join those that are shown", async (t) => {
  const { at, asked, answers } = await venue(t, {
    "/ops/users/17": [200, { user_id: 17, wallet: "0x7e" }],
    "/ops/users/17/ledger": [200, { wallet: "0x7e", entries: [{ rowid: 9 }], next_cursor: "9" }],
  });
  const told = new Told();
  const desk = new OpsDesk(at, told.tell);
  await desk.loadAccount("17");
  const shown = accountOf(told);
  assert.deepEqual(shown.user.user_id, 17);
  answers["/ops/users/17/ledger"] = [
    200,
    { wallet: "0x7e", entries: [{ rowid: 8 }], next_cursor: null },
  ];
  await desk.moreLedger(shown);
  const { ledger } = accountOf(told);
  assert.deepEqual(
    ledger.entries.map(({ rowid }) => rowid),
    [9, 8],
  );
  assert.equal(ledger.next_cursor, null);
  assert.match(String(asked.at(-1)?.path), /cursor=9/);
});

/** @param {Told} told */
function accountOf(told) {
  const last = told.events.at(-1);
  assert.ok(last?.type === "ops:account" && last.lookup.found !== null);
  return last.lookup.found;
}

test("an account that there is not is told in words", async (t) => {
  const { at } = await venue(t, {
    "/ops/users/99": [404, { error: "not_found", message: "There is no such account." }],
    "/ops/users/99/ledger": [404, { error: "not_found", message: "There is no such account." }],
  });
  const told = new Told();
  await new OpsDesk(at, told.tell).loadAccount("99");
  assert.deepEqual(told.events.at(-1), {
    type: "ops:account",
    lookup: { phase: "here", found: null, problem: "There is no such account." },
  });
});

test("of two lookups the last counts, whichever is answered last", async () => {
  /** @type {((found: any) => void)[]} */
  const answers = [];
  const told = new Told();
  const slow = {
    order: async () => {},
    pendingWithdrawals: () =>
      new Promise((/** @type {(found: any) => void} */ done) => answers.push(done)),
    user: async () => assert.fail(),
    ledger: async () => assert.fail(),
  };
  const desk = new OpsDesk(/** @type {any} */ (slow), told.tell);
  const both = [desk.loadWithdrawals(), desk.loadWithdrawals({ quietly: true })];
  answers[1]?.({ withdrawals: ["second"] });
  answers[0]?.({ withdrawals: ["first"] });
  await Promise.all(both);
  const found = told.events.map((event) =>
    event.type === "ops:withdrawals" ? [event.lookup.phase, event.lookup.found] : null,
  );
  assert.deepEqual(found, [
    ["loading", null],
    ["here", ["second"]],
  ]);
});

test("all withdrawals that wait are looked through, and the oldest is first", async (t) => {
  /** @param {string} id */
  const page = (id) => ({ withdrawals: [{ id }] });
  const { at, asked } = await venue(t, {
    "/ops/withdrawals": (/** @type {string} */ path) =>
      path.includes("cursor=a%2Fb")
        ? [200, { ...page("old"), next_cursor: null }]
        : [200, { ...page("new"), next_cursor: "a/b" }],
  });
  const { withdrawals, next_cursor: rest } = await at.pendingWithdrawals();
  assert.deepEqual(
    withdrawals.map(({ id }) => id),
    ["old", "new"],
  );
  assert.equal(rest, null);
  assert.equal(asked.length, 2);
});
