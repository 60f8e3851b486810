// One WebSocket to the venue, for as long as the page lives: it comes back by itself.
//
// Requests are answered by replies; every other frame is handed on as it comes. It knows nothing of
// what is said: who subscribes and signs in is follow.js.

/** @import { Code, Frame } from "../types/wire.js" */

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
 * @property {ReturnType<typeof setTimeout>} timer
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
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #watch;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;

  /**
   * @param {string} url
   * @param {Listener} listener
   * @param {{pageMs: () => number, chance: () => number, silenceMs?: number}} given
   */
  constructor(url, listener, { pageMs, chance, silenceMs = SILENCE_MS }) {
    this.url = url;
    this.listener = listener;
    this.pageMs = pageMs;
    this.chance = chance;
    this.silenceMs = silenceMs;
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Connect, if it is not connected or about to be. */
  connect() {
    if (this.#socket !== null) {
      return;
    }
    clearTimeout(this.#retry);
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
    if (this.isOpen && this.pageMs() - this.#heardAtMs > this.silenceMs) {
      this.#lost();
    }
    if (this.#backInMs === null) {
      this.connect();
    }
  }

  /** End it for good. */
  close() {
    this.#drop();
    clearTimeout(this.#retry);
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
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Unreachable(`${op}: no answer within ${deadlineMs} ms`));
      }, deadlineMs);
      this.#waiting.set(id, { resolve, reject, timer });
      socket.send(JSON.stringify({ op, id, ...fields }));
    });
  }

  #opened() {
    this.#failures = 0;
    this.#drained = false;
    this.#expect(this.silenceMs);
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
        this.#expect(this.silenceMs);
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
    clearTimeout(waiting.timer);
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
    this.#heardAtMs = this.pageMs();
    this.#watchFor(withinMs);
  }

  /** @param {number} withinMs */
  #watchFor(withinMs) {
    clearTimeout(this.#watch);
    const dueMs = this.pageMs() + withinMs;
    this.#watch = setTimeout(() => {
      // A timer that is this late tells of a page that slept, not of a silent venue.
      if (this.pageMs() > dueMs + WAKING_MS) {
        this.#watchFor(WAKING_MS);
      } else {
        this.#lost();
      }
    }, withinMs);
  }

  #lost() {
    this.#drop();
    const inMs = this.#backInMs ?? retryInMs(this.#failures, this.chance());
    this.#failures += 1;
    this.#retry = setTimeout(() => {
      this.#backInMs = null;
      this.connect();
    }, inMs);
    this.listener.lost({ retryAtMs: this.pageMs() + inMs, drained: this.#drained });
    this.#endWaiting();
  }

  /** Let go of the socket: a dead network may take minutes to say that it is closed. */
  #drop() {
    clearTimeout(this.#watch);
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
    for (const { timer, reject } of ended) {
      clearTimeout(timer);
      reject(new Unreachable("the connection was lost"));
    }
  }
}
