// The stakes as chips, the chosen one clear; in their place the way in, for whom is not signed in.

import { chipText, NOTHING } from "../../domain/numbers.js";
import { stakeProblem } from "../../domain/stakes.js";
import { make, setText } from "../dom.js";

/** @import { Page } from "../../page.js" */
/** @import { State } from "../../state/state.js" */

/** Shown until the venue has said which stakes there are. */
const PRESETS_EXPECTED = 5;

/** Where keys mean something else. */
const TYPING = "input, select, textarea, [contenteditable], .panel";

/**
 * @param {HTMLElement} place
 * @param {Page} page
 * @param {(text: string) => void} note says something in the bar for a moment
 */
export function mountStakes(place, page, note) {
  const chips = make("div", { class: "stakes", role: "group", "aria-label": "Stake in USD" });
  const unit = make("span", { class: "bottom-unit", "aria-hidden": true }, "Stake, USD");
  const connect = make("button", {
    type: "button",
    class: "bottom-connect",
    onclick: () => page.actions.look({ panel: "sign_in" }),
  });
  place.append(unit, chips, connect);

  page.store.show(
    (state) => [wayIn(state)],
    (words) => {
      connect.hidden = words === "";
      unit.hidden = words !== "";
      chips.hidden = words !== "";
      setText(connect, words);
    },
  );

  page.store.show(
    (state) => [state.market.rules?.presets_micros],
    (presetsMicros) => chips.replaceChildren(...stakeChips(page, presetsMicros ?? null, note)),
  );

  document.addEventListener("keydown", (event) => {
    const digit = /^[1-9]$/.test(event.key) ? Number(event.key) : 0;
    if (digit > 0 && !chips.hidden && isForUs(event)) {
      const chip = chips.children[digit - 1];
      if (chip instanceof HTMLElement) {
        chip.click();
      }
    }
  });
}

/**
 * What the button says by which a trader gets in; empty: he is in, or a demo takes him in by itself.
 *
 * @param {State} state
 */
function wayIn({ session, market }) {
  if (session.phase === "expired") {
    return "Sign in again";
  }
  const isWaiting = market.rules === null || market.demo || session.phase === "signing_in";
  const isFine = session.phase === "in" || (isWaiting && session.problem === "");
  return isFine ? "" : market.demo ? "Sign in" : "Connect wallet";
}

/**
 * @param {Page} page
 * @param {readonly number[] | null} presetsMicros
 * @param {(text: string) => void} note
 * @returns {HTMLElement[]}
 */
function stakeChips(page, presetsMicros, note) {
  if (presetsMicros === null) {
    return Array.from({ length: PRESETS_EXPECTED }, () =>
      make("button", { type: "button", class: "stake", disabled: true }, NOTHING),
    );
  }
  return presetsMicros.map((stakeMicros) => stakeChip(page, stakeMicros, note));
}

/**
 * @param {Page} page
 * @param {number} stakeMicros
 * @param {(text: string) => void} note
 */
function stakeChip({ store, actions }, stakeMicros, note) {
  const choose = () => {
    const problem = stakeProblem(store.state, stakeMicros);
    if (problem === "") {
      actions.look({ stakeMicros });
    } else {
      note(problem);
    }
  };
  const chip = make(
    "button",
    { type: "button", class: "stake", onclick: choose },
    chipText(stakeMicros),
  );
  store.show(
    (state) => [state.view.stakeMicros === stakeMicros, stakeProblem(state, stakeMicros)],
    (isChosen, problem) => {
      chip.setAttribute("aria-pressed", String(isChosen));
      chip.setAttribute("aria-disabled", String(problem !== ""));
      chip.title = problem;
    },
  );
  return chip;
}

/** @param {KeyboardEvent} event */
function isForUs(event) {
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.defaultPrevented;
  return isPlain && !(event.target instanceof Element && event.target.closest(TYPING) !== null);
}
