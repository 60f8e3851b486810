// What a bet is between the page and the venue: fields that are signed and sent, and a record that
// can be read.

/** @import { Bet, Confirmed } from "../types/wire.js" */
/** @import { TradingEvent } from "../state/events.js" */
/** @import { State } from "../state/state.js" */
/** @import { Store } from "../state/store.js" */
/** @import { Draft } from "../domain/tapping.js" */
/** @import { Api } from "./api.js" */
/** @import { VenueClock } from "./clock.js" */
/** @import { VenueSocket } from "./socket.js" */

import { refusalText } from "../domain/refusal_words.js";
import { betText } from "../domain/signed_text.js";
import { NotSent } from "./socket.js";

/** So long an answer may take before the trader is told that it is not known. */
const REPLY_MS = 6_000;
/** So long a quote is honored. A page that was frozen since the tap sends nothing late. */
const LATE_MS = 3_000;

/**
 * @typedef {object} BetPorts
 * @property {Store<State, TradingEvent>} store
 * @property {Pick<VenueSocket, "request" | "isOpen">} socket
 * @property {Api} api
 * @property {Pick<VenueClock, "nowMs" | "hear" | "pause">} clock
 * @property {{sign(text: string): Promise<string>, check(): Promise<void>}} sessions
 */

/**
 * @typedef {Pick<Draft, "cellId" | "stakeMicros" | "chainId" | "wallet" | "keyId">} Bettable
 */

/**
 * Sign a bet by the session key, and send it.
 *
 * @param {BetPorts} ports
 * @param {Bettable} bet
 * @param {string} nonce
 * @param {{leastBps: number, quoteN: number}} odds
 * @returns {Promise<Confirmed>} throws Refused, NotSent, or Unreachable
 */
export async function sendBet({ clock, sessions, socket }, bet, nonce, odds) {
  const { cellId, stakeMicros, chainId } = bet;
  const atMs = clock.nowMs();
  const timestampS = Math.floor(atMs / 1000);
  const text = betText({ cellId, stakeMicros, nonce, timestampS, chainId, odds });
  const signature = await signed(sessions.sign(text));
  if (clock.nowMs() > atMs + LATE_MS) {
    throw new NotSent("it was signed too late");
  }
  const fields = {
    wallet: bet.wallet,
    cell_id: cellId,
    amount: stakeMicros,
    nonce,
    timestamp: timestampS,
    chain_id: chainId,
    version: "2",
    rate: odds.leastBps,
    quote: odds.quoteN,
    key_id: bet.keyId,
    signature,
  };
  return socket.request("bet", fields, REPLY_MS);
}

/**
 * Read a bet of a wallet's, and show what became of it; nothing, if another is signed in by then.
 *
 * @param {BetPorts} ports
 * @param {string} path
 * @param {string} wallet
 * @returns {Promise<void>} throws Refused or Unreachable
 */
export async function findBet({ api, clock, store }, path, wallet) {
  const bet = /** @type {Bet} */ (await api.get(path));
  if (store.state.session.wallet !== wallet) {
    return;
  }
  const { cell_id: cellId, nonce, status: code } = bet;
  if (code === "insufficient_funds") {
    const refused = { cellId, code, text: refusalText(code, {}), atMs: clock.nowMs() };
    store.dispatch({ type: "page:refused", nonce, refused });
  } else {
    store.dispatch({ type: "page:found", bet });
  }
}

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
