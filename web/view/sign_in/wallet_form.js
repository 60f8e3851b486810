// Signing in with a wallet: which one, what the key may do that taps from here on, and one button.

import { capChoices, hoursText, proposedCaps } from "../../domain/key_caps.js";
import { chipText } from "../../domain/numbers.js";
import { make, setText } from "../dom.js";
import { icon } from "../icons.js";

/** @import { KeyCaps, Page } from "../../page.js" */
/** @import { Session } from "../../state/state.js" */
/** @import { Wallet } from "../../io/wallets.js" */

/**
 * @param {HTMLElement} place
 * @param {Page} page
 */
export function mountWalletForm(place, page) {
  const title = make("h3", {});
  const leaving = make("p", {}, "Signing in with a wallet leaves this demo account for good.");
  const limits = mountLimits(page);
  const choice = mountChoice(page);
  const button = make("button", { type: "submit", class: "sign-in-button" });
  const cancel = make("button", { type: "button", class: "sign-in-button sign-in-quiet" });
  cancel.append("Cancel");
  const note = make("p", { class: "sign-in-note" });
  const allowed = terms();
  const buttons = make("div", { class: "sign-in-buttons" }, button, cancel);
  const form = make("form", {}, allowed, limits.element, choice.element, buttons, note);
  place.append(title, leaving, form);

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wallet = choice.chosen();
    if (wallet !== null && !isBusy(page.store.state.session)) {
      void page.actions.signInWith(wallet, limits.chosen());
    }
  });
  cancel.addEventListener("click", () => {
    page.actions.cancelSignIn();
    button.focus();
  });

  const show = (/** @type {Session} */ session) => {
    const isWaiting = session.waitingFor === "wallet";
    const wallet = choice.chosen();
    const isRenewal = session.phase === "in" && session.kind === "wallet";
    setText(title, isRenewal ? "Renew the key" : "Your own wallet");
    leaving.hidden = session.kind !== "demo" || session.phase !== "in";
    for (const part of [allowed, limits.element, button]) {
      part.hidden = wallet === null;
    }
    button.setAttribute("aria-disabled", String(isBusy(session)));
    setText(button, buttonText(isWaiting, wallet));
    cancel.hidden = !isWaiting;
    setText(note, noteText(isWaiting, wallet));
  };
  page.store.show((state) => [state.session], show);
  choice.watch(() => show(page.store.state.session));
}

/** @param {Session} session */
function isBusy({ waitingFor }) {
  return waitingFor !== null;
}

/**
 * @param {boolean} isWaiting
 * @param {Wallet | null} wallet
 */
function buttonText(isWaiting, wallet) {
  return isWaiting ? "Look at your wallet" : `Sign in with ${wallet?.name ?? "a wallet"}`;
}

/**
 * @param {boolean} isWaiting
 * @param {Wallet | null} wallet
 */
function noteText(isWaiting, wallet) {
  if (wallet === null) {
    return "";
  }
  return isWaiting
    ? "It shows you a text with these limits, and asks you to sign it."
    : "You sign a text with these limits. It costs nothing and moves no money.";
}

/** What the key may do, and what it may not. */
function terms() {
  return make(
    "ul",
    { class: "sign-in-terms" },
    make("li", {}, icon("well"), "Your wallet signs once. A key in this browser signs each tap."),
    make("li", {}, icon("well"), "It ends by itself, and at once when you sign out."),
    make("li", {}, icon("close"), "It can't withdraw, nor touch what is in your wallet."),
  );
}

/**
 * The wallets in this browser, one of them chosen.
 *
 * @param {Page} page
 */
function mountChoice(page) {
  const list = make("div", { class: "sign-in-wallets" });
  const none = make("p", {});
  none.append(
    "No wallet was found in this browser. Unlock or install one, or open this page in the",
    " browser of your wallet's own app.",
  );
  const again = make("button", { type: "button", class: "sign-in-button sign-in-quiet" });
  again.append("Look again");
  again.addEventListener("click", () => page.wallets.look());
  const element = make(
    "fieldset",
    {},
    make("legend", { class: "unseen" }, "Wallet"),
    list,
    none,
    again,
  );
  /** @type {string | null} */
  let chosenId = null;
  /** @type {Set<() => void>} */
  const watchers = new Set();

  const chosen = () => {
    const wallets = page.wallets.list();
    return wallets.find(({ id }) => id === chosenId) ?? wallets[0] ?? null;
  };
  const show = () => {
    const wallets = page.wallets.list();
    // What stands chosen stays so: one that comes later must not get under the hand by its name.
    chosenId = chosen()?.id ?? null;
    list.replaceChildren(...wallets.map((wallet) => walletRow(wallet, wallet === chosen())));
    none.hidden = wallets.length > 0;
    again.hidden = wallets.length > 0;
    tell();
  };
  const tell = () => {
    for (const watcher of watchers) {
      watcher();
    }
  };
  list.addEventListener("change", (event) => {
    chosenId = /** @type {HTMLInputElement} */ (event.target).value;
    tell();
  });
  page.wallets.watch(show);
  show();
  return { element, chosen, watch: (/** @type {() => void} */ watcher) => watchers.add(watcher) };
}

/**
 * @param {Wallet} wallet
 * @param {boolean} isChosen
 */
function walletRow({ id, name, iconUrl }, isChosen) {
  const input = make("input", { type: "radio", name: "sign-in-wallet", value: id });
  input.checked = isChosen;
  const picture =
    iconUrl === null
      ? make("span", { class: "sign-in-icon" })
      : make("img", { class: "sign-in-icon", src: iconUrl, alt: "", width: 24, height: 24 });
  return make("label", { class: "sign-in-wallet" }, input, picture, make("span", {}, name));
}

/**
 * The limits of the key.
 *
 * @param {Page} page
 */
function mountLimits(page) {
  const bet = select("Each bet");
  const day = select("Each day");
  const hours = select("Ends after");
  const element = make(
    "fieldset",
    { class: "sign-in-limits" },
    make("legend", {}, "What the key may stake"),
    bet.element,
    day.element,
    hours.element,
  );
  page.store.show(
    (state) => [state.market.rules?.presets_micros],
    (presetsMicros) => {
      const choices = capChoices(presetsMicros);
      const proposed = proposedCaps(choices);
      bet.fill(choices.betMaxMicros, proposed.betMaxMicros, usd);
      day.fill(choices.dayMaxMicros, proposed.dayMaxMicros, usd);
      hours.fill(choices.hours, proposed.hours, hoursText);
    },
  );
  /** @returns {KeyCaps} */
  const chosen = () => ({
    betMaxMicros: bet.value(),
    dayMaxMicros: day.value(),
    hours: hours.value(),
  });
  return { element, chosen };
}

/** @param {number} micros */
function usd(micros) {
  return `${chipText(micros)} USD`;
}

/**
 * A choice among numbers.
 *
 * @param {string} name
 */
function select(name) {
  const input = make("select", {});
  /**
   * @param {readonly number[]} values
   * @param {number} proposed
   * @param {(value: number) => string} text
   */
  const fill = (values, proposed, text) => {
    const before = Number(input.value);
    const picked = values.includes(before) ? before : proposed;
    input.replaceChildren(
      ...values.map((value) => make("option", { value, selected: value === picked }, text(value))),
    );
  };
  return {
    element: make("label", {}, make("span", {}, name), input),
    fill,
    value: () => Number(input.value),
  };
}
