// What stands around the rows: above them that they can't be had now, below them that there are more,
// or none.

import { clockText } from "../../domain/numbers.js";
import { make } from "../dom.js";

/** @import { BetList, Filter } from "../../domain/bet_list.js" */
/** @import { Loading } from "../history.js" */

/** @type {Readonly<Record<Filter, string>>} */
const NOTHING = {
  all: "No bets yet. Tap a cell on the grid to place the first one.",
  open: "No bet is open now.",
  won: "No bet has won yet.",
  lost: "No bet has lost yet.",
  void: "No stake was given back so far.",
};

/**
 * @param {HTMLElement} section
 * @param {HTMLElement} above
 * @param {{next: () => void, again: () => void, signIn: () => void}} acts
 */
export function mountFoot(section, above, { next, again, signIn }) {
  const text = make("p", { class: "history-note", role: "status" });
  const archived = make("p", { class: "history-note" });
  const more = make(
    "button",
    { type: "button", class: "evidence-button", onclick: next },
    "Show more",
  );
  const retry = make(
    "button",
    { type: "button", class: "evidence-button", onclick: again },
    "Try again",
  );
  const join = make(
    "button",
    { type: "button", class: "evidence-button evidence-main", onclick: signIn },
    "Sign in",
  );
  const problem = make("p", { class: "history-problem" });
  above.append(problem, retry);
  section.append(make("div", { class: "history-foot" }, text, archived, more, join));
  // Scrolling to it is as good as a tap on it.
  new IntersectionObserver((seen) => {
    if (seen.some(({ isIntersecting }) => isIntersecting)) {
      next();
    }
  }).observe(more);
  return {
    /**
     * @param {BetList} list
     * @param {Loading} loading
     * @param {boolean} isSignedIn
     */
    show(list, loading, isSignedIn) {
      const words = isSignedIn
        ? textOf(list, loading)
        : "Your bets are shown once you are signed in.";
      if (text.textContent !== words) {
        text.textContent = words;
      }
      text.hidden = words === "";
      archived.hidden = !isSignedIn || list.archived.length === 0;
      archived.textContent = archivedText(list.archived);
      more.hidden = !isSignedIn || list.cursor === null || loading.phase === "failed";
      above.hidden = !isSignedIn || loading.phase !== "failed";
      problem.textContent = problemText(list, loading);
      join.hidden = isSignedIn;
    },
  };
}

/**
 * @param {BetList} list
 * @param {Loading} loading
 */
function textOf({ rows, filter }, { phase }) {
  if (phase === "failed") {
    return "";
  }
  if (phase === "first" || rows === null) {
    return "Loading your bets";
  }
  if (phase === "next") {
    return "Loading more";
  }
  return rows.length === 0 ? NOTHING[filter] : "";
}

/**
 * @param {BetList} list
 * @param {Loading} loading
 */
function problemText({ rows }, { problem, asOfMs }) {
  return asOfMs === null || rows === null
    ? problem
    : `${problem} Shown as of ${clockText(asOfMs)}.`;
}

/** @param {readonly string[]} weeks */
function archivedText(weeks) {
  const which = weeks.length === 1 ? `the week of ${weeks[0]}` : `the weeks of ${weeks.join(", ")}`;
  return `Bets of ${which} are in the archive. The venue's operator can bring them back for reading.`;
}
