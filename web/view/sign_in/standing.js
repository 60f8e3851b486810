// As whom the trader is signed in, until when, and what his key may do. The way out is in his account.

import { capsText, keyEndText } from "../../domain/key_caps.js";
import { clockText, durationText, walletText } from "../../domain/numbers.js";
import { make, setText } from "../dom.js";

/** @import { Page } from "../../page.js" */
/** @import { Session } from "../../state/state.js" */

/**
 * @param {HTMLElement} place
 * @param {Page} page
 */
export function mountStanding(place, page) {
  const title = make("h3", {});
  const facts = make("dl", { class: "sign-in-facts" });
  const ends = make("p", { class: "sign-in-ends" });
  place.append(title, facts, ends);

  page.store.show(
    (state) => [state.session],
    (session) => {
      place.hidden = session.phase !== "in";
      setText(title, session.kind === "demo" ? "Demo account" : "Your wallet");
    },
  );
  // Time passes: it is looked at once a second, and written where a word has changed.
  page.store.watch((state) => {
    if (state.view.panel === "sign_in" && state.session.phase === "in") {
      showFacts(facts, factsOf(state.session, page.clock.nowMs()));
      setText(ends, keyEndText(state.session, page.clock.nowMs()));
    }
  });
}

/**
 * @param {Session} session
 * @param {number} nowMs
 * @returns {[string, string][]}
 */
function factsOf({ wallet, expiresAtMs, key }, nowMs) {
  /** @type {[string, string][]} */
  const facts = [
    ["Account", walletText(wallet ?? "")],
    ["Signed in until", untilText(expiresAtMs ?? nowMs, nowMs)],
  ];
  const caps = key === null ? "" : capsText(key);
  if (key !== null && caps !== "") {
    facts.push(["Taps until", untilText(key.expiresAtMs, nowMs)], ["At most", caps]);
  }
  return facts;
}

/**
 * @param {number} atMs
 * @param {number} nowMs
 */
function untilText(atMs, nowMs) {
  return `${clockText(atMs).slice(0, 5)}, in ${durationText(Math.max(0, atMs - nowMs))}`;
}

/**
 * @param {HTMLElement} place
 * @param {readonly [string, string][]} facts
 */
function showFacts(place, facts) {
  if (place.children.length !== facts.length) {
    place.replaceChildren(...facts.map(() => make("div", {}, make("dt", {}), make("dd", {}))));
  }
  for (const [index, [name, value]] of facts.entries()) {
    const [dt, dd] = place.children[index]?.children ?? [];
    if (dt !== undefined && dd !== undefined) {
      setText(dt, name);
      setText(dd, value);
    }
  }
}
