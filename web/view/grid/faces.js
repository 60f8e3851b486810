// Type on the canvas. Figures keep their place: where a font's digits differ in width, each is set in
// a box as wide as the widest. A canvas does not take `font-variant-numeric`.

/**
 * @typedef {object} Face
 * @property {string} font as the canvas wants it
 * @property {number} sizePx
 * @property {number} digitPx the widest digit
 * @property {boolean} isTabular are all digits as wide as that?
 */

const DIGITS = [..."0123456789"];

/** So many widths are kept: rates and stakes recur, prices do not. */
const WIDTHS_MOST = 500;

export class Faces {
  /** @type {Map<string, Face>} */
  #known = new Map();
  /** @type {Map<string, number>} */
  #widths = new Map();

  /**
   * @param {CanvasRenderingContext2D} context to measure with
   * @param {string} family
   */
  constructor(context, family) {
    this.context = context;
    this.family = family;
  }

  /**
   * @param {number} sizePx
   * @param {400 | 600} [weight]
   * @returns {Face}
   */
  of(sizePx, weight = 400) {
    const font = `${weight} ${sizePx}px ${this.family}`;
    const known = this.#known.get(font);
    if (known !== undefined) {
      return known;
    }
    this.context.font = font;
    inUse.delete(this.context);
    const widths = DIGITS.map((digit) => this.context.measureText(digit).width);
    const digitPx = Math.max(...widths);
    const isTabular = digitPx - Math.min(...widths) < 0.01;
    const face = { font, sizePx, digitPx, isTabular };
    this.#known.set(font, face);
    return face;
  }

  /**
   * How wide a text is.
   *
   * @param {Face} face
   * @param {string} text
   */
  widthOf(face, text) {
    const key = `${text} ${face.font}`;
    const known = this.#widths.get(key);
    if (known !== undefined) {
      return known;
    }
    use(this.context, face);
    const width = face.isTabular
      ? this.context.measureText(text).width
      : [...text].reduce((sum, letter) => sum + letterPx(this.context, face, letter), 0);
    if (this.#widths.size >= WIDTHS_MOST) {
      this.#widths.clear();
    }
    this.#widths.set(key, width);
    return width;
  }
}

/** Which face each canvas is set to: to name a font again costs as much as a word.
 * @type {WeakMap<CanvasRenderingContext2D, Face>} */
const inUse = new WeakMap();

/**
 * @param {CanvasRenderingContext2D} context never restored to an earlier state, which has its own font
 * @param {Face} face
 */
function use(context, face) {
  if (inUse.get(context) !== face) {
    inUse.set(context, face);
    context.font = face.font;
  }
}

/**
 * The canvas has a new size, and by that no font.
 *
 * @param {CanvasRenderingContext2D} context
 */
export function forgetFace(context) {
  inUse.delete(context);
}

/** Where a text stands to its `x`: it begins, is centered, or ends there. */
export const START = 0;
const MIDDLE = 0.5;
export const END = 1;

/** How much of its ground a text keeps around it, where something runs below. */
const HALO_PX = 4;

/**
 * Write a text, its middle at the height `y`.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Face} face
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {{align?: number, halo?: string}} [how] halo: the color of the ground that it stands on
 */
export function write(context, face, text, x, y, { align = MIDDLE, halo } = {}) {
  use(context, face);
  // Figures and capitals are about 0.72 of the size high, in any font that a system comes with.
  const base = y + face.sizePx * 0.36;
  if (halo !== undefined) {
    context.strokeStyle = halo;
    context.lineWidth = HALO_PX;
    context.lineJoin = "round";
  }
  if (face.isTabular) {
    context.textAlign = align === START ? "start" : align === END ? "end" : "center";
    set(context, text, x, base, halo);
    return;
  }
  context.textAlign = "center";
  const widths = [...text].map((letter) => letterPx(context, face, letter));
  let left = x - align * widths.reduce((sum, width) => sum + width, 0);
  for (const [index, letter] of [...text].entries()) {
    const width = widths[index] ?? 0;
    set(context, letter, left + width / 2, base, halo);
    left += width;
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {number} x
 * @param {number} base
 * @param {string | undefined} halo
 */
function set(context, text, x, base, halo) {
  if (halo !== undefined) {
    context.strokeText(text, x, base);
  }
  context.fillText(text, x, base);
}

/**
 * @param {CanvasRenderingContext2D} context with the face's font
 * @param {Face} face
 * @param {string} letter
 */
function letterPx(context, face, letter) {
  return letter >= "0" && letter <= "9" ? face.digitPx : context.measureText(letter).width;
}
