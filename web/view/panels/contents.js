// What is in the panels. Their modules are no part of the page's beginning: half of all there are,
// they come once the market is seen, or when the first of them is opened before.

import { make } from "../dom.js";

/** @import { Page } from "../../page.js" */
/** @import { PanelName, State } from "../../state/state.js" */

/** @typedef {Exclude<PanelName, "none">} OpenPanel */
/** @typedef {(place: HTMLElement, page: Page) => void} Mount */

/** @type {Readonly<Record<OpenPanel, () => Promise<Mount>>>} */
const MOUNTS = {
  help: async () => (await import("../help.js")).mountHelp,
  evidence: async () => (await import("../evidence.js")).mountEvidence,
  account: async () => (await import("../account.js")).mountAccount,
  history: async () => (await import("../history.js")).mountHistory,
  sign_in: async () => (await import("../sign_in.js")).mountSignIn,
};
const NAMES = /** @type {OpenPanel[]} */ (Object.keys(MOUNTS));

/** The market is seen, and what the page reads at its beginning has the line to itself so long. */
const AFTER_MS = 1_000;

export class Contents {
  /** @type {ReadonlyMap<OpenPanel, HTMLElement>} */
  #places = new Map(
    NAMES.map((name) => [name, make("div", { class: "panel-content", hidden: true })]),
  );
  /** @type {Map<OpenPanel, Promise<boolean>>} */
  #mounted = new Map();
  #page;

  /** @param {Page} page */
  constructor(page) {
    this.#page = page;
    const stop = page.store.watch((state) => {
      if (isSeen(state)) {
        stop();
        setTimeout(() => void this.#mountAll(), AFTER_MS);
      }
    });
  }

  /** @returns {HTMLElement[]} */
  get elements() {
    return [...this.#places.values()];
  }

  /** @param {OpenPanel} name */
  show(name) {
    for (const [other, place] of this.#places) {
      place.hidden = other !== name;
    }
    void this.#mount(name);
  }

  /** One after another: whatever the trader does meanwhile comes first. */
  async #mountAll() {
    for (const name of NAMES) {
      if (!(await this.#mount(name))) {
        return;
      }
    }
  }

  /**
   * Mounted once and for good: what was typed or loaded is there when it opens again.
   *
   * @param {OpenPanel} name
   * @returns {Promise<boolean>} is it there?
   */
  #mount(name) {
    const known = this.#mounted.get(name);
    if (known !== undefined) {
      return known;
    }
    const mounting = this.#fill(name);
    this.#mounted.set(name, mounting);
    return mounting;
  }

  /** @param {OpenPanel} name */
  async #fill(name) {
    const place = /** @type {HTMLElement} */ (this.#places.get(name));
    place.replaceChildren(make("p", { class: "panel-wait", role: "status" }, "Loading."));
    let mount;
    try {
      mount = await MOUNTS[name]();
    } catch {
      place.replaceChildren(...notLoaded());
      this.#mounted.delete(name);
      return false;
    }
    place.replaceChildren();
    mount(place, this.#page);
    return true;
  }
}

/** @param {State} state */
function isSeen({ market, connection }) {
  return market.trail.length > 0 && connection.phase === "live";
}

/** The line was cut, or the venue has been updated since: a browser may keep that it was not there. */
function notLoaded() {
  const reload = make("button", { type: "button", class: "panel-reload" }, "Reload the page");
  reload.addEventListener("click", () => location.reload());
  return [
    make("p", { role: "alert" }, "This part of the page could not be loaded. Nothing is lost."),
    reload,
  ];
}
