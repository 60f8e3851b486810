// The figures on their cards. What they are stands in figures.js.

import { figureWants } from "../../domain/ops_attention.js";
import { make, setText } from "../dom.js";
import { bar } from "./bar.js";
import { SECTIONS } from "./figures.js";

/** @import { Figure, Section } from "./figures.js" */
/** @import { OperatePage } from "./page.js" */

/**
 * @param {HTMLElement} place
 * @param {OperatePage} page
 */
export function mountBoard(place, { store }) {
  // With many long texts it scrolls: by the keyboard, too.
  place.tabIndex = 0;
  const shown = SECTIONS.map(cardOf);
  place.append(make("div", { class: "op-cards" }, ...shown.map(({ element }) => element)));
  const rows = shown.flatMap(({ rows: own }) => own);
  store.show(
    ({ status, samples }) => [status, samples],
    (status, samples) => {
      for (const { figure, text, graph } of status === null ? [] : rows) {
        if (status !== null) {
          const wants = figureWants(status.attention, figure.where);
          text.dataset.wants = wants;
          const said = figure.text(status, samples);
          setText(text, said);
          // A long one is cut after two lines; what wants an eye stands in full above.
          text.title = said;
          const drawn = figure.bar?.(status);
          if (drawn !== undefined) {
            graph?.show(drawn.share, drawn.marks, wants);
          }
        }
      }
    },
  );
}

/** @param {Section} section */
function cardOf({ title, figures }) {
  const rows = figures.map(rowOf);
  const list = make("dl", { class: "op-figures" }, ...rows.flatMap(({ elements }) => elements));
  const element = make("section", { class: "op-card" }, make("h3", {}, title), list);
  return { element, rows };
}

/** @param {Figure} figure */
function rowOf(figure) {
  const text = make("span", { class: "op-figure" });
  const graph = figure.bar === undefined ? null : bar();
  const value = make("dd", {}, graph?.element ?? null, text);
  return { figure, text, graph, elements: [make("dt", {}, figure.label), value] };
}
