// One WebSocket to the venue, for as long as the page lives: it comes back by itself.
//
// Requests are answered by replies; every other frame is handed on as it comes. It knows nothing of
// what is said: who subscribes and signs in is follow.js.

/** @import { Code, Frame } from "../types/wire.js" */
/** @import { VenueClock } from "./clock.js" */

import { retryInMs } from "../domain/retry.js";
import { Refused, Unreachable } from "./api.js";

/** It was certainly not sent. */
export class NotSent extends Unreachable {
  name = "NotSent";
}

/**
 * @typedef {object} Loss
 * @property {number} retryAtMs by the page's clock
 * @property {boolean} drained has the venue said that it is stopping, and not come back since?
 */

/**
 * @typedef {object} Listener
 * @property {() => void} connecting
 * @property {() => void} opened
 * @property {(frame: Frame) => void} heard
 * @property {(loss: Loss) => void} lost after an attempt in vain, too
 */

/**
 * @typedef {object} Waiting
 * @property {(body: any) => void} resolve
 * @property {(why: Error) => void} reject
 * @property {() => void} callOff its deadline
 */

/** Without a heartbeat for so long it is as good as lost; there is one each second. */
const SILENCE_MS = 5_000;
/** A handshake that takes longer is given up. */
const HANDSHAKE_MS = 10_000;
/** Once the page has slept, what has come meanwhile is heard first. */
const WAKING_MS = 1_000;

export class VenueSocket {
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {Map<number, Waiting>} */
  #waiting = new Map();
  #lastId = 0;
  #failures = 0;
  #drained = false;
  /** @type {number | null} when the venue wants it back, from when it stops; null: it has not said */
  #backInMs = null;
  #heardAtMs = 0;
  #callOffWatch = () => {};
  #callOffRetry = () => {};

  /**
   * @param {string} url
   * @param {Listener} listener
   * @param {Pick<VenueClock, "pageMs" | "after">} clock
   * @param {() => number} chance 0 to 1
   */
  constructor(url, listener, clock, chance) {
    this.url = url;
    this.listener = listener;
    this.clock = clock;
    this.chance = chance;
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Connect, if it is not connected or about to be. */
  connect() {
    if (this.#socket !== null) {
      return;
    }
    this.#callOffRetry();
    this.listener.connecting();
    const socket = new WebSocket(this.url);
    this.#socket = socket;
    this.#expect(HANDSHAKE_MS);
    socket.onopen = () => this.#opened();
    socket.onmessage = (event) => this.#heard(event.data);
    socket.onclose = () => this.#lost();
  }

  /**
   * Something has changed that makes it worth looking: the network is back, or the page is seen
   * again. Waits no longer for the next attempt, and no longer for a socket that has gone silent.
   */
  hasten() {
    if (this.isOpen && this.clock.pageMs() - this.#heardAtMs > SILENCE_MS) {
      this.#lost();
    }
    if (this.#backInMs === null) {
      this.connect();
    }
  }

  /** End it for good. */
  close() {
    this.#drop();
    this.#callOffRetry();
    this.#endWaiting();
  }

  /**
   * @template T
   * @param {string} op
   * @param {Readonly<Record<string, unknown>>} [fields]
   * @param {number} [deadlineMs]
   * @returns {Promise<T>} the reply; throws Refused, NotSent, or Unreachable where it may have been
   *   heard
   */
  request(op, fields = {}, deadlineMs = 10_000) {
    const socket = this.#socket;
    if (socket === null || !this.isOpen) {
      return Promise.reject(new NotSent(op));
    }
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const callOff = this.clock.after(deadlineMs, () => {
        this.#waiting.delete(id);
        reject(new Unreachable(`${op}: no answer within ${deadlineMs} ms`));
      });
      this.#waiting.set(id, { resolve, reject, callOff });
      socket.send(JSON.stringify({ op, id, ...fields }));
    });
  }

  #opened() {
    this.#failures = 0;
    this.#drained = false;
    this.#expect(SILENCE_MS);
    this.listener.opened();
  }

  /** @param {string} text */
  #heard(text) {
    const frame = JSON.parse(text);
    switch (frame.type) {
      case "reply":
        this.#answer(frame);
        return;
      case "drain":
        this.#drained = true;
        this.#backInMs = frame.reconnect_in_ms;
        break;
      case "system:status":
        this.#expect(SILENCE_MS);
        break;
    }
    this.listener.heard(frame);
  }

  /** @param {{id: number | null, ok: boolean, error?: Code, message?: string}} reply */
  #answer(reply) {
    const waiting = reply.id === null ? undefined : this.#waiting.get(reply.id);
    if (waiting === undefined) {
      return;
    }
    this.#waiting.delete(/** @type {number} */ (reply.id));
    waiting.callOff();
    if (reply.ok) {
      waiting.resolve(reply);
    } else {
      const { error = "internal", message = "" } = reply;
      waiting.reject(new Refused(error, message, { ...reply }));
    }
  }

  /**
   * Be heard of within `withinMs`, or be lost.
   *
   * @param {number} withinMs
   */
  #expect(withinMs) {
    this.#heardAtMs = this.clock.pageMs();
    this.#watchFor(withinMs);
  }

  /** @param {number} withinMs */
  #watchFor(withinMs) {
    this.#callOffWatch();
    const dueMs = this.clock.pageMs() + withinMs;
    this.#callOffWatch = this.clock.after(withinMs, () => {
      // A timer that is this late tells of a page that slept, not of a silent venue.
      if (this.clock.pageMs() > dueMs + WAKING_MS) {
        this.#watchFor(WAKING_MS);
      } else {
        this.#lost();
      }
    });
  }

  #lost() {
    this.#drop();
    const inMs = this.#backInMs ?? retryInMs(this.#failures, this.chance());
    this.#failures += 1;
    this.#callOffRetry = this.clock.after(inMs, () => {
      this.#backInMs = null;
      this.connect();
    });
    this.listener.lost({ retryAtMs: this.clock.pageMs() + inMs, drained: this.#drained });
    this.#endWaiting();
  }

  /** Let go of the socket: a dead network may take minutes to say that it is closed. */
  #drop() {
    this.#callOffWatch();
    const socket = this.#socket;
    this.#socket = null;
    if (socket !== null) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  #endWaiting() {
    const ended = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { callOff, reject } of ended) {
      callOff();
      reject(new Unreachable("the connection was lost"));
    }
  }
}
