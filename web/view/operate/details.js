// One actor in full, below its row: where it stands, what went wrong, what became of its messages.

import { ageOfSeconds, countText, msText } from "../../domain/ops_words.js";
import { make, setText } from "../dom.js";

/** @import { Actor, Channel } from "../../types/wire.js" */
/** @import { OperateActions } from "./page.js" */

/**
 * @param {string} path
 * @param {number} columns of the table
 * @param {OperateActions} actions
 */
export function detailsOf(path, columns, actions) {
  const texts = {
    role: make("dd"),
    failure: make("dd"),
    standing: make("dd"),
    channels: make("dd"),
  };
  const list = make(
    "dl",
    { class: "op-detail" },
    ...pair("Path", make("dd", {}, path)),
    ...pair("Restarts", texts.role),
    ...pair("Last failure", texts.failure),
    ...pair("Its tasks stand in", texts.standing),
    ...pair("Messages", texts.channels),
  );
  const restart = make(
    "button",
    {
      class: "op-button op-small",
      type: "button",
      onclick: () =>
        actions.turnTo({ page: "actions", form: { action: "restart", given: { name: path } } }),
    },
    "Restart…",
  );
  const element = make(
    "tr",
    { class: "op-details", hidden: true },
    make("td", { colspan: columns }, list, restart),
  );
  return {
    element,
    /** @param {Actor} actor */
    show(actor) {
      setText(texts.role, roleText(actor));
      setText(texts.failure, failureText(actor));
      setText(texts.standing, actor.waiting_on || "–");
      setText(texts.channels, (actor.channels ?? []).map(channelText).join("\n") || "–");
    },
  };
}

/**
 * @param {string} term
 * @param {HTMLElement} text
 */
function pair(term, text) {
  return [make("dt", {}, term), text];
}

/** @param {Actor} actor */
function roleText({
  restarts,
  restarts_in_window: lately,
  restarts_max: most,
  period_s,
  strategy,
}) {
  return most === undefined
    ? `${restarts} since the venue started, ${lately} of late`
    : `${strategy}: ${lately} within ${period_s} s, more than ${most} end it; itself ${restarts}`;
}

/** @param {Actor} actor */
function failureText({ last_failure: failure }) {
  return failure === null
    ? "–"
    : `${ageOfSeconds(failure.ago_s)} ago, ${failure.type}: ${failure.message}`;
}

/** @param {Channel} channel */
function channelText(channel) {
  const { name, kind, accepted, refused, dropped, handled } = channel;
  const waits = `${msText(channel.waiting_p50_ms)} / ${msText(channel.waiting_p99_ms)} ms`;
  const counts = `${countText(accepted)} in, ${countText(handled)} handled`;
  return `${kind} ${name}: ${counts}, ${countText(refused)} refused, ${countText(dropped)} dropped; they waited ${waits} (p50 / p99)`;
}
