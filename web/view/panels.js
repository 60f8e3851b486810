// The panel beside the grid: at most one is open, and it never takes the grid away.

/** @import { Page } from "../page.js" */

/**
 * @param {HTMLElement} place
 * @param {Page} page
 */
export function mountPanels(place, page) {
  place.dataset.stub = page.store.state.view.panel;
}
