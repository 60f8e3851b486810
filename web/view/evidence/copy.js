// Buttons that copy something.

import { make, setText } from "../dom.js";

const SAID_MS = 2_000;

/**
 * A button that copies a text and says so. Where the browser lets no page copy, the text is put
 * beside it, marked, to be copied by hand.
 *
 * @param {string} label
 * @param {() => string} text
 * @param {string} [name] in full, where the label is short
 */
export function copyButton(label, text, name = label) {
  const button = make(
    "button",
    { type: "button", class: "evidence-button", "aria-label": name === label ? null : name },
    label,
  );
  const said = make("span", { class: "unseen", role: "status" });
  const element = make("span", { class: "evidence-copy" }, button, said);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
    } catch {
      byHand(element, text());
      return;
    }
    setText(button, "Copied");
    setText(said, "Copied");
    setTimeout(() => {
      setText(button, label);
      setText(said, "");
    }, SAID_MS);
  });
  return element;
}

/**
 * @param {HTMLElement} place
 * @param {string} text
 */
function byHand(place, text) {
  const field =
    place.querySelector("input") ??
    make("input", { class: "evidence-by-hand", readonly: true, "aria-label": "To be copied" });
  field.value = text;
  place.append(field);
  field.select();
}
