// The exact texts that are signed. domain/signed_text.py says the same; both are held to
// tests/vectors/session_key_bets.json. Pure.

/**
 * So long after it was signed, by the venue's clock, nothing can come of a request of which the ledger
 * has no trace: docs/api.md. Soon after, the venue forgets the nonce, and only its ledger can tell.
 */
export const CERTAIN_AFTER_MS = 70_000;

/**
 * What a bet signs: version 2, which binds the odds, where it names a least rate and a quote.
 *
 * @typedef {object} BetText
 * @property {string} cellId
 * @property {number} stakeMicros
 * @property {string} nonce
 * @property {number} timestampS by the venue's clock
 * @property {number} chainId
 * @property {{leastBps: number, quoteN: number}} [odds]
 */

/**
 * @typedef {object} WithdrawalText
 * @property {number} amountMicros
 * @property {string} destination an address in lower case
 * @property {string} nonce
 * @property {number} timestampS by the venue's clock
 * @property {number} chainId
 */

/**
 * @param {BetText} bet
 * @returns {string} lines joined by newlines, none at the end
 */
export function betText({ cellId, stakeMicros, nonce, timestampS, chainId, odds }) {
  return [
    "Tap Trading Bet",
    "Action: place_bet",
    `Cell: ${cellId}`,
    `Amount: ${stakeMicros}`,
    `Nonce: ${nonce}`,
    `Timestamp: ${timestampS}`,
    `Chain: ${chainId}`,
    ...(odds === undefined ? [] : [`Rate: ${odds.leastBps}`, `Quote: ${odds.quoteN}`]),
    `Version: ${odds === undefined ? 1 : 2}`,
  ].join("\n");
}

/**
 * @param {WithdrawalText} withdrawal
 * @returns {string} lines joined by newlines, none at the end
 */
export function withdrawalText({ amountMicros, destination, nonce, timestampS, chainId }) {
  return [
    "Tap Trading Withdrawal",
    "Action: withdraw",
    `Amount: ${amountMicros}`,
    `Destination: ${destination}`,
    `Nonce: ${nonce}`,
    `Timestamp: ${timestampS}`,
    `Chain: ${chainId}`,
    "Version: 1",
  ].join("\n");
}
