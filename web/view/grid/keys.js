// The keyboard on the grid.

/** @import { Step } from "../../domain/cursor.js" */

/** @type {Readonly<Record<string, Step>>} */
const STEPS = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
  PageUp: "page_up",
  PageDown: "page_down",
  Home: "first",
  End: "last",
};

/**
 * What keys do.
 *
 * @typedef {object} Board
 * @property {(step: Step) => void} step
 * @property {() => void} tap the cell that the cursor stands on
 * @property {(steps: number) => void} zoom
 */

/**
 * @param {HTMLElement} place
 * @param {Board} board
 */
export function followKeys(place, board) {
  place.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const step = STEPS[event.key];
    if (step !== undefined) {
      board.step(step);
    } else if ((event.key === "Enter" || event.key === " ") && !event.repeat) {
      board.tap();
    } else if (event.key === "+" || event.key === "=") {
      board.zoom(-1);
    } else if (event.key === "-") {
      board.zoom(1);
    } else {
      return;
    }
    event.preventDefault();
  });
}
