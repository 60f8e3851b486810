// A page without a face in front of a venue that does what the test says: everything between the
// store and the network is the real thing.

/** @import { FollowingResync } from "../../../web/types/wire.js" */
/** @import { Session, State } from "../../../web/state/state.js" */
/** @import { TradingEvent } from "../../../web/state/events.js" */
/** @import { Connection } from "./fake_venue.mjs" */

import { Api } from "../../../web/io/api.js";
import { Bets } from "../../../web/io/bets.js";
import { Follower } from "../../../web/io/follow.js";
import { initialState } from "../../../web/state/state.js";
import { Store } from "../../../web/state/store.js";
import { reduce } from "../../../web/state/trading.js";
import { FakeVenue } from "./fake_venue.mjs";
import { HandClock } from "./hand_clock.mjs";
import { NOBODY, NOW_MS, QUOTE, RULES, SESSION, STATUS, snapshot } from "./states.mjs";

const DEMO = { version: "1", commit: "", demo: true, chain_id: RULES.chain_id };
const PAST = [{ ts_ms: NOW_MS - 1000, price_cents: 4_200_400, trade_id: 1, source: "binance" }];

export class Stage {
  /** @type {string[]} what the session key was given to sign */
  signed = [];
  /** @type {string | null} */
  token = null;
  /** @type {string[]} tokens that the venue said are no good */
  endedTokens = [];
  checks = 0;
  #nonces = 0;
  #beats = 1_000;

  /** @param {FakeVenue} venue */
  constructor(venue) {
    this.venue = venue;
    this.clock = new HandClock();
    /** @type {Store<State, TradingEvent>} */
    this.store = new Store(reduce, initialState());
    const api = new Api(() => this.token, { origin: `http://${venue.host}` });
    const sessions = {
      token: () => this.token,
      /** @param {string} token */
      ended: (token) => {
        this.endedTokens.push(token);
        this.token = null;
        this.#show({ ...NOBODY, phase: "expired", kind: "demo" });
      },
      check: async () => {
        this.checks += 1;
      },
      /** @param {string} text */
      sign: async (text) => {
        this.signed.push(text);
        return `0x${"ab".repeat(64)}`;
      },
    };
    this.follower = new Follower({
      store: this.store,
      api,
      clock: this.clock,
      sessions,
      url: `ws://${venue.host}/ws`,
      chance: () => 0,
      caughtUp: () => this.bets.askAfter(),
    });
    this.bets = new Bets({
      store: this.store,
      socket: this.follower.socket,
      api,
      clock: this.clock,
      sessions,
      newNonce: () => this.nonce(++this.#nonces),
    });
  }

  static async open() {
    const venue = await FakeVenue.open();
    venue.answers["/api/grid"] = { ...RULES, quote: null };
    venue.answers["/version"] = DEMO;
    venue.answers["/api/prices/history"] = { ticks: PAST };
    return new Stage(venue);
  }

  async close() {
    this.follower.close();
    await this.venue.close();
  }

  /**
   * The nonce of the page's first, second ... bet.
   *
   * @param {number} count
   */
  nonce(count) {
    return `00000000-0000-4000-8000-00000000000${count}`;
  }

  get state() {
    return this.store.state;
  }

  /** @param {Session} session */
  #show(session) {
    this.store.dispatch({ type: "page:session", session });
  }

  /** @param {string} token @param {Session} [session] */
  signIn(token, session = SESSION) {
    this.token = token;
    this.#show(session);
  }

  /** Until the state is so; at once, if it is. @param {(state: State) => boolean} holds */
  until(holds) {
    return /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        const end = this.store.watch((state) => {
          if (holds(state)) {
            end();
            resolve();
          }
        });
        if (holds(this.state)) {
          end();
          resolve();
        }
      })
    );
  }

  /**
   * All that the venue has sent so far is heard, and what it led to is done, but for what waits.
   *
   * @param {Connection} connection
   */
  async settled(connection) {
    this.#beats += 1;
    const beat = this.#beats;
    connection.send({ ...STATUS, feed_age_ms: beat });
    await this.until(({ market }) => market.status?.feed_age_ms === beat);
    await new Promise((resolve) => setImmediate(resolve));
  }

  /**
   * Requests of that operation that the page has sent by now, and nobody has taken.
   *
   * @param {Connection} connection
   * @param {string} op
   */
  async sent(connection, op) {
    void this.follower.socket.request("fence").catch(() => {});
    await connection.request("fence"); // what was sent before it has come before it
    return connection.left(op);
  }

  /** The page has connected, and the venue has told it what everybody may see. */
  async connected() {
    this.follower.socket.connect();
    return this.greet(await this.venue.joined());
  }

  /** What the venue does with whoever comes. @param {Connection} connection */
  async greet(connection) {
    connection.reply(await connection.request("ping"), { server_time_ms: NOW_MS });
    connection.reply(await connection.request("subscribe"), {});
    connection.send(STATUS);
    connection.send(QUOTE);
    await this.until(({ connection: { phase }, market }) => {
      return phase === "live" && market.status !== null && market.rules !== null;
    });
    return connection;
  }

  /**
   * ... and the trader is signed in, and knows where he stands.
   *
   * @param {Parameters<typeof snapshot>[0]} [told]
   */
  async playing(told = {}) {
    const connection = await this.connected();
    this.signIn("T");
    await this.caughtUp(connection, told);
    return connection;
  }

  /**
   * Answer `auth` with a snapshot.
   *
   * @param {Connection} connection
   * @param {Parameters<typeof snapshot>[0]} [told]
   */
  async caughtUp(connection, told = {}) {
    const auth = await connection.request("auth");
    connection.reply(auth, resync(told));
    const { seq } = snapshot(told);
    await this.until(({ account }) => account?.seq === seq);
    return auth;
  }
}

/**
 * @param {Parameters<typeof snapshot>[0]} [told]
 * @returns {FollowingResync}
 */
export function resync(told = {}) {
  const account = snapshot(told);
  const expires_at_ms = NOW_MS + 3_600_000;
  return { wallet: account.wallet, expires_at_ms, resync_required: true, snapshot: account };
}
