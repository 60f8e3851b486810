// What has happened, newest first: what the page saw, and what operators did.

import { utcText } from "../../domain/ops_words.js";
import { wholeLog } from "../../state/operate_log.js";
import { make, setText } from "../dom.js";

/** @import { LogLine } from "../../state/operate.js" */
/** @import { OperatePage } from "./page.js" */

const SHOWN_MAX = 150;
/** @type {Readonly<Record<string, string>>} */
const MARKS = { act: "▲", look: "●", "": "" };

/**
 * @param {HTMLElement} place
 * @param {OperatePage} page
 */
export function mountLog(place, { store }) {
  const problem = make("p", { class: "op-problem", hidden: true });
  const lines = make("ol", { class: "op-log" });
  const scroll = make(
    "div",
    { class: "op-scroll", tabindex: "0", role: "group", "aria-label": "Log" },
    lines,
  );
  place.append(make("h2", { class: "op-title" }, "Log, UTC"), problem, scroll);

  store.show(
    ({ log, audit }) => [log, audit],
    (log, audit) => {
      const nowMs = store.state.status?.server_time_ms ?? 0;
      const shown = wholeLog(log, audit, nowMs).slice(0, SHOWN_MAX);
      lines.replaceChildren(...shown.map((line) => lineOf(line, nowMs)));
    },
  );
  store.show(
    ({ auditProblem }) => [auditProblem],
    (text) => {
      problem.hidden = text === "";
      setText(problem, `The audit log can't be shown: ${text}`);
    },
  );
}

/**
 * @param {LogLine} line
 * @param {number} nowMs
 */
function lineOf({ atMs, level, what, text }, nowMs) {
  return make(
    "li",
    { "data-wants": level },
    make("time", { datetime: new Date(atMs).toISOString() }, utcText(atMs, nowMs)),
    make("span", { class: "op-log-mark" }, MARKS[level] ?? ""),
    make("span", { class: "op-log-what" }, what),
    make("span", { class: "op-log-text" }, text),
  );
}
