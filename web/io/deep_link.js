// The address of a bet's evidence, `#bet={id}`: opens it, follows it, and goes when it is closed.

/** @import { Page } from "../page.js" */

const LINK = /^#bet=(.{1,64})$/;

/**
 * The bet that a fragment names, or null.
 *
 * @param {string} hash
 */
export function linkedBet(hash) {
  return LINK.exec(hash)?.[1] ?? null;
}

/**
 * The address at which anybody sees a bet's evidence.
 *
 * @param {string} betId
 */
export function evidenceLink(betId) {
  return `${location.origin}/#bet=${betId}`;
}

/**
 * Keep the address and the panel in step, from now on.
 *
 * @param {Pick<Page, "store" | "actions">} page
 */
export function followLinks({ store, actions }) {
  const follow = () => {
    const betId = linkedBet(location.hash);
    if (betId !== null) {
      actions.openEvidence(betId);
    }
  };
  follow();
  addEventListener("hashchange", follow);
  store.show(
    (state) => [state.view.panel === "evidence" ? state.view.betId : null],
    (betId) => {
      const hash = betId === null ? "" : `#bet=${betId}`;
      if (location.hash !== hash && (betId !== null || linkedBet(location.hash) !== null)) {
        // In place of the last one: the way back leads out of the page, not through old bets.
        history.replaceState(null, "", hash === "" ? location.pathname + location.search : hash);
      }
    },
  );
}
