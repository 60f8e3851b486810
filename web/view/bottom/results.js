// The last results as chips, newest first: a tap on one opens its evidence.

import { bandWords } from "../../domain/cell_words.js";
import { signedUsdText } from "../../domain/numbers.js";
import { arrange, make, setText } from "../dom.js";
import { icon } from "../icons.js";

/** @import { Page } from "../../page.js" */
/** @import { HeldBet } from "../../state/state.js" */

/** How long a note stands in the place of the results. */
const NOTE_MS = 4_000;

/**
 * @param {HTMLElement} place
 * @param {Page} page
 * @returns {(text: string) => void} says something there for a moment
 */
export function mountResults(place, page) {
  const list = make("ul", { class: "results", "aria-label": "Last results, newest first" });
  const empty = make("p", { class: "bottom-empty" }, "Your results appear here.");
  const note = make("p", { class: "bottom-note", role: "status" });
  place.append(note, empty, list);
  /** @type {Map<string, HTMLElement>} */
  let chips = new Map();
  let noteTimer = 0;

  const showOne = () => {
    const isNoted = note.textContent !== "";
    empty.hidden = isNoted || chips.size > 0;
    list.hidden = isNoted || chips.size === 0;
  };

  page.store.show(
    (state) => [state.results],
    (results) => {
      chips = new Map(
        results.map((bet) => [keyOf(bet), chips.get(keyOf(bet)) ?? resultChip(page, bet)]),
      );
      arrange(list, [...chips.values()]);
      showOne();
    },
  );

  return (text) => {
    setText(note, text);
    showOne();
    window.clearTimeout(noteTimer);
    noteTimer = window.setTimeout(() => {
      setText(note, "");
      showOne();
    }, NOTE_MS);
  };
}

/** @param {HeldBet} bet */
function keyOf({ betId, cellId, phase }) {
  return `${betId ?? cellId} ${phase}`;
}

/**
 * @param {Page} page
 * @param {HeldBet} bet
 */
function resultChip({ actions }, bet) {
  const { betId, phase } = bet;
  const outcome = phase === "won" || phase === "lost" ? phase : "void";
  const button = make("button", {
    type: "button",
    class: "result",
    "data-outcome": outcome,
    onclick: () => betId !== null && actions.openEvidence(betId),
  });
  button.append(
    make("span", { class: "unseen" }, `${NAMES[outcome]} `),
    make("span", { class: "result-chip" }, icon(outcome, "result-icon"), amountText(bet)),
    make("span", { class: "unseen" }, ` on ${bandWords(bet)}, show the evidence`),
  );
  return make("li", {}, button);
}

const NAMES = { won: "Won", lost: "Lost", void: "Void" };

/** @param {HeldBet} bet */
function amountText({ phase, stakeMicros, payoutMicros }) {
  return phase === "void" ? "Refund" : signedUsdText((payoutMicros ?? 0) - stakeMicros);
}
