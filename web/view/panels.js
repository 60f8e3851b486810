// The panel beside the grid: at most one is open, and it never takes the grid away.

import { make, setText } from "./dom.js";
import { icon } from "./icons.js";
import { Contents } from "./panels/contents.js";

/** @import { Page } from "../page.js" */
/** @import { PanelName } from "../state/state.js" */
/** @import { OpenPanel } from "./panels/contents.js" */

/** @type {Readonly<Record<OpenPanel, string>>} */
const TITLES = {
  sign_in: "Sign in",
  evidence: "Evidence",
  history: "History",
  account: "Account",
  help: "How it works",
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
  const contents = new Contents(page);
  // What scrolls can be scrolled by keys, too, where nothing in it takes the focus.
  const body = make("div", { class: "panel-body", tabindex: 0, role: "group" });
  body.setAttribute("aria-labelledby", title.id);
  body.append(...contents.elements);
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
      contents.show(name);
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
