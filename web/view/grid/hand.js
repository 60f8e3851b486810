// What the trader's hand does on the grid, by finger, mouse or keyboard, and where it is.

import { cellLook, cellWords } from "../../domain/cell_words.js";
import { firstCell, stayed, stepped } from "../../domain/cursor.js";
import { cellId, columnStartS } from "../../domain/grid.js";
import { boxOf, cellAt, columnsInView, ZOOMS } from "../../domain/viewport.js";
import { byId, setText } from "../dom.js";
import { followFingers } from "./gestures.js";
import { followKeys } from "./keys.js";
import { spreading } from "./overlay.js";
import { shapeOf } from "./sight.js";

/** @import { Page } from "../../page.js" */
/** @import { State } from "../../state/state.js" */
/** @import { Reach, Step } from "../../domain/cursor.js" */
/** @import { Cell } from "../../domain/grid.js" */
/** @import { Viewport } from "../../domain/viewport.js" */
/** @import { Ring } from "./frame.js" */

export class Hand {
  /** @type {Cell | null} under a finger */
  pressed = null;
  /** @type {Cell | null} under the mouse, if a click would do something */
  pointed = null;
  /** @type {Cell | null} where the keyboard stands */
  cursor = null;
  /** @type {readonly Ring[]} */
  rings = [];
  /** @type {Viewport | null} of the last frame */
  viewport = null;
  /** @type {{x: number, y: number} | null} */
  #mouse = null;

  /**
   * @param {HTMLElement} place
   * @param {Page} page
   * @param {{matches: boolean}} still is less motion asked for?
   */
  constructor(place, page, still) {
    this.page = page;
    this.still = still;
    followFingers(place, {
      viewport: () => this.viewport,
      cellAt: (x, y) => (this.viewport === null ? null : cellAt(this.viewport, x, y)),
      tap: (cell, x, y) => {
        this.cursor = null;
        this.#tap(cell, x, y);
      },
      press: (cell) => {
        this.pressed = cell;
      },
      point: (spot) => {
        this.#mouse = spot;
      },
      zoom: (steps) => this.zoom(steps),
    });
    followKeys(place, {
      step: (step) => this.#step(step),
      tap: () => this.#tapCursor(),
      zoom: (steps) => this.zoom(steps),
    });
    place.addEventListener("blur", () => {
      this.cursor = null;
    });
  }

  /**
   * A frame is about to be drawn: what flows has moved on below the hand. The cursor flows with its
   * cell until it is too late for it.
   *
   * @param {State} state
   * @param {number} nowMs
   */
  step(state, nowMs) {
    this.rings = spreading(this.rings, nowMs);
    this.pointed = this.viewport === null ? null : this.#underMouse(state, this.viewport);
    const reach = this.cursor === null ? null : this.#reach(nowMs);
    if (this.cursor !== null && reach !== null) {
      const cell = stayed(this.cursor, reach);
      if (cell !== this.cursor) {
        this.#stand(cell);
      }
    }
  }

  /** @param {number} steps */
  zoom(steps) {
    const { store, actions } = this.page;
    const zoom = Math.max(0, Math.min(ZOOMS - 1, store.state.view.zoom + steps));
    if (zoom !== store.state.view.zoom) {
      actions.look({ zoom });
    }
  }

  /**
   * A bet of the trader's opens its evidence; all that is still to come is tapped, and where that is
   * refused, it is in words. All of it at once: the request is on its way before the next frame.
   *
   * @param {Cell} cell
   * @param {number} x
   * @param {number} y
   */
  #tap(cell, x, y) {
    const { store, actions, clock } = this.page;
    const { market, bets, view } = store.state;
    const nowMs = clock.nowMs();
    const held = bets[cellId(cell)];
    if (held !== undefined) {
      if (held.betId !== null) {
        actions.openEvidence(held.betId);
      }
    } else if (cell.columnStartS >= columnStartS({ column_s: shapeOf(market).columnS }, nowMs)) {
      actions.tap(cellId(cell));
      if (!this.still.matches) {
        this.rings = [...this.rings, { x, y, atMs: nowMs }];
      }
    }
    if (!view.hintsDone) {
      actions.look({ hintsDone: true });
    }
  }

  #tapCursor() {
    const cell = this.cursor;
    if (cell === null || this.viewport === null) {
      this.#step("first");
      return;
    }
    const { x, y, width, height } = boxOf(this.viewport, cell);
    this.#tap(cell, x + width / 2, y + height / 2);
  }

  /** @param {Step} step */
  #step(step) {
    const reach = this.#reach(this.page.clock.nowMs());
    if (reach !== null) {
      this.#stand(this.cursor === null ? firstCell(reach) : stepped(this.cursor, step, reach));
    }
  }

  /**
   * Put the cursor on a cell, and tell what it is.
   *
   * @param {Cell} cell
   */
  #stand(cell) {
    this.cursor = cell;
    const nowMs = this.page.clock.nowMs();
    const look = cellLook(this.page.store.state, cell, cellId(cell), nowMs);
    setText(byId("told"), cellWords(look, nowMs));
  }

  /**
   * @param {number} nowMs
   * @returns {Reach | null}
   */
  #reach(nowMs) {
    const { rules, quote } = this.page.store.state.market;
    if (rules === null || quote === null || this.viewport === null) {
      return null;
    }
    const { lastS } = columnsInView(this.viewport);
    return { rules, quote, nowMs, seenS: lastS - rules.column_s };
  }

  /**
   * @param {State} state
   * @param {Viewport} viewport
   * @returns {Cell | null} the same one while it is the same
   */
  #underMouse(state, viewport) {
    const cell = this.#mouse === null ? null : cellAt(viewport, this.#mouse.x, this.#mouse.y);
    if (cell === null) {
      return null;
    }
    const id = cellId(cell);
    if (cell.columnStartS < viewport.anchorMs / 1000 && state.bets[id] === undefined) {
      return null;
    }
    return this.pointed !== null && cellId(this.pointed) === id ? this.pointed : cell;
  }
}
