// What tests begin with: a venue that is open, a trader who is signed in, and bets of his.

/** @import { Account, Bet, GridFrame, Snapshot, StatusFrame } from "../../../web/types/wire.js" */
/** @import { TradingEvent } from "../../../web/state/events.js" */
/** @import { HeldBet, Rules, Session, State } from "../../../web/state/state.js" */

import { NOBODY } from "../../../web/domain/session_shown.js";
import { initialState } from "../../../web/state/state.js";
import { reduce } from "../../../web/state/trading.js";

export { NOBODY };

/** A column begins here; the venue's clock stands 3 s into it. */
export const COLUMN_S = 1_770_100_000;
export const NOW_MS = (COLUMN_S + 3) * 1000;
export const WALLET = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf";
/** Offered at 1.85x, and within reach of a tap. */
export const CELL = `${COLUMN_S + 15}_4200000_4201000`;
export const OTHER_CELL = `${COLUMN_S + 15}_4199000_4200000`;
export const NONCE = "6f1c0f4e-2a7b-4c1d-9e8f-0123456789ab";
export const BET_ID = "01KGH6JZ9W5Q8XN4T2R7V3M1CA";

/** @type {Rules} */
export const RULES = {
  server_time_ms: NOW_MS,
  chain_id: 31_337,
  column_s: 5,
  row_cents: 1000,
  lockout_columns: 1,
  horizon_columns: 12,
  presets_micros: [1_000_000, 5_000_000, 10_000_000],
  rule: "touch",
};

/** @type {GridFrame} */
export const QUOTE = {
  type: "grid",
  n: 812,
  published_at_ms: NOW_MS,
  price_cents: 4_200_500,
  column_s: 5,
  row_cents: 1000,
  first_column_s: COLUMN_S + 10,
  lowest_row_cents: 4_199_000,
  rows: 3,
  rates: [21_000, 10_500, 20_800, 17_100, 18_500, 0],
};

/** @type {StatusFrame} */
export const STATUS = {
  type: "system:status",
  server_time_ms: NOW_MS,
  level: "healthy",
  since_ms: NOW_MS - 60_000,
  feed_age_ms: 84,
  source: "binance",
  breaker: "closed",
  override: "auto",
  held: false,
  held_why: "",
  disk_full: false,
  draining: false,
};

/** @type {Session} */
export const SESSION = {
  phase: "in",
  kind: "demo",
  wallet: WALLET,
  sessionId: "b8bf2b0bdf26c5f72a3d03b304dbaa2d",
  expiresAtMs: NOW_MS + 3_600_000,
  key: {
    keyId: "27d159a2e865bff6cf24aa0ba6a8a9ea",
    betMaxMicros: 50_000_000,
    dayMaxMicros: 100_000_000,
    expiresAtMs: NOW_MS + 3_600_000,
  },
  problem: "",
  waitingFor: null,
};

/** @type {Account} */
export const ACCOUNT = {
  wallet: WALLET,
  balance_micros: 100_000_000,
  open_stake_micros: 0,
  open_bets: 0,
  seq: 1,
  created_at_ms: NOW_MS - 1000,
  frozen: false,
  limits: {
    stake_max_micros: null,
    loss_day_max_micros: null,
    paused_until_ms: 0,
    next_stake_max: null,
    next_loss_day_max: null,
  },
};

/**
 * @param {Partial<Snapshot>} [told]
 * @returns {Snapshot}
 */
export function snapshot(told = {}) {
  return { ...ACCOUNT, open: [], last: [], ...told };
}

/**
 * A bet as the venue lists it.
 *
 * @param {Partial<Bet>} [told]
 * @returns {Bet}
 */
export function listed(told = {}) {
  return {
    bet_id: BET_ID,
    cell_id: CELL,
    status: "confirmed",
    stake_micros: 1_000_000,
    reward_bps: 18_500,
    payout_micros: null,
    placed_at_ms: NOW_MS,
    resolved_at_ms: null,
    nonce: NONCE,
    key_id: null,
    quote: 812,
    rule: "touch",
    column_start_s: COLUMN_S + 15,
    column_s: 5,
    lo_cents: 4_200_000,
    hi_cents: 4_201_000,
    ...told,
  };
}

/**
 * A bet as it is held from the tap on.
 *
 * @param {Partial<HeldBet>} [told]
 * @returns {HeldBet}
 */
export function pending(told = {}) {
  return {
    cellId: CELL,
    columnStartS: COLUMN_S + 15,
    columnS: 5,
    loCents: 4_200_000,
    hiCents: 4_201_000,
    phase: "pending",
    betId: null,
    nonce: NONCE,
    stakeMicros: 1_000_000,
    rewardBps: 18_500,
    payoutMicros: null,
    tappedAtMs: NOW_MS,
    phaseAtMs: NOW_MS,
    ...told,
  };
}

/**
 * The `bet:confirmed` of that bet.
 *
 * @param {Partial<import("../../../web/types/wire.js").BetConfirmedFrame>} [told]
 * @returns {import("../../../web/types/wire.js").BetConfirmedFrame}
 */
export function confirmed(told = {}) {
  return {
    type: "bet:confirmed",
    bet_id: BET_ID,
    status: "confirmed",
    cell_id: CELL,
    reward_bps: 18_500,
    stake_micros: 1_000_000,
    balance_micros: 99_000_000,
    placed_at_ms: NOW_MS + 20,
    seq: 2,
    ...told,
  };
}

/**
 * The `bet:resolved` of that bet, which has won.
 *
 * @param {Partial<import("../../../web/types/wire.js").BetResolvedFrame>} [told]
 * @returns {import("../../../web/types/wire.js").BetResolvedFrame}
 */
export function resolved(told = {}) {
  return {
    type: "bet:resolved",
    bet_id: BET_ID,
    cell_id: CELL,
    status: "won",
    stake_micros: 1_000_000,
    payout_micros: 1_850_000,
    balance_micros: 100_850_000,
    resolved_at_ms: NOW_MS + 19_000,
    seq: 3,
    ...told,
  };
}

/**
 * @param {State} state
 * @param {...TradingEvent} events
 */
export function after(state, ...events) {
  return events.reduce(reduce, state);
}

/** @returns {State} connected, betting open, nobody signed in */
export function openVenue() {
  return after(
    initialState(),
    { type: "page:connected", atMs: 5 },
    { type: "page:rules", rules: RULES, demo: true },
    QUOTE,
    STATUS,
  );
}

/** @returns {State} ... and the trader is signed in, with 100 USD */
export function atTheTable() {
  return after(
    openVenue(),
    { type: "page:session", session: SESSION },
    { type: "page:snapshot", snapshot: snapshot(), nowMs: NOW_MS },
  );
}

/**
 * @param {State} state
 * @param {string} [cellId]
 */
export function held(state, cellId = CELL) {
  const bet = state.bets[cellId];
  if (bet === undefined) {
    throw new Error(`nothing is held on ${cellId}`);
  }
  return bet;
}
