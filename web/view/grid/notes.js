// Words on the grid: why a tap was refused, why a stake came back, and the hints of a first visit.
// They are elements over the canvas, so that a browser sets their type; they never take a tap.

import { parseCellId } from "../../domain/grid.js";
import { boxOf } from "../../domain/viewport.js";
import { refundedWords } from "../../domain/void_words.js";
import { make, setText } from "../dom.js";

/** @import { Proof, VoidReason } from "../../types/wire.js" */
/** @import { Page } from "../../page.js" */
/** @import { State } from "../../state/state.js" */
/** @import { Box } from "../../domain/viewport.js" */
/** @import { Frame } from "./frame.js" */

/** How long it stands beside a void cell why; the evidence says it for ever. */
const REFUNDED_MS = 12_000;
const GAP_PX = 6;
const MARGIN_PX = 4;

/**
 * @typedef {object} Note
 * @property {HTMLElement} element
 * @property {number} width
 * @property {number} height
 * @property {string} at where it stands
 */

/**
 * @typedef {object} Wanted
 * @property {string} key
 * @property {string} cellId
 * @property {string} text
 * @property {"refused" | "void"} kind
 */

export class Notes {
  /** @type {Map<string, Note>} */
  #notes = new Map();
  /** @type {Map<string, VoidReason | null>} by bet id; null: being asked, or not to be had */
  #reasons = new Map();

  /**
   * @param {HTMLElement} place
   * @param {Page["api"]} api
   */
  constructor(place, api) {
    this.place = place;
    this.api = api;
  }

  /**
   * Put each beside its cell.
   *
   * @param {Frame} frame
   */
  draw(frame) {
    const wanted = this.#wanted(frame.state, frame.nowMs);
    for (const [key, note] of this.#notes) {
      if (!wanted.some((one) => one.key === key)) {
        note.element.remove();
        this.#notes.delete(key);
      }
    }
    for (const one of wanted) {
      const cell = parseCellId(one.cellId);
      if (cell !== null) {
        this.#put(one, boxOf(frame.viewport, cell), frame);
      }
    }
  }

  /**
   * @param {State} state
   * @param {number} nowMs
   * @returns {Wanted[]}
   */
  #wanted(state, nowMs) {
    /** @type {Map<string, Wanted>} */
    const refused = new Map(
      state.refused.map(({ cellId, text }) => [
        cellId,
        { key: `refused ${cellId}`, cellId, text, kind: "refused" },
      ]),
    );
    const all = [...refused.values()];
    for (const id in state.bets) {
      const bet = state.bets[id];
      if (bet?.phase === "void" && nowMs - bet.phaseAtMs < REFUNDED_MS) {
        const text = refundedWords(this.#reasonOf(bet.betId));
        all.push({ key: `void ${id}`, cellId: id, text, kind: "void" });
      }
    }
    return all;
  }

  /**
   * Why, as its evidence says; asked for once.
   *
   * @param {string | null} betId
   */
  #reasonOf(betId) {
    if (betId !== null && !this.#reasons.has(betId)) {
      this.#reasons.set(betId, null);
      void this.#ask(betId);
    }
    return betId === null ? null : (this.#reasons.get(betId) ?? null);
  }

  /** @param {string} betId */
  async #ask(betId) {
    try {
      /** @type {Proof} */
      const proof = await this.api.get(`/api/bets/${betId}/proof`);
      this.#reasons.set(betId, proof.void_reason);
    } catch {
      // That it is refunded is what counts, and that is said.
    }
  }

  /**
   * @param {Wanted} wanted
   * @param {Box} box
   * @param {Frame} frame
   */
  #put({ key, text, kind }, box, { viewport }) {
    const { rightPx, bottomPx } = viewport.layout;
    const note = this.#notes.get(key) ?? this.#make(key, kind);
    if (note.element.textContent !== text) {
      setText(note.element, text);
      note.width = note.element.offsetWidth;
      note.height = note.element.offsetHeight;
    }
    const x = within(box.x + box.width / 2 - note.width / 2, rightPx - note.width);
    const under = box.y + box.height + GAP_PX;
    const over = box.y - GAP_PX - note.height;
    const y = within(under + note.height < bottomPx ? under : over, bottomPx - note.height);
    const at = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
    if (at !== note.at) {
      note.at = at;
      note.element.style.transform = at;
    }
    note.element.hidden = box.x + box.width < 0;
  }

  /**
   * @param {string} key
   * @param {Wanted["kind"]} kind
   * @returns {Note}
   */
  #make(key, kind) {
    const element = make("p", { class: `grid-note grid-note-${kind}` });
    this.place.append(element);
    const note = { element, width: 0, height: 0, at: "" };
    this.#notes.set(key, note);
    return note;
  }
}

/**
 * @param {number} at
 * @param {number} most
 */
function within(at, most) {
  return Math.max(MARGIN_PX, Math.min(most - MARGIN_PX, at));
}
