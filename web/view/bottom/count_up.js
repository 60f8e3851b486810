// A number that runs to its new value, for eyes only: the value it ends at is the venue's.

const LENGTH_MS = 600;
/** One step of the count: slow enough to be read as counting, not as flicker. */
const STEP_MS = 60;

/**
 * @param {number} from
 * @param {number} to
 * @param {(value: number) => void} write
 * @returns {() => void} ends it where it is
 */
export function countTo(from, to, write) {
  if (document.hidden || window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
    write(to);
    return () => {};
  }
  const beganMs = performance.now();
  const timer = window.setInterval(() => {
    const part = Math.min(1, (performance.now() - beganMs) / LENGTH_MS);
    write(part === 1 ? to : Math.round(from + (to - from) * eased(part)));
    if (part === 1) {
      window.clearInterval(timer);
    }
  }, STEP_MS);
  return () => window.clearInterval(timer);
}

/**
 * Quick at first, slow at the end.
 *
 * @param {number} part from 0 to 1
 */
function eased(part) {
  return 1 - (1 - part) ** 3;
}
