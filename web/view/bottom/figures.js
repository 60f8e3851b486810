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
  showBalance(balance, page);
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
 * What is won counts up into the balance, from what is shown; whatever else changes it is there at
 * once.
 *
 * @param {{label: HTMLElement, value: HTMLElement}} balance
 * @param {Page} page
 */
function showBalance({ label, value }, { store }) {
  const showGain = gainBeside(label);
  let shownMicros = 0;
  let stop = () => {};
  /** @param {number} micros */
  const write = (micros) => {
    shownMicros = micros;
    setText(value, usdText(micros));
  };
  store.watch((state, before, event) => {
    const micros = balanceOf(state);
    if (micros === balanceOf(before)) {
      return;
    }
    stop();
    if (micros === null) {
      setText(value, NOTHING);
    } else if (event.type === "bet:resolved" && event.status === "won") {
      stop = countTo(shownMicros, micros, write);
      showGain(event.payout_micros);
    } else {
      write(micros);
    }
  });
  const micros = balanceOf(store.state);
  if (micros !== null) {
    write(micros);
  }
}

/**
 * What was just paid, for a moment; cells of one column are paid together and shown as one sum.
 *
 * @param {HTMLElement} label
 * @returns {(micros: number) => void}
 */
function gainBeside(label) {
  const gain = make("span", { class: "bottom-gain", "aria-hidden": true });
  label.append(gain);
  let sumMicros = 0;
  let timer = 0;
  return (micros) => {
    sumMicros += micros;
    setText(gain, signedUsdText(sumMicros));
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      sumMicros = 0;
      setText(gain, "");
    }, GAIN_MS);
  };
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
  setText(label, isPart ? "Today, in part" : "Today");
}
