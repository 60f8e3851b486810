// The panel beside the grid: at most one is open, and it never takes the grid away.

import { mountAccount } from "./account.js";
import { make, setText } from "./dom.js";
import { mountEvidence } from "./evidence.js";
import { mountHelp } from "./help.js";
import { mountHistory } from "./history.js";
import { icon } from "./icons.js";
import { mountSignIn } from "./sign_in.js";

/** @import { Page } from "../page.js" */
/** @import { PanelName } from "../state/state.js" */

/** @typedef {Exclude<PanelName, "none">} OpenPanel */

/** @type {Readonly<Record<OpenPanel, string>>} */
const TITLES = {
  sign_in: "Sign in",
  evidence: "Evidence",
  history: "History",
  account: "Account",
  help: "How it works",
};

/** @type {Readonly<Record<OpenPanel, (place: HTMLElement, page: Page) => void>>} */
const MOUNTS = {
  sign_in: mountSignIn,
  evidence: mountEvidence,
  history: mountHistory,
  account: mountAccount,
  help: mountHelp,
};

/**
 * @param {HTMLElement} place
 * @param {Page} page
 */
export function mountPanels(place, page) {
  const title = make("h2", { id: "panel-title", class: "panel-title", tabindex: -1 });
  const back = make("button", { type: "button", class: "panel-back icon-button", hidden: true });
  back.append(icon("back"), make("span", { class: "unseen" }, "Back"));
  const close = make("button", { type: "button", class: "panel-close icon-button" });
  close.append(icon("close"), make("span", { class: "unseen" }, "Close"));
  const contents = mountContents(page);
  // What scrolls can be scrolled by keys, too, where nothing in it takes the focus.
  const body = make("div", { class: "panel-body", tabindex: 0, role: "group" });
  body.setAttribute("aria-labelledby", title.id);
  body.append(...contents.values());
  place.setAttribute("aria-labelledby", title.id);
  place.append(make("div", { class: "panel-head" }, back, title, close), body);

  /** @type {{opener: Element | null, before: PanelName, from: OpenPanel | null}} */
  const memory = { opener: null, before: "none", from: null };

  /** @param {PanelName} name */
  const show = (name) => {
    if (name === "none") {
      closeUp(place, memory.opener);
    } else {
      if (memory.before === "none") {
        memory.opener = document.activeElement;
      }
      memory.from = cameFrom(memory.before, name, memory.from);
      setText(title, TITLES[name]);
      showOnly(contents, name);
      place.hidden = false;
      back.hidden = memory.from === null;
      body.scrollTop = 0;
      title.focus({ preventScroll: true });
    }
    memory.before = name;
  };
  page.store.show((state) => [state.view.panel], show);

  back.addEventListener("click", () => page.actions.look({ panel: memory.from ?? "none" }));
  close.addEventListener("click", () => page.actions.closePanel());
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented && !place.hidden) {
      page.actions.closePanel();
    }
  });
}

/**
 * Each panel's content, mounted for good: what was typed or loaded is there when it opens again.
 *
 * @param {Page} page
 * @returns {Map<string, HTMLElement>}
 */
function mountContents(page) {
  return new Map(
    Object.entries(MOUNTS).map(([name, mount]) => {
      const content = make("div", { class: "panel-content", hidden: true });
      mount(content, page);
      return [name, content];
    }),
  );
}

/**
 * Evidence that was opened from a list leads back to it.
 *
 * @param {PanelName} before
 * @param {OpenPanel} name
 * @param {OpenPanel | null} from
 * @returns {OpenPanel | null}
 */
function cameFrom(before, name, from) {
  if (name !== "evidence") {
    return null;
  }
  return before === "history" || before === "account" ? before : before === name ? from : null;
}

/**
 * @param {ReadonlyMap<string, HTMLElement>} contents
 * @param {string} name
 */
function showOnly(contents, name) {
  for (const [other, content] of contents) {
    content.hidden = other !== name;
  }
}

/**
 * The focus goes back to what opened the panel, unless the trader has moved on by himself.
 *
 * @param {HTMLElement} place
 * @param {Element | null} opener
 */
function closeUp(place, opener) {
  const wasInside = place.contains(document.activeElement);
  place.hidden = true;
  if (wasInside && opener instanceof HTMLElement && opener.isConnected) {
    opener.focus({ preventScroll: true });
  }
}
