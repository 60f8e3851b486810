// One labelled field of a form: its input, what it is read as, and what is wrong with it.

import { exactSignedUsdText, exactUsdText } from "../../domain/amounts.js";
import { SIGNED_USD, USD } from "../../domain/ops_fields.js";
import { make, setText } from "../dom.js";

/** @import { Kind, ReadField } from "../../domain/ops_fields.js" */
/** @import { Actor } from "../../types/wire.js" */

/**
 * @typedef {object} FieldRow
 * @property {string} name
 * @property {HTMLElement} element
 * @property {HTMLInputElement | HTMLSelectElement} input
 * @property {() => ReadField} read
 * @property {(text: string) => void} label
 * @property {(problem: string) => void} mark say what is wrong, or with nothing that it is not
 */

let count = 0;

/**
 * @param {string} name
 * @param {string} label
 * @param {Kind} kind
 * @param {object} [options]
 * @param {string} [options.given] what is filled in already
 * @param {readonly Actor[] | null} [options.actors] it is chosen from these
 * @returns {FieldRow}
 */
export function fieldRow(name, label, kind, { given = "", actors = null } = {}) {
  count += 1;
  const id = `${name}-${count}`;
  const input = actors === null ? typed(id, kind) : chosen(id, actors);
  input.value = given;
  const title = make("span", {}, label);
  const below = make("span", { class: "op-below", id: `${id}-below` });
  input.setAttribute("aria-describedby", `${id}-below`);
  const element = make(
    "label",
    { class: "op-field", for: id, "data-wide": kind.wide === true },
    title,
    input,
    below,
  );
  input.addEventListener("input", () => {
    mark("");
    setText(below, amountText(kind, input.value));
  });

  /** @param {string} problem */
  function mark(problem) {
    input.setAttribute("aria-invalid", String(problem !== ""));
    below.dataset.wants = problem === "" ? "" : "act";
    setText(below, problem);
  }
  return {
    name,
    element,
    input,
    mark,
    read: () => kind.read(input.value),
    label: (text) => setText(title, text),
  };
}

/**
 * @param {string} id
 * @param {Kind} kind
 */
function typed(id, { keyboard, like }) {
  return make("input", {
    id,
    type: "text",
    inputmode: keyboard,
    placeholder: like,
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
  });
}

/**
 * @param {string} id
 * @param {readonly Actor[]} actors
 */
function chosen(id, actors) {
  const below = actors.filter(({ path }) => path.includes("/"));
  const options = below.map(({ path, kind }) =>
    make("option", { value: path }, kind === "supervisor" ? `${path} and all below it` : path),
  );
  return make("select", { id }, make("option", { value: "" }, "Choose"), ...options);
}

/**
 * An amount as it was understood: exactly, whatever was typed.
 *
 * @param {Kind} kind
 * @param {string} text
 */
function amountText(kind, text) {
  const { value } = kind.read(text);
  const isAmount = kind === USD || kind === SIGNED_USD;
  if (!isAmount || typeof value !== "number") {
    return "";
  }
  return `${kind === USD ? exactUsdText(value) : exactSignedUsdText(value)} USD`;
}
