// The top line: the price, how the venue is, and the ways to the panels.

import { healthSigns } from "../domain/health_signs.js";
import { NOTHING, priceText, walletText } from "../domain/numbers.js";
import { suspension } from "../domain/suspension.js";
import { make, setText } from "./dom.js";
import { icon } from "./icons.js";

/** @import { Sign } from "../domain/health_signs.js" */
/** @import { Page } from "../page.js" */
/** @import { PanelName, Session, State } from "../state/state.js" */

/**
 * @param {HTMLElement} place
 * @param {Page} page
 */
export function mountTopLine(place, page) {
  place.append(
    make("h1", { class: "top-brand" }, "tapgrid"),
    make("div", { class: "top-market" }, priceLine(page), signs(page)),
    make(
      "nav",
      { class: "top-actions", "aria-label": "Views" },
      boardButton(page),
      panelButton(page, "history", "History"),
      panelButton(page, "help", "Help"),
      accountButton(page),
    ),
  );
}

/** @param {Page} page */
function priceLine({ store }) {
  const whole = make("span", {}, NOTHING);
  const cents = make("span", { class: "top-price-cents" });
  const line = make(
    "p",
    { class: "top-price" },
    make("span", { class: "top-pair" }, "BTC", make("span", { class: "top-wide" }, "/USD"), " "),
    whole,
    cents,
  );
  store.show(
    (state) => [priceCents(state)],
    (atCents) => {
      const [dollars, rest] = atCents === null ? [NOTHING] : priceText(atCents).split(".");
      setText(whole, dollars ?? NOTHING);
      setText(cents, rest === undefined ? "" : `.${rest}`);
    },
  );
  store.show(
    (state) => [state.connection.phase !== "live" || state.market.status?.level === "critical"],
    (isStale) => {
      line.dataset.stale = String(isStale);
    },
  );
  return line;
}

/** @param {State} state */
function priceCents({ market }) {
  return market.trail.at(-1)?.price_cents ?? market.quote?.price_cents ?? null;
}

/** @param {Page} page */
function signs({ store, clock }) {
  const money = make("span", { class: "top-wide" }, " money");
  const paper = make("li", { class: "top-sign top-paper" }, make("span", {}, "Paper", money));
  paper.hidden = true;
  store.show(
    (state) => [state.market.demo],
    (demo) => {
      paper.hidden = !demo;
    },
  );
  const names = /** @type {const} */ (["connection", "feed", "betting"]);
  const shown = names.map((name) => signElement(name));
  store.watch(() => showAll());
  const showAll = () => {
    const now = healthSigns(store.state, suspension(store.state, clock.nowMs()));
    for (const [index, name] of names.entries()) {
      shown[index]?.show(now[name]);
    }
  };
  showAll();
  return make("ul", { class: "top-signs" }, paper, ...shown.map(({ element }) => element));
}

/** @param {string} name */
function signElement(name) {
  const text = make("span", { class: "top-wide" });
  const short = make("span", { class: "top-narrow" });
  const element = make(
    "li",
    { class: `top-sign top-${name}` },
    icon("look", "top-sign-icon"),
    text,
    short,
  );
  return {
    element,
    /** @param {Sign} sign */
    show: (sign) => {
      element.hidden = sign.text === "";
      element.dataset.look = String(sign.look);
      element.dataset.short = String(sign.short !== "");
      setText(text, sign.text);
      setText(short, sign.short);
    },
  };
}

/** @param {Page} page */
function boardButton({ store, actions }) {
  const words = make("span", { class: "top-words" });
  const chart = icon("chart");
  const table = icon("table");
  const look = () =>
    actions.look({ board: store.state.view.board === "chart" ? "table" : "chart" });
  const button = make("button", { type: "button", class: "icon-button", onclick: look });
  button.append(chart, table, words);
  store.show(
    (state) => [state.view.board],
    (board) => {
      chart.toggleAttribute("hidden", board === "chart");
      table.toggleAttribute("hidden", board === "table");
      setText(words, board === "chart" ? "Table" : "Chart");
    },
  );
  return button;
}

/**
 * Opens a panel, and closes it where it is open.
 *
 * @param {Page} page
 * @param {"history" | "help"} panel
 * @param {string} label
 */
function panelButton(page, panel, label) {
  const button = make("button", {
    type: "button",
    class: "icon-button",
    "aria-controls": "panel",
    onclick: () => toggle(page, panel),
  });
  button.append(icon(panel), make("span", { class: "top-words" }, label));
  expandedWhile(page, button, () => panel);
  return button;
}

/** @param {Page} page */
function accountButton(page) {
  const words = make("span", { class: "top-words" });
  const button = make("button", {
    type: "button",
    class: "icon-button",
    "aria-controls": "panel",
    onclick: () => toggle(page, panelOf(page.store.state.session)),
  });
  button.append(icon("account"), words);
  page.store.show(
    (state) => [state.session, state.market.demo],
    (session, demo) => words.replaceChildren(...accountWords(session, demo)),
  );
  expandedWhile(page, button, (state) => panelOf(state.session));
  return button;
}

/**
 * @param {Session} session
 * @param {boolean} demo
 * @returns {(Node | string)[]}
 */
function accountWords({ phase, wallet }, demo) {
  if (phase === "in") {
    const name = make("span", { class: "unseen" }, "Account ");
    return wallet === null ? ["Account"] : [name, walletText(wallet)];
  }
  if (phase === "signing_in") {
    return ["Signing in"];
  }
  return [demo ? "Sign in" : "Connect wallet"];
}

/**
 * @param {Session} session
 * @returns {PanelName}
 */
function panelOf({ phase }) {
  return phase === "in" ? "account" : "sign_in";
}

/**
 * @param {Page} page
 * @param {PanelName} panel
 */
function toggle({ store, actions }, panel) {
  if (store.state.view.panel === panel) {
    actions.closePanel();
  } else {
    actions.look({ panel });
  }
}

/**
 * @param {Page} page
 * @param {HTMLElement} button
 * @param {(state: State) => PanelName} panelFor
 */
function expandedWhile({ store }, button, panelFor) {
  store.show(
    (state) => [state.view.panel === panelFor(state)],
    (isOpen) => button.setAttribute("aria-expanded", String(isOpen)),
  );
}
