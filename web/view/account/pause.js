// A pause: no bets before a time that the trader chooses. It is asked twice, for it can't be undone.

import { shortenedMs, whenWords } from "../../domain/account_words.js";
import { make, setText } from "../dom.js";
import { busy, button, field, outcome, problemText } from "./parts.js";

/** @import { Page } from "../../page.js" */
/** @import { Limits } from "../../types/wire.js" */

const HOUR_MS = 3_600_000;
const CHOICES = Object.freeze([
  { text: "1 hour", ms: HOUR_MS },
  { text: "24 hours", ms: 24 * HOUR_MS },
  { text: "7 days", ms: 7 * 24 * HOUR_MS },
]);

/**
 * @param {Page} page
 * @param {(untilMs: number) => Promise<Limits>} ask
 */
export function pauseForm(page, ask) {
  /** @type {HTMLElement | null} where the focus goes back to */
  let opener = null;
  const said = outcome();
  const now = make("p", { class: "account-now" });
  const question = make("div", { class: "account-question", hidden: true });
  const until = field("Until a day and time of yours", {
    attributes: { type: "datetime-local" },
    beside: button("Pause until then", () => untilChosen()),
  });
  const shorten = button("End it in a day", () => give(shorten, 0));
  const chips = make(
    "div",
    { class: "account-chips" },
    ...CHOICES.map(({ text, ms }) =>
      button(text, () => confirm(Math.ceil(page.clock.nowMs()) + ms), {
        label: `Pause for ${text}`,
      }),
    ),
  );

  function untilChosen() {
    const atMs = new Date(until.input.value).getTime();
    const isLater = atMs > page.clock.nowMs();
    until.complain(isLater ? "" : "Choose a time that is still to come.");
    if (isLater) {
      confirm(atMs);
    } else {
      until.input.focus();
    }
  }

  /** @param {number} untilMs */
  function confirm(untilMs) {
    const focused = document.activeElement;
    opener = focused instanceof HTMLElement && !question.contains(focused) ? focused : opener;
    const pause = button("Pause", () => give(pause, untilMs), { strong: true });
    const back = button("Don't pause", () => closeQuestion());
    const text = `No bets until ${whenWords(untilMs, page.clock.nowMs())}. Open bets go on.`;
    said.say("");
    until.complain("");
    question.replaceChildren(
      make("p", {}, text),
      make("div", { class: "account-row" }, back, pause),
    );
    question.hidden = false;
    back.focus();
  }

  function closeQuestion() {
    const hadFocus = question.contains(document.activeElement);
    question.hidden = true;
    if (hadFocus) {
      opener?.focus();
    }
  }

  /**
   * @param {HTMLButtonElement} by
   * @param {number} untilMs
   */
  function give(by, untilMs) {
    busy(by, async () => {
      try {
        const limits = await ask(untilMs);
        closeQuestion();
        until.input.value = "";
        said.say(`Paused until ${whenWords(limits.paused_until_ms, page.clock.nowMs())}.`);
      } catch (error) {
        said.say(problemText(error), true);
      }
    });
  }

  page.store.show(
    (state) => [state.account?.limits.paused_until_ms ?? 0],
    (untilMs) => {
      const nowMs = page.clock.nowMs();
      const isPaused = untilMs > nowMs;
      setText(now, isPaused ? `No bets until ${whenWords(untilMs, nowMs)}.` : "Not paused.");
      shorten.hidden = !isPaused || shortenedMs(untilMs, nowMs) === null;
    },
  );
  return make(
    "div",
    { class: "account-form", role: "group", "aria-labelledby": "account-pause" },
    make("h4", { id: "account-pause", class: "account-label" }, "Pause betting"),
    make("div", { class: "account-row" }, now, shorten),
    chips,
    until.element,
    question,
    said.element,
  );
}
