// Amounts of USD as they are typed, exactly: text to micros and back, and never a float between.
// Pure.

const MICROS_PER_USD = 1_000_000n;
const DECIMALS = 6;
/** MICROS_MAX of the venue: a billion USD; all below it is exact as a number, too. */
const MICROS_MAX = 1_000_000_000_000_000n;

/**
 * Digits, in groups of three or in none, with a point before the decimals. A comma that stands for a
 * point is refused and not guessed: 1,50 could be meant as either.
 */
const AMOUNT = /^\$? ?((?:\d{1,3}(?:,\d{3})+|\d+)?)(?:\.(\d+))?$/;

/**
 * @typedef {{micros: number, problem: ""} | {micros: null, problem: string}} ReadAmount
 */

/**
 * An amount that somebody has typed: `1,000.50`, `1.5`, `.5`, `$25`; or why it is none.
 *
 * @param {string} text
 * @returns {ReadAmount}
 */
export function readUsd(text) {
  const typed = text.trim();
  if (typed === "") {
    return no("Enter an amount.");
  }
  const [isAmount, whole = "", decimals = ""] = AMOUNT.exec(typed) ?? [];
  if (isAmount === undefined || whole + decimals === "") {
    return no("Write an amount like 25 or 1,000.50.");
  }
  if (decimals.length > DECIMALS) {
    return no(`An amount has at most ${DECIMALS} decimals.`);
  }
  const micros =
    BigInt(whole.replaceAll(",", "")) * MICROS_PER_USD + BigInt(decimals.padEnd(DECIMALS, "0"));
  if (micros === 0n) {
    return no("Enter more than zero.");
  }
  return micros > MICROS_MAX
    ? no("That is more than the venue can count.")
    : { micros: Number(micros), problem: "" };
}

/**
 * An amount to the last micro, with two decimals at least: `1,000.50`, `−1.8554`.
 *
 * @param {number} micros
 */
export function exactUsdText(micros) {
  const absolute = BigInt(Math.abs(micros));
  const whole = String(absolute / MICROS_PER_USD).replace(/\B(?=(\d{3})+$)/g, ",");
  const decimals = String(absolute % MICROS_PER_USD)
    .padStart(DECIMALS, "0")
    .replace(/0{1,4}$/, "");
  return `${micros < 0 ? "−" : ""}${whole}.${decimals}`;
}

/**
 * The same with its sign: `+1.8554`, `−1.00`, `0.00`.
 *
 * @param {number} micros
 */
export function exactSignedUsdText(micros) {
  return micros > 0 ? `+${exactUsdText(micros)}` : exactUsdText(micros);
}

/**
 * @param {string} problem
 * @returns {ReadAmount}
 */
function no(problem) {
  return { micros: null, problem };
}
