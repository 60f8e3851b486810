// The venue over HTTP.

/** @import { Code } from "../types/wire.js" */

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

export class Api {
  /** @param {() => string | null} token of the session, if there is one */
  constructor(token) {
    this.token = token;
  }

  /**
   * @template T
   * @param {string} path with its query
   * @returns {Promise<T>} the body; throws Refused or Unreachable
   */
  async get(path) {
    throw new Unreachable(path);
  }

  /**
   * @template T
   * @param {string} path
   * @param {Readonly<Record<string, unknown>>} body
   * @returns {Promise<T>} the body; throws Refused or Unreachable
   */
  async post(path, body) {
    throw new Unreachable(`${path} ${body}`);
  }
}
