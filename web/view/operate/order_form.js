// The form of one action, made from the table of actions: its fields, the reason, and what must be
// typed before anything is sent.

import { REASON } from "../../domain/ops_fields.js";
import { make, setText } from "../dom.js";
import { fieldRow } from "./fields.js";

/** @import { Action, Values } from "../../domain/ops_actions.js" */
/** @import { Kind } from "../../domain/ops_fields.js" */
/** @import { FieldRow } from "./fields.js" */
/** @import { OperatePage } from "./page.js" */

/** How the answer begins, so that it is never told by colour alone. */
const ANSWERS = { asked: "Asking…", done: "Done.", refused: "Refused.", unknown: "Not known." };
/** @type {Kind} */
const CONFIRM = {
  read: (text) => ({ value: text.trim(), problem: "" }),
  keyboard: "text",
  like: "",
};

/**
 * @param {HTMLElement} place
 * @param {OperatePage} page
 * @param {Action} action
 * @param {Readonly<Record<string, string>>} given what is filled in already; `about`: of what it is
 * @returns {() => void} ends it
 */
export function mountOrderForm(place, { store, actions }, action, given) {
  const tree = store.state.status?.actors ?? [];
  const rows = action.fields.map(({ name, label, kind, actors }) =>
    fieldRow(name, label, kind, { given: given[name] ?? "", actors: actors ? tree : null }),
  );
  const reason = fieldRow("reason", "Reason", REASON);
  const confirm = fieldRow("confirm", "", CONFIRM);
  const send = make("button", { class: "op-button op-strong", type: "submit" }, action.title);
  const answer = make("p", { class: "op-answer", role: "status", hidden: true });
  const form = make(
    "form",
    { class: "op-form", onsubmit: submit, oninput: askFor, onkeydown: leave },
    make("h3", {}, action.title),
    make("p", { class: "op-about op-quiet" }, action.about),
    given["about"] === undefined ? null : make("p", { class: "op-long" }, given["about"]),
    ...rows.map(({ element }) => element),
    reason.element,
    confirm.element,
    make(
      "div",
      { class: "op-buttons" },
      send,
      make("button", { class: "op-button", type: "button", onclick: back }, "Back"),
    ),
    answer,
  );
  place.append(form);
  askFor();
  (rows.find(({ input }) => input.value === "") ?? reason).input.focus();

  return store.show(
    ({ order }) => [order],
    (order) => {
      answer.hidden = order === null;
      send.disabled = order?.phase === "asked";
      if (order === null) {
        return;
      }
      answer.dataset.phase = order.phase;
      setText(answer, `${ANSWERS[order.phase]} ${order.text}`.trim());
      if (order.phase === "done") {
        reason.input.value = "";
      }
      if (order.phase === "done" || (order.phase === "unknown" && action.once !== true)) {
        // What was typed to confirm one order does not confirm the next, nor the same once more.
        confirm.input.value = "";
      }
    },
  );

  /** What must be typed depends on what is filled in. */
  function askFor() {
    confirm.label(`Type ${action.confirm(valuesOf(rows))} to confirm`);
  }

  /** @param {SubmitEvent} event */
  function submit(event) {
    event.preventDefault();
    const values = valuesOf(rows);
    const wanted = action.confirm(values);
    const isConfirmed = confirm.read().value === wanted;
    confirm.mark(isConfirmed ? "" : `Type exactly: ${wanted}`);
    const faulty = [...rows, reason].filter(isFaulty);
    const first = faulty[0] ?? (isConfirmed ? null : confirm);
    if (first === null) {
      actions.order(action, values, String(reason.read().value));
    } else {
      first.input.focus();
    }
  }

  function back() {
    actions.turnTo({ form: null });
  }

  /** @param {KeyboardEvent} event */
  function leave(event) {
    if (event.key === "Escape") {
      back();
    }
  }
}

/** @param {FieldRow} row */
function isFaulty(row) {
  const { problem } = row.read();
  row.mark(problem);
  return problem !== "";
}

/**
 * @param {readonly FieldRow[]} rows
 * @returns {Values}
 */
function valuesOf(rows) {
  return Object.fromEntries(rows.map(({ name, read }) => [name, read().value]));
}
