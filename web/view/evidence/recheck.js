// "Check it yourself": what the browser has made of the proof, line by line.

import { faultsOf } from "../../domain/checks.js";
import { make } from "../dom.js";
import { icon } from "../icons.js";

/** @import { Check } from "../../domain/checks.js" */

/**
 * What does not hold, told at once and without being asked; null: all of it holds.
 *
 * @param {readonly Check[]} checks
 */
export function doubt(checks) {
  const faults = faultsOf(checks);
  if (faults.length === 0) {
    return null;
  }
  return make(
    "div",
    { class: "evidence-doubt", role: "alert" },
    make("p", { class: "evidence-doubt-head" }, icon("look"), "This proof does not hold"),
    make("ul", {}, ...faults.map(({ text }) => make("li", {}, text))),
    make(
      "p",
      {},
      "Do not take this result as it is told. Keep the link, and ask the venue about it.",
    ),
  );
}

/**
 * @param {readonly Check[]} checks
 */
export function report(checks) {
  const faults = faultsOf(checks);
  const all = faults.length === 0;
  const head = all
    ? "It holds. Your browser came to the same result."
    : `It does not hold: ${faults.length} of ${checks.length} checks failed.`;
  return make(
    "div",
    { class: "evidence-report", "data-holds": String(all) },
    make("p", { class: "evidence-report-head" }, icon(all ? "well" : "look"), head),
    make("ol", { class: "evidence-checks" }, ...checks.map(line)),
  );
}

/** @param {Check} check */
function line({ holds, text }) {
  const sign = holds === null ? "unknown" : holds ? "well" : "look";
  const spoken = holds === null ? "Not checked: " : holds ? "Holds: " : "Does not hold: ";
  return make(
    "li",
    { class: "evidence-check", "data-holds": String(holds) },
    icon(sign, "evidence-check-icon"),
    make("span", {}, make("span", { class: "unseen" }, spoken), text),
  );
}
