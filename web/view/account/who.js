// Who is signed in here, and the way out.

import { whenWords } from "../../domain/account_words.js";
import { walletText } from "../../domain/numbers.js";
import { make } from "../dom.js";
import { busy, button, outcome } from "./parts.js";

/** @import { Page } from "../../page.js" */
/** @import { Session } from "../../state/state.js" */

/** @param {Page} page */
export function whoSection(page) {
  const place = make("section", { class: "account-who", "aria-label": "Who is signed in" });
  page.store.show(
    ({ session }) => [session.phase, session.wallet, session.expiresAtMs],
    (phase, _wallet, _expiresAtMs) => {
      const { session } = page.store.state;
      const hadFocus = place.contains(document.activeElement);
      place.replaceChildren(...(phase === "in" ? signedIn(page, session) : signedOut(page, phase)));
      if (hadFocus) {
        place.querySelector("button")?.focus();
      }
    },
  );
  return place;
}

/**
 * @param {Page} page
 * @param {Session} session
 */
function signedIn(page, session) {
  const wallet = session.wallet ?? "";
  const said = outcome();
  const isDemo = session.kind === "demo";
  const copy = button("Copy", () => copyText(wallet, said.say), { label: "Copy the address" });
  const ends =
    session.expiresAtMs === null ? "" : whenWords(session.expiresAtMs, page.clock.nowMs());
  const leaving = make("div", { class: "account-question", hidden: true });
  const out = button("Sign out", () => (isDemo ? askTwice(page, leaving, out) : leave(page, out)));
  return [
    make("h3", {}, isDemo ? "Demo account" : "Wallet account"),
    make(
      "div",
      { class: "account-row" },
      make("span", { class: "account-wallet", title: wallet }, walletText(wallet)),
      copy,
      out,
    ),
    make(
      "p",
      { class: "account-hint" },
      isDemo ? `Paper money only. It lasts until ${ends}.` : `Signed in until ${ends}.`,
    ),
    leaving,
    button(isDemo ? "Use your own wallet" : "Renew the key for taps", () =>
      page.actions.look({ panel: "sign_in" }),
    ),
    said.element,
  ];
}

/**
 * A demo account has no wallet to come back by: signing out of it is for good, and asked twice.
 *
 * @param {Page} page
 * @param {HTMLElement} place
 * @param {HTMLElement} opener
 */
function askTwice(page, place, opener) {
  const stay = button("Stay", () => {
    place.hidden = true;
    opener.focus();
  });
  const forGood = button("Sign out for good", () => leave(page, forGood));
  place.replaceChildren(
    make("p", {}, "This demo account can't be opened again: no wallet stands behind it."),
    make("div", { class: "account-row" }, stay, forGood),
  );
  place.hidden = false;
  stay.focus();
}

/**
 * @param {Page} page
 * @param {HTMLButtonElement} by
 */
function leave(page, by) {
  busy(by, () => page.actions.signOut());
}

/**
 * @param {Page} page
 * @param {Session["phase"]} phase
 */
function signedOut(page, phase) {
  const text =
    phase === "expired"
      ? "Your session has ended. Sign in again to see your account."
      : "Not signed in.";
  const signIn = button("Sign in", () => page.actions.look({ panel: "sign_in" }), { strong: true });
  return [make("p", {}, phase === "signing_in" ? "Signing in." : text), signIn];
}

/**
 * @param {string} text
 * @param {(text: string, isProblem?: boolean) => void} say
 */
async function copyText(text, say) {
  try {
    await navigator.clipboard.writeText(text);
    say("Address copied.");
  } catch {
    // No clipboard over plain HTTP: then it is there to be chosen by hand.
    say(text);
  }
}
