/** @import { Page } from "../page.js" */

/**
 * @param {HTMLElement} place
 * @param {Page} page
 */
export function mountSignIn(place, page) {
  place.dataset.stub = String(page.store.state.view.panel);
}
