// Everything that can happen to the state: the frames of the WebSocket as they come, and what the
// page itself does. Types only; trading.js says what each of them changes.

/** @import { Bet, Confirmed, Frame, LookedUpBet, Snapshot } from "../types/wire.js" */
/** @import { HeldBet, PricePoint, RefusedTap, Rules, Session, Today, View } from "./state.js" */

/**
 * @typedef {(
 *   | Frame
 *   | {type: "page:connecting", atMs: number}
 *   | {type: "page:connected", atMs: number}
 *   | {type: "page:lost", atMs: number, nowMs: number, retryAtMs: number, drained: boolean}
 *   | {type: "page:rules", rules: Rules, demo: boolean}
 *   | {type: "page:past", points: readonly PricePoint[]}
 *   | {type: "page:session", session: Session}
 *   | {type: "page:snapshot", snapshot: Snapshot, nowMs: number}
 *   | {type: "page:resumed", nowMs: number}
 *   | {type: "page:found", bet: Bet}
 *   | {type: "page:tapped", bet: HeldBet}
 *   | {type: "page:placed", nonce: string, bet: Confirmed | LookedUpBet, nowMs: number}
 *   | {type: "page:refused", nonce: string | null, refused: RefusedTap}
 *   | {type: "page:unsure", nonce: string, nowMs: number}
 *   | {type: "page:not_placed", nonce: string, nowMs: number}
 *   | {type: "page:today", today: Today}
 *   | {type: "page:view", view: Partial<View>}
 *   | {type: "page:tick", nowMs: number}
 * )} TradingEvent
 *
 * Times named `nowMs` are by the venue's clock, `atMs` and `retryAtMs` by the page's. What the ones
 * that need a word mean:
 *
 * - `page:lost`: every pending bet becomes unknown.
 * - `page:snapshot`: the account, its open bets and its last results, in place of all that was known.
 * - `page:resumed`: all events that were missed have been sent again.
 * - `page:found`: a bet that the page did not know of, as the venue lists it.
 * - `page:placed`: the reply to a bet, or to asking after it. The frame `bet:confirmed` may come
 *   before or after it, or alone, for a bet that another tab has placed.
 * - `page:unsure`: it was sent, and whether it arrived can't be told yet.
 * - `page:not_placed`: it is certain that nothing was written, and that nothing will be.
 * - `page:tick`: time has passed; lets go of refused taps and ended bets. Once a second.
 */

export {};
