// What a tap feels and sounds like. Haptics where the device has them; sounds only if asked for.

/** @import { Page } from "../page.js" */
/** @import { TradingEvent } from "../state/events.js" */

/**
 * Pitch in Hz and length in ms of a tick, one after another, and how the device shakes for it.
 *
 * @typedef {{ticks: readonly (readonly [pitchHz: number, lengthMs: number])[], shakeMs: readonly number[]}} Feel
 */

/** @type {Readonly<Record<"tapped" | "confirmed" | "won" | "refused", Feel>>} */
const FEELS = {
  tapped: { ticks: [[880, 20]], shakeMs: [8] },
  confirmed: { ticks: [[1_320, 30]], shakeMs: [] },
  won: {
    ticks: [
      [1_047, 70],
      [1_568, 110],
    ],
    shakeMs: [14, 50, 14],
  },
  refused: { ticks: [[220, 90]], shakeMs: [30] },
};

const LOUDNESS = 0.06;

/** @param {Page} page */
export function mountFeel({ store }) {
  /** @type {AudioContext | null} */
  let audio = null;
  store.watch((state, before, event) => {
    // An event that changes nothing is known already, or comes again.
    const feel = state === before ? null : feelOf(event);
    // Before the first touch a browser lets a page neither shake nor sound.
    if (feel === null || document.hidden || !navigator.userActivation?.hasBeenActive) {
      return;
    }
    if (feel.shakeMs.length > 0) {
      navigator.vibrate?.([...feel.shakeMs]);
    }
    if (state.view.sound) {
      audio ??= new AudioContext();
      sound(audio, feel);
    }
  });
}

/**
 * @param {TradingEvent} event
 * @returns {Feel | null}
 */
function feelOf(event) {
  switch (event.type) {
    case "page:tapped":
      return FEELS.tapped;
    case "bet:confirmed":
      return FEELS.confirmed;
    case "bet:resolved":
      return event.status === "won" ? FEELS.won : null;
    case "page:refused":
      return FEELS.refused;
    default:
      return null;
  }
}

/**
 * Short sines that swell and fade: a square edge would click.
 *
 * @param {AudioContext} audio
 * @param {Feel} feel
 */
function sound(audio, { ticks }) {
  let atS = audio.currentTime;
  for (const [pitchHz, lengthMs] of ticks) {
    const endS = atS + lengthMs / 1000;
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = pitchHz;
    volume.gain.setValueAtTime(0, atS);
    volume.gain.linearRampToValueAtTime(LOUDNESS, atS + 0.005);
    volume.gain.exponentialRampToValueAtTime(0.001, endS);
    tone.connect(volume).connect(audio.destination);
    tone.start(atS);
    tone.stop(endS);
    atS = endS;
  }
}
