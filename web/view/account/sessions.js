// Where the trader is signed in, and what each session's key may do.

import { capWords, whenWords } from "../../domain/account_words.js";
import { usdText } from "../../domain/numbers.js";
import { make } from "../dom.js";
import { busy, button, figures, fold, outcome, problemText } from "./parts.js";

/** @import { Page } from "../../page.js" */
/** @import { ListedSession, Sessions } from "../../types/wire.js" */

/** @param {Page} page */
export function sessionsSection(page) {
  const said = outcome();
  const list = make("ul", { class: "account-list" });
  const place = fold("Sessions and keys", load);
  const words =
    "A session key signs your taps, so that the wallet does not have to. It can't take money out.";
  place.body.append(make("p", { class: "account-hint" }, words), list, said.element);

  async function load() {
    list.setAttribute("aria-busy", "true");
    try {
      const { sessions } = /** @type {Sessions} */ (await page.api.get("/api/auth/sessions"));
      place.sum(sessions.length === 1 ? "1 session" : `${sessions.length} sessions`);
      list.replaceChildren(...sessions.map((session) => item(session)));
      said.say("");
    } catch (error) {
      said.say(problemText(error), true);
    }
    list.removeAttribute("aria-busy");
  }

  /** @param {ListedSession} session */
  function item(session) {
    const nowMs = page.clock.nowMs();
    const began = whenWords(session.created_at_ms, nowMs);
    const from = session.network === "" ? "" : `, from ${session.network}`;
    return make(
      "li",
      { class: "account-item" },
      make(
        "div",
        { class: "account-row" },
        make(
          "p",
          { class: "account-item-title" },
          session.current ? "This session" : "Another session",
        ),
        session.current ? null : end(session, began),
      ),
      make("p", { class: "account-hint" }, `Since ${began}${from}${endsWords(session, nowMs)}`),
      session.session_key === null ? null : key(session.session_key, nowMs),
    );
  }

  /**
   * @param {ListedSession} session
   * @param {string} began
   */
  function end({ session_id: id }, began) {
    const by = button(
      "End it",
      () =>
        busy(by, async () => {
          try {
            await page.api.post(`/api/auth/sessions/${id}/revoke`, {});
            await load();
            said.say("The session and its key are ended.");
            place.element.querySelector("summary")?.focus();
          } catch (error) {
            said.say(problemText(error), true);
          }
        }),
      { label: `End the session that began ${began}` },
    );
    return by;
  }

  // What a new session is begun with is listed anew when the section is opened next.
  page.store.show(
    (state) => [state.session.sessionId, state.view.panel],
    (_, panel) => {
      if (panel === "account" && place.element.open && page.store.state.session.phase === "in") {
        load();
      }
    },
  );
  return place.element;
}

/**
 * @param {ListedSession} session
 * @param {number} nowMs
 */
function endsWords({ expires_at_ms: atMs, signed_in: isSignedIn }, nowMs) {
  return isSignedIn
    ? `, until ${whenWords(atMs, nowMs)}.`
    : ". The venue no longer knows it, but its key can still bet.";
}

/**
 * @param {NonNullable<ListedSession["session_key"]>} key
 * @param {number} nowMs
 */
function key(key, nowMs) {
  return figures([
    ["Key, most per bet", capWords(key.bet_max_micros)],
    ["Most per day (UTC)", capWords(key.day_max_micros)],
    ["Staked today", `${usdText(key.staked_today_micros)} USD`],
    ["Ends", whenWords(key.expires_at_ms, nowMs)],
  ]);
}
