// The page's colors, resolved for the canvas, and those mixed from them.

/**
 * @typedef {readonly [number, number, number]} Rgb
 */

const TOKENS = /** @type {const} */ ([
  "ground",
  "panel",
  "raised",
  "line",
  "text",
  "quiet",
  "bright",
  "won",
  "attention",
  "refused",
]);

/** Rates are shaded in so many steps. */
const SHADES = 24;
/** The share of --bright in the rarest cell's ground. */
const SHADE_MOST = 0.34;
const SHADE_LEAST = 0.03;

/**
 * @typedef {Record<(typeof TOKENS)[number], string> & {
 *   shades: readonly string[],
 *   edge: string,
 *   faint: string,
 *   closed: string,
 *   closedText: string,
 *   held: string,
 *   lost: string,
 *   wash: string,
 *   clear: string,
 * }} Colors
 *
 * - `shades`: grounds of cells, from the likeliest to the rarest.
 * - `edge`: lines between cells on offer. `faint`: lines where nothing is.
 * - `closed`, `closedText`: ground of what is too late to tap, and the last rate offered there.
 * - `held`: ground of a confirmed bet. `lost`: what is left of a lost one.
 * - `wash`: laid over what the finger is on. `clear`: the ground, unseen: where it fades in.
 */

/**
 * Read them as they are now: dark or light.
 *
 * @param {Element} element
 * @returns {Colors}
 */
export function readColors(element) {
  const style = getComputedStyle(element);
  const token = Object.fromEntries(
    TOKENS.map((name) => [name, parse(style.getPropertyValue(`--${name}`))]),
  );
  const { ground, panel, line, text, quiet, bright, raised } = token;
  const shades = Array.from({ length: SHADES }, (_, step) =>
    mix(ground, bright, SHADE_LEAST + ((SHADE_MOST - SHADE_LEAST) * step) / (SHADES - 1)),
  );
  const plain = /** @type {Record<(typeof TOKENS)[number], string>} */ (
    Object.fromEntries(TOKENS.map((name) => [name, mix(token[name], token[name], 0)]))
  );
  return {
    ...plain,
    shades,
    edge: mix(ground, line, 0.9),
    faint: mix(ground, line, 0.45),
    closed: mix(ground, panel, 0.5),
    closedText: mix(ground, quiet, 0.55),
    held: mix(raised, bright, 0.25),
    lost: mix(ground, quiet, 0.6),
    wash: alpha(text, 0.1),
    clear: alpha(ground, 0),
  };
}

/**
 * The step of the shades that a rate has: by its logarithm, from 1 to 50 times.
 *
 * @param {number} rewardBps
 */
export function shadeOf(rewardBps) {
  const share = Math.log(Math.max(1, rewardBps / 10_000)) / Math.log(50);
  return Math.min(SHADES - 1, Math.round(share * (SHADES - 1)));
}

/**
 * @param {string} text as a browser resolves a color: `rgb(1, 2, 3)`; a token as it is written where
 *   it does not know @property
 * @returns {Rgb}
 */
function parse(text) {
  const hex = /^\s*#([0-9a-f]{6})\s*$/i.exec(text);
  if (hex !== null) {
    const bits = Number.parseInt(hex[1] ?? "", 16);
    return [bits >> 16, (bits >> 8) & 255, bits & 255];
  }
  const [red = 128, green = 128, blue = 128] = (text.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue];
}

/**
 * @param {Rgb} from
 * @param {Rgb} to
 * @param {number} share of `to`
 */
function mix(from, to, share) {
  const [red, green, blue] = [0, 1, 2].map((index) => {
    const [one, other] = [from[index] ?? 0, to[index] ?? 0];
    return Math.round(one + (other - one) * share);
  });
  return `rgb(${red}, ${green}, ${blue})`;
}

/**
 * @param {Rgb} color
 * @param {number} opacity
 */
function alpha([red, green, blue], opacity) {
  return `rgba(${red}, ${green}, ${blue}, ${opacity})`;
}
