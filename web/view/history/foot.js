// What stands below the rows: that there are more, that there are none, or why they can't be had.

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
 * @param {{next: () => void, again: () => void, signIn: () => void}} acts
 */
export function mountFoot(section, { next, again, signIn }) {
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
  section.append(make("div", { class: "history-foot" }, text, archived, more, retry, join));
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
      retry.hidden = !isSignedIn || loading.phase !== "failed";
      join.hidden = isSignedIn;
    },
  };
}

/**
 * @param {BetList} list
 * @param {Loading} loading
 */
function textOf({ rows, filter }, { phase, problem, asOfMs }) {
  if (phase === "failed") {
    const asOf = asOfMs === null || rows === null ? "" : ` Shown as of ${clockText(asOfMs)}.`;
    return `${problem}${asOf}`;
  }
  if (phase === "first" || rows === null) {
    return "Loading your bets";
  }
  if (phase === "next") {
    return "Loading more";
  }
  return rows.length === 0 ? NOTHING[filter] : "";
}

/** @param {readonly string[]} weeks */
function archivedText(weeks) {
  const which = weeks.length === 1 ? `the week of ${weeks[0]}` : `the weeks of ${weeks.join(", ")}`;
  return `Bets of ${which} are in the archive. The venue's operator can bring them back for reading.`;
}
