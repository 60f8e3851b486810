// Session keys: made, named and used here, by the browser's own WebCrypto. The private half can't be
// read, by us neither: it can only be asked to sign.

const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING = { name: "ECDSA", hash: "SHA-256" };
const KEY_ID_DIGITS = 32;

/**
 * @typedef {object} SigningKey
 * @property {CryptoKey} privateKey signs, and can't be exported
 * @property {string} point the public half as the venue wants it: base64url without padding
 * @property {string} keyId what bets call it
 */

/** Can keys be made here? Not on a page that came over plain http, except from this machine. */
export function canMakeKeys() {
  return globalThis.crypto?.subtle !== undefined;
}

/**
 * A new session key. One serves one sign-in, ever.
 *
 * @returns {Promise<SigningKey>}
 */
export async function makeKey() {
  const pair = await crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]);
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return {
    privateKey: pair.privateKey,
    point: base64url(point),
    keyId: await keyIdOf(point),
  };
}

/**
 * The first 32 hexadecimal digits of the SHA-256 of the 65 bytes.
 *
 * @param {Uint8Array<ArrayBuffer>} point
 */
export async function keyIdOf(point) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", point));
  return hex(digest).slice(0, KEY_ID_DIGITS);
}

/**
 * A text's signature as bets have it: `0x`, then r and s, 64 hexadecimal digits each.
 *
 * @param {CryptoKey} privateKey
 * @param {string} text
 */
export async function signText(privateKey, text) {
  const bytes = new TextEncoder().encode(text);
  return `0x${hex(new Uint8Array(await crypto.subtle.sign(SIGNING, privateKey, bytes)))}`;
}

/** @param {Uint8Array} bytes */
export function base64url(bytes) {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** @param {Uint8Array} bytes */
export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
