// One cell of the table: a button, and what stands on it.

import { cellLook, cellWords, heldWord, PHASE_SIGNS } from "../../domain/cell_words.js";
import { cellId } from "../../domain/grid.js";
import { rateText } from "../../domain/numbers.js";
import { make, setText } from "../dom.js";

/** @import { CellLook } from "../../domain/cell_words.js" */
/** @import { Cell } from "../../domain/grid.js" */
/** @import { State } from "../../state/state.js" */

/**
 * A screen reader says a focused cell's name again, from its beginning, whenever it changes: not more
 * often than this, though its rate may be another meanwhile. What a tap was taken at is said of the tap.
 */
const SAID_AGAIN_MS = 5_000;

export class TableCell {
  #rate = make("span", { class: "table-rate" });
  #word = make("span", { class: "table-word" });
  #kind = "";
  #saidAtMs = 0;

  /**
   * @param {Cell} cell
   */
  constructor(cell) {
    this.cell = cell;
    this.id = cellId(cell);
    this.button = make(
      "button",
      { class: "table-cell", type: "button", tabindex: "-1", "data-cell": this.id },
      this.#rate,
      " ", // or a rate and its word are read as one
      this.#word,
    );
    this.element = make("td", {}, this.button);
  }

  /**
   * @param {State} state
   * @param {number} nowMs
   * @param {boolean} isFocused
   */
  draw(state, nowMs, isFocused) {
    const look = cellLook(state, this.cell, this.id, nowMs);
    const kind = kindOf(look);
    const isOther = kind !== this.#kind;
    if (isOther) {
      this.#kind = kind;
      this.button.dataset.kind = kind;
      this.#rate.dataset.sign = look.held === null ? "" : PHASE_SIGNS[look.held.phase];
      this.button.setAttribute("aria-disabled", String(kind === "closed"));
    }
    setText(this.#rate, rateOn(look));
    setText(this.#word, wordOn(look));
    if (isOther || !isFocused || nowMs - this.#saidAtMs >= SAID_AGAIN_MS) {
      this.#name(cellWords(look, nowMs), nowMs);
    }
  }

  /**
   * @param {string} name
   * @param {number} nowMs
   */
  #name(name, nowMs) {
    this.#saidAtMs = nowMs;
    if (this.button.getAttribute("aria-label") !== name) {
      this.button.setAttribute("aria-label", name);
    }
  }
}

/**
 * What it looks like.
 *
 * @param {CellLook} look
 */
function kindOf({ held, refused, placeable, rewardBps }) {
  if (held !== null) {
    return held.phase;
  }
  if (refused !== null) {
    return "refused";
  }
  return placeable && rewardBps > 0 ? "offered" : "closed";
}

/** @param {CellLook} look */
function rateOn({ held, placeable, rewardBps }) {
  if (held !== null) {
    return rateText(held.rewardBps);
  }
  return (placeable && rateText(rewardBps)) || "–";
}

/** @param {CellLook} look */
function wordOn({ held, refused }) {
  if (held !== null) {
    return heldWord(held);
  }
  return refused === null ? "" : "refused";
}
