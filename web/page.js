// What every view of the trading page is given. Types only.

/** @import { Api } from "./io/api.js" */
/** @import { VenueClock } from "./io/clock.js" */
/** @import { TradingEvent } from "./state/events.js" */
/** @import { State, View } from "./state/state.js" */
/** @import { Store } from "./state/store.js" */
/** @import { Wallet, Wallets } from "./io/wallets.js" */

/**
 * What a trader can do. None of them throws; what came of it shows in the state.
 *
 * @typedef {object} Actions
 * @property {(cellId: string) => void} tap stake the chosen amount on a cell
 * @property {(view: Partial<View>) => void} look change what is looked at, and remember it
 * @property {(betId: string) => void} openEvidence
 * @property {() => void} closePanel
 * @property {() => Promise<void>} signInDemo
 * @property {(wallet: Wallet, caps: KeyCaps) => Promise<void>} signInWith
 * @property {() => void} cancelSignIn wait for the wallet no longer
 * @property {() => Promise<void>} signOut
 */

/**
 * What a wallet lets a session key do.
 *
 * @typedef {object} KeyCaps
 * @property {number} betMaxMicros of one bet
 * @property {number} dayMaxMicros of a UTC day
 * @property {number} hours how long it may
 */

/**
 * @typedef {object} Page
 * @property {Store<State, TradingEvent>} store
 * @property {Actions} actions
 * @property {Api} api
 * @property {VenueClock} clock
 * @property {Wallets} wallets
 */

export {};
