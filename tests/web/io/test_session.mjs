// Against a stand-in for the venue's sign-in, which checks nothing: what the venue itself thinks of a
// session of the page, the tests in a real browser tell.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Api } from "../../../web/io/api.js";
import { VenueClock } from "../../../web/io/clock.js";
import { Sessions } from "../../../web/io/session.js";
import { SessionStore } from "../../../web/io/session_store.js";
import { welcome } from "../../../web/io/welcome.js";

/** @import { TestContext } from "node:test" */
/** @import { AddressInfo } from "node:net" */
/** @import { Session } from "../../../web/state/state.js" */
/** @import { Wallet } from "../../../web/io/wallets.js" */

const ACCOUNT = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf";
const ADDRESS = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf";
const SIGNATURE = `0x${"ab".repeat(65)}`;
const CAPS = { betMaxMicros: 25_000_000, dayMaxMicros: 500_000_000, hours: 8 };
const DAY_MS = 86_400_000;
const GONE = { error: "unauthorized", message: "A valid bearer token is needed." };

/** What the venue is asked, and by which token; it lets everybody in unless told otherwise. */
class Venue {
  /** @type {string[]} */
  asked = [];
  /** @type {any[]} */
  bodies = [];
  /** @type {[number, object] | null} the next sign-ins are answered so */
  refusal = null;
  /** @type {Set<string>} */
  ended = new Set();
  /** @type {any} of every session that is asked after */
  key = null;
  origin = "";
  uri = "";
  #sessions = 0;

  /** @param {TestContext} t */
  async open(t) {
    const server = createServer(async (request, response) => {
      const text = await new Response(/** @type {any} */ (request)).text();
      const token = request.headers.authorization?.replace("Bearer ", "") ?? "";
      const call = `${request.method} ${request.url}`;
      this.asked.push(token === "" ? call : `${call} by ${token}`);
      this.bodies.push(text === "" ? {} : JSON.parse(text));
      const [status, body] = this.#answer(request.url ?? "", token, this.bodies.at(-1));
      response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    t.after(() => server.closeAllConnections());
    const { port } = /** @type {AddressInfo} */ (server.address());
    this.origin = `http://127.0.0.1:${port}`;
    this.uri = this.origin;
    return this;
  }

  /**
   * @param {string} path
   * @param {string} token
   * @param {any} body
   * @returns {[number, object]}
   */
  #answer(path, token, body) {
    const issued = { issued_at_ms: 1_795_190_909_161, expires_at_ms: 1_795_191_209_161 };
    if (path.startsWith("/api/auth/nonce")) {
      const { uri } = this;
      const nonce = "0f".repeat(16);
      return [200, { nonce, domain: "here", uri, chain_id: 1, address: ADDRESS, ...issued }];
    }
    if (path === "/api/auth/demo" || path === "/api/auth/login") {
      return this.refusal ?? [200, this.#begun(path, body)];
    }
    if (this.ended.has(token)) {
      return [401, GONE];
    }
    return path === "/api/auth/logout"
      ? (this.refusal ?? [200, { logged_out: true }])
      : [200, { expires_at_ms: Date.now() + DAY_MS, session_key: this.key }];
  }

  /**
   * @param {string} path
   * @param {any} body
   */
  #begun(path, body) {
    this.#sessions += 1;
    const ends = { expires_at_ms: Date.now() + DAY_MS };
    const caps = { bet_max_micros: 1, day_max_micros: 2, ...ends };
    this.key = { key_id: body.public_key ?? "key", ...caps };
    const wallet = path === "/api/auth/login" ? ACCOUNT : `0x${String(this.#sessions).repeat(40)}`;
    return {
      token: `token-${this.#sessions}`,
      session_id: `session-${this.#sessions}`,
      ...ends,
      user: { wallet, balance_micros: 0 },
      session_key: this.key,
    };
  }

  /** @param {RegExp} call */
  count(call) {
    return this.asked.filter((asked) => call.test(asked)).length;
  }
}

/**
 * A tab of the browser whose memory is `store`.
 *
 * @param {TestContext} t
 * @param {Venue} venue
 * @param {SessionStore} [store]
 */
function tab(t, venue, store = new SessionStore()) {
  /** @type {Session[]} */
  const shown = [];
  const { origin } = venue;
  /** @type {Api} */
  const api = new Api(() => sessions.token(), {
    origin,
    ended: (token) => void sessions.ended(token),
  });
  const show = (/** @type {Session} */ session) => void shown.push(session);
  /** @type {Sessions} */
  const sessions = new Sessions({ show, api, clock: new VenueClock(), store, origin });
  t.after(() => sessions.close());
  const now = () => /** @type {Session} */ (shown.at(-1));
  return { sessions, shown, store, api, now };
}

/** @param {() => boolean} holds */
async function until(holds) {
  while (!holds()) {
    await turn();
  }
}

/**
 * @param {(method: string, params: readonly any[]) => unknown} [sign]
 * @returns {Wallet}
 */
function wallet(sign = () => SIGNATURE) {
  return {
    id: "1",
    name: "Fox",
    iconUrl: null,
    rdns: "example.fox",
    provider: {
      request: async ({ method, params = [] }) =>
        method === "eth_requestAccounts" ? [ADDRESS] : sign(method, params),
    },
  };
}

// --- paper money --------------------------------------------------------------------------------

test("a first visit begins a demo account by itself, and says so as it goes", async (t) => {
  const venue = await new Venue().open(t);
  const { sessions, shown } = tab(t, venue);
  await sessions.restore();
  await welcome(sessions);
  const phases = shown.map(({ phase, waitingFor }) => [phase, waitingFor]);
  assert.deepEqual(phases.at(0), ["signing_in", "venue"]);
  assert.deepEqual(phases.at(-1), ["in", null]);
  const { kind, wallet: account, sessionId, key } = /** @type {Session} */ (shown.at(-1));
  assert.deepEqual([kind, account, sessionId], ["demo", `0x${"1".repeat(40)}`, "session-1"]);
  assert.equal(key?.keyId, venue.bodies[0].public_key);
  assert.match(await sessions.sign("Tap Trading Bet"), /^0x[0-9a-f]{128}$/);
});

test("neither the token nor the key is shown to anybody", async (t) => {
  const { sessions, shown } = tab(t, await new Venue().open(t));
  await sessions.signInDemo();
  assert.equal(sessions.token(), "token-1");
  assert.ok(!JSON.stringify(shown).includes("token-1"));
  assert.ok(shown.every((session) => !("privateKey" in session)));
});

test("two tabs that are opened at once make one demo account", async (t) => {
  const venue = await new Venue().open(t);
  const store = new SessionStore();
  const [one, other] = [tab(t, venue, store), tab(t, venue, store)];
  await Promise.all([one, other].map(({ sessions }) => sessions.restore()));
  await Promise.all([one, other].map(({ sessions }) => welcome(sessions)));
  assert.equal(venue.count(/demo/), 1);
  assert.deepEqual([one.sessions.token(), other.sessions.token()], ["token-1", "token-1"]);
});

test("a second visit takes up the session of the first", async (t) => {
  const venue = await new Venue().open(t);
  const { sessions, store } = tab(t, venue);
  await sessions.signInDemo();
  const later = tab(t, venue, store);
  await later.sessions.restore();
  await welcome(later.sessions);
  assert.equal(later.now().sessionId, "session-1");
  assert.equal(venue.count(/demo/), 1);
});

test("an attempt that is refused says until when to wait, and what is asked to be waited", async (t) => {
  const venue = await new Venue().open(t);
  venue.refusal = [429, { error: "rate_limited", message: "", retry_after: 30 }];
  const { sessions, now } = tab(t, venue);
  assert.equal(await sessions.signInDemo(), 30_000);
  assert.equal(now().phase, "none");
  assert.match(now().problem, /^Too many sign-ins from your network\. Try again at /);
  venue.refusal = null;
  await sessions.signInDemo();
  assert.deepEqual([now().phase, now().problem], ["in", ""]);
});

test("a venue that can't be reached is tried again with another key", async (t) => {
  const venue = await new Venue().open(t);
  venue.refusal = [502, {}];
  const { sessions, now } = tab(t, venue);
  await sessions.signInDemo();
  assert.equal(now().problem, "The venue can't be reached. Try again in a moment.");
  await sessions.signInDemo();
  assert.notEqual(venue.bodies[0].public_key, venue.bodies[1].public_key);
});

// --- the end ------------------------------------------------------------------------------------

test("a session that the venue has ended is over, and no other begins by itself", async (t) => {
  const venue = await new Venue().open(t);
  const { sessions, store, api, now } = tab(t, venue);
  await sessions.signInDemo();
  venue.ended.add("token-1");
  await assert.rejects(api.get("/api/account"));
  await until(() => now().problem !== "");
  assert.deepEqual([now().phase, now().kind], ["expired", "demo"]);
  assert.equal(now().problem, "Your session has ended.");
  assert.equal(sessions.token(), null);
  await assert.rejects(sessions.sign("text"));

  const later = tab(t, venue, store);
  await later.sessions.restore();
  await welcome(later.sessions);
  assert.equal(later.now().phase, "expired");
  assert.equal(venue.count(/demo/), 1);
  await later.sessions.signInDemo();
  assert.equal(later.now().sessionId, "session-2");
});

test("a session that ended while nobody looked is found out at the next visit", async (t) => {
  const venue = await new Venue().open(t);
  const { sessions, store } = tab(t, venue);
  await sessions.signInDemo();
  venue.ended.add("token-1");
  const later = tab(t, venue, store);
  await later.sessions.restore();
  await until(() => later.now().phase === "expired");
});

test("a venue that does not answer ends no session", async (t) => {
  const venue = await new Venue().open(t);
  const { sessions, now } = tab(t, venue);
  await sessions.signInDemo();
  venue.origin = "http://127.0.0.1:9";
  const away = tab(t, venue);
  await sessions.check();
  await away.sessions.check();
  assert.equal(now().phase, "in");
});

test("the end of another token than ours changes nothing", async (t) => {
  const { sessions, now } = tab(t, await new Venue().open(t));
  await sessions.signInDemo();
  await sessions.ended("token-0");
  assert.equal(now().phase, "in");
});

test("a key that the venue has ended is no key, though the session goes on", async (t) => {
  const venue = await new Venue().open(t);
  const { sessions, now } = tab(t, venue);
  await sessions.signInDemo();
  venue.key = null;
  await sessions.check();
  assert.deepEqual([now().phase, now().key], ["in", null]);
});

test("who signs out is out in every tab, and at the venue", async (t) => {
  const venue = await new Venue().open(t);
  const store = new SessionStore();
  const [one, other] = [tab(t, venue, store), tab(t, venue, store)];
  await one.sessions.signInDemo();
  await until(() => other.shown.length > 0 && other.now().phase === "in");
  await one.sessions.signOut();
  await until(() => other.now().phase === "none");
  assert.deepEqual([one.now().phase, one.now().problem], ["none", ""]);
  assert.equal(other.sessions.token(), null);
  assert.equal(venue.asked.at(-1), "POST /api/auth/logout by token-1");

  const later = tab(t, venue, store);
  await later.sessions.restore();
  await welcome(later.sessions);
  assert.equal(venue.count(/demo/), 1);
});

test("a wanted end is not told as one that was suffered, whoever hears of it first", async (t) => {
  const venue = await new Venue().open(t);
  const store = new SessionStore();
  const [one, other] = [tab(t, venue, store), tab(t, venue, store)];
  await one.sessions.signInDemo();
  await other.sessions.restore();
  other.sessions.close(); // hears of it from the venue alone
  const out = one.sessions.signOut();
  await until(() => venue.count(/logout/) === 1);
  await Promise.all([out, one.sessions.ended("token-1"), other.sessions.ended("token-1")]);
  assert.deepEqual([one.now().phase, other.now().phase], ["none", "none"]);
});

test("a sign-out that the venue did not hear says so", async (t) => {
  const venue = await new Venue().open(t);
  const { sessions, now } = tab(t, venue);
  await sessions.signInDemo();
  venue.refusal = [503, { error: "overloaded", message: "" }];
  await sessions.signOut();
  assert.equal(now().phase, "none");
  assert.match(now().problem, /^Signed out here\. The venue could not be told/);
});

// --- wallets ------------------------------------------------------------------------------------

test("a wallet signs one text, with the key and its limits in it", async (t) => {
  const venue = await new Venue().open(t);
  const { sessions, shown, now } = tab(t, venue);
  /** @type {any[]} */
  const asked = [];
  const fox = wallet((method, params) => {
    asked.push([method, ...params]);
    return SIGNATURE;
  });
  await sessions.signInWith(fox, CAPS);
  assert.deepEqual(venue.asked, [`GET /api/auth/nonce?wallet=${ACCOUNT}`, "POST /api/auth/login"]);
  const [[method, message, address]] = asked;
  const text = Buffer.from(message.slice(2), "hex").toString();
  assert.deepEqual([method, address, asked.length], ["personal_sign", ADDRESS, 1]);
  assert.match(text, /\?bet=25000000&day=500000000&until=1795219709$/);
  assert.deepEqual(venue.bodies[1], { message: text, signature: SIGNATURE });
  assert.deepEqual([now().phase, now().kind, now().wallet], ["in", "wallet", ACCOUNT]);
  assert.deepEqual([shown[0]?.phase, shown[0]?.waitingFor], ["signing_in", "wallet"]);
});

test("whoever changes to a wallet, or renews its key, leaves no key behind", async (t) => {
  const venue = await new Venue().open(t);
  const { sessions, now } = tab(t, venue);
  await sessions.signInDemo();
  await sessions.signInWith(wallet(), CAPS);
  await sessions.signInWith(wallet(), CAPS);
  await until(() => venue.count(/logout/) === 2);
  assert.equal(venue.count(/logout by token-1/), 1);
  assert.equal(venue.count(/logout by token-2/), 1);
  assert.equal(now().sessionId, "session-3");
});

test("who declines, or waits no longer, is still who he was", async (t) => {
  const venue = await new Venue().open(t);
  const { sessions, shown, now } = tab(t, venue);
  await sessions.signInDemo();
  const declined = wallet(() => {
    throw { code: 4001 };
  });
  await sessions.signInWith(declined, CAPS);
  assert.equal(now().problem, "You declined in your wallet. Nothing was signed.");
  const waiting = sessions.signInWith(
    wallet(() => new Promise(() => {})),
    CAPS,
  );
  await until(() => venue.count(/nonce/) === 2);
  sessions.cancel();
  await waiting;
  assert.deepEqual([now().phase, now().sessionId, now().problem], ["in", "session-1", ""]);
  const phases = shown.slice(shown.findIndex(({ phase }) => phase === "in")).map((s) => s.phase);
  assert.deepEqual([...new Set(phases)], ["in"], "taps go on while a wallet is asked");
});

test("what went wrong stays said, to whoever had signed out before", async (t) => {
  const venue = await new Venue().open(t);
  const { sessions, store, now } = tab(t, venue);
  await sessions.signInDemo();
  await sessions.signOut();
  const pending = wallet(() => {
    throw { code: -32002 };
  });
  await sessions.signInWith(pending, CAPS);
  await store.load();
  await turn();
  assert.equal(now().phase, "none");
  assert.match(now().problem, /^Your wallet has a request open already/);
});

test("one sign-in at a time", async (t) => {
  const venue = await new Venue().open(t);
  const { sessions } = tab(t, venue);
  await Promise.all([sessions.signInDemo(), sessions.signInDemo()]);
  assert.equal(venue.count(/demo/), 1);
});

test("a page that was opened by another name than the venue's sends to the right one", async (t) => {
  const venue = await new Venue().open(t);
  venue.uri = "https://tap.example";
  const { sessions, now } = tab(t, venue);
  await sessions.signInWith(wallet(), CAPS);
  assert.equal(now().problem, "Open this page as https://tap.example to sign in with a wallet.");
  assert.equal(venue.count(/login/), 0);
});

test("another account in the wallet is said, and the session goes on", async (t) => {
  const venue = await new Venue().open(t);
  const { sessions, now } = tab(t, venue);
  /** @type {(accounts: string[]) => void} */
  let change = () => {};
  const fox = wallet();
  fox.provider.on = (_event, listener) => {
    change = listener;
  };
  const found = { list: () => [fox], watch: () => () => {}, look: () => {} };
  sessions.watch(/** @type {any} */ (found));
  await sessions.signInWith(fox, CAPS);
  change([`0x${"1".repeat(40)}`]);
  assert.match(now().problem, /now shows 0x1111…1111\. You are still signed in as 0x7e5f…5bdf/);
  change([ADDRESS]);
  assert.deepEqual([now().phase, now().problem], ["in", ""]);
});

test("a wallet that can't be listened to signs in all the same, and at the next visit is still in", async (t) => {
  const venue = await new Venue().open(t);
  const { sessions, now } = tab(t, venue);
  const fox = wallet();
  fox.provider.on = () => {
    throw new Error("not supported");
  };
  const found = { list: () => [fox], watch: () => () => {}, look: () => {} };
  sessions.watch(/** @type {any} */ (found));
  await sessions.signInWith(fox, CAPS);
  assert.deepEqual([now().phase, now().problem], ["in", ""]);
});
