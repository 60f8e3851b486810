// The way in: paper money where the venue has it, or a wallet. Who is in changes to a wallet here, or
// renews its key. It never stands between the trader and the grid.

import { make, setText } from "./dom.js";
import { mountStanding } from "./sign_in/standing.js";
import { mountWalletForm } from "./sign_in/wallet_form.js";

/** @import { Page } from "../page.js" */
/** @import { Session, State } from "../state/state.js" */

/**
 * @param {HTMLElement} place
 * @param {Page} page
 */
export function mountSignIn(place, page) {
  const told = make("p", { class: "sign-in-told", role: "status" });
  const standing = make("section", { class: "sign-in-part" });
  const demo = make("section", { class: "sign-in-part" });
  const wallet = make("section", { class: "sign-in-part" });
  place.append(told, standing, demo, wallet);

  mountStanding(standing, page);
  mountDemo(demo, page);
  mountWalletForm(wallet, page);

  page.store.show(
    (state) => [toldText(state.session)],
    (text) => setText(told, text),
  );
  page.store.watch((state, before) => moveOn(page, state, before));
}

/** @param {Session} session */
function toldText({ phase, problem }) {
  return problem === "" && phase === "expired" ? "Your session has ended." : problem;
}

/**
 * @param {HTMLElement} place
 * @param {Page} page
 */
function mountDemo(place, page) {
  const button = make("button", {
    type: "button",
    class: "sign-in-button",
    onclick: () => void page.actions.signInDemo(),
  });
  place.append(
    make("h3", {}, "Paper money"),
    make("p", {}, "A demo account to play with. It needs no wallet and lasts a day."),
    button,
  );
  page.store.show(
    (state) => [state.market.demo, state.session],
    (isOffered, { phase, kind, waitingFor }) => {
      place.hidden = !isOffered || phase === "in";
      button.setAttribute("aria-disabled", String(waitingFor !== null));
      setText(button, waitingFor === "venue" ? "Starting…" : startText(phase, kind));
    },
  );
}

/**
 * @param {Session["phase"]} phase
 * @param {Session["kind"]} kind
 */
function startText(phase, kind) {
  return phase === "expired" && kind === "demo"
    ? "Start a new demo account"
    : "Start a demo account";
}

/**
 * Whoever has come in from here goes on: to the grid with paper money, to his account with a wallet,
 * where he sees his money and how to get some in.
 *
 * @param {Page} page
 * @param {State} state
 * @param {State} before
 */
function moveOn({ actions }, state, before) {
  const wasWaiting = before.session.waitingFor !== null;
  const isNew = before.session.sessionId !== state.session.sessionId;
  if (!wasWaiting || !isNew || state.session.phase !== "in" || state.view.panel !== "sign_in") {
    return;
  }
  if (state.session.kind === "wallet") {
    actions.look({ panel: "account" });
  } else {
    actions.closePanel();
  }
}
