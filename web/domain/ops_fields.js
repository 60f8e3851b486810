// What an operator can fill in: each kind of field reads a text, as a value or as what is wrong with
// it. Pure. The venue judges all of it again; here it is said before anything is sent.

import { readUsd } from "./amounts.js";
import { parseCellId } from "./grid.js";

/**
 * @typedef {{value: string | number | null, problem: ""} | {value: null, problem: string}} ReadField
 */

/**
 * @typedef {object} Kind
 * @property {(text: string) => ReadField} read
 * @property {"text" | "decimal" | "numeric"} keyboard
 * @property {string} like an example of it
 * @property {boolean} [wide] it is long
 */

const WALLET = /^0x[0-9a-fA-F]{40}$/;
const REFERENCE = /^[!-~]{1,128}$/;
const ULID = /^[0-9A-HJKMNP-TV-Z]{26}$/;
const WEEK = /^\d{4}-\d{2}-\d{2}$/;
const COLUMN = /^[1-9][0-9]{0,9}$/;
const NUMBER = /^(0|[1-9][0-9]{0,15})$/;
/** Accounts of the house's own. */
const OWN = new Set(["house", "external"]);
const REASON_CHARS_MAX = 500;
const SUNDAY = 0;

/** An amount of USD, exactly. */
export const USD = kind("decimal", "1,000.50", (text) => {
  const { micros, problem } = readUsd(text);
  return micros === null ? no(problem) : yes(micros);
});

/** An amount with its sign: to a trader, or with a minus from him. */
export const SIGNED_USD = kind("text", "1.85 or -1.85", (text) => {
  const isMinus = /^[-−]/.test(text);
  const { micros, problem } = readUsd(text.replace(/^[-−+]\s*/, ""));
  return micros === null ? no(problem) : yes(isMinus ? -micros : micros);
});

/** A trader's wallet. */
export const WALLET_FIELD = kind(
  "text",
  "0x7e5f…",
  (text) => (WALLET.test(text) ? yes(text) : no("A wallet is 0x and 40 hexadecimal digits.")),
  true,
);

/** A wallet, or the bankroll. */
export const CREDITED = kind(
  "text",
  "0x7e5f… or house",
  (text) => (text === "house" ? yes(text) : WALLET_FIELD.read(text)),
  true,
);

/** A wallet, or an account of the house's own. */
export const OWNER = kind(
  "text",
  "0x7e5f…, house or external",
  (text) => (OWN.has(text) ? yes(text) : WALLET_FIELD.read(text)),
  true,
);

/** An account: as an owner, or by its number. */
export const ACCOUNT = kind("text", "0x7e5f… or 17", (text) =>
  NUMBER.test(text) ? yes(text) : OWNER.read(text),
);

/** What a movement of money is known by. */
export const REFERENCE_FIELD = kind("text", "wire-17", (text) =>
  REFERENCE.test(text) ? yes(text) : no("1 to 128 visible ASCII characters, without a space."),
);

/** Why; it is logged with the operator's name. */
export const REASON = kind(
  "text",
  "",
  (text) => {
    if (text === "") {
      return no("Say why. It is logged with your name.");
    }
    return text.length > REASON_CHARS_MAX
      ? no(`At most ${REASON_CHARS_MAX} characters.`)
      : yes(text);
  },
  true,
);

/** Words that may be left out. */
export const MAY_SAY = kind("text", "", (text) =>
  text.length > 200 ? no("At most 200 characters.") : yes(text === "" ? null : text),
);

/** The id of a bet or a withdrawal. */
export const ID = kind("text", "01M7WVDTV747RADES80YN85Z0X", (text) =>
  ULID.test(text) ? yes(text) : no("An id is 26 digits and capital letters."),
);

/** A bet's id that may be left out. */
export const MAY_BE_ID = kind("text", "01M7WVDTV747RADES80YN85Z0X", (text) =>
  text === "" ? yes(null) : ID.read(text),
);

/** The Sunday on which a week began. */
export const WEEK_FIELD = kind("text", "2026-11-15", (text) =>
  isSunday(text) ? yes(text) : no("The Sunday on which the week began, like 2026-11-15."),
);

/** The start of a column: seconds since 1970, or the id of any cell in it. */
export const COLUMN_FIELD = kind("text", "1795191595, or a cell's id", (text) => {
  const start = parseCellId(text)?.columnStartS ?? (COLUMN.test(text) ? Number(text) : null);
  return start === null ? no("The first number of a cell's id.") : yes(start);
});

/** An actor or supervisor, by its path. */
export const ACTOR = kind("text", "", (text) => (text === "" ? no("Choose one.") : yes(text)));

/**
 * @param {"text" | "decimal" | "numeric"} keyboard
 * @param {string} like
 * @param {(text: string) => ReadField} read of what is left when spaces around it are gone
 * @param {boolean} [wide]
 * @returns {Kind}
 */
function kind(keyboard, like, read, wide = false) {
  return { keyboard, like, wide, read: (text) => read(text.trim()) };
}

/**
 * @param {string | number | null} value
 * @returns {ReadField}
 */
function yes(value) {
  return { value, problem: "" };
}

/**
 * @param {string} problem
 * @returns {ReadField}
 */
function no(problem) {
  return { value: null, problem };
}

/** @param {string} text */
function isSunday(text) {
  const atMs = WEEK.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(atMs)) {
    return false;
  }
  const at = new Date(atMs);
  return at.toISOString().startsWith(text) && at.getUTCDay() === SUNDAY;
}
