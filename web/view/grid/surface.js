// The canvas itself: as sharp as the screen, in the colors and the type of the page, and repainted
// each frame while it is seen.

import { make } from "../dom.js";
import { readColors } from "./colors.js";
import { Faces, forgetFace } from "./faces.js";

/** Finer than this no eye sees, and every pixel is paid for each frame. */
const DPR_MOST = 3;

export class Surface {
  canvas = make("canvas", { class: "grid-canvas", "aria-hidden": "true" });
  size = { widthPx: 0, heightPx: 0, dpr: 1 };
  #running = false;

  /**
   * @param {HTMLElement} place
   * @param {(frameMs: number) => void} paint
   */
  constructor(place, paint) {
    this.place = place;
    this.paint = paint;
    place.prepend(this.canvas);
    // Nothing shines through: the browser need not blend it with the page.
    this.context = /** @type {CanvasRenderingContext2D} */ (
      this.canvas.getContext("2d", { alpha: false })
    );
    this.colors = readColors(place);
    this.faces = new Faces(this.context, getComputedStyle(place).fontFamily);
    this.#followColors();
    new ResizeObserver(() => this.#fit()).observe(place);
    this.#followDpr();
  }

  #fit() {
    const dpr = Math.min(DPR_MOST, Math.max(1, devicePixelRatio));
    const { clientWidth: widthPx, clientHeight: heightPx } = this.place;
    const isSame =
      this.size.widthPx === widthPx && this.size.heightPx === heightPx && this.size.dpr === dpr;
    if (!isSame) {
      this.size = { widthPx, heightPx, dpr };
      this.canvas.width = Math.max(1, Math.round(widthPx * dpr));
      this.canvas.height = Math.max(1, Math.round(heightPx * dpr));
      this.context.setTransform(dpr, 0, 0, dpr, 0, 0);
      forgetFace(this.context);
    }
    if (widthPx > 0 && heightPx > 0) {
      // A canvas that was resized is empty, and must not be seen so.
      this.paint(performance.now());
      this.#start();
    }
  }

  /** Browsers paint no hidden page; a hidden place is not painted either. */
  #start() {
    if (this.#running) {
      return;
    }
    this.#running = true;
    const next = (/** @type {number} */ frameMs) => {
      if (this.size.widthPx === 0 || this.size.heightPx === 0) {
        this.#running = false;
        return;
      }
      this.paint(frameMs);
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  }

  #followColors() {
    const read = () => {
      this.colors = readColors(this.place);
    };
    for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"]) {
      matchMedia(query).addEventListener("change", read);
    }
    new MutationObserver(read).observe(document.documentElement, { attributes: true });
  }

  /** The window was moved to another screen, or its zoom changed. */
  #followDpr() {
    const query = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    query.addEventListener(
      "change",
      () => {
        this.#fit();
        this.#followDpr();
      },
      { once: true },
    );
  }
}
