// "Check it yourself": what the browser has made of the proof, line by line.

import { faultsOf, summaryOf } from "../../domain/checks.js";
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

/** @param {readonly Check[]} checks */
export function report(checks) {
  const sign = faultsOf(checks).length > 0 ? "look" : isWhole(checks) ? "well" : "unknown";
  return make(
    "div",
    { class: "evidence-report", "data-holds": String(sign !== "look") },
    make("p", { class: "evidence-report-head" }, icon(sign), summaryOf(checks)),
    make("ol", { class: "evidence-checks" }, ...checks.map(line)),
  );
}

/** @param {readonly Check[]} checks */
function isWhole(checks) {
  return checks.every(({ holds }) => holds !== null);
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
