// A share as a bar, with the thresholds marked at which the venue wants somebody's eye. For the eye
// only: its text always stands beside it.

import { make } from "../dom.js";

/**
 * @returns {{element: HTMLElement, show: (share: number, marks: readonly number[], wants?: string) => void}}
 */
export function bar() {
  const fill = make("span", { class: "op-bar-fill" });
  const element = make("span", { class: "op-bar", "aria-hidden": "true" }, fill);
  /** @type {readonly number[]} */
  let marked = [];
  return {
    element,
    show(share, marks, wants = "") {
      fill.style.inlineSize = `${(share * 100).toFixed(2)}%`;
      element.dataset.wants = wants;
      if (marks.length !== marked.length || marks.some((mark, index) => mark !== marked[index])) {
        marked = marks;
        element.replaceChildren(fill, ...marks.map(markAt));
      }
    },
  };
}

/** @param {number} share */
function markAt(share) {
  const mark = make("span", { class: "op-bar-mark" });
  mark.style.insetInlineStart = `${(share * 100).toFixed(2)}%`;
  return mark;
}
