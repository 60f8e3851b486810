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
 * @template {HTMLElement} [I=HTMLInputElement]
 * @typedef {object} Field
 * @property {HTMLElement} element
 * @property {I} input
 * @property {(problem: string) => void} complain show what is wrong with it; empty: nothing
 */

/**
 * @typedef {object} FieldOptions
 * @property {string} [hint]
 * @property {Readonly<Record<string, string | boolean>>} [attributes] of the input
 * @property {HTMLElement | null} [beside]
 * @property {HTMLElement | null} [above] between the label and the input
 */

/**
 * A labeled field of one line.
 *
 * @param {string} label
 * @param {FieldOptions} [options]
 * @returns {Field}
 */
export function field(label, options = {}) {
  const input = make("input", { class: "account-input", type: "text", ...options.attributes });
  return labeled(label, input, options);
}

/**
 * A labeled field for what is too long for one line on a phone, though it has none but one: Enter sends
 * its form.
 *
 * @param {string} label
 * @param {FieldOptions} [options]
 * @returns {Field<HTMLTextAreaElement>}
 */
export function longField(label, options = {}) {
  const input = make("textarea", {
    class: "account-input account-long",
    rows: 2,
    onkeydown: (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        input.form?.requestSubmit();
      }
    },
    ...options.attributes,
  });
  return labeled(label, input, options);
}

/**
 * With a label, and room for a hint and for what is wrong.
 *
 * @template {HTMLInputElement | HTMLTextAreaElement} I
 * @param {string} label
 * @param {I} input
 * @param {FieldOptions} options
 * @returns {Field<I>}
 */
function labeled(label, input, { hint = "", beside = null, above = null }) {
  const id = newId();
  const hinted = hint === "" ? null : make("p", { id: `${id}-hint`, class: "account-hint" }, hint);
  const problem = make("p", { id: `${id}-problem`, class: "account-problem", hidden: true });
  input.id = id;
  input.autocomplete = "off";
  input.spellcheck = false;
  input.setAttribute("aria-describedby", `${hinted === null ? "" : `${id}-hint `}${id}-problem`);
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
