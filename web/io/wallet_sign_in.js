// Signing in with a wallet, step by step: whose account, what the venue wants to read, a key, the
// wallet's signature, and a session for it.

import { signInText } from "../domain/sign_in_text.js";
import { makeKey } from "./keys.js";
import { askAccount, signMessage } from "./wallets.js";

/** @import { KeyCaps } from "../page.js" */
/** @import { Nonce, SignedIn } from "../types/wire.js" */
/** @import { Api } from "./api.js" */
/** @import { Wallet } from "./wallets.js" */

const HOUR_S = 3_600;

/** The venue goes by another name than the page was opened by: wallets rightly warn of that. */
export class PageMoved extends Error {
  /** @param {string} uri where the venue is */
  constructor(uri) {
    super(uri);
    this.name = "PageMoved";
    this.uri = uri;
  }
}

/**
 * Throws WalletProblem, PageMoved, Refused or Unreachable.
 *
 * @param {Wallet} wallet
 * @param {KeyCaps} caps
 * @param {Api} api
 * @param {object} options
 * @param {AbortSignal} options.signal the trader waits no longer
 * @param {string} options.origin of the page
 */
export async function signInByWallet(wallet, caps, api, { signal, origin }) {
  const account = await askAccount(wallet, signal);
  const asked = /** @type {Nonce} */ (await api.get(`/api/auth/nonce?wallet=${account}`, null));
  if (asked.uri !== origin) {
    throw new PageMoved(asked.uri);
  }
  const key = await makeKey();
  const text = signInText(
    {
      domain: asked.domain,
      address: asked.address ?? account,
      uri: asked.uri,
      chainId: asked.chain_id,
      nonce: asked.nonce,
      issuedAtMs: asked.issued_at_ms,
    },
    {
      point: key.point,
      betMaxMicros: caps.betMaxMicros,
      dayMaxMicros: caps.dayMaxMicros,
      untilS: Math.floor(asked.issued_at_ms / 1000) + caps.hours * HOUR_S,
    },
  );
  const signature = await signMessage(wallet, text, asked.address ?? account, signal);
  const body = { message: text, signature };
  const signedIn = /** @type {SignedIn} */ (await api.post("/api/auth/login", body, null));
  return { key, signedIn };
}
