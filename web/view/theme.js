// Dark, light, or as the system prefers.

/** @import { Page } from "../page.js" */

/** @param {Pick<Page, "store">} page */
export function mountTheme({ store }) {
  store.show(
    (state) => [state.view.theme],
    (theme) => {
      const root = document.documentElement;
      if (theme === "auto") {
        delete root.dataset.theme;
      } else {
        root.dataset.theme = theme;
      }
      colorTheFrame(theme);
    },
  );
}

/**
 * The browser's own frame around the page, where it has one: there are two colours of it, by what
 * the system prefers, and a choice makes them the same.
 *
 * @param {"auto" | "dark" | "light"} theme
 */
function colorTheFrame(theme) {
  for (const meta of document.querySelectorAll("meta[name=theme-color]")) {
    const own = meta.getAttribute("media")?.includes("light") ? "light" : "dark";
    const wanted = theme === "auto" ? own : theme;
    meta.setAttribute("content", wanted === "light" ? "#ffffff" : "#151b24");
  }
}
