// The evidence of one bet: why it ended as it did, drawn, in words and in figures, and judged again
// here if it is asked for. Until it has ended: where its window stands, and no claim at all.

import { findBet } from "../io/proofs.js";
import { make } from "./dom.js";
import { mountOpen } from "./evidence/open.js";
import { mountSettled } from "./evidence/settled.js";

/** @import { Page } from "../page.js" */
/** @import { Found } from "../io/proofs.js" */
/** @import { TradingEvent } from "../state/events.js" */

/** A bet whose window has passed is asked after so often, if no event tells of it. */
const ASK_AGAIN_MS = 3_000;

/**
 * @param {HTMLElement} place
 * @param {Page} page
 */
export function mountEvidence(place, page) {
  const section = make("section", { class: "evidence" });
  place.append(section);
  /** @type {{betId: string | null, found: Found | null, asked: number, end: () => void}} */
  const shown = { betId: null, found: null, asked: 0, end: () => {} };

  /** @param {Found} found */
  const show = (found) => {
    if (isSame(found, shown.found)) {
      return; // what is read, or has the focus, stays as it is
    }
    shown.end();
    shown.found = found;
    const betId = shown.betId ?? "";
    shown.end = present(section, page, betId, found, () => void load());
  };

  const load = async () => {
    const { betId } = shown;
    shown.asked += 1;
    const mine = shown.asked;
    if (betId !== null) {
      const found = await findBet(page.api, betId);
      // Another bet may have been opened meanwhile, or this one asked after again.
      if (mine === shown.asked) {
        show(found);
      }
    }
  };

  page.store.show(
    ({ view, session }) => [
      view.panel === "evidence" ? view.betId : null,
      session.phase === "in" ? session.wallet : null,
    ],
    (betId, _wallet) => {
      if (betId !== shown.betId) {
        shown.end();
        shown.end = () => {};
        shown.found = null;
        section.replaceChildren(...(betId === null ? [] : [loading()]));
      }
      shown.betId = betId;
      void load();
    },
  );
  page.store.watch((_state, _before, event) => {
    if (shown.betId !== null && isNews(event, shown.betId, shown.found)) {
      void load();
    }
  });
  setInterval(() => {
    const { found } = shown;
    if (found?.kind === "open" && endMs(found) < page.clock.nowMs() && !document.hidden) {
      void load();
    }
  }, ASK_AGAIN_MS);
}

/**
 * Would it be shown as it is?
 *
 * @param {Found} found
 * @param {Found | null} before
 */
function isSame(found, before) {
  const isOwn = (/** @type {Found | null} */ one) =>
    one !== null && "bet" in one && one.bet !== null;
  return found.kind === before?.kind && isOwn(found) === isOwn(before);
}

/**
 * May there be more to show of the bet than there was?
 *
 * @param {TradingEvent} event
 * @param {string} betId
 * @param {Found | null} found
 */
function isNews(event, betId, found) {
  if (event.type === "bet:resolved") {
    return event.bet_id === betId;
  }
  const isBack = event.type === "page:connected" || event.type === "page:snapshot";
  return isBack && found?.kind !== "proof";
}

/** @param {Extract<Found, {kind: "open"}>} found */
function endMs({ open }) {
  return (open.column_start_s + open.column_s) * 1000;
}

/**
 * @param {HTMLElement} section
 * @param {Page} page
 * @param {string} betId
 * @param {Found} found
 * @param {() => void} again
 * @returns {() => void} ends it
 */
function present(section, page, betId, found, again) {
  switch (found.kind) {
    case "proof":
      mountSettled(section, betId, found);
      return () => {};
    case "open":
      return mountOpen(section, page, betId, found);
    case "not_taken":
      section.replaceChildren(
        ...note("Not taken", "The balance did not cover the stake, so nothing was staked."),
      );
      return () => {};
    case "archived":
      section.replaceChildren(...note("In the archive", archivedText(found.weeks)));
      return () => {};
    case "missing":
      section.replaceChildren(
        ...note("No such bet", "There is no bet with this id. Was the link copied whole?"),
      );
      return () => {};
    case "unreachable":
      section.replaceChildren(
        ...note("The venue does not answer", "The evidence is shown once it can be reached."),
        againButton(again),
      );
      return () => {};
    case "refused":
      section.replaceChildren(...note("Not to be had now", found.text), againButton(again));
      return () => {};
  }
}

/** @param {readonly string[]} weeks */
function archivedText(weeks) {
  const which = weeks.length === 1 ? ` of ${weeks[0]}` : "";
  return `The bets of the week${which} are in the archive. The venue's operator can bring them back for reading.`;
}

function loading() {
  return make("p", { class: "evidence-loading", role: "status" }, "Loading the evidence");
}

/**
 * @param {string} head
 * @param {string} text
 */
function note(head, text) {
  return [make("h3", { class: "evidence-head" }, head), make("p", { class: "evidence-why" }, text)];
}

/** @param {() => void} again */
function againButton(again) {
  return make(
    "button",
    { type: "button", class: "evidence-button evidence-again", onclick: again },
    "Try again",
  );
}
