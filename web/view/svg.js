// Elements of a drawing. Like dom.js: text only ever goes in as text.

const SVG = "http://www.w3.org/2000/svg";

/**
 * A new shape; numbers to a tenth of a pixel.
 *
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Readonly<Record<string, string | number>>} attributes
 * @returns {SVGElementTagNameMap[K]}
 */
export function shape(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, typeof value === "number" ? String(round(value)) : value);
  }
  return element;
}

/**
 * @param {string} className
 * @param {string} text
 * @param {Readonly<Record<string, string | number>>} attributes
 */
export function words(className, text, attributes) {
  const element = shape("text", {
    class: className,
    "dominant-baseline": "central",
    ...attributes,
  });
  element.textContent = text;
  return element;
}

/** @param {number} value */
export function crisp(value) {
  return Math.round(value) + 0.5;
}

/** @param {number} value */
export function round(value) {
  return Math.round(value * 10) / 10;
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
export function clamp(value, least, most) {
  return Math.max(least, Math.min(most, value));
}
