// Wallets in the browser: found by EIP-6963, spoken to by EIP-1193.

/**
 * @typedef {object} Wallet
 * @property {string} id its uuid, or `injected` for one that is only `window.ethereum`
 * @property {string} name
 * @property {string | null} iconUrl a data: URL that it has announced
 * @property {{request(args: {method: string, params?: readonly unknown[]}): Promise<unknown>}} provider
 */

export {};
