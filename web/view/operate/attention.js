// What needs somebody's eye, in the venue's own words.

import { attentionKey, attentionText } from "../../domain/ops_attention.js";
import { findingsOf } from "../../state/operate.js";
import { byId, make, setText } from "../dom.js";

/** @import { Finding } from "../../types/wire.js" */
/** @import { OperatePage } from "./page.js" */

/** What is said of a level without its colour. */
const MARKS = { act: "▲ Act", look: "● Look" };

/**
 * @param {HTMLElement} place
 * @param {OperatePage} page
 */
export function mountAttention(place, { store }) {
  const summary = make("h2", { class: "op-title" });
  const list = make("ul", { class: "op-findings", tabindex: "0" });
  place.append(summary, list);
  const told = byId("told");
  let key = "";

  store.show(
    ({ status, statusAtMs, nowMs, lost }) => [status, statusAtMs, nowMs, lost],
    (status, statusAtMs, nowMs, lost) => {
      const attention = findingsOf({ status, statusAtMs, nowMs, lost });
      const wanted = attentionKey(attention);
      place.dataset.wants = attention[0]?.level ?? "";
      setText(summary, attentionText(attention));
      if (wanted !== key) {
        key = wanted;
        list.replaceChildren(...attention.map(rowOf));
        list.hidden = attention.length === 0;
        // Told once for each change of what there is, and not each second for its figures.
        setText(told, [attentionText(attention), ...attention.map(({ text }) => text)].join(". "));
      }
      for (const [index, { text }] of attention.entries()) {
        const shown = list.children[index]?.querySelector(".op-finding-text");
        if (shown) {
          setText(shown, text);
        }
      }
    },
  );
}

/** @param {Finding} finding */
function rowOf({ level, text, runbook }) {
  return make(
    "li",
    { class: "op-finding", "data-wants": level },
    make("strong", { class: "op-finding-mark" }, MARKS[level]),
    make("span", { class: "op-finding-text" }, text),
    runbook === "" ? null : make("span", { class: "op-quiet" }, `Runbook: ${runbook}`),
  );
}
