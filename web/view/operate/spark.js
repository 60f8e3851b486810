// A few minutes of one figure as a line. Its height is the largest value in it, so that it shows
// how the figure moves and not how large it is: that stands beside it.

import { SAMPLES_MAX } from "../../state/operate.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = SAMPLES_MAX;
const HEIGHT = 16;

/**
 * @returns {{element: SVGElement, show: (values: readonly number[]) => void}}
 */
export function spark() {
  const line = document.createElementNS(SVG, "polyline");
  const element = document.createElementNS(SVG, "svg");
  element.setAttribute("class", "op-spark");
  element.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  element.setAttribute("preserveAspectRatio", "none");
  element.setAttribute("aria-hidden", "true");
  element.append(line);
  return { element, show: (values) => line.setAttribute("points", pointsOf(values)) };
}

/**
 * The newest at the right edge.
 *
 * @param {readonly number[]} values
 */
function pointsOf(values) {
  const top = Math.max(...values, 0);
  return values
    .map((value, index) => {
      const x = WIDTH - values.length + index + 1;
      const y = HEIGHT - 1 - (top > 0 ? value / top : 0) * (HEIGHT - 2);
      return `${x},${y.toFixed(1)}`;
    })
    .join(" ");
}
