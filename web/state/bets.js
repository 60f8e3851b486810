// The trader's bets: at most one a cell, for ever.
//
// A bet is pending from the tap on, confirmed or ended by the venue's word alone, and unknown while
// the page can't tell whether the venue has it. Reply and event say the same of a bet, and come in
// either order, or one of them alone.

/** @import { Bet, BetConfirmedFrame, BetResolvedFrame, Confirmed, LookedUpBet, Snapshot } from "../types/wire.js" */
/** @import { HeldBet, RefusedTap, State } from "./state.js" */
/** @import { TradingEvent } from "./events.js" */

import { parseCellId } from "../domain/grid.js";
import { refusalText } from "../domain/refusal_words.js";
import { ENDED_MS, REFUSED_MS, RESULTS_MAX } from "./state.js";
import { countedToday } from "./today.js";

/**
 * @param {State} state
 * @param {TradingEvent} event
 * @returns {State} the same object where nothing changes
 */
export function reduceBets(state, event) {
  switch (event.type) {
    case "page:tapped":
      return withBet(withoutRefused(state, event.bet.cellId), event.bet);
    case "page:placed":
      return withPlaced(state, event.bet, event.nonce);
    case "page:found":
      return withFound(state, event.bet);
    case "bet:confirmed":
      return withConfirmed(state, event, null);
    case "bet:resolved":
      return withResolved(state, event);
    case "page:refused":
      return withRefused(without(state, event.nonce), event.refused);
    case "page:not_placed":
      return withNotPlaced(state, event.nonce, event.nowMs);
    case "page:unsure":
      return withUnknown(state, (bet) => bet.nonce === event.nonce, event.nowMs);
    case "page:lost":
      return withUnknown(state, () => true, event.nowMs);
    case "page:snapshot":
      return withSnapshot(state, event.snapshot, event.nowMs);
    case "page:tick":
      return aged(state, event.nowMs);
    default:
      return state;
  }
}

/**
 * Is it certain how the bet ended?
 *
 * @param {HeldBet} bet
 */
function isEnded({ phase }) {
  return phase === "won" || phase === "lost" || phase === "void";
}

/**
 * Has the venue not said yet that it has the bet?
 *
 * @param {HeldBet} bet
 */
function isOpenQuestion({ phase }) {
  return phase === "pending" || phase === "unknown";
}

// What the venue has said of one bet

/**
 * A reply, which concerns nobody any more where its bet is not held: somebody else has signed in.
 *
 * @param {State} state
 * @param {Confirmed | LookedUpBet} bet
 * @param {string} nonce
 */
function withPlaced(state, bet, nonce) {
  if (state.bets[bet.cell_id]?.nonce !== nonce) {
    return state;
  }
  return "nonce" in bet ? withFound(state, bet) : withConfirmed(state, bet, nonce);
}

/**
 * @param {State} state
 * @param {BetConfirmedFrame | Confirmed} bet
 * @param {string | null} nonce
 */
function withConfirmed(state, bet, nonce) {
  const before = state.bets[bet.cell_id];
  if (before !== undefined && !isOpenQuestion(before)) {
    return state; // it was said already, and perhaps more
  }
  const tappedAtMs = before?.tappedAtMs ?? bet.placed_at_ms;
  return withBet(withoutRefused(state, bet.cell_id), {
    ...placeOf(state, bet.cell_id),
    phase: "confirmed",
    betId: bet.bet_id,
    nonce: before?.nonce ?? nonce,
    stakeMicros: bet.stake_micros,
    rewardBps: bet.reward_bps,
    payoutMicros: null,
    tappedAtMs,
    phaseAtMs: Math.max(bet.placed_at_ms, tappedAtMs),
  });
}

/**
 * @param {State} state
 * @param {BetResolvedFrame} event
 */
function withResolved(state, event) {
  const { stake_micros, payout_micros, resolved_at_ms } = event;
  /** @type {HeldBet} */
  const before = state.bets[event.cell_id] ?? {
    ...placeOf(state, event.cell_id),
    phase: "confirmed",
    betId: event.bet_id,
    nonce: null,
    stakeMicros: stake_micros,
    rewardBps: event.status === "won" ? Math.round((payout_micros * 10_000) / stake_micros) : 0,
    payoutMicros: null,
    tappedAtMs: resolved_at_ms,
    phaseAtMs: resolved_at_ms,
  };
  return withEnded(state, {
    ...before,
    betId: event.bet_id,
    phase: event.status,
    payoutMicros: payout_micros,
    phaseAtMs: resolved_at_ms,
  });
}

/**
 * @param {State} state
 * @param {Bet} bet
 */
function withFound(state, bet) {
  const held = heldOf(bet, state.bets[bet.cell_id]);
  if (held === null || (!isEnded(held) && hasEnded(state, held))) {
    return state; // it was never taken, or was read before it ended and comes after that was told
  }
  const cleared = withoutRefused(state, bet.cell_id);
  return isEnded(held) ? withEnded(cleared, held) : withBet(cleared, held);
}

/**
 * It is shown once as ended, and counted once, however often it is told.
 *
 * @param {State} state
 * @param {HeldBet} bet
 * @returns {State}
 */
function withEnded(state, bet) {
  const next = withBet(state, bet);
  if (hasEnded(state, bet)) {
    return next;
  }
  const results = [bet, ...state.results].slice(0, RESULTS_MAX);
  return { ...next, results, today: countedToday(state.today, bet) };
}

/**
 * Has the venue said already how this bet ended?
 *
 * @param {State} state
 * @param {HeldBet} bet
 */
function hasEnded({ bets, results }, { cellId, betId }) {
  const held = bets[cellId];
  const isHeld = held !== undefined && held.betId === betId && isEnded(held);
  return isHeld || results.some((result) => result.betId === betId);
}

/**
 * All that the venue has of the trader; beside it stays what it has not answered yet.
 *
 * @param {State} state
 * @param {Snapshot} snapshot
 * @param {number} nowMs
 * @returns {State}
 */
function withSnapshot(state, { open, last }, nowMs) {
  const told = [...last, ...open].flatMap((bet) => heldOf(bet, state.bets[bet.cell_id]) ?? []);
  const ended = told.filter(isEnded);
  const shown = told.filter((bet) => !isEnded(bet) || !isGone(bet, nowMs));
  const unanswered = Object.values(state.bets).filter(isOpenQuestion);
  const bets = Object.fromEntries([...unanswered, ...shown].map((bet) => [bet.cellId, bet]));
  return { ...state, bets, results: ended.slice(0, RESULTS_MAX) };
}

/**
 * A bet as the venue lists it; null: it was never taken.
 *
 * @param {Bet} bet
 * @param {HeldBet | undefined} before what is held on its cell
 * @returns {HeldBet | null}
 */
function heldOf(bet, before) {
  if (bet.status === "insufficient_funds") {
    return null;
  }
  if (before?.betId === bet.bet_id && before.phase === bet.status) {
    return before;
  }
  return {
    cellId: bet.cell_id,
    columnStartS: bet.column_start_s,
    columnS: bet.column_s,
    loCents: bet.lo_cents,
    hiCents: bet.hi_cents,
    phase: bet.status,
    betId: bet.bet_id,
    nonce: bet.nonce,
    stakeMicros: bet.stake_micros,
    rewardBps: bet.reward_bps,
    payoutMicros: bet.payout_micros,
    tappedAtMs: bet.placed_at_ms,
    phaseAtMs: bet.resolved_at_ms ?? bet.placed_at_ms,
  };
}

/**
 * Where the cell lies; its width is that of the grid, for its id does not tell.
 *
 * @param {State} state
 * @param {string} cellId
 */
function placeOf(state, cellId) {
  const { rules, quote } = state.market;
  const columnS = state.bets[cellId]?.columnS ?? rules?.column_s ?? quote?.column_s ?? 0;
  const cell = parseCellId(cellId) ?? { columnStartS: 0, loCents: 0, hiCents: 0 };
  return { cellId, columnS, ...cell };
}

// What it has not said, or has refused

/**
 * @param {State} state
 * @param {(bet: HeldBet) => boolean} concerns
 * @param {number} nowMs
 * @returns {State}
 */
function withUnknown(state, concerns, nowMs) {
  const unsure = Object.values(state.bets).filter(
    (bet) => bet.phase === "pending" && concerns(bet),
  );
  return unsure.reduce(
    (one, bet) => withBet(one, { ...bet, phase: "unknown", phaseAtMs: nowMs }),
    state,
  );
}

/**
 * @param {State} state
 * @param {string} nonce
 * @param {number} nowMs
 */
function withNotPlaced(state, nonce, nowMs) {
  const bet = asked(state, nonce);
  if (bet === undefined) {
    return state;
  }
  const { cellId } = bet;
  const text = refusalText("not_sent", {});
  return withRefused(without(state, nonce), { cellId, code: "not_sent", text, atMs: nowMs });
}

/**
 * The bet that was sent with a nonce and not answered.
 *
 * @param {State} state
 * @param {string | null} nonce
 */
function asked(state, nonce) {
  return Object.values(state.bets).find((bet) => isOpenQuestion(bet) && bet.nonce === nonce);
}

/**
 * @param {State} state
 * @param {string | null} nonce
 */
function without(state, nonce) {
  const bet = nonce === null ? undefined : asked(state, nonce);
  if (bet === undefined) {
    return state;
  }
  const { [bet.cellId]: _, ...bets } = state.bets;
  return { ...state, bets };
}

/**
 * @param {State} state
 * @param {HeldBet} bet
 * @returns {State}
 */
function withBet(state, bet) {
  return state.bets[bet.cellId] === bet
    ? state
    : { ...state, bets: { ...state.bets, [bet.cellId]: bet } };
}

/**
 * @param {State} state
 * @param {RefusedTap} refused
 * @returns {State}
 */
function withRefused(state, refused) {
  const others = state.refused.filter(({ cellId }) => cellId !== refused.cellId);
  return { ...state, refused: [...others, refused] };
}

/**
 * @param {State} state
 * @param {string} cellId
 * @returns {State}
 */
function withoutRefused(state, cellId) {
  const refused = state.refused.filter((tap) => tap.cellId !== cellId);
  return refused.length === state.refused.length ? state : { ...state, refused };
}

/**
 * What time does: refused taps and ended bets are let go of, and so are those of a session that is
 * over, of which nothing will be heard any more.
 *
 * @param {State} state
 * @param {number} nowMs
 * @returns {State}
 */
function aged(state, nowMs) {
  const refused = state.refused.filter(({ atMs }) => atMs > nowMs - REFUSED_MS);
  const isFollowed = state.session.phase === "in";
  const shown = Object.entries(state.bets).filter(
    ([, bet]) => (isFollowed && !isEnded(bet)) || !isGone(bet, nowMs),
  );
  const keepsRefused = refused.length === state.refused.length;
  const keepsBets = shown.length === Object.keys(state.bets).length;
  if (keepsRefused && keepsBets) {
    return state;
  }
  return {
    ...state,
    refused: keepsRefused ? state.refused : refused,
    bets: keepsBets ? state.bets : Object.fromEntries(shown),
  };
}

/**
 * @param {HeldBet} bet
 * @param {number} nowMs
 */
function isGone({ columnStartS, columnS }, nowMs) {
  return (columnStartS + columnS) * 1000 < nowMs - ENDED_MS;
}
