// Why a sign-in failed, for people, whoever has failed it.

import { signInRefusalText, UNREACHABLE, walletFaultText } from "../domain/sign_in_words.js";
import { Refused } from "./api.js";
import { canMakeKeys } from "./keys.js";
import { PageMoved } from "./wallet_sign_in.js";
import { WalletProblem } from "./wallets.js";

const NO_KEYS =
  "This browser can't make keys here. Open the page by https, or on the venue's own machine.";

/**
 * @param {unknown} failure
 * @param {number} nowMs by the page's clock
 */
export function problemText(failure, nowMs) {
  if (failure instanceof WalletProblem) {
    return walletFaultText(failure.fault);
  }
  if (failure instanceof Refused) {
    return signInRefusalText(failure.code, failure.details, nowMs);
  }
  if (failure instanceof PageMoved) {
    return `Open this page as ${failure.uri} to sign in with a wallet.`;
  }
  return canMakeKeys() ? UNREACHABLE : NO_KEYS;
}
