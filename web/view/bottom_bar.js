// The bottom bar: what the next tap stakes, where the trader stands, and how his last bets ended.

import { mountFigures } from "./bottom/figures.js";
import { mountResults } from "./bottom/results.js";
import { mountStakes } from "./bottom/stakes.js";
import { make } from "./dom.js";

/** @import { Page } from "../page.js" */

/**
 * @param {HTMLElement} place
 * @param {Page} page
 */
export function mountBottomBar(place, page) {
  const stakes = make("div", { class: "bottom-stakes" });
  const figures = make("dl", { class: "bottom-figures" });
  const results = make("div", { class: "bottom-results" });
  place.append(stakes, figures, results);
  const note = mountResults(results, page);
  mountStakes(stakes, page, note);
  mountFigures(figures, page);
}
