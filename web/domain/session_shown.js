// What the page is shown of a session: all but its token and its key; and when it should have ended.
// Pure.

/** @import { Kept } from "../io/session_store.js" */
/** @import { Session } from "../state/state.js" */
/** @import { GrantedKey } from "../types/wire.js" */

/**
 * Nobody is signed in.
 *
 * @type {Session}
 */
export const NOBODY = {
  phase: "none",
  kind: null,
  wallet: null,
  sessionId: null,
  expiresAtMs: null,
  key: null,
  problem: "",
  waitingFor: null,
};

/** Our clock may be put right meanwhile, so that it is looked at again. */
const CHECK_MS_MAX = 60_000;
/** Where our clock is ahead of the venue's, it is asked again after so long. */
const CHECK_MS_MIN = 5_000;

/**
 * Who renews his key stays in; who is not in, and waits for it, is signing in.
 *
 * @param {Kept | null} kept
 * @param {Session["waitingFor"]} waitingFor
 * @param {string} problem
 * @returns {Session}
 */
export function shownSession(kept, waitingFor, problem) {
  if (kept?.phase === "in") {
    const { phase, kind, wallet, sessionId, expiresAtMs, key } = kept;
    return { phase, kind, wallet, sessionId, expiresAtMs, key, problem, waitingFor };
  }
  const isExpired = kept?.phase === "expired";
  const phase = isExpired ? "expired" : "none";
  return {
    ...NOBODY,
    kind: isExpired ? kept.kind : null,
    phase: waitingFor === null ? phase : "signing_in",
    problem,
    waitingFor,
  };
}

/**
 * @param {GrantedKey | null} key
 * @returns {Session["key"]}
 */
export function shownKey(key) {
  return key === null
    ? null
    : {
        keyId: key.key_id,
        betMaxMicros: key.bet_max_micros,
        dayMaxMicros: key.day_max_micros,
        expiresAtMs: key.expires_at_ms,
      };
}

/**
 * When to look again whether the session or its key has ended, and whether the venue is then to be
 * asked: an end is the venue's to say, our clock only says when to ask.
 *
 * @param {{expiresAtMs: number, key: Session["key"]}} session
 * @param {number} nowMs by the venue's clock, as far as it is known
 */
export function nextCheck({ expiresAtMs, key }, nowMs) {
  const leftMs = Math.min(expiresAtMs, key?.expiresAtMs ?? expiresAtMs) - nowMs;
  return {
    waitMs: Math.min(Math.max(leftMs, CHECK_MS_MIN), CHECK_MS_MAX),
    isDue: leftMs <= CHECK_MS_MAX,
  };
}
