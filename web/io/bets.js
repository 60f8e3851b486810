// Places taps.
//
// A tap is held as pending before anything is awaited; from then on it ends in one of four ways: the
// venue has it, it has refused it, it certainly never had it, or that is not known yet. Nothing is
// ever sent a second time to be placed: what is not known is asked after, by lost_answers.js.

/** @import { Code } from "../types/wire.js" */
/** @import { TradingEvent } from "../state/events.js" */
/** @import { Draft } from "../domain/tapping.js" */
/** @import { BetPorts } from "./bet_wire.js" */

import { refusalText } from "../domain/refusal_words.js";
import { decideTap, pendingBet } from "../domain/tapping.js";
import { Refused } from "./api.js";
import { findBet, sendBet } from "./bet_wire.js";
import { LostAnswers } from "./lost_answers.js";
import { NotSent } from "./socket.js";

/** These refusals do not say that the bet was not placed. @type {ReadonlySet<Code>} */
const LEAVES_OPEN = new Set(["status_unknown", "replay_detected"]);

export class Bets {
  #ports;
  #lost;

  /** @param {BetPorts & {newNonce: () => string}} ports with what makes a UUID of version 4 */
  constructor(ports) {
    this.#ports = ports;
    this.#lost = new LostAnswers(ports);
  }

  /**
   * Stake the chosen amount on a cell. What came of it shows in the state.
   *
   * @param {string} cellId
   */
  tap(cellId) {
    const { store, clock, newNonce } = this.#ports;
    const nowMs = clock.nowMs();
    const { draft, refusal } = decideTap(store.state, cellId, nowMs);
    if (draft === null) {
      const refused = { cellId, atMs: nowMs, ...refusal };
      this.#tell({ type: "page:refused", nonce: null, refused });
      return;
    }
    const nonce = newNonce();
    this.#tell({ type: "page:tapped", bet: pendingBet(draft, nonce, nowMs) });
    void this.#place(draft, nonce);
  }

  /** Ask after every bet of which it is not known whether the venue has it. */
  askAfter() {
    this.#lost.askAfter();
  }

  /** @param {TradingEvent} event */
  #tell(event) {
    this.#ports.store.dispatch(event);
  }

  /**
   * @param {Draft} draft
   * @param {string} nonce
   */
  async #place(draft, nonce) {
    const { leastBps, quoteN } = draft;
    try {
      const reply = await sendBet(this.#ports, draft, nonce, { leastBps, quoteN });
      this.#tell({ type: "page:placed", nonce, bet: reply, nowMs: this.#ports.clock.nowMs() });
    } catch (failure) {
      this.#failed(draft, nonce, failure);
    }
  }

  /**
   * @param {Draft} draft
   * @param {string} nonce
   * @param {unknown} failure
   */
  #failed(draft, nonce, failure) {
    const nowMs = this.#ports.clock.nowMs();
    if (failure instanceof NotSent) {
      this.#tell({ type: "page:not_placed", nonce, nowMs });
    } else if (failure instanceof Refused && !LEAVES_OPEN.has(failure.code)) {
      this.#refused(draft, nonce, failure);
    } else {
      this.#tell({ type: "page:unsure", nonce, nowMs });
      this.askAfter();
    }
  }

  /**
   * @param {Draft} draft
   * @param {string} nonce
   * @param {Refused} refused
   */
  #refused({ cellId, wallet }, nonce, { code, details }) {
    const { clock, sessions } = this.#ports;
    if (code === "signature_expired" && typeof details["server_time_ms"] === "number") {
      clock.hear(details["server_time_ms"]);
    }
    const refused = { cellId, code, text: refusalText(code, details), atMs: clock.nowMs() };
    this.#tell({ type: "page:refused", nonce, refused });
    if (code === "unauthorized") {
      void sessions.check();
    } else if (code === "cell_taken") {
      findBet(this.#ports, `/api/bets/${details["bet_id"]}`, wallet).catch(() => {});
    }
  }
}
