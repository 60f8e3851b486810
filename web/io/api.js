// The venue over HTTP: one request, one answer within its deadline, or an error that says which.

/** @import { Code } from "../types/wire.js" */

/** So long a request may take, its answer's body included. */
const DEADLINE_MS = 8_000;
/**
 * All that the venue can say no with. A proxy between us has words of its own, and that nothing was
 * done is the venue's alone to say.
 *
 * @type {Readonly<Record<Code, true>>}
 */
const CODES = {
  bad_request: true,
  insufficient_funds: true,
  cell_unavailable: true,
  bad_stake: true,
  invalid_signature: true,
  signature_expired: true,
  unauthorized: true,
  forbidden: true,
  limit_reached: true,
  frozen: true,
  not_found: true,
  method_not_allowed: true,
  replay_detected: true,
  cell_taken: true,
  quote_expired: true,
  reference_conflict: true,
  archived: true,
  too_large: true,
  exposure_limit: true,
  rate_limited: true,
  internal: true,
  price_feed_stale: true,
  overloaded: true,
  draining: true,
  held: true,
  store_unavailable: true,
  disk_full: true,
  status_unknown: true,
};

/** The venue has said no, and why. */
export class Refused extends Error {
  /**
   * @param {Code} code
   * @param {string} message for people
   * @param {Readonly<Record<string, unknown>>} details all that came with it
   */
  constructor(code, message, details = {}) {
    super(message);
    this.name = "Refused";
    this.code = code;
    this.details = details;
  }
}

/** No answer: what was asked for may or may not have been done. */
export class Unreachable extends Error {
  name = "Unreachable";
}

/**
 * Why there is no answer, for people. What is neither a refusal nor a loss is a defect, and thrown on.
 *
 * @param {unknown} error
 */
export function problemOf(error) {
  if (error instanceof Refused) {
    return error.message;
  }
  if (error instanceof Unreachable) {
    return "The venue does not answer.";
  }
  throw error;
}

export class Api {
  #origin;
  #ended;
  #deadlineMs;

  /**
   * @param {() => string | null} token of the session, if there is one
   * @param {object} [options]
   * @param {(token: string) => void} [options.ended] hears of a token that opens nothing any more
   * @param {string} [options.origin] of the venue; the page's own
   * @param {number} [options.deadlineMs]
   */
  constructor(
    token,
    { ended = () => {}, origin = location.origin, deadlineMs = DEADLINE_MS } = {},
  ) {
    this.token = token;
    this.#ended = ended;
    this.#origin = origin;
    this.#deadlineMs = deadlineMs;
  }

  /**
   * @template T
   * @param {string} path with its query
   * @param {string | null} [token] another one than the session's
   * @returns {Promise<T>} the body; throws Refused or Unreachable
   */
  async get(path, token = this.token()) {
    return this.#ask("GET", path, undefined, token);
  }

  /**
   * @template T
   * @param {string} path
   * @param {Readonly<Record<string, unknown>>} body
   * @param {string | null} [token] another one than the session's
   * @returns {Promise<T>} the body; throws Refused or Unreachable
   */
  async post(path, body, token = this.token()) {
    return this.#ask("POST", path, JSON.stringify(body), token);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {string | undefined} body
   * @param {string | null} token
   * @returns {Promise<any>}
   */
  async #ask(method, path, body, token) {
    const { status, said } = await this.#answer(this.#url(path), method, body, token);
    if (status < 300) {
      return said;
    }
    const { error, message, ...details } = /** @type {Record<string, unknown>} */ (said ?? {});
    if (typeof error !== "string" || !Object.hasOwn(CODES, error)) {
      throw new Unreachable(`${method} ${path} was answered ${status} by something else`);
    }
    const refused = new Refused(/** @type {Code} */ (error), String(message ?? error), details);
    if (token !== null && isEndOfSession(refused)) {
      this.#ended(token);
    }
    throw refused;
  }

  /**
   * Where it goes: to our own venue and nowhere else, for the token goes with it.
   *
   * @param {string} path
   */
  #url(path) {
    const url = new URL(path, this.#origin);
    if (url.origin !== new URL(this.#origin).origin) {
      throw new Error("only the venue that served the page is asked");
    }
    return url;
  }

  /**
   * @param {URL} url
   * @param {string} method
   * @param {string | undefined} body
   * @param {string | null} token
   */
  async #answer(url, method, body, token) {
    /** @type {Record<string, string>} */
    const headers = body === undefined ? {} : { "Content-Type": "application/json" };
    if (token !== null) {
      headers["Authorization"] = `Bearer ${token}`;
    }
    try {
      const response = await fetch(url, {
        method,
        headers,
        body,
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        signal: AbortSignal.timeout(this.#deadlineMs),
      });
      return { status: response.status, said: /** @type {unknown} */ (await response.json()) };
    } catch {
      throw new Unreachable(`${method} ${url.pathname} had no answer`);
    }
  }
}

/**
 * Does the refusal concern the token? A nonce or a session key that is no good is named.
 *
 * @param {Refused} refused
 */
function isEndOfSession({ code, details }) {
  return code === "unauthorized" && !("field" in details) && !("key_id" in details);
}
