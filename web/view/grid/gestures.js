// Fingers and the mouse on the canvas. A tap is meant for the cell that was under the finger when it
// came down: cells flow, and a still finger does not follow them.

import { boxOf } from "../../domain/viewport.js";

/** @import { Cell } from "../../domain/grid.js" */
/** @import { Viewport } from "../../domain/viewport.js" */

/** A finger may slip so far and still mean the cell it came down on. */
const SLIP_PX = 10;

/**
 * @typedef {object} Hand
 * @property {() => Viewport | null} viewport
 * @property {(x: number, y: number) => Cell | null} cellAt
 * @property {(cell: Cell, x: number, y: number) => void} tap
 * @property {(cell: Cell | null) => void} press what is under the finger; null: no more
 * @property {(spot: {x: number, y: number} | null) => void} point where the mouse is: cells flow under it
 * @property {(steps: number) => void} zoom
 */

/**
 * @typedef {object} Touch
 * @property {Cell} cell
 * @property {number} x
 * @property {number} y
 * @property {boolean} isOff has it slid off the cell?
 */

/** So much turning of a wheel is one step; a touchpad turns in many small ones. */
const WHEEL_STEP = 60;

/**
 * Follow them.
 *
 * @param {HTMLElement} place
 * @param {Hand} hand
 */
export function followFingers(place, hand) {
  /** @type {Map<number, Touch>} */
  const touches = new Map();
  let turned = 0;
  let turnedAtMs = 0;

  const show = () => {
    const shown = [...touches.values()].findLast(({ isOff }) => !isOff);
    hand.press(shown?.cell ?? null);
  };

  place.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) {
      return;
    }
    const { x, y } = pointOf(place, event);
    const cell = hand.cellAt(x, y);
    if (cell !== null) {
      capture(place, event.pointerId);
      touches.set(event.pointerId, { cell, x, y, isOff: false });
      show();
    }
  });

  place.addEventListener("pointermove", (event) => {
    const touch = touches.get(event.pointerId);
    const { x, y } = pointOf(place, event);
    if (touch !== undefined) {
      touch.isOff = isOff(touch, hand.viewport(), x, y);
      show();
    } else if (event.pointerType === "mouse") {
      hand.point({ x, y });
    }
  });

  place.addEventListener("pointerup", (event) => {
    const touch = touches.get(event.pointerId);
    if (touch !== undefined) {
      const { x, y } = pointOf(place, event);
      touches.delete(event.pointerId);
      if (!isOff(touch, hand.viewport(), x, y)) {
        hand.tap(touch.cell, x, y);
      }
      show();
    }
  });

  place.addEventListener("pointercancel", (event) => {
    touches.delete(event.pointerId);
    show();
  });
  place.addEventListener("pointerleave", () => hand.point(null));
  place.addEventListener("contextmenu", (event) => event.preventDefault());

  place.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      turned = event.timeStamp - turnedAtMs > 300 ? event.deltaY : turned + event.deltaY;
      turnedAtMs = event.timeStamp;
      if (Math.abs(turned) >= WHEEL_STEP) {
        hand.zoom(turned > 0 ? 1 : -1);
        turned = 0;
      }
    },
    { passive: false },
  );
}

/**
 * @param {Touch} touch
 * @param {Viewport | null} viewport
 * @param {number} x
 * @param {number} y
 */
function isOff(touch, viewport, x, y) {
  if (viewport === null || Math.hypot(x - touch.x, y - touch.y) < SLIP_PX) {
    return viewport === null;
  }
  const box = boxOf(viewport, touch.cell);
  return x < box.x || y < box.y || x >= box.x + box.width || y >= box.y + box.height;
}

/**
 * @param {HTMLElement} place
 * @param {PointerEvent} event
 */
function pointOf(place, event) {
  const { left, top } = place.getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top };
}

/**
 * A finger that slides off the canvas is still followed.
 *
 * @param {HTMLElement} place
 * @param {number} pointerId
 */
function capture(place, pointerId) {
  try {
    place.setPointerCapture(pointerId);
  } catch {
    // It was lifted already.
  }
}
