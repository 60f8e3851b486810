// Who is signed in here: one session for all tabs of this browser, and the key that signs its taps.
// The token and the key stay in this module and the store below it; all that others get is
// `page:session`.
//
// When a session ends is the venue's to say. Our clock only says when to ask.

import { nextCheck, shownKey, shownSession } from "../domain/session_shown.js";
import { accountText, ENDED, retryAfterMs, signedOutHereText } from "../domain/sign_in_words.js";
import { Refused } from "./api.js";
import { makeKey, signText } from "./keys.js";
import { SessionStore } from "./session_store.js";
import { problemText } from "./sign_in_problem.js";
import { Tabs } from "./tabs.js";
import { signInByWallet } from "./wallet_sign_in.js";
import { WalletProblem, watchAccounts } from "./wallets.js";

/** @import { KeyCaps } from "../page.js" */
/** @import { Session } from "../state/state.js" */
/** @import { Session as SessionAnswer, SignedIn } from "../types/wire.js" */
/** @import { Api } from "./api.js" */
/** @import { VenueClock } from "./clock.js" */
/** @import { SigningKey } from "./keys.js" */
/** @import { Kept, SessionRecord } from "./session_store.js" */
/** @import { Wallet, Wallets } from "./wallets.js" */

export class Sessions {
  #show;
  #api;
  #clock;
  #store;
  #origin;
  /** @type {Kept | null} */
  #kept = null;
  /** @type {AbortController | null} what ends the sign-in that is under way */
  #underWay = null;
  /** @type {"venue" | "wallet" | null} */
  #waitingFor = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #tabs = new Tabs(() => void this.reread());
  #problem = "";
  /** @type {Wallets | null} */
  #wallets = null;
  #unwatch = () => {};
  #isClosed = false;

  /**
   * @param {object} ports
   * @param {(session: Session) => void} ports.show dispatches `page:session`
   * @param {Api} ports.api which has this object's token
   * @param {VenueClock} ports.clock
   * @param {SessionStore} [ports.store]
   * @param {string} [ports.origin] of the page
   */
  constructor({ show, api, clock, store = new SessionStore(), origin = location.origin }) {
    this.#show = show;
    this.#api = api;
    this.#clock = clock;
    this.#store = store;
    this.#origin = origin;
  }

  /** @returns {string | null} the bearer token, for our own venue only */
  token() {
    return this.#record?.token ?? null;
  }

  /** Has nobody signed in here before, as far as is known? */
  get isFirstVisit() {
    return this.#kept === null;
  }

  /**
   * A text's signature by the session key.
   *
   * @param {string} text
   * @returns {Promise<string>} `0x` and 128 hexadecimal digits
   */
  async sign(text) {
    if (this.#record === null) {
      throw new Error("nobody is signed in");
    }
    return signText(this.#record.privateKey, text);
  }

  /** Take up the session of an earlier visit or another tab. */
  async restore() {
    await this.reread();
    void this.check();
  }

  /**
   * Begin a demo account, or take up the one that another tab has just begun.
   *
   * @returns {Promise<number>} how many ms the venue asks to wait before the next attempt
   */
  async signInDemo() {
    return this.#signIn("venue", (signal) =>
      this.#tabs.oneAtATime(signal, () => this.#beginDemo()),
    );
  }

  /**
   * @param {Wallet} wallet
   * @param {KeyCaps} caps
   */
  async signInWith(wallet, caps) {
    await this.#signIn("wallet", async (signal) => {
      const options = { signal, origin: this.#origin };
      const { key, signedIn } = await signInByWallet(wallet, caps, this.#api, options);
      await this.#begin("wallet", wallet.rdns, key, signedIn);
    });
  }

  /** Wait for the wallet no longer. */
  cancel() {
    this.#underWay?.abort(new WalletProblem("canceled"));
  }

  /** End the session and its key, here and at the venue. */
  async signOut() {
    const record = this.#record;
    if (record === null) {
      return;
    }
    // Forgotten first: all tabs then know that it ends because the trader wants it.
    await this.#forget(record, "signed_out", "");
    const isTold = await this.#api.post("/api/auth/logout", {}, record.token).then(
      () => true,
      (failure) => failure instanceof Refused && failure.code === "unauthorized",
    );
    if (!isTold && this.#kept?.phase === "signed_out") {
      this.#say(signedOutHereText(record.expiresAtMs));
    }
  }

  /**
   * The venue has said that the session is over.
   *
   * @param {string | null} [token] whose session; that of now
   */
  async ended(token = this.token()) {
    const record = this.#record;
    if (record !== null && record.token === token) {
      await this.#forget(record, "expired", ENDED);
    }
  }

  /** Look at what is kept: another tab may have signed in or out. */
  async reread() {
    const kept = await this.#store.load();
    if (kept !== null && !isSame(kept, this.#kept) && this.#underWay === null) {
      this.#problem = "";
      this.#take(kept);
    }
  }

  /** Ask the venue whether the session still stands, and what its key may do. */
  async check() {
    const record = this.#record;
    if (record === null) {
      return;
    }
    try {
      const said = /** @type {SessionAnswer} */ (await this.#api.get("/api/auth/session"));
      if (this.#record === record) {
        this.#take({ ...record, expiresAtMs: said.expires_at_ms, key: shownKey(said.session_key) });
      }
    } catch {
      // Refused: the Api has told us that it ended. No answer: it is asked again.
      this.#plan();
    }
  }

  /**
   * Say so when the wallet that signed in shows another account.
   *
   * @param {Wallets} wallets
   */
  watch(wallets) {
    this.#wallets = wallets;
    wallets.watch(() => this.#followWallet());
  }

  /** Neither other tabs nor the clock are heeded any more. */
  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#tabs.close();
    this.#unwatch();
  }

  get #record() {
    return this.#kept?.phase === "in" ? this.#kept : null;
  }

  // Signing in

  /**
   * One sign-in at a time; what went wrong is said in the session.
   *
   * @param {"venue" | "wallet"} waitingFor
   * @param {(signal: AbortSignal) => Promise<void>} work
   * @returns {Promise<number>} how many ms the venue asks to wait before the next attempt
   */
  async #signIn(waitingFor, work) {
    if (this.#underWay !== null) {
      return 0;
    }
    const control = new AbortController();
    this.#underWay = control;
    this.#waitingFor = waitingFor;
    this.#say("");
    const failure = await work(control.signal).then(() => null, asFound);
    this.#underWay = null;
    this.#waitingFor = null;
    this.#say(failure === null ? "" : problemText(failure, this.#clock.pageMs()));
    void this.reread(); // what other tabs have done meanwhile
    return failure instanceof Refused ? retryAfterMs(failure.details) : 0;
  }

  async #beginDemo() {
    const kept = await this.#store.load();
    if (kept?.phase === "in") {
      this.#take(kept); // another tab was quicker
      return;
    }
    const key = await makeKey();
    const signedIn = await this.#api.post("/api/auth/demo", { public_key: key.point }, null);
    await this.#begin("demo", null, key, /** @type {SignedIn} */ (signedIn));
  }

  /**
   * @param {"demo" | "wallet"} kind
   * @param {string | null} rdns
   * @param {SigningKey} key
   * @param {SignedIn} signedIn
   */
  async #begin(kind, rdns, key, signedIn) {
    const former = this.#record;
    await this.#keep({
      phase: "in",
      token: signedIn.token,
      sessionId: signedIn.session_id,
      wallet: signedIn.user.wallet,
      kind,
      rdns,
      expiresAtMs: signedIn.expires_at_ms,
      privateKey: key.privateKey,
      key: shownKey(signedIn.session_key),
    });
    if (former !== null) {
      // No key is left behind that may still bet. If the venue can't be told it ends by itself.
      void this.#api.post("/api/auth/logout", {}, former.token).catch(() => {});
    }
  }

  // What is kept

  /** @param {Kept} kept */
  async #keep(kept) {
    await this.#store.save(kept);
    this.#take(kept);
    this.#tabs.tell();
  }

  /** @param {Kept} kept */
  #take(kept) {
    this.#kept = kept;
    this.#plan();
    this.#followWallet();
    this.#tell();
  }

  /**
   * @param {SessionRecord} record
   * @param {"expired" | "signed_out"} phase
   * @param {string} problem
   */
  async #forget(record, phase, problem) {
    this.#unwatch();
    this.#kept = { phase, kind: record.kind };
    const kept = await this.#store.load();
    const isStillKept = kept?.phase === "in" && kept.token === record.token;
    if (kept !== null && !isStillKept) {
      this.#take(kept); // another tab has signed out before, or in anew
      return;
    }
    await this.#keep(this.#kept);
    this.#say(problem);
  }

  /** Ask the venue when the session or its key should have ended. */
  #plan() {
    clearTimeout(this.#timer);
    if (this.#record !== null && !this.#isClosed) {
      const { waitMs, isDue } = nextCheck(this.#record, this.#clock.nowMs());
      this.#timer = setTimeout(() => (isDue ? this.check() : this.#plan()), waitMs);
    }
  }

  /** Hear of the accounts of the wallet that signed in, if it is here. */
  #followWallet() {
    this.#unwatch();
    const signedIn = this.#record?.wallet;
    const rdns = this.#record?.rdns ?? null;
    const wallet = this.#wallets?.list().find((found) => rdns !== null && found.rdns === rdns);
    if (wallet !== undefined && signedIn !== undefined) {
      this.#unwatch = watchAccounts(wallet, ([account]) =>
        this.#say(accountText(account, signedIn)),
      );
    }
  }

  /** @param {string} problem */
  #say(problem) {
    this.#problem = problem;
    this.#tell();
  }

  #tell() {
    this.#show(shownSession(this.#kept, this.#waitingFor, this.#problem));
  }
}

/**
 * @param {Kept} kept
 * @param {Kept | null} other
 */
function isSame(kept, other) {
  return kept.phase === "in"
    ? other?.phase === "in" && kept.token === other.token
    : kept.phase === other?.phase && kept.kind === other.kind;
}

/**
 * @param {unknown} failure
 */
function asFound(failure) {
  return failure;
}
