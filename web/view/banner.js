// Across the page while no bet is taken: why, and what ends it. It pushes the board down rather than
// covering a part of it.

import { leftText, whenText } from "../domain/numbers.js";
import { suspension } from "../domain/suspension.js";
import { make, setText } from "./dom.js";
import { icon } from "./icons.js";

/** @import { Suspension } from "../domain/suspension.js" */
/** @import { Page } from "../page.js" */

/** A page that is there within this time has nothing to explain. */
const FIRST_CONNECT_MS = 1_500;

/**
 * @param {HTMLElement} place
 * @param {Page} page
 */
export function mountBanner(place, page) {
  const why = make("span", { class: "banner-why" });
  const ends = make("span", { class: "banner-ends" });
  const sign = icon("look", "banner-icon");
  place.append(sign, make("p", { class: "banner-words" }, why, " ", ends));
  place.hidden = true;
  let countdown = 0;

  const show = () => {
    const now = suspension(page.store.state, page.clock.nowMs());
    const isShown = now !== null && !isJustConnecting(page, now, !place.hidden);
    place.hidden = !isShown;
    if (isShown) {
      place.dataset.kind = now.kind;
      setText(why, whyText(now));
      setText(ends, endsText(page, now));
    }
    const isNeeded = now !== null;
    if (isNeeded && countdown === 0) {
      countdown = window.setInterval(show, 250);
    } else if (!isNeeded && countdown !== 0) {
      window.clearInterval(countdown);
      countdown = 0;
    }
  };
  page.store.watch(show);
  show();
}

/**
 * @param {Page} page
 * @param {Suspension} now
 * @param {boolean} isOpen the banner, already
 */
function isJustConnecting({ store, clock }, { kind }, isOpen) {
  const { sinceMs } = store.state.connection;
  return kind === "connecting" && !isOpen && clock.pageMs() - sinceMs < FIRST_CONNECT_MS;
}

/** @param {Suspension} now */
function whyText({ kind, text }) {
  return kind === "lost" && !navigator.onLine ? text.replace(LOST, OFFLINE) : text;
}

const LOST = "The connection to the venue is lost.";
const OFFLINE = "This device is offline.";

/**
 * @param {Page} page
 * @param {Suspension} now
 */
function endsText({ clock }, { kind, ends, until }) {
  if (until === null) {
    return ends;
  }
  if (kind === "paused") {
    const nowMs = clock.nowMs();
    return `Until ${whenText(until.atMs, nowMs)}, in ${leftText(until.atMs - nowMs)}. ${ends}`;
  }
  const leftMs = until.atMs - clock.pageMs();
  return leftMs > 0 ? `Reconnecting in ${leftText(leftMs)}.` : "Reconnecting.";
}
