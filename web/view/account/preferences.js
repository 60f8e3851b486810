// How the page looks and sounds, and how far below the rate shown a tap may be paid. Kept on this
// device; nobody needs to be signed in for it.

import { make } from "../dom.js";
import { fold } from "./parts.js";

/** @import { Page } from "../../page.js" */
/** @import { View } from "../../state/state.js" */

/**
 * @template {keyof View} K
 * @typedef {object} Choice
 * @property {K} name
 * @property {string} legend
 * @property {string} hint
 * @property {readonly {value: View[K], text: string}[]} options
 */

/** @type {Choice<"toleranceBps">} */
const TOLERANCE = {
  name: "toleranceBps",
  legend: "Rate of a tap",
  hint: "A rate can move between your tap and the venue. Below what you choose here the tap is refused and costs nothing.",
  options: [
    { value: 0, text: "Exactly the rate I tapped, or better" },
    { value: 200, text: "Up to 2 % below it" },
    { value: 500, text: "Up to 5 % below it" },
    { value: 1_000, text: "Up to 10 % below it" },
  ],
};

/** @type {Choice<"theme">} */
const THEME = {
  name: "theme",
  legend: "Colors",
  hint: "",
  options: [
    { value: "auto", text: "As the system" },
    { value: "dark", text: "Dark" },
    { value: "light", text: "Light" },
  ],
};

/** @type {Choice<"board">} */
const BOARD = {
  name: "board",
  legend: "Grid",
  hint: "The table works by keyboard and with a screen reader.",
  options: [
    { value: "chart", text: "Chart" },
    { value: "table", text: "Table" },
  ],
};

/** @type {Choice<"sound">} */
const SOUND = {
  name: "sound",
  legend: "Sound",
  hint: "",
  options: [
    { value: false, text: "Off" },
    { value: true, text: "On" },
  ],
};

/** @param {Page} page */
export function preferencesSection(page) {
  const place = fold("Preferences");
  place.body.append(
    choice(page, TOLERANCE, "list"),
    choice(page, THEME, "line"),
    choice(page, BOARD, "line"),
    choice(page, SOUND, "line"),
  );
  return place.element;
}

/**
 * @template {keyof View} K
 * @param {Page} page
 * @param {Choice<K>} of
 * @param {"list" | "line"} shape
 */
function choice(page, { name, legend, hint, options }, shape) {
  const radios = options.map(({ value, text }) => {
    const input = make("input", {
      type: "radio",
      name: `account-${name}`,
      value: String(value),
      onchange: () => page.actions.look(/** @type {Partial<View>} */ ({ [name]: value })),
    });
    return {
      value,
      input,
      label: make("label", { class: "account-radio" }, input, make("span", {}, text)),
    };
  });
  page.store.show(
    (state) => [state.view[name]],
    (chosen) => {
      for (const { value, input } of radios) {
        input.checked = value === chosen;
      }
    },
  );
  const hintId = `account-${name}-hint`;
  return make(
    "fieldset",
    {
      class: `account-choice account-choice-${shape}`,
      "aria-describedby": hint === "" ? null : hintId,
    },
    make("legend", { class: "account-label" }, legend),
    hint === "" ? null : make("p", { id: hintId, class: "account-hint" }, hint),
    make("div", { class: "account-radios" }, ...radios.map(({ label }) => label)),
  );
}
