// Who are you? The one field before everything else.

import { make, setText } from "../dom.js";

/** @import { OperatePage } from "./page.js" */

/**
 * @param {HTMLElement} place
 * @param {OperatePage} page
 */
export function mountEntry(place, { store, actions }) {
  const problem = make("p", { class: "op-problem", id: "token-problem", role: "alert" });
  // Without a name: whatever becomes of the form, the token is no part of what it would send.
  const token = make("input", {
    id: "token",
    type: "password",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    required: true,
    "aria-describedby": "token-problem token-about",
  });
  const keep = make("input", { id: "keep", type: "checkbox" });
  const enter = make("button", { class: "op-button op-strong", type: "submit" }, "Sign in");
  const form = make(
    "form",
    { class: "op-entry", onsubmit: submit },
    make("h2", {}, "Operators"),
    make(
      "p",
      { class: "op-quiet", id: "token-about" },
      "The venue prints a token when it starts, or reads yours from its settings (TAPGRID_OPS__TOKENS).",
    ),
    make("label", { class: "op-field" }, make("span", {}, "Operator token"), token),
    make("label", { class: "op-check" }, keep, make("span", {}, "Keep it for this tab")),
    problem,
    enter,
  );
  place.append(form);
  token.focus();

  store.show(
    ({ entry, lost }) => [entry.phase, entry.problem, lost],
    (phase, turnedAway, lost) => {
      const wasHidden = place.hidden;
      place.hidden = phase === "in";
      enter.disabled = phase === "asking";
      setText(enter, phase === "asking" ? "Asking…" : "Sign in");
      setText(
        problem,
        phase === "asking" && lost !== "" ? `${lost}. It is asked again.` : turnedAway,
      );
      token.setAttribute("aria-invalid", String(turnedAway !== ""));
      if (phase === "in") {
        token.value = "";
      } else if (phase === "out" && (wasHidden || turnedAway !== "")) {
        token.select();
        token.focus();
      }
    },
  );

  /** @param {SubmitEvent} event */
  function submit(event) {
    event.preventDefault();
    if (!actions.enter(token.value, keep.checked)) {
      setText(problem, "A token is visible ASCII characters, without a space.");
      token.focus();
    }
  }
}
