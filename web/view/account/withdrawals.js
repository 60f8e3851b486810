// Taking money out, for those who have signed in with a wallet: it signs for each withdrawal, and an
// operator pays it.

import {
  isAddress,
  NO_ANSWER,
  otherAccountText,
  whenWords,
  withdrawalWords,
} from "../../domain/account_words.js";
import { exactUsdText, readUsd } from "../../domain/amounts.js";
import { walletText } from "../../domain/numbers.js";
import { walletFaultText } from "../../domain/sign_in_words.js";
import { Refused } from "../../io/api.js";
import { WalletProblem } from "../../io/wallets.js";
import { OtherAccount, sendWithdrawal, signWithdrawal } from "../../io/withdraw.js";
import { make, setText } from "../dom.js";
import { AMOUNT, busy, button, field, fold, longField, outcome, problemText } from "./parts.js";

/** @import { Page } from "../../page.js" */
/** @import { SignedWithdrawal } from "../../io/withdraw.js" */
/** @import { Withdrawal, Withdrawals } from "../../types/wire.js" */

const SHOWN = 10;

/** @param {Page} page */
export function withdrawalsSection(page) {
  return new WithdrawalsSection(page).element;
}

class WithdrawalsSection {
  #said = outcome();
  #listed = outcome();
  #list = make("ul", { class: "account-list" });
  /** @type {string | null} */
  #cursor = null;
  /** @type {SignedWithdrawal | null} sent, and not known to be taken or refused */
  #unsettled = null;
  /** @type {string | null} the account that signed in last */
  #owner = null;
  #all = button("All", () => this.#fillAll(), { label: "All of the balance" });
  #amount = field("Amount, USD", { attributes: AMOUNT, beside: this.#all });
  #destination = longField("To this address", {
    hint: "Your own address, unless you choose another. What is paid to a wrong one is gone.",
    attributes: { maxlength: "60", autocapitalize: "off" },
  });
  #wallet = make("select", { id: "account-wallet", class: "account-input" });
  #wallets = make(
    "div",
    { class: "account-field" },
    make("label", { for: "account-wallet", class: "account-label" }, "Signed by"),
    this.#wallet,
  );
  #send = button("Sign and request", () => {}, { strong: true, submit: true });
  #ask = button("Ask again", () => this.#settle(this.#ask));
  #more = button("Show earlier", () => busy(this.#more, () => this.#load(this.#cursor)));

  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.fold = fold("Withdrawals", () => this.#opened());
    this.element = this.fold.element;
    this.#ask.hidden = true;
    this.#more.hidden = true;
    this.fold.body.append(this.#form(), this.#list, this.#more, this.#listed.element);
    page.store.show(
      (state) => [state.session.kind, state.session.wallet],
      (kind, wallet) => {
        this.element.hidden = kind !== "wallet";
        this.#belongsTo(wallet);
        this.#destination.input.value = wallet ?? "";
        this.#list.replaceChildren();
        this.element.open = false;
      },
    );
    // Paid or returned: the list says so without being asked.
    page.store.watch((_state, _before, { type }) => {
      if ((type === "account" || type === "balance") && this.element.open) {
        this.#load(null);
      }
    });
  }

  /**
   * What one account has typed, asked for and not settled is nobody else's. Whose session has only
   * ended may come back to it.
   *
   * @param {string | null} wallet
   */
  #belongsTo(wallet) {
    if (wallet === null || wallet === this.#owner) {
      return;
    }
    this.#owner = wallet;
    this.#unsettled = null;
    this.#ask.hidden = true;
    this.#amount.input.value = "";
    this.#amount.complain("");
    this.#said.say("");
  }

  #form() {
    return make(
      "form",
      { class: "account-form", novalidate: true, onsubmit: (event) => this.#submitted(event) },
      this.#amount.element,
      this.#destination.element,
      this.#wallets,
      make(
        "p",
        { class: "account-hint" },
        "Your wallet shows the amount and the address, and has 30 seconds to sign them. An operator then pays.",
      ),
      make("div", { class: "account-row" }, this.#send, this.#ask),
      this.#said.element,
    );
  }

  #opened() {
    const wallets = this.page.wallets.list();
    this.#wallet.replaceChildren(
      ...wallets.map(({ id, name }) => make("option", { value: id }, name)),
    );
    this.#wallets.hidden = wallets.length < 2;
    if (wallets.length === 0) {
      this.#said.say("No wallet was found in this browser. Unlock it and open this section again.");
    }
    this.#load(null);
  }

  #fillAll() {
    const { account } = this.page.store.state;
    if (account !== null) {
      this.#amount.input.value = exactUsdText(account.balance_micros);
      this.#amount.complain("");
    }
  }

  /** @param {SubmitEvent} event */
  #submitted(event) {
    event.preventDefault();
    const { micros, problem } = this.#amountRead();
    const destination = this.#destination.input.value.trim();
    const isGood = isAddress(destination);
    this.#amount.complain(problem);
    this.#destination.complain(isGood ? "" : "An address is 0x and 40 digits from 0 to f.");
    if (micros === null) {
      this.#amount.input.focus();
    } else if (!isGood) {
      this.#destination.input.focus();
    } else if (this.#unsettled !== null) {
      this.#said.say("The last request is not settled yet. Ask again about it first.", true);
    } else {
      busy(this.#send, () => this.#request(micros, destination));
    }
  }

  #amountRead() {
    const read = readUsd(this.#amount.input.value);
    const balance = this.page.store.state.account?.balance_micros ?? null;
    return read.micros !== null && balance !== null && read.micros > balance
      ? { micros: null, problem: `Your balance is ${exactUsdText(balance)} USD.` }
      : read;
  }

  /**
   * @param {number} amountMicros
   * @param {string} destination
   */
  async #request(amountMicros, destination) {
    const { session, market } = this.page.store.state;
    const wallets = this.page.wallets.list();
    const wallet = wallets.find(({ id }) => id === this.#wallet.value) ?? wallets[0];
    if (wallet === undefined || session.wallet === null || market.rules === null) {
      this.#said.say("No wallet was found in this browser. Unlock it, then try again.", true);
      return;
    }
    const asked = {
      account: session.wallet,
      amountMicros,
      destination,
      chainId: market.rules.chain_id,
    };
    this.#said.say("Look at your wallet: it asks you to sign.");
    try {
      const signal = new AbortController().signal;
      const signed = await signWithdrawal(wallet, asked, this.page.clock, signal);
      if (signed.wallet === this.#owner) {
        this.#said.say("Signed. Asking the venue.");
        await this.#deliver(signed, false);
      }
    } catch (error) {
      this.#said.say(signingText(error), true);
    }
  }

  /** @param {HTMLButtonElement} by */
  #settle(by) {
    const signed = this.#unsettled;
    if (signed !== null) {
      busy(by, () => this.#deliver(signed, true));
    }
  }

  /**
   * @param {SignedWithdrawal} signed
   * @param {boolean} isAgain
   */
  async #deliver(signed, isAgain) {
    const sent = sendWithdrawal(this.page.api, this.page.clock, signed, isAgain);
    const failure = await sent.then(
      () => null,
      (/** @type {unknown} */ error) => error,
    );
    if (signed.wallet !== this.#owner) {
      return; // somebody else has signed in meanwhile
    }
    this.#unsettled = failure === null || failure instanceof Refused ? null : signed;
    this.#ask.hidden = this.#unsettled === null;
    if (failure === null) {
      this.#amount.input.value = "";
      this.#said.say("Requested. The amount has left your balance; an operator pays it.");
      await this.#load(null);
    } else {
      this.#said.say(failure instanceof Refused ? problemText(failure) : UNSETTLED, true);
    }
  }

  /** @param {string | null} cursor */
  async #load(cursor) {
    const query = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    try {
      const path = `/api/withdrawals?limit=${SHOWN}${query}`;
      const { withdrawals, next_cursor } = /** @type {Withdrawals} */ (
        await this.page.api.get(path)
      );
      const items = withdrawals.map((withdrawal) => this.#item(withdrawal));
      if (cursor === null) {
        this.#list.replaceChildren(...items);
      } else {
        this.#list.append(...items);
      }
      this.#cursor = next_cursor;
      this.#more.hidden = next_cursor === null;
      this.#listed.say(this.#list.children.length === 0 ? "No withdrawals yet." : "");
    } catch (error) {
      this.#listed.say(problemText(error), true);
    }
  }

  /** @param {Withdrawal} withdrawal */
  #item(withdrawal) {
    const { amount_micros: micros, destination, requested_at_ms: atMs, status } = withdrawal;
    const line = make("p", { class: "account-hint" });
    setText(line, `${whenWords(atMs, this.page.clock.nowMs())}, to ${walletText(destination)}`);
    return make(
      "li",
      { class: "account-item", "data-status": status },
      make(
        "div",
        { class: "account-row" },
        make("p", { class: "account-item-title" }, `${exactUsdText(micros)} USD`),
        make("p", { class: "account-state" }, withdrawalWords(withdrawal)),
      ),
      line,
    );
  }
}

const UNSETTLED = `${NO_ANSWER} It may have been taken: ask again, and it is taken once at most.`;

/** @param {unknown} error */
function signingText(error) {
  if (error instanceof OtherAccount) {
    return otherAccountText(error.account);
  }
  return error instanceof WalletProblem ? walletFaultText(error.fault) : problemText(error);
}
