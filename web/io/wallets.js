// Wallets in the browser: found by EIP-6963, spoken to by EIP-1193. What a wallet says is a
// stranger's word: only texts of known shape are taken from it.

/** @import { WalletFault } from "../domain/sign_in_words.js" */

/**
 * @typedef {object} Provider
 * @property {(args: {method: string, params?: readonly unknown[]}) => Promise<unknown>} request
 * @property {(event: string, listener: (value: any) => void) => unknown} [on]
 * @property {(event: string, listener: (value: any) => void) => unknown} [removeListener]
 */

/**
 * @typedef {object} Wallet
 * @property {string} id its uuid, or `injected` for one that is only `window.ethereum`
 * @property {string} name
 * @property {string | null} iconUrl a data: URL that it has announced
 * @property {string | null} rdns what it is called on each visit, e.g. `io.metamask`
 * @property {Provider} provider
 */

/** The wallet did not do what it was asked. */
export class WalletProblem extends Error {
  /** @param {WalletFault} fault */
  constructor(fault) {
    super(fault);
    this.name = "WalletProblem";
    this.fault = fault;
  }
}

/** So long someone may look for his wallet, its password and his glasses. The nonce lasts longer. */
const ANSWER_MS_MAX = 240_000;
const NAME_CHARS_MAX = 40;
/** Line breaks, marks that turn the writing round, and the like. */
const UNSEEN = /\p{C}/gu;
const ICON_CHARS_MAX = 200_000;
/** Nobody has so many; what announces itself without end is drawn and kept no further. */
const WALLETS_MAX = 50;
const ICON = /^data:image\/(?:svg\+xml|png|webp|gif|jpeg)[;,]/;
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const SIGNATURE = /^0x[0-9a-fA-F]{130}$/;

/** What wallets say by their error codes (EIP-1193, EIP-1474). */
const FAULTS = new Map(
  /** @type {[number, WalletFault][]} */ ([
    [4001, "rejected"],
    [-32002, "pending"],
    [4900, "disconnected"],
    [4901, "disconnected"],
  ]),
);

/** The wallets that are here. They may announce themselves at any time. */
export class Wallets {
  /** @type {Map<string, Wallet>} */
  #found = new Map();
  /** @type {Set<() => void>} */
  #watchers = new Set();

  /** @param {Window & {ethereum?: unknown}} page */
  constructor(page = window) {
    this.page = page;
    page.addEventListener("eip6963:announceProvider", (event) => {
      const wallet = quietly(() => announced(/** @type {CustomEvent} */ (event).detail)) ?? null;
      const isNew = wallet !== null && !this.#found.has(wallet.id);
      if (isNew && this.#found.size < WALLETS_MAX) {
        this.#found.set(wallet.id, wallet);
        this.#tell();
      }
    });
    this.look();
  }

  /** Ask for those that are here: a wallet may have been unlocked or installed meanwhile. */
  look() {
    this.page.dispatchEvent(new Event("eip6963:requestProvider"));
  }

  /**
   * By name. One that is only `window.ethereum` is listed where none has announced itself.
   *
   * @returns {readonly Wallet[]}
   */
  list() {
    const found = [...this.#found.values()].sort((a, b) => a.name.localeCompare(b.name));
    const { page } = this;
    const provider = quietly(() => (isProvider(page.ethereum) ? page.ethereum : undefined));
    if (found.length > 0 || provider === undefined) {
      return found;
    }
    return [{ id: "injected", name: "Browser wallet", iconUrl: null, rdns: null, provider }];
  }

  /**
   * @param {() => void} watcher
   * @returns {() => void} ends it
   */
  watch(watcher) {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  #tell() {
    for (const watcher of this.#watchers) {
      watcher();
    }
  }
}

/**
 * @param {any} detail
 * @returns {Wallet | null} null where it is no announcement of EIP-6963
 */
function announced(detail) {
  const { info, provider } = detail ?? {};
  const { uuid, name, icon, rdns } = info ?? {};
  if (typeof uuid !== "string" || typeof name !== "string" || !isProvider(provider)) {
    return null;
  }
  const isIcon = typeof icon === "string" && icon.length <= ICON_CHARS_MAX && ICON.test(icon);
  return {
    id: uuid,
    name: shortened(name.replace(UNSEEN, "").trim()) || "Unnamed wallet",
    iconUrl: isIcon ? icon : null,
    rdns: typeof rdns === "string" ? rdns : null,
    provider,
  };
}

/** @param {string} name */
function shortened(name) {
  return name.length > NAME_CHARS_MAX ? `${name.slice(0, NAME_CHARS_MAX - 1)}…` : name;
}

/**
 * @param {any} provider
 * @returns {provider is Provider}
 */
function isProvider(provider) {
  return typeof provider?.request === "function";
}

/**
 * The account that its owner shares, lower case. He is asked if he has not shared one before.
 *
 * @param {Wallet} wallet
 * @param {AbortSignal} signal
 */
export async function askAccount(wallet, signal) {
  const accounts = accountsOf(await ask(wallet, "eth_requestAccounts", [], signal));
  if (accounts[0] === undefined) {
    throw new WalletProblem("no_account");
  }
  return accounts[0];
}

/**
 * Have a text signed by EIP-191. The wallet shows it to its owner.
 *
 * @param {Wallet} wallet
 * @param {string} text
 * @param {string} address
 * @param {AbortSignal} signal
 */
export async function signMessage(wallet, text, address, signal) {
  const bytes = new TextEncoder().encode(text);
  const message = `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  const signature = await ask(wallet, "personal_sign", [message, address], signal);
  if (typeof signature !== "string" || !SIGNATURE.test(signature)) {
    throw new WalletProblem("odd_signature");
  }
  return signature;
}

/**
 * Hear which accounts its owner shares from now on, lower case; none: he has disconnected us.
 *
 * @param {Wallet} wallet
 * @param {(accounts: readonly string[]) => void} hear
 * @returns {() => void} ends it
 */
export function watchAccounts({ provider }, hear) {
  const listener = (/** @type {unknown} */ accounts) => hear(accountsOf(accounts));
  quietly(() => provider.on?.("accountsChanged", listener));
  return () => void quietly(() => provider.removeListener?.("accountsChanged", listener));
}

/**
 * What a wallet says, or nothing where it throws: a session must not end by what a wallet can't do.
 *
 * @template T
 * @param {() => T} look
 * @returns {T | undefined}
 */
function quietly(look) {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/**
 * @param {unknown} said
 * @returns {string[]}
 */
function accountsOf(said) {
  const texts = Array.isArray(said) ? said : [];
  return texts
    .filter((text) => typeof text === "string" && ADDRESS.test(text))
    .map((text) => text.toLowerCase());
}

/**
 * @param {Wallet} wallet
 * @param {string} method
 * @param {readonly unknown[]} params
 * @param {AbortSignal} signal the trader waits no longer
 */
async function ask({ provider }, method, params, signal) {
  signal.throwIfAborted();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Promise<never>} */
  const gaveUp = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new WalletProblem("timeout")), ANSWER_MS_MAX);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  try {
    const asked = Promise.resolve().then(() => provider.request({ method, params }));
    return await Promise.race([asked, gaveUp]);
  } catch (error) {
    throw quietly(() => error instanceof WalletProblem) ? error : new WalletProblem(faultOf(error));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {any} error whatever the wallet has thrown; its text is not shown
 * @returns {WalletFault}
 */
function faultOf(error) {
  const codes = quietly(() => [error?.code, error?.data?.originalError?.code]) ?? [];
  return codes.map((code) => FAULTS.get(code)).find(Boolean) ?? "failed";
}
