// Where the session is kept between visits: IndexedDB, which alone can hold a key that can't be
// read. Never localStorage. Where the browser keeps nothing for us it lasts as long as the page.

/**
 * A live session.
 *
 * @typedef {object} SessionRecord
 * @property {"in"} phase
 * @property {string} token
 * @property {string} sessionId
 * @property {string} wallet lower case
 * @property {"demo" | "wallet"} kind
 * @property {string | null} rdns of the wallet that signed in, if it has told
 * @property {number} expiresAtMs
 * @property {CryptoKey} privateKey
 * @property {import("../state/state.js").Session["key"]} key what the venue lets it do; null: nothing
 */

/**
 * What is left of one: a demo account is not begun again unless the trader wants it.
 *
 * @typedef {object} SessionMark
 * @property {"expired" | "signed_out"} phase
 * @property {"demo" | "wallet"} kind
 */

/** @typedef {SessionRecord | SessionMark} Kept */

const DATABASE = "tapgrid";
const TABLE = "session";
const ROW = "current";
/** Some browsers never answer in private windows. */
const OPEN_MS_MAX = 2_000;

export class SessionStore {
  /** @type {Promise<IDBDatabase | null> | null} */
  #database = null;
  /** @type {Kept | null} */
  #inMemory = null;

  /**
   * What was kept last, by any tab.
   *
   * @returns {Promise<Kept | null>}
   */
  async load() {
    const database = await this.#opened();
    if (database === null) {
      return this.#inMemory;
    }
    try {
      const table = database.transaction(TABLE, "readonly").objectStore(TABLE);
      return (await done(table.get(ROW))) ?? null;
    } catch {
      return this.#fallBack(this.#inMemory);
    }
  }

  /**
   * Keep it in place of what was kept.
   *
   * @param {Kept} kept
   */
  async save(kept) {
    this.#inMemory = kept;
    const database = await this.#opened();
    if (database === null) {
      return;
    }
    try {
      const table = database.transaction(TABLE, "readwrite").objectStore(TABLE);
      await done(table.put(kept, ROW));
    } catch {
      this.#fallBack(kept);
    }
  }

  #opened() {
    this.#database ??= open();
    return this.#database;
  }

  /**
   * From here on in memory only.
   *
   * @param {Kept | null} kept
   */
  #fallBack(kept) {
    this.#database = Promise.resolve(null);
    return kept;
  }
}

/** @returns {Promise<IDBDatabase | null>} null where the browser keeps nothing for this page */
function open() {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), OPEN_MS_MAX);
    const settle = (/** @type {IDBDatabase | null} */ database) => {
      clearTimeout(timer);
      resolve(database);
    };
    try {
      const request = indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
      request.onsuccess = () => {
        // Whoever clears what this page keeps does not wait for us.
        request.result.onversionchange = () => request.result.close();
        settle(request.result);
      };
      request.onerror = () => settle(null);
      request.onblocked = () => settle(null);
    } catch {
      settle(null);
    }
  });
}

/**
 * @param {IDBRequest} request
 * @returns {Promise<any>}
 */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
