// Tells those who listen what those who look see. Politely: what happens within a moment is told
// together, and never over what is being read.

import { suspension } from "../domain/suspension.js";
import { toldWords } from "../domain/told_words.js";

/** @import { Page } from "../page.js" */
/** @import { TradingEvent } from "../state/events.js" */

/** How long is gathered: columns end for all their bets at once. */
const GATHER_MS = 600;

const TOLD = new Set(["bet:confirmed", "bet:resolved", "page:refused", "page:not_placed"]);

/**
 * @param {HTMLElement} place an aria-live region
 * @param {Page} page
 */
export function mountTold(place, page) {
  /** @type {TradingEvent[]} */
  let events = [];
  let timer = 0;
  let toldWhy = suspensionWords(page, "");

  const tell = () => {
    timer = 0;
    const why = suspensionWords(page, toldWhy);
    const words = [toldWords(events), why === toldWhy ? "" : why || "Betting is open again."];
    events = [];
    toldWhy = why;
    // The same words again would not be read, so the region is emptied between.
    place.textContent = "";
    place.append(words.filter((text) => text !== "").join(" "));
  };

  page.store.watch((state, before, event) => {
    // What changes nothing is known already, or not believed yet: it comes again.
    if (TOLD.has(event.type) && state !== before) {
      events.push(event);
    }
    const isNew = events.length > 0 || suspensionWords(page, toldWhy) !== toldWhy;
    if (isNew && timer === 0) {
      timer = window.setTimeout(tell, GATHER_MS);
    }
  });
}

/**
 * Why no tap can be taken. That the page is connecting changes nothing about what was told last.
 *
 * @param {Page} page
 * @param {string} toldWhy
 */
function suspensionWords({ store, clock }, toldWhy) {
  const why = suspension(store.state, clock.nowMs());
  if (why?.kind === "connecting") {
    return toldWhy;
  }
  return why === null ? "" : `${why.text} ${why.ends}`.trim();
}
