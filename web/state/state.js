// What the trading page knows: one plain value. Pure; who changes it is trading.js.
//
// Three kinds of truth are kept apart. `market`, `account` and `bets[...]` with a `betId` are what
// the venue has said. A bet without one is what the trader has done and the venue has not answered.
// `view` is what he looks at, and concerns nobody else.

/** @import { Account, Code, Grid, GridFrame, StatusFrame } from "../types/wire.js" */

import { NOBODY } from "../domain/session_shown.js";

/**
 * What `GET /api/grid` says of the grid, without its quote.
 *
 * @typedef {Omit<Grid, "quote">} Rules
 */

/**
 * One accepted price of the reference market, as it is drawn.
 *
 * @typedef {object} PricePoint
 * @property {number} ts_ms exchange time
 * @property {number} price_cents
 */

/**
 * The connection to the venue. `drained`: it said that it is stopping, and when to come back.
 *
 * @typedef {object} Connection
 * @property {"connecting" | "live" | "lost" | "drained"} phase
 * @property {number} sinceMs by the page's clock
 * @property {number | null} retryAtMs when the next attempt is made, by the page's clock
 */

/**
 * @typedef {object} Market
 * @property {Rules | null} rules
 * @property {boolean} demo is the money paper? (`GET /version`)
 * @property {readonly PricePoint[]} trail oldest first; at most TRAIL_MS of them
 * @property {GridFrame | null} quote the newest; null while nothing is offered
 * @property {StatusFrame | null} status the newest heartbeat
 */

/**
 * Who is signed in here. The token and the private key are io/session.js's alone.
 *
 * @typedef {object} Session
 * @property {"none" | "signing_in" | "in" | "expired"} phase
 * @property {"demo" | "wallet" | null} kind
 * @property {string | null} wallet lower case
 * @property {string | null} sessionId
 * @property {number | null} expiresAtMs
 * @property {{keyId: string, betMaxMicros: number, dayMaxMicros: number, expiresAtMs: number} | null}
 *   key what signs taps
 * @property {string} problem what is wrong with it, for people; empty if nothing is
 * @property {"wallet" | "venue" | null} waitingFor whose answer a sign-in waits for; who is in while
 *   he renews his key stays in
 */

/**
 * pending: sent, not answered. confirmed: on the venue's disk. unknown: sent, and the connection was
 * lost before an answer. won, lost, void: as the venue has said. Product.md has these words.
 *
 * @typedef {"pending" | "confirmed" | "unknown" | "won" | "lost" | "void"} Phase
 */

/**
 * One bet of the trader on one cell; there is at most one a cell, for ever.
 *
 * @typedef {object} HeldBet
 * @property {string} cellId
 * @property {number} columnStartS
 * @property {number} columnS width of its column
 * @property {number} loCents
 * @property {number} hiCents
 * @property {Phase} phase
 * @property {string | null} betId null until the venue has named it
 * @property {string | null} nonce null where it was placed elsewhere and only heard of
 * @property {number} stakeMicros
 * @property {number} rewardBps that was shown when it was tapped; once confirmed: that it is paid
 * @property {number | null} payoutMicros what came back; null while it is open
 * @property {number} tappedAtMs by the venue's clock
 * @property {number} phaseAtMs when the phase began, by the venue's clock: for drawing
 */

/**
 * A tap that was refused: shown at its cell for a moment, and then gone.
 *
 * @typedef {object} RefusedTap
 * @property {string} cellId
 * @property {Code | "not_sent" | "not_signed_in"} code
 * @property {string} text for people: `Rate moved to 1.72x: tap again`
 * @property {number} atMs by the venue's clock
 */

/**
 * What came of the bets placed since 00:00 UTC and of those that end while the page looks on.
 *
 * @typedef {object} Today
 * @property {number} dayS when the UTC day began
 * @property {number} resultMicros payouts less stakes of its ended bets; void ones count nothing
 * @property {number} ended
 * @property {"loading" | "whole" | "part"} state part: there were more than the page asked for
 * @property {ReadonlySet<string>} [counted] ids of the ended bets that the venue's list had; the event
 *   of one may come after the list
 */

/**
 * @typedef {"none" | "sign_in" | "evidence" | "history" | "account" | "help"} PanelName
 */

/**
 * @typedef {object} View
 * @property {PanelName} panel
 * @property {string | null} betId whose evidence is shown
 * @property {"chart" | "table"} board how the grid is shown; the table is the way without a canvas
 * @property {number} zoom 0: cells fit for a thumb, 1: more of them, 2: all that are offered
 * @property {number} stakeMicros the chosen preset
 * @property {number} toleranceBps how far below the rate shown a tap may be paid; 0: not at all
 * @property {"auto" | "dark" | "light"} theme auto: as the system prefers
 * @property {boolean} sound
 * @property {boolean} hintsDone the first tap has been made, now or on an earlier visit
 */

/**
 * @typedef {object} State
 * @property {Connection} connection
 * @property {Market} market
 * @property {Session} session
 * @property {Account | null} account as of its `seq`
 * @property {Readonly<Record<string, HeldBet>>} bets by cell id: open ones, and those just ended
 * @property {readonly HeldBet[]} results the last ended bets, newest first
 * @property {readonly RefusedTap[]} refused
 * @property {Today | null} today
 * @property {View} view
 */

/** How much of the price's past is kept for drawing. */
export const TRAIL_MS = 120_000;
/** How long a quote is shown that is not followed by another; the venue takes none for longer than 3 s. */
export const QUOTE_MS = 5_000;
/** How many ended bets are kept. */
export const RESULTS_MAX = 20;
/** How long a refused tap stays on the grid. */
export const REFUSED_MS = 4_000;
/** How long an ended bet stays on the grid after its column, unless it scrolls out first. */
export const ENDED_MS = 60_000;

/** @type {View} */
export const FIRST_VIEW = {
  panel: "none",
  betId: null,
  board: "chart",
  zoom: 0,
  stakeMicros: 1_000_000,
  // Of 36,000 cells of a lively simulated minute, the rate of the next quote was over 2 % lower on 34 %
  // and over 5 % lower on 20 %: with no tolerance every third tap would be a word instead of a bet.
  toleranceBps: 500,
  theme: "auto",
  sound: false,
  hintsDone: false,
};

/**
 * Before anything was heard.
 *
 * @param {Partial<View>} [remembered] what an earlier visit chose
 * @returns {State}
 */
export function initialState(remembered = {}) {
  return {
    connection: { phase: "connecting", sinceMs: 0, retryAtMs: null },
    market: { rules: null, demo: false, trail: [], quote: null, status: null },
    session: NOBODY,
    account: null,
    bets: {},
    results: [],
    refused: [],
    today: null,
    view: { ...FIRST_VIEW, ...remembered },
  };
}
