// What a visit remembers for the next one. Storage that is blocked, full or broken costs the memory,
// and nothing else.

import { isRemembered, recalled, rememberedText } from "../domain/remembered.js";

/** @import { TradingEvent } from "../state/events.js" */
/** @import { State, View } from "../state/state.js" */
/** @import { Store } from "../state/store.js" */

/** theme_first.js reads it, too. */
const KEY = "tapgrid:view";

/**
 * What an earlier visit chose.
 *
 * @returns {Partial<View>}
 */
export function recallView() {
  try {
    return recalled(window.localStorage.getItem(KEY));
  } catch {
    return {};
  }
}

/**
 * Keep what is chosen from now on.
 *
 * @param {Store<State, TradingEvent>} store
 */
export function rememberView(store) {
  store.watch((state, before) => {
    if (state.view !== before.view && isRemembered(state.view, before.view)) {
      try {
        window.localStorage.setItem(KEY, rememberedText(state.view));
      } catch {
        // It is chosen for this visit only.
      }
    }
  });
}
