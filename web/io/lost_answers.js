// Asks after bets whose answer was lost, without ever placing one late: docs/decisions/0020.
//
// The nonce of the first is used for a bet that can't be placed, at a rate that is never paid. Either
// the venue names the first, or that nonce is used up, and the first can't be placed any more.

/** @import { HeldBet } from "../state/state.js" */
/** @import { BetPorts } from "./bet_wire.js" */

import { cellId, offered } from "../domain/grid.js";
import { CERTAIN_AFTER_MS } from "../domain/signed_text.js";
import { Refused } from "./api.js";
import { findBet, sendBet } from "./bet_wire.js";

/** The venue pays no such rate: whoever asks for it is never served. */
const NEVER_BPS = 10 ** 9;
const IN_FLIGHT_AGAIN_MS = 1_000;
const AGAIN_MS = 3_000;
/** Instead of a time: nothing is left to ask. */
const KNOWN = -1;

export class LostAnswers {
  #ports;
  /** @type {Set<string>} nonces that are being asked after */
  #asking = new Set();

  /** @param {BetPorts} ports */
  constructor(ports) {
    this.#ports = ports;
  }

  /** Ask after every bet of which it is not known whether the venue has it. */
  askAfter() {
    for (const bet of Object.values(this.#ports.store.state.bets)) {
      if (bet.phase === "unknown" && bet.nonce !== null) {
        void this.#askUntilKnown(bet, bet.nonce);
      }
    }
  }

  /**
   * @param {HeldBet} bet
   * @param {string} nonce
   */
  async #askUntilKnown(bet, nonce) {
    const { wallet } = this.#ports.store.state.session;
    if (this.#asking.has(nonce) || wallet === null) {
      return;
    }
    this.#asking.add(nonce);
    try {
      while (this.#canAsk(bet, nonce)) {
        const againInMs = await this.#ask(bet, nonce, wallet);
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
   * Is it still to be known, and is there anybody to ask? If there is again, `askAfter` is called.
   *
   * @param {HeldBet} bet
   * @param {string} nonce
   */
  #canAsk({ cellId: id }, nonce) {
    const { bets, session } = this.#ports.store.state;
    const held = bets[id];
    const isUnknown = held?.nonce === nonce && held.phase === "unknown";
    return isUnknown && session.phase === "in" && this.#ports.socket.isOpen;
  }

  /**
   * Once: by using up its nonce for a bet that can't be placed, as long as that is certain to tell;
   * by looking for it afterwards.
   *
   * @param {HeldBet} bet
   * @param {string} nonce
   * @param {string} wallet
   * @returns {Promise<number>} when to ask again, or KNOWN
   */
  async #ask(bet, nonce, wallet) {
    const isLate = this.#ports.clock.nowMs() > bet.tappedAtMs + CERTAIN_AFTER_MS;
    const probe = this.#probe(bet, wallet);
    if (isLate || probe === null) {
      return this.#lookFor(nonce, wallet, isLate);
    }
    try {
      await sendBet(this.#ports, probe, nonce, { leastBps: NEVER_BPS, quoteN: probe.quoteN });
      return AGAIN_MS;
    } catch (failure) {
      return failure instanceof Refused ? this.#told(nonce, wallet, failure) : AGAIN_MS;
    }
  }

  /**
   * The bet that can't be placed. It is on a cell that is offered now, for of one that is not the
   * venue says so, before it looks at the nonce.
   *
   * @param {HeldBet} bet
   * @param {string} wallet
   */
  #probe(bet, wallet) {
    const { market, session } = this.#ports.store.state;
    const { rules, quote } = market;
    if (rules === null || quote === null || session.key === null) {
      return null;
    }
    const latest = [...offered(quote)].at(-1);
    return {
      cellId: latest === undefined ? bet.cellId : cellId(latest.cell),
      stakeMicros: bet.stakeMicros,
      chainId: rules.chain_id,
      wallet,
      keyId: session.key.keyId,
      quoteN: quote.n,
    };
  }

  /**
   * What the refusal of the bet that can't be placed says of the first.
   *
   * @param {string} nonce
   * @param {string} wallet
   * @param {Refused} refused
   * @returns {Promise<number>}
   */
  async #told(nonce, wallet, { code, details }) {
    if (code === "quote_expired") {
      return this.#notPlaced(nonce); // the nonce was free: it is used up now
    }
    if (code !== "replay_detected") {
      const waitS = details["retry_after"];
      const againInMs = await this.#lookFor(nonce, wallet, false);
      return againInMs === KNOWN || typeof waitS !== "number" ? againInMs : waitS * 1000;
    }
    const first = /** @type {{bet_id: string, status: string} | null} */ (details["bet"]);
    if (first === null) {
      return this.#notPlaced(nonce);
    }
    return first.status === "unknown"
      ? IN_FLIGHT_AGAIN_MS
      : this.#find(`/api/bets/${first.bet_id}`, wallet).catch(() => AGAIN_MS);
  }

  /**
   * @param {string} nonce
   * @param {string} wallet
   * @param {boolean} isFinal is it certain that one that is not there never will be?
   * @returns {Promise<number>}
   */
  async #lookFor(nonce, wallet, isFinal) {
    try {
      return await this.#find(`/api/bets/by-nonce/${nonce}`, wallet);
    } catch (failure) {
      const isNone = failure instanceof Refused && failure.code === "not_found";
      return isNone && isFinal ? this.#notPlaced(nonce) : AGAIN_MS;
    }
  }

  /** @param {string} nonce */
  #notPlaced(nonce) {
    const { clock, store } = this.#ports;
    store.dispatch({ type: "page:not_placed", nonce, nowMs: clock.nowMs() });
    return KNOWN;
  }

  /**
   * @param {string} path
   * @param {string} wallet
   * @returns {Promise<number>} KNOWN
   */
  async #find(path, wallet) {
    await findBet(this.#ports, path, wallet);
    return KNOWN;
  }
}
