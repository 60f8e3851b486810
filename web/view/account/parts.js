// What the sections of the account panel are made of: a fold, a field, a button that is busy.

import { accountRefusalText, NO_ANSWER } from "../../domain/account_words.js";
import { Refused } from "../../io/api.js";
import { make, setText } from "../dom.js";

let count = 0;

/** An id of its own, to name one element by another. */
function newId() {
  count += 1;
  return `account-${count}`;
}

/**
 * @typedef {object} Fold
 * @property {HTMLDetailsElement} element
 * @property {HTMLElement} body
 * @property {(text: string) => void} sum what it comes to, beside its heading
 */

/**
 * A section that unfolds.
 *
 * @param {string} title
 * @param {() => void} [opened]
 * @returns {Fold}
 */
export function fold(title, opened = () => {}) {
  const summed = make("span", { class: "account-summed" });
  const body = make("div", { class: "account-body" });
  const element = make(
    "details",
    { class: "account-fold", ontoggle: () => element.open && opened() },
    make("summary", { class: "account-summary" }, make("h3", {}, title), summed),
    body,
  );
  return { element, body, sum: (text) => setText(summed, text) };
}

/**
 * @typedef {object} Field
 * @property {HTMLElement} element
 * @property {HTMLInputElement} input
 * @property {(problem: string) => void} complain show what is wrong with it; empty: nothing
 */

/**
 * A labeled field with room for a hint and for what is wrong.
 *
 * @param {string} label
 * @param {object} options
 * @param {string} [options.hint]
 * @param {Readonly<Record<string, string | boolean>>} [options.attributes] of the input
 * @param {HTMLElement | null} [options.beside]
 * @param {HTMLElement | null} [options.above] between the label and the input
 * @returns {Field}
 */
export function field(label, { hint = "", attributes = {}, beside = null, above = null } = {}) {
  const id = newId();
  const hinted = hint === "" ? null : make("p", { id: `${id}-hint`, class: "account-hint" }, hint);
  const problem = make("p", { id: `${id}-problem`, class: "account-problem", hidden: true });
  const input = make("input", {
    id,
    class: "account-input",
    type: "text",
    autocomplete: "off",
    spellcheck: "false",
    "aria-describedby": `${hinted === null ? "" : `${id}-hint `}${id}-problem`,
    ...attributes,
  });
  const complain = (/** @type {string} */ text) => {
    setText(problem, text);
    problem.hidden = text === "";
    input.setAttribute("aria-invalid", String(text !== ""));
  };
  input.addEventListener("input", () => complain(""));
  const row = make("div", { class: "account-row" }, input, beside);
  const named = make("label", { for: id, class: "account-label" }, label);
  const element = make("div", { class: "account-field" }, named, hinted, above, row, problem);
  return { element, input, complain };
}

/** A field for an amount of USD. */
export const AMOUNT = Object.freeze({ inputmode: "decimal", enterkeyhint: "done" });

/**
 * A line that says what came of something; a screen reader reads it out.
 *
 * @returns {{element: HTMLElement, say: (text: string, isProblem?: boolean) => void}}
 */
export function outcome() {
  const element = make("p", { class: "account-outcome", role: "status" });
  const say = (/** @type {string} */ text, isProblem = false) => {
    element.classList.toggle("account-problem", isProblem);
    setText(element, text);
  };
  return { element, say };
}

/**
 * @param {string} text
 * @param {() => void} onclick
 * @param {{strong?: boolean, submit?: boolean, label?: string}} [options]
 */
export function button(text, onclick, { strong = false, submit = false, label } = {}) {
  return make(
    "button",
    {
      class: strong ? "account-button account-button-strong" : "account-button",
      type: submit ? "submit" : "button",
      "aria-label": label,
      onclick: submit ? undefined : onclick,
    },
    text,
  );
}

/**
 * Do something that takes a while: the button says so and does nothing meanwhile. It keeps the
 * focus, so it is not disabled.
 *
 * @template T
 * @param {HTMLButtonElement} of
 * @param {() => Promise<T>} work
 * @returns {Promise<T | undefined>} undefined where it is busy already
 */
export async function busy(of, work) {
  if (of.getAttribute("aria-busy") === "true") {
    return undefined;
  }
  of.setAttribute("aria-busy", "true");
  of.setAttribute("aria-disabled", "true");
  try {
    return await work();
  } finally {
    of.removeAttribute("aria-busy");
    of.removeAttribute("aria-disabled");
  }
}

/**
 * Why a request did not do what it should, for people.
 *
 * @param {unknown} error
 */
export function problemText(error) {
  return error instanceof Refused
    ? accountRefusalText(error.code, error.details, error.message)
    : NO_ANSWER;
}

/**
 * A list of names and figures.
 *
 * @param {readonly (readonly [string, Node | string])[]} rows
 */
export function figures(rows) {
  return make(
    "dl",
    { class: "account-figures" },
    ...rows.map(([name, value]) =>
      make("div", { class: "account-figure" }, make("dt", {}, name), make("dd", {}, value)),
    ),
  );
}
