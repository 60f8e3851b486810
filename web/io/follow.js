// Keeps the state in step with the venue: what everybody may see from the moment the page opens, and
// the trader's own events as long as he is signed in. After any break all of it is taken up again,
// in the way that docs/websocket.md calls "how to keep up".

/** @import { Frame, FollowingResumed, FollowingResync, Pong, Resumed, Resync } from "../types/wire.js" */
/** @import { TradingEvent } from "../state/events.js" */
/** @import { State } from "../state/state.js" */
/** @import { Store } from "../state/store.js" */
/** @import { Api } from "./api.js" */
/** @import { VenueClock } from "./clock.js" */
/** @import { Loss } from "./socket.js" */

import { seqAfter } from "../state/account.js";
import { Refused, Unreachable } from "./api.js";
import { readPast, readRules } from "./market.js";
import { VenueSocket } from "./socket.js";

/** A seq that no account has: the venue answers it with the snapshot, open bets and all. */
const AHEAD_OF_ALL = 10 ** 15;
const PING_MS = 15_000;
/** The clock is to be right at once: so many pings come sooner. */
const FIRST_PINGS = 3;
const FIRST_PING_MS = 700;
/** After a failure that says nothing better. */
const AGAIN_MS = 2_000;

/**
 * @typedef {object} Ports
 * @property {Store<State, TradingEvent>} store
 * @property {Api} api
 * @property {VenueClock} clock
 * @property {{token(): string | null, ended(token: string): unknown}} sessions
 * @property {string} url of the WebSocket
 * @property {() => number} chance 0 to 1
 * @property {() => void} caughtUp the state holds all that the venue has said of the trader
 */

export class Follower {
  #ports;
  /** @type {string | null} the token whose private stream this connection has asked for */
  #following = null;
  /** @type {string | null} the token whose private stream it is sent */
  #followed = null;
  /** One for each connection; what an earlier one was about is let be. */
  #life = 0;
  #resuming = false;

  /** @param {Ports} ports */
  constructor(ports) {
    this.#ports = ports;
    const { clock, chance } = ports;
    this.socket = new VenueSocket(
      ports.url,
      {
        connecting: () => this.#tell({ type: "page:connecting", atMs: clock.pageMs() }),
        opened: () => this.#opened(),
        heard: (frame) => this.#heard(frame),
        lost: (loss) => this.#lost(loss),
      },
      clock,
      chance,
    );
    ports.store.watch((state, before) => {
      if (state.session !== before.session) {
        this.#follow();
      }
    });
  }

  /** End it for good. */
  close() {
    this.#life += 1;
    this.socket.close();
  }

  /** @param {TradingEvent} event */
  #tell(event) {
    this.#ports.store.dispatch(event);
  }

  // The connection

  #opened() {
    this.#life += 1;
    const life = this.#life;
    this.#following = null;
    this.#followed = null;
    this.#resuming = false;
    void this.#insist(life, () => this.#subscribe());
    void this.#insist(life, () => this.#readMarket());
    void this.#ping(life);
    this.#follow();
  }

  /** @param {Loss} loss */
  #lost({ retryAtMs, drained }) {
    this.#life += 1;
    const { clock } = this.#ports;
    const times = { atMs: clock.pageMs(), nowMs: clock.nowMs(), retryAtMs };
    this.#tell({ type: "page:lost", drained, ...times });
  }

  /** @param {Frame} frame */
  #heard(frame) {
    if (frame.type === "system:status") {
      this.#ports.clock.hear(frame.server_time_ms);
    } else if (frame.type === "session:expired") {
      this.#sessionEnded();
    }
    const order = seqAfter(this.#ports.store.state, frame);
    this.#tell(frame);
    if (frame.type === "resync_required" || order === "gap") {
      this.#resume();
    }
  }

  /**
   * Do it until it is done, or the connection is another one.
   *
   * @param {number} life
   * @param {() => Promise<void>} work
   */
  async #insist(life, work) {
    while (life === this.#life) {
      try {
        await work();
        return;
      } catch (failure) {
        await this.#ports.clock.pause(againInMs(failure));
      }
    }
  }

  // What everybody may see

  async #subscribe() {
    await this.socket.request("subscribe", { channels: ["price", "grid", "status"] });
    this.#tell({ type: "page:connected", atMs: this.#ports.clock.pageMs() });
  }

  async #readMarket() {
    const { api, clock } = this.#ports;
    const { rules, demo } = await readRules(api);
    clock.hear(rules.server_time_ms); // what follows is asked for by the venue's time
    this.#tell({ type: "page:rules", rules, demo });
    this.#tell({ type: "page:past", points: await readPast(api, clock.nowMs()) });
  }

  /** @param {number} life */
  async #ping(life) {
    for (let sent = 1; life === this.#life; sent += 1) {
      const askedAtMs = this.#ports.clock.pageMs();
      try {
        const pong = /** @type {Pong} */ (await this.socket.request("ping"));
        this.#ports.clock.hear(pong.server_time_ms, askedAtMs);
      } catch {
        // A venue that is silent is noticed by its missing heartbeat.
      }
      await this.#ports.clock.pause(sent < FIRST_PINGS ? FIRST_PING_MS : PING_MS);
    }
  }

  // The private stream

  /** Follow the events of whoever is signed in now. */
  #follow() {
    const token = this.#ports.sessions.token();
    if (token === this.#following || !this.socket.isOpen) {
      return;
    }
    this.#following = token;
    if (token !== null) {
      const life = this.#life;
      void this.#insist(life, async () => {
        if (this.#following === token) {
          await this.#auth(token);
        }
      });
    }
  }

  /** @param {string} token */
  async #auth(token) {
    const seq = this.#ports.store.state.account?.seq ?? AHEAD_OF_ALL;
    try {
      const reply = /** @type {FollowingResumed | FollowingResync} */ (
        await this.socket.request("auth", { token, seq })
      );
      this.#followed = token;
      this.#caughtUp(token, reply);
    } catch (failure) {
      if (!(failure instanceof Refused && failure.code === "unauthorized")) {
        throw failure;
      }
      await this.#ports.sessions.ended(token);
    }
  }

  /** Ask for what was missed; once, however often it turns out to be needed meanwhile. */
  #resume() {
    const token = this.#following;
    if (this.#resuming || token === null) {
      return;
    }
    this.#resuming = true;
    const life = this.#life;
    void this.#insist(life, async () => {
      if (token !== this.#following) {
        this.#resuming = false; // whoever follows has been told where he stands
        return;
      }
      const seq = this.#ports.store.state.account?.seq ?? AHEAD_OF_ALL;
      const reply = /** @type {Resumed | Resync} */ (await this.socket.request("resume", { seq }));
      this.#resuming = false;
      this.#caughtUp(token, reply);
    });
  }

  /**
   * @param {string} token
   * @param {Resumed | Resync | FollowingResumed | FollowingResync} reply
   */
  #caughtUp(token, reply) {
    if (token !== this.#following) {
      return;
    }
    const nowMs = this.#ports.clock.nowMs();
    if ("snapshot" in reply) {
      this.#tell({ type: "page:snapshot", snapshot: reply.snapshot, nowMs });
    } else {
      this.#tell({ type: "page:resumed", nowMs });
    }
    this.#ports.caughtUp();
  }

  /** What follows it may have been asked for already: the one that has ended is the one before. */
  #sessionEnded() {
    const token = this.#followed;
    if (token !== null) {
      void this.#ports.sessions.ended(token);
    }
  }
}

/** @param {unknown} failure */
function againInMs(failure) {
  const afterS = failure instanceof Refused ? failure.details["retry_after"] : null;
  if (failure instanceof Refused || failure instanceof Unreachable) {
    return typeof afterS === "number" ? afterS * 1000 : AGAIN_MS;
  }
  throw failure;
}
