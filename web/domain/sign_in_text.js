// What a wallet is asked to sign: an EIP-4361 message (Sign-In with Ethereum) as the venue's
// domain/sign_in.py reads it, with the session key that it authorises. Pure.

import { chipText } from "./numbers.js";

/**
 * What the key in this browser is to be allowed.
 *
 * @typedef {object} KeyRequest
 * @property {string} point public half of the key, base64url
 * @property {number} betMaxMicros
 * @property {number} dayMaxMicros
 * @property {number} untilS seconds since 1970
 */

/**
 * What the message must hold besides, as `GET /api/auth/nonce` has said.
 *
 * @typedef {object} SignInMessage
 * @property {string} domain of the page, as wallets compare it
 * @property {string} address with its EIP-55 capitals
 * @property {string} uri
 * @property {number} chainId
 * @property {string} nonce
 * @property {number} issuedAtMs
 */

/**
 * The text, byte for byte as it is signed.
 *
 * @param {SignInMessage} message
 * @param {KeyRequest} key
 */
export function signInText({ domain, address, uri, chainId, nonce, issuedAtMs }, key) {
  return [
    `${domain} wants you to sign in with your Ethereum account:`,
    address,
    "",
    statement(key),
    "",
    `URI: ${uri}`,
    "Version: 1",
    `Chain ID: ${chainId}`,
    `Nonce: ${nonce}`,
    `Issued At: ${new Date(issuedAtMs).toISOString()}`,
    "Resources:",
    `- ${keyResource(key)}`,
  ].join("\n");
}

/**
 * What the wallet shows to its owner, in words. EIP-4361 allows few characters here.
 *
 * @param {KeyRequest} key
 */
function statement({ betMaxMicros, dayMaxMicros, untilS }) {
  const until = new Date(untilS * 1000).toISOString().slice(0, 16).replace("T", " ");
  return (
    "Sign in to tapgrid. A key kept in this browser may place bets for me:" +
    ` at most ${chipText(betMaxMicros)} USD a bet and ${chipText(dayMaxMicros)} USD a day,` +
    ` until ${until} UTC. It can't withdraw.`
  );
}

/**
 * The resource that names the key, its caps and its end.
 *
 * @param {KeyRequest} key
 */
export function keyResource({ point, betMaxMicros, dayMaxMicros, untilS }) {
  return `urn:tapgrid:session-key:p256:${point}?bet=${betMaxMicros}&day=${dayMaxMicros}&until=${untilS}`;
}
