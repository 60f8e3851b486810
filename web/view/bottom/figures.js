// Balance, open stakes and today's result, as the venue has said them.

import { NOTHING, signedUsdText, usdText } from "../../domain/numbers.js";
import { make, setText } from "../dom.js";
import { countTo } from "./count_up.js";

/** @import { Page } from "../../page.js" */
/** @import { State, Today } from "../../state/state.js" */

/** How long the payout of a won bet stands beside the balance. */
const GAIN_MS = 2_000;

/**
 * @param {HTMLElement} place
 * @param {Page} page
 */
export function mountFigures(place, page) {
  const balance = figure(place, "Balance, USD");
  balance.value.classList.add("bottom-balance");
  const open = figure(place, "Open stakes");
  const today = figure(place, "Today");
  showBalance(balance.value, page);
  page.store.show(
    (state) => [state.account?.open_stake_micros ?? null],
    (stakeMicros) => setText(open.value, stakeMicros === null ? NOTHING : usdText(stakeMicros)),
  );
  page.store.show(
    (state) => [state.today],
    (result) => showToday(today, result),
  );
}

/**
 * @param {HTMLElement} place
 * @param {string} name
 */
function figure(place, name) {
  const label = make("dt", { class: "frame-label" }, name);
  const value = make("dd", { class: "bottom-figure" }, NOTHING);
  place.append(make("div", { class: "frame-figure" }, label, value));
  return { label, value };
}

/**
 * What is won counts up into the balance; whatever else changes it is there at once.
 *
 * @param {HTMLElement} value
 * @param {Page} page
 */
function showBalance(value, { store }) {
  const amount = make("span", {}, NOTHING);
  const gain = make("span", { class: "bottom-gain", "aria-hidden": true });
  value.replaceChildren(amount, gain);
  /** @param {number} micros */
  const write = (micros) => setText(amount, usdText(micros));
  let stop = () => {};
  let fade = 0;
  store.watch((state, before, event) => {
    const micros = balanceOf(state);
    const was = balanceOf(before);
    if (micros === was) {
      return;
    }
    stop();
    if (micros === null) {
      setText(amount, NOTHING);
    } else if (was !== null && event.type === "bet:resolved" && event.status === "won") {
      stop = countTo(was, micros, write);
      setText(gain, `+${usdText(event.payout_micros)}`);
      window.clearTimeout(fade);
      fade = window.setTimeout(() => setText(gain, ""), GAIN_MS);
    } else {
      write(micros);
    }
  });
  const micros = balanceOf(store.state);
  if (micros !== null) {
    write(micros);
  }
}

/** @param {State} state */
function balanceOf({ account }) {
  return account?.balance_micros ?? null;
}

/**
 * @param {{label: HTMLElement, value: HTMLElement}} today
 * @param {Today | null} result
 */
function showToday({ label, value }, result) {
  const isKnown = result !== null && result.state !== "loading";
  setText(value, isKnown ? signedUsdText(result.resultMicros) : NOTHING);
  const isPart = result?.state === "part";
  setText(label, isPart ? "Today, newest bets" : "Today");
}
