// Who is signed in here: one session for all tabs of this browser, and the key that signs its taps.
// The token and the key stay in this module and the store below it; all that others get is
// `page:session`.
//
// When a session ends is the venue's to say. Our clock only says when to ask.

import {
  accountText,
  ENDED,
  retryAfterMs,
  signedOutHereText,
  signInRefusalText,
  UNREACHABLE,
  walletFaultText,
} from "../domain/sign_in_words.js";
import { Refused } from "./api.js";
import { canMakeKeys, makeKey, signText } from "./keys.js";
import { SessionStore } from "./session_store.js";
import { PageMoved, signInByWallet } from "./wallet_sign_in.js";
import { WalletProblem, watchAccounts } from "./wallets.js";

/** @import { KeyCaps } from "../page.js" */
/** @import { Session } from "../state/state.js" */
/** @import { Session as SessionAnswer, SignedIn } from "../types/wire.js" */
/** @import { Api } from "./api.js" */
/** @import { VenueClock } from "./clock.js" */
/** @import { SigningKey } from "./keys.js" */
/** @import { Kept, SessionRecord } from "./session_store.js" */
/** @import { Wallet, Wallets } from "./wallets.js" */

const CHANNEL = "tapgrid-session";
const LOCK = "tapgrid-sign-in";
/** How often at least, and at most, it is looked whether the session or its key should have ended. */
const CHECK_MS_MAX = 60_000;
const CHECK_MS_MIN = 5_000;

/** Between the attempts to begin a first visit. */
const WELCOME_PAUSES_MS = [1_000, 3_000, 10_000, 30_000, 60_000];

const NO_KEYS =
  "This browser can't make keys here. Open the page by https, or on the venue's own machine.";

/** @type {Session} */
const NOBODY = {
  phase: "none",
  kind: null,
  wallet: null,
  sessionId: null,
  expiresAtMs: null,
  key: null,
  problem: "",
  waitingFor: null,
};

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
  #channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(CHANNEL);
  #unwatch = () => {};
  #isRestored = promise();
  /** @type {Promise<void> | null} */
  #welcome = null;

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
    this.#channel?.addEventListener("message", () => void this.reread());
  }

  /** @returns {string | null} the bearer token, for our own venue only */
  token() {
    return this.#record?.token ?? null;
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
    this.#isRestored.resolve();
    void this.check();
  }

  /**
   * On a first visit to a venue with paper money: begin at once, as soon as the venue can. Whose
   * session has ended or who has signed out decides for himself.
   */
  async welcome() {
    this.#welcome ??= this.#welcomed().finally(() => {
      this.#welcome = null;
    });
    await this.#welcome;
  }

  async #welcomed() {
    await this.#isRestored.promise;
    for (const pauseMs of WELCOME_PAUSES_MS) {
      if (this.#kept !== null) {
        return;
      }
      const waitMs = Math.max(pauseMs, await this.signInDemo());
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  /**
   * Begin a demo account, or take up the one that another tab has just begun.
   *
   * @returns {Promise<number>} how many ms the venue asks to wait before the next attempt
   */
  async signInDemo() {
    return this.#signIn("venue", (signal) => oneTabAtATime(signal, () => this.#beginDemo()));
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
      this.#follow(wallet);
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
    const isNews = kept !== null && (kept.phase !== "in" || kept.token !== this.token());
    if (isNews && this.#underWay === null) {
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
        this.#take({ ...record, expiresAtMs: said.expires_at_ms, key: keyOf(said.session_key) });
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
    const look = () => {
      const rdns = this.#record?.rdns ?? null;
      const wallet = wallets.list().find((found) => rdns !== null && found.rdns === rdns);
      if (wallet !== undefined) {
        this.#follow(wallet);
      }
    };
    wallets.watch(look);
    look();
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
    this.#say(failure === null ? "" : this.#problemText(failure));
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
      key: keyOf(signedIn.session_key),
    });
    if (former !== null) {
      // No key is left behind that may still bet. If the venue can't be told it ends by itself.
      await this.#api.post("/api/auth/logout", {}, former.token).catch(() => {});
    }
  }

  /** @param {unknown} failure */
  #problemText(failure) {
    if (failure instanceof WalletProblem) {
      return walletFaultText(failure.fault);
    }
    if (failure instanceof Refused) {
      return signInRefusalText(failure.code, failure.details, this.#clock.pageMs());
    }
    if (failure instanceof PageMoved) {
      return `Open this page as ${failure.uri} to sign in with a wallet.`;
    }
    return canMakeKeys() ? UNREACHABLE : NO_KEYS;
  }

  // What is kept

  /** @param {Kept} kept */
  async #keep(kept) {
    await this.#store.save(kept);
    this.#take(kept);
    this.#channel?.postMessage("changed");
  }

  /** @param {Kept} kept */
  #take(kept) {
    this.#kept = kept;
    this.#plan();
    this.#show(this.#shown());
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

  /** @returns {Session} */
  #shown() {
    const kept = this.#kept;
    const waitingFor = this.#waitingFor;
    if (kept?.phase === "in") {
      const { phase, kind, wallet, sessionId, expiresAtMs, key } = kept;
      return { ...NOBODY, phase, kind, wallet, sessionId, expiresAtMs, key, waitingFor };
    }
    const phase = kept?.phase === "expired" ? "expired" : "none";
    const kind = phase === "expired" ? (kept?.kind ?? null) : null;
    return { ...NOBODY, kind, phase: waitingFor === null ? phase : "signing_in", waitingFor };
  }

  /** When to ask the venue next whether it still stands. */
  #plan() {
    clearTimeout(this.#timer);
    const record = this.#record;
    if (record === null) {
      return;
    }
    const endsMs = Math.min(record.expiresAtMs, record.key?.expiresAtMs ?? record.expiresAtMs);
    const inMs = endsMs - this.#clock.nowMs();
    const waitMs = Math.min(Math.max(inMs, CHECK_MS_MIN), CHECK_MS_MAX);
    this.#timer = setTimeout(() => (inMs > CHECK_MS_MAX ? this.#plan() : this.check()), waitMs);
  }

  /** @param {Wallet} wallet */
  #follow(wallet) {
    this.#unwatch();
    this.#unwatch = watchAccounts(wallet, ([account]) => {
      const signedIn = this.#record?.wallet;
      if (signedIn !== undefined) {
        this.#say(accountText(account, signedIn));
      }
    });
  }

  /** @param {string} problem */
  #say(problem) {
    this.#show({ ...this.#shown(), problem });
  }
}

/** A promise and what fulfils it. */
function promise() {
  let resolve = () => {};
  const waiting = new Promise((done) => {
    resolve = () => done(undefined);
  });
  return { promise: waiting, resolve };
}

/**
 * @param {unknown} failure
 */
function asFound(failure) {
  return failure;
}

/**
 * Two tabs that are opened at once make one demo account, not two.
 *
 * @param {AbortSignal} signal
 * @param {() => Promise<void>} work
 */
async function oneTabAtATime(signal, work) {
  if (navigator.locks === undefined) {
    await work();
    return;
  }
  await navigator.locks.request(LOCK, { signal }, work);
}

/**
 * @param {SignedIn["session_key"] | SessionAnswer["session_key"]} key
 * @returns {Session["key"]}
 */
function keyOf(key) {
  return key === null
    ? null
    : {
        keyId: key.key_id,
        betMaxMicros: key.bet_max_micros,
        dayMaxMicros: key.day_max_micros,
        expiresAtMs: key.expires_at_ms,
      };
}
