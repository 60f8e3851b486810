// A first visit to a venue with paper money begins at once, with nothing in the way.

/** @import { Sessions } from "./session.js" */

/** Between the attempts, while the venue can't; from then on the button is there. */
const PAUSES_MS = [1_000, 3_000, 10_000, 30_000, 60_000];

/** @type {WeakSet<Sessions>} */
const underWay = new WeakSet();

/**
 * Begin a demo account as soon as the venue can. Whose session has ended or who has signed out
 * decides for himself.
 *
 * @param {Sessions} sessions once they are restored
 */
export async function welcome(sessions) {
  if (!underWay.has(sessions)) {
    underWay.add(sessions);
    await begin(sessions);
    underWay.delete(sessions);
  }
}

/** @param {Sessions} sessions */
async function begin(sessions) {
  for (const pauseMs of PAUSES_MS) {
    if (!sessions.isFirstVisit) {
      return;
    }
    const waitMs = Math.max(pauseMs, await sessions.signInDemo());
    if (sessions.isFirstVisit) {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}
