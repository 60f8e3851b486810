// The chart of a bet's evidence: the price in force as steps, the cell as a box of time and price,
// and the tick that decided. Drawn as SVG in whole pixels, so that lines are crisp and text is text.

import { inForceAt, shownPoints } from "../domain/evidence_scene.js";
import { momentText } from "../domain/evidence_words.js";
import { priceText } from "../domain/numbers.js";
import { make, setText } from "./dom.js";
import { drawingOf, HEIGHT, picture } from "./evidence/picture.js";
import { clamp, crisp, shape } from "./svg.js";

/** @import { Scene } from "../domain/evidence_scene.js" */
/** @import { Drawing } from "./evidence/picture.js" */

/**
 * @typedef {object} Chart
 * @property {HTMLElement} element
 * @property {(scene: Scene, alternative: string) => void} show
 */

/**
 * A chart, empty until it is shown something. Whoever moves over it reads the price at that time.
 *
 * @returns {Chart}
 */
export function makeChart() {
  const svg = shape("svg", { class: "evidence-chart", role: "img", height: HEIGHT });
  const reading = make("p", { class: "evidence-reading", "aria-hidden": "true" });
  const element = make("div", { class: "evidence-plot" }, reading);
  element.append(svg);
  /** @type {Scene | null} */
  let scene = null;
  /** @type {Drawing | null} */
  let drawing = null;

  const draw = () => {
    const width = Math.floor(element.clientWidth);
    if (scene !== null && width > 0) {
      drawing = drawingOf(scene, width);
      svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
      svg.setAttribute("width", String(width));
      svg.dataset.look = scene.look;
      svg.replaceChildren(...picture(drawing));
      setText(reading, "");
    }
  };
  new ResizeObserver(draw).observe(element);
  svg.addEventListener("pointermove", (event) => read(svg, drawing, reading, event));
  svg.addEventListener("pointerleave", () => unread(svg, reading));
  return {
    element,
    show: (next, alternative) => {
      scene = next;
      svg.setAttribute("aria-label", alternative);
      draw();
    },
  };
}

/**
 * The price at the time under the pointer, and where it is.
 *
 * @param {SVGSVGElement} svg
 * @param {Drawing | null} drawing
 * @param {HTMLElement} reading
 * @param {PointerEvent} event
 */
function read(svg, drawing, reading, event) {
  if (drawing === null) {
    return;
  }
  const { scene, frame, scale } = drawing;
  const atMs = scale.atMs(clamp(event.offsetX, frame.left, frame.right));
  const point = inForceAt(scene, Math.min(atMs, scene.untilMs));
  unread(svg, reading);
  if (point === null || !shownPoints(scene).includes(point)) {
    return;
  }
  const x = clamp(scale.x(point.atMs), frame.left, frame.right);
  svg.append(
    shape("path", { class: "evidence-cross", d: `M${crisp(x)} ${frame.top}V${frame.bottom}` }),
    shape("circle", { class: "evidence-cross-dot", cx: x, cy: scale.y(point.cents), r: 3.5 }),
  );
  setText(reading, `${momentText(point.atMs)}   ${priceText(point.cents)}`);
}

/**
 * @param {SVGSVGElement} svg
 * @param {HTMLElement} reading
 */
function unread(svg, reading) {
  for (const mark of svg.querySelectorAll(".evidence-cross, .evidence-cross-dot")) {
    mark.remove();
  }
  setText(reading, "");
}
