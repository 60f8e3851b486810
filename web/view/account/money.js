// What is in the account, and paper money for the demo.

import { NOTHING, signedUsdText, usdText } from "../../domain/numbers.js";
import { make, setText } from "../dom.js";
import { busy, button, figures, outcome, problemText } from "./parts.js";

/** @import { Page } from "../../page.js" */
/** @import { Credited } from "../../types/wire.js" */

/** @param {Page} page */
export function moneySection(page) {
  const balance = make("span");
  const open = make("span");
  const today = make("span");
  page.store.show(
    (state) => [state.account, state.today],
    (account, day) => {
      const bets = account?.open_bets === 1 ? "1 bet" : `${account?.open_bets ?? 0} bets`;
      setText(balance, account === null ? NOTHING : `${usdText(account.balance_micros)} USD`);
      setText(
        open,
        account === null ? NOTHING : `${usdText(account.open_stake_micros)} USD, ${bets}`,
      );
      setText(today, day === null || day.state === "loading" ? NOTHING : todayText(day));
    },
  );
  return make(
    "section",
    { class: "account-money", "aria-label": "Money" },
    figures([
      ["Balance", balance],
      ["Open stakes", open],
      ["Result today (UTC)", today],
    ]),
    faucet(page),
  );
}

/** @param {import("../../state/state.js").Today} today */
function todayText({ resultMicros, state }) {
  return `${state === "part" ? "about " : ""}${signedUsdText(resultMicros)} USD`;
}

/** @param {Page} page */
function faucet(page) {
  const said = outcome();
  const get = button("Get more paper money", () =>
    busy(get, async () => {
      try {
        const given = /** @type {Credited} */ (await page.api.post("/api/faucet", {}));
        said.say(`${usdText(given.amount_micros)} USD of paper money added.`);
      } catch (error) {
        said.say(problemText(error), true);
      }
    }),
  );
  const place = make("div", { class: "account-faucet" }, get, said.element);
  page.store.show(
    (state) => [state.market.demo],
    (isDemo) => {
      place.hidden = !isDemo;
    },
  );
  return place;
}
