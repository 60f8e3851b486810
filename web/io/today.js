// Today's result, counted from the trader's bets once he is in; the reducer goes on from there.

import { addedUp, asEnded, dayStartS } from "../domain/day_result.js";

/** @import { Bets } from "../types/wire.js" */
/** @import { EndedBet } from "../domain/day_result.js" */
/** @import { Api } from "./api.js" */
/** @import { VenueClock } from "./clock.js" */
/** @import { TradingEvent } from "../state/events.js" */
/** @import { State } from "../state/state.js" */
/** @import { Store } from "../state/store.js" */

const PAGE_BETS = 200;
const PAGES_MAX = 10;
/** How long after a failure it is tried again. */
const RETRY_MS = 10_000;

/**
 * Keeps today's result known for as long as the page lives: whenever somebody is in and it is not.
 *
 * @param {{store: Store<State, TradingEvent>, api: Api, clock: VenueClock}} page
 */
export function followToday({ store, api, clock }) {
  let isBusy = false;
  let notBeforeMs = 0;

  const count = async () => {
    const dayS = dayStartS(clock.nowMs());
    const wallet = store.state.session.wallet;
    /** @type {EndedBet[]} */
    const meanwhile = [];
    const end = store.watch((_, __, event) => {
      if (event.type === "bet:resolved") {
        meanwhile.push(asEnded(event));
      }
    });
    isBusy = true;
    store.dispatch({ type: "page:today", today: { ...NONE, dayS, state: "loading" } });
    try {
      const { bets, whole } = await betsSince(api, dayS * 1000);
      // Somebody else may be in by now, or it may be tomorrow.
      const { session, today } = store.state;
      if (session.wallet === wallet && today?.dayS === dayS) {
        const sum = addedUp([...bets, ...meanwhile]);
        store.dispatch({
          type: "page:today",
          today: { ...sum, dayS, state: whole ? "whole" : "part" },
        });
      }
    } catch {
      notBeforeMs = clock.pageMs() + RETRY_MS;
    } finally {
      end();
      isBusy = false;
    }
  };

  const look = () => {
    const { session, connection, today } = store.state;
    const isWanted = session.phase === "in" && (today === null || today.state === "loading");
    if (isWanted && !isBusy && connection.phase === "live" && clock.pageMs() >= notBeforeMs) {
      void count();
    }
  };
  store.watch(look);
  look();
}

const NONE = { resultMicros: 0, ended: 0 };

/**
 * The ended bets that were placed since then, as far as the pages reach.
 *
 * @param {Api} api
 * @param {number} fromMs
 * @returns {Promise<{bets: EndedBet[], whole: boolean}>}
 */
async function betsSince(api, fromMs) {
  /** @type {EndedBet[]} */
  const bets = [];
  let after = "";
  for (let page = 0; page < PAGES_MAX; page += 1) {
    /** @type {Bets} */
    const answer = await api.get(`/api/bets?from=${fromMs}&limit=${PAGE_BETS}${after}`);
    bets.push(...answer.bets.map(asEnded));
    if (answer.next_cursor === null) {
      return { bets, whole: (answer.archived ?? []).length === 0 };
    }
    after = `&cursor=${encodeURIComponent(answer.next_cursor)}`;
  }
  return { bets, whole: false };
}
