// The first line: which venue this is, whether what is shown is what is, and who looks.

import { ageText, utcDayText } from "../../domain/ops_words.js";
import { isStale } from "../../state/operate.js";
import { make, setText } from "../dom.js";

/** @import { OperateState } from "../../state/operate.js" */
/** @import { OperatePage } from "./page.js" */

/**
 * @param {HTMLElement} place
 * @param {OperatePage} page
 */
export function mountHead(place, { store, actions }) {
  const money = make("span", { class: "op-money" });
  const venue = make("span", { class: "op-venue" });
  const clock = make("span", { class: "op-clock" });
  const live = make("span", { class: "op-live" });
  const who = make("span", { class: "op-quiet" });
  const leave = make(
    "button",
    { class: "op-button op-small", type: "button", onclick: actions.leave },
    "Forget the token",
  );
  const known = make("div", { class: "op-known" }, money, venue, live, clock, who, leave);
  place.append(make("h1", {}, "tapgrid ", make("span", { class: "op-quiet" }, "operate")), known);

  store.show(
    ({ status, statusAtMs, nowMs, lost }) => [status, statusAtMs, nowMs, lost],
    (status, statusAtMs, nowMs, lost) => {
      known.hidden = status === null;
      document.title = titleOf(store.state);
      if (status === null) {
        return;
      }
      setText(money, status.demo ? "Demo, paper money" : "Production, real money");
      setText(venue, `${status.venue}${status.draining ? ", stopping" : ""}, ${status.version}`);
      setText(who, `as ${status.operator}`);
      setText(clock, `${utcDayText(status.server_time_ms)} UTC`);
      showLife(live, store.state, { nowMs, statusAtMs, lost });
    },
  );
}

/**
 * @param {HTMLElement} live
 * @param {OperateState} state
 * @param {{nowMs: number, statusAtMs: number, lost: string}} at
 */
function showLife(live, state, { nowMs, statusAtMs, lost }) {
  const stale = isStale(state);
  live.dataset.wants = stale ? "act" : "";
  const age = ageText(nowMs - statusAtMs);
  setText(live, stale ? `${lost || "No answer"}; shown is what was ${age} ago` : "Live");
}

/**
 * A tab that nobody looks at says in its name when somebody should.
 *
 * @param {OperateState} state
 */
function titleOf(state) {
  const { status } = state;
  if (status === null) {
    return "tapgrid operate";
  }
  const acts = status.attention.filter(({ level }) => level === "act").length;
  const mark = isStale(state) ? "? " : acts > 0 ? `▲${acts} ` : "";
  return `${mark}tapgrid operate${status.demo ? " (demo)" : ""}`;
}
