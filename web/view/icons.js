// The few signs that stand beside words or, where there is no room, for them. Always with a name in
// words next to them: a sign alone tells nobody who listens anything.

const SVG = "http://www.w3.org/2000/svg";

/** Drawn in a square of 20, as lines. */
const PATHS = {
  back: "M12 4 6 10l6 6",
  close: "M5 5l10 10M15 5 5 15",
  table: "M3 4.5h14v11H3zM3 8.5h14M8 8.5v7",
  chart: "M2 13l4-4 4 3 4-7 4 3",
  history: "M10 5.5V10l3 2M3 10a7 7 0 1 0 2.2-5.1L3 7M3 3v4h4",
  help: "M7.5 7.6a2.5 2.5 0 1 1 3.7 2.2c-.8.5-1.2 1-1.2 1.9M10 14.6v.1M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15",
  account:
    "M10 10.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M3.5 17c.8-3 3.4-4.5 6.5-4.5s5.7 1.5 6.5 4.5",
  look: "M10 3.5 2.5 16.5h15zM10 8v4M10 14.2v.1",
  well: "M5 10.5l3.5 3.5L15 6.5",
  won: "M5 10.5l3.5 3.5L15 6.5",
  lost: "M6 10h8",
  void: "M15 7A5.5 5.5 0 1 0 15.5 11M15.5 3.5V7H12",
  open: "M10 4a6 6 0 1 0 0 12 6 6 0 0 0 0-12",
  unknown: "M8 7.5a2 2 0 1 1 3 1.8c-.7.4-1 .9-1 1.7M10 14v.1",
};

/**
 * @param {keyof typeof PATHS} name
 * @param {string} [className]
 * @returns {SVGElement}
 */
export function icon(name, className = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", `icon ${className}`.trim());
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
