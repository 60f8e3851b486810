// Taking money out: the wallet signs a text, and the venue takes it once. Where the answer is lost the
// same request is sent again, never another one.

import { CERTAIN_AFTER_MS, withdrawalText } from "../domain/signed_text.js";
import { Refused } from "./api.js";
import { askAccount, signMessage } from "./wallets.js";

/** @import { Withdrawal, WithdrawalRequested, Withdrawals } from "../types/wire.js" */
/** @import { Api } from "./api.js" */
/** @import { VenueClock } from "./clock.js" */
/** @import { Wallet } from "./wallets.js" */

/** Among so many of the newest a withdrawal is looked for. */
const LOOKED_THROUGH = 50;

/** The wallet shows another account than the one that is signed in. */
export class OtherAccount extends Error {
  /** @param {string} account */
  constructor(account) {
    super(account);
    this.name = "OtherAccount";
    this.account = account;
  }
}

/**
 * A request as it is sent, and sent again: the fields of `POST /api/withdrawals`.
 *
 * @typedef {object} SignedWithdrawal
 * @property {string} wallet
 * @property {string} amount micros, as text
 * @property {string} destination
 * @property {string} nonce
 * @property {number} timestamp seconds, by the venue's clock
 * @property {number} chain_id
 * @property {1} version
 * @property {string} signature
 */

/**
 * Have the wallet sign for one. Throws WalletProblem or OtherAccount.
 *
 * @param {Wallet} wallet
 * @param {object} asked
 * @param {string} asked.account that is signed in, lower case
 * @param {number} asked.amountMicros
 * @param {string} asked.destination
 * @param {number} asked.chainId
 * @param {VenueClock} clock
 * @param {AbortSignal} signal
 * @returns {Promise<SignedWithdrawal>}
 */
export async function signWithdrawal(wallet, asked, clock, signal) {
  const shown = await askAccount(wallet, signal);
  if (shown !== asked.account) {
    throw new OtherAccount(shown);
  }
  const text = {
    amountMicros: asked.amountMicros,
    destination: asked.destination.toLowerCase(),
    nonce: crypto.randomUUID(),
    timestampS: Math.floor(clock.nowMs() / 1000),
    chainId: asked.chainId,
  };
  return {
    wallet: asked.account,
    amount: String(text.amountMicros),
    destination: text.destination,
    nonce: text.nonce,
    timestamp: text.timestampS,
    chain_id: text.chainId,
    version: 1,
    signature: await signMessage(wallet, withdrawalText(text), asked.account, signal),
  };
}

/**
 * Send it, for the first time or again: it is taken once. Throws Refused where it is certain that it
 * was not taken; whatever else is thrown leaves that open, and it may be sent again.
 *
 * @param {Api} api
 * @param {VenueClock} clock
 * @param {SignedWithdrawal} signed
 * @param {boolean} isAgain may an earlier sending have been taken?
 * @returns {Promise<void>} it is taken
 */
export async function sendWithdrawal(api, clock, signed, isAgain) {
  const refused = await refusalOf(api, signed);
  if (refused === null || (isAgain && (await isTaken(api, signed)))) {
    return;
  }
  // A refusal of the first sending is the answer; that of another may only concern its age.
  const isFinal = !isAgain || clock.nowMs() - signed.timestamp * 1000 > CERTAIN_AFTER_MS;
  throw isFinal && refused.code !== "status_unknown" ? refused : new Unsettled();
}

/**
 * @param {Api} api
 * @param {SignedWithdrawal} signed
 * @returns {Promise<Refused | null>} null: it is taken, now or by an earlier sending
 */
async function refusalOf(api, signed) {
  try {
    await /** @type {Promise<WithdrawalRequested>} */ (api.post("/api/withdrawals", { ...signed }));
    return null;
  } catch (error) {
    if (!(error instanceof Refused)) {
      throw error;
    }
    const isRepeated = error.code === "replay_detected" && "withdrawal" in error.details;
    return isRepeated ? null : error;
  }
}

/** Whether it was taken is not known yet. */
export class Unsettled extends Error {
  name = "Unsettled";
}

/**
 * @param {Api} api
 * @param {SignedWithdrawal} signed
 */
async function isTaken(api, { nonce }) {
  const { withdrawals } = /** @type {Withdrawals} */ (
    await api.get(`/api/withdrawals?limit=${LOOKED_THROUGH}`)
  );
  return withdrawals.some((/** @type {Withdrawal} */ withdrawal) => withdrawal.nonce === nonce);
}
