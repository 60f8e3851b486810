// What one frame is painted from. Types only, and the measures that painters share.

/** @import { State } from "../../state/state.js" */
/** @import { Cell } from "../../domain/grid.js" */
/** @import { Viewport } from "../../domain/viewport.js" */
/** @import { Colors } from "./colors.js" */
/** @import { Faces } from "./faces.js" */

/**
 * Where a finger came down, for the ring that spreads from it.
 *
 * @typedef {object} Ring
 * @property {number} x
 * @property {number} y
 * @property {number} atMs by the venue's clock
 */

/**
 * @typedef {object} Frame
 * @property {CanvasRenderingContext2D} context
 * @property {State} state
 * @property {Viewport} viewport
 * @property {Colors} colors
 * @property {Faces} faces
 * @property {number} nowMs
 * @property {number} firstS the first column that can be tapped
 * @property {boolean} isOpen can anything be tapped?
 * @property {number | null} priceCents where the line ends: it glides to the newest price
 * @property {number} lineEndMs up to when the price is known; NOW while it is heard
 * @property {boolean} isStill less motion is asked for
 * @property {Cell | null} pressed under the finger
 * @property {Cell | null} pointed under the mouse
 * @property {Cell | null} cursor where the keyboard is
 * @property {Cell | null} hinted the cell that a hint is about
 * @property {readonly Ring[]} rings
 */

/** Type of what is written beside the cells. */
export const MARK_PX = 11;

/**
 * The thinnest line that is seen: one pixel of a plain screen, two of the finest.
 *
 * @param {number} dpr
 */
export function hairPx(dpr) {
  return Math.max(1, Math.round(dpr * 0.55)) / dpr;
}
