// Places taps, and asks after those whose answer was lost.
//
// A tap is held as pending before anything is awaited; from then on it ends in one of four ways: the
// venue has it, it has refused it, it certainly never had it, or that is not known yet. Nothing is
// ever sent a second time to be placed.

/** @import { Bet, Code, Confirmed } from "../types/wire.js" */
/** @import { TradingEvent } from "../state/events.js" */
/** @import { HeldBet, State } from "../state/state.js" */
/** @import { Store } from "../state/store.js" */
/** @import { Draft } from "../domain/tapping.js" */
/** @import { Api } from "./api.js" */
/** @import { VenueClock } from "./clock.js" */
/** @import { VenueSocket } from "./socket.js" */

import { cellId, offered } from "../domain/grid.js";
import { refusalText } from "../domain/refusal_words.js";
import { betText } from "../domain/signed_text.js";
import { decideTap, pendingBet } from "../domain/tapping.js";
import { Refused } from "./api.js";
import { NotSent } from "./socket.js";

/** So long an answer may take before the trader is told that it is not known. */
const REPLY_MS = 6_000;
/** The venue pays no such rate: whoever asks for it is never served. */
const NEVER_BPS = 10 ** 9;
/** How long after it was signed no trace of a bet means that there will be none: docs/api.md. */
const CERTAIN_MS = 70_000;
const IN_FLIGHT_AGAIN_MS = 1_000;
const AGAIN_MS = 3_000;

/**
 * @typedef {object} Ports
 * @property {Store<State, TradingEvent>} store
 * @property {Pick<VenueSocket, "request" | "isOpen">} socket
 * @property {Api} api
 * @property {Pick<VenueClock, "nowMs" | "hear" | "pause">} clock
 * @property {{sign(text: string): Promise<string>, check(): Promise<void>}} sessions
 * @property {() => string} newNonce a UUID of version 4
 */

export class Bets {
  #ports;
  /** @type {Set<string>} nonces that are being asked after */
  #asking = new Set();

  /** @param {Ports} ports */
  constructor(ports) {
    this.#ports = ports;
  }

  /**
   * Stake the chosen amount on a cell. What came of it shows in the state.
   *
   * @param {string} tappedId
   */
  tap(tappedId) {
    const { store, clock, newNonce } = this.#ports;
    const nowMs = clock.nowMs();
    const { draft, refusal } = decideTap(store.state, tappedId, nowMs);
    if (draft === null) {
      const refused = { cellId: tappedId, atMs: nowMs, ...refusal };
      this.#tell({ type: "page:refused", nonce: null, refused });
      return;
    }
    const bet = pendingBet(draft, newNonce(), nowMs);
    this.#tell({ type: "page:tapped", bet });
    void this.#place(draft, bet);
  }

  /** Ask after every bet of which it is not known whether the venue has it. */
  askAfter() {
    for (const bet of Object.values(this.#ports.store.state.bets)) {
      if (bet.phase === "unknown" && bet.nonce !== null) {
        void this.#askUntilKnown(bet, bet.nonce);
      }
    }
  }

  /** @param {TradingEvent} event */
  #tell(event) {
    this.#ports.store.dispatch(event);
  }

  // Placing

  /**
   * @param {Draft} draft
   * @param {HeldBet} bet
   */
  async #place(draft, bet) {
    const nonce = /** @type {string} */ (bet.nonce);
    const { leastBps, quoteN } = draft;
    try {
      const reply = await this.#send(draft, nonce, { leastBps, quoteN });
      this.#tell({ type: "page:placed", nonce, bet: reply, nowMs: this.#ports.clock.nowMs() });
    } catch (failure) {
      this.#failed(bet, nonce, failure);
    }
  }

  /**
   * @param {Pick<Draft, "cellId" | "stakeMicros" | "chainId" | "wallet" | "keyId">} draft
   * @param {string} nonce
   * @param {{leastBps: number, quoteN: number}} odds
   * @returns {Promise<Confirmed>}
   */
  async #send({ cellId, stakeMicros, chainId, wallet, keyId }, nonce, odds) {
    const { clock, sessions, socket } = this.#ports;
    const timestampS = Math.floor(clock.nowMs() / 1000);
    const text = betText({ cellId, stakeMicros, nonce, timestampS, chainId, odds });
    const signature = await signed(sessions.sign(text));
    const fields = {
      wallet,
      cell_id: cellId,
      amount: stakeMicros,
      nonce,
      timestamp: timestampS,
      chain_id: chainId,
      version: "2",
      rate: odds.leastBps,
      quote: odds.quoteN,
      key_id: keyId,
      signature,
    };
    return socket.request("bet", fields, REPLY_MS);
  }

  /**
   * @param {HeldBet} bet
   * @param {string} nonce
   * @param {unknown} failure
   */
  #failed(bet, nonce, failure) {
    const nowMs = this.#ports.clock.nowMs();
    if (failure instanceof NotSent) {
      this.#tell({ type: "page:not_placed", nonce, nowMs });
    } else if (failure instanceof Refused && !LEAVES_OPEN.has(failure.code)) {
      this.#refused(bet, failure);
    } else {
      this.#tell({ type: "page:unsure", nonce, nowMs });
      this.askAfter();
    }
  }

  /**
   * @param {Pick<HeldBet, "cellId" | "nonce">} bet
   * @param {Pick<Refused, "code" | "details">} refused
   */
  #refused({ cellId: id, nonce }, { code, details }) {
    const { clock, sessions } = this.#ports;
    if (code === "signature_expired" && typeof details["server_time_ms"] === "number") {
      clock.hear(details["server_time_ms"]);
    }
    const text = refusalText(code, details);
    const refused = { cellId: id, code, text, atMs: clock.nowMs() };
    this.#tell({ type: "page:refused", nonce, refused });
    if (code === "unauthorized") {
      void sessions.check();
    } else if (code === "cell_taken") {
      this.#find(`/api/bets/${details["bet_id"]}`).catch(() => {});
    }
  }

  // Asking after

  /**
   * @param {HeldBet} bet
   * @param {string} nonce
   */
  async #askUntilKnown(bet, nonce) {
    if (this.#asking.has(nonce)) {
      return;
    }
    this.#asking.add(nonce);
    try {
      while (this.#isUnknown(bet, nonce) && this.#ports.socket.isOpen) {
        const againInMs = await this.#ask(bet, nonce);
        if (againInMs === KNOWN) {
          return;
        }
        await this.#ports.clock.pause(againInMs);
      }
    } finally {
      this.#asking.delete(nonce);
    }
  }

  /**
   * @param {HeldBet} bet
   * @param {string} nonce
   */
  #isUnknown({ cellId: id }, nonce) {
    const held = this.#ports.store.state.bets[id];
    return held?.nonce === nonce && held.phase === "unknown";
  }

  /**
   * Once: by using up its nonce for a bet that can't be placed, as long as that is certain to tell;
   * by looking for it afterwards.
   *
   * @param {HeldBet} bet
   * @param {string} nonce
   * @returns {Promise<number>} when to ask again, or KNOWN
   */
  async #ask(bet, nonce) {
    const isLate = this.#ports.clock.nowMs() > bet.tappedAtMs + CERTAIN_MS;
    const probe = this.#probe(bet);
    if (isLate || probe === null) {
      return this.#lookFor(nonce, isLate);
    }
    try {
      await this.#send(probe, nonce, { leastBps: NEVER_BPS, quoteN: probe.quoteN });
      return AGAIN_MS;
    } catch (failure) {
      return failure instanceof Refused ? this.#told(nonce, failure) : AGAIN_MS;
    }
  }

  /**
   * The bet that can't be placed. It is on a cell that is offered now, for of one that is not the
   * venue says so, before it looks at the nonce.
   *
   * @param {HeldBet} bet
   */
  #probe(bet) {
    const { market, session } = this.#ports.store.state;
    const { rules, quote } = market;
    if (rules === null || quote === null || session.key === null || session.wallet === null) {
      return null;
    }
    const latest = [...offered(quote)].at(-1);
    return {
      cellId: latest === undefined ? bet.cellId : cellId(latest.cell),
      stakeMicros: bet.stakeMicros,
      chainId: rules.chain_id,
      wallet: session.wallet,
      keyId: session.key.keyId,
      quoteN: quote.n,
    };
  }

  /**
   * What the refusal of the bet that can't be placed says of the first.
   *
   * @param {string} nonce
   * @param {Refused} refused
   * @returns {Promise<number>}
   */
  async #told(nonce, { code, details }) {
    if (code === "quote_expired") {
      return this.#notPlaced(nonce); // the nonce was free: it is used up now
    }
    if (code !== "replay_detected") {
      const waitS = details["retry_after"];
      const againInMs = await this.#lookFor(nonce, false);
      return againInMs === KNOWN || typeof waitS !== "number" ? againInMs : waitS * 1000;
    }
    const first = /** @type {{bet_id: string, status: string} | null} */ (details["bet"]);
    if (first === null) {
      return this.#notPlaced(nonce);
    }
    return first.status === "unknown"
      ? IN_FLIGHT_AGAIN_MS
      : this.#find(`/api/bets/${first.bet_id}`).catch(() => AGAIN_MS);
  }

  /**
   * @param {string} nonce
   * @param {boolean} isFinal is it certain that one that is not there never will be?
   * @returns {Promise<number>}
   */
  async #lookFor(nonce, isFinal) {
    try {
      return await this.#find(`/api/bets/by-nonce/${nonce}`);
    } catch (failure) {
      const isNone = failure instanceof Refused && failure.code === "not_found";
      return isNone && isFinal ? this.#notPlaced(nonce) : AGAIN_MS;
    }
  }

  /** @param {string} nonce */
  #notPlaced(nonce) {
    this.#tell({ type: "page:not_placed", nonce, nowMs: this.#ports.clock.nowMs() });
    return KNOWN;
  }

  /**
   * @param {string} path
   * @returns {Promise<number>} KNOWN; throws Refused or Unreachable
   */
  async #find(path) {
    const { api, store } = this.#ports;
    const { wallet } = store.state.session;
    const bet = /** @type {Bet} */ (await api.get(path));
    if (bet.status === "insufficient_funds") {
      this.#refused({ cellId: bet.cell_id, nonce: bet.nonce }, { code: bet.status, details: {} });
    } else if (store.state.session.wallet === wallet) {
      this.#tell({ type: "page:found", bet });
    }
    return KNOWN;
  }
}

/** Nothing is left to ask. */
const KNOWN = -1;

/** These refusals do not say that the bet was not placed. @type {ReadonlySet<Code>} */
const LEAVES_OPEN = new Set(["status_unknown", "replay_detected"]);

/**
 * Without a signature nothing is sent.
 *
 * @param {Promise<string>} signature
 */
async function signed(signature) {
  try {
    return await signature;
  } catch {
    throw new NotSent("it could not be signed");
  }
}
