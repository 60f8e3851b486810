// When a lost connection is tried again. Pure: chance is handed in.

const FIRST_MS = 500;
const MOST_MS = 15_000;

/**
 * How long to wait before the next attempt: anything up to a most that doubles with each attempt
 * made in vain, so that pages which lost the venue together do not come back together.
 *
 * @param {number} failures attempts in vain since it was lost
 * @param {number} chance 0 to 1
 */
export function retryInMs(failures, chance) {
  return Math.round(chance * Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(failures, 10)));
}
