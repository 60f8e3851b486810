import assert from "node:assert/strict";
import { test } from "node:test";
import {
  askAccount,
  signMessage,
  WalletProblem,
  Wallets,
  watchAccounts,
} from "../../../web/io/wallets.js";

/** @import { Provider, Wallet } from "../../../web/io/wallets.js" */

const ACCOUNT = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf";
const SIGNATURE = `0x${"ab".repeat(65)}`;
const ICON = "data:image/svg+xml;base64,PHN2Zy8+";
const WAITING = new AbortController().signal;

/** A page with nothing but events and perhaps `window.ethereum`. */
class Page extends EventTarget {
  /** @type {unknown} */
  ethereum = undefined;

  /** @param {unknown} detail */
  announce(detail) {
    this.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  }
}

/** @param {Page} page */
const walletsOf = (page) => new Wallets(/** @type {any} */ (page));

/**
 * @param {(method: string, params: readonly unknown[]) => unknown} answer
 * @returns {Provider}
 */
function provider(answer) {
  return { request: async ({ method, params = [] }) => answer(method, params) };
}

/** @param {Record<string, unknown>} [info] */
function announcement(info = {}) {
  const all = { uuid: "1", name: "Fox", icon: ICON, rdns: "example.fox", ...info };
  return { info: all, provider: provider(() => null) };
}

/**
 * @param {(method: string, params: readonly unknown[]) => unknown} answer
 * @returns {Wallet}
 */
function wallet(answer) {
  return { id: "1", name: "Fox", iconUrl: null, rdns: null, provider: provider(answer) };
}

/**
 * @param {Promise<unknown>} asked
 * @returns {Promise<string>}
 */
async function faultOf(asked) {
  return asked.then(
    () => assert.fail("it was answered"),
    (problem) => {
      assert.ok(problem instanceof WalletProblem);
      return problem.fault;
    },
  );
}

// --- which there are ----------------------------------------------------------------------------

test("wallets are asked to announce themselves, now and when looked for again", () => {
  const page = new Page();
  let asked = 0;
  page.addEventListener("eip6963:requestProvider", () => {
    asked += 1;
  });
  walletsOf(page).look();
  assert.equal(asked, 2);
});

test("each wallet is listed once, by name, whenever it announces itself", () => {
  const page = new Page();
  const wallets = walletsOf(page);
  let told = 0;
  wallets.watch(() => {
    told += 1;
  });
  page.announce(announcement({ uuid: "2", name: "Zebra" }));
  page.announce(announcement());
  page.announce(announcement({ name: "Fox again" }));
  assert.deepEqual(
    wallets.list().map(({ id, name, rdns }) => [id, name, rdns]),
    [
      ["1", "Fox", "example.fox"],
      ["2", "Zebra", "example.fox"],
    ],
  );
  assert.equal(told, 2);
});

test("an icon is shown only if it came along as an image", () => {
  const page = new Page();
  const wallets = walletsOf(page);
  const icons = [ICON, "https://evil.example/spy.png", "data:text/html,x", "javascript:0", 7];
  for (const [index, icon] of icons.entries()) {
    page.announce(announcement({ uuid: String(index), name: String(index), icon }));
  }
  assert.deepEqual(
    wallets.list().map(({ iconUrl }) => iconUrl),
    [ICON, null, null, null, null],
  );
});

test("a name is a short line of what can be seen", () => {
  const page = new Page();
  const wallets = walletsOf(page);
  page.announce(announcement({ uuid: "1", name: "  Fo\u202ex\n " }));
  page.announce(announcement({ uuid: "2", name: "x".repeat(500) }));
  page.announce(announcement({ uuid: "3", name: "\u200b" }));
  assert.deepEqual(
    wallets.list().map(({ name }) => name),
    ["Fox", "Unnamed wallet", `${"x".repeat(39)}…`],
  );
});

test("what is no announcement is let pass", () => {
  const page = new Page();
  const wallets = walletsOf(page);
  const { info } = announcement();
  for (const detail of [null, {}, { info }, { info, provider: {} }, { provider: provider(Date) }]) {
    page.announce(detail);
  }
  assert.deepEqual(wallets.list(), []);
});

test("a wallet whose fields throw, or that comes a thousandfold, takes nothing from the others", () => {
  const page = new Page();
  Object.defineProperty(page, "ethereum", {
    get() {
      throw new Error("locked");
    },
  });
  const wallets = walletsOf(page);
  assert.deepEqual(wallets.list(), []);
  page.announce(announcement({ uuid: "first", name: "Fox" }));
  const { info } = announcement({ uuid: "2" });
  const trap = new Proxy(
    {},
    {
      get() {
        throw new Error("trap");
      },
    },
  );
  page.announce(trap);
  page.announce({ info, provider: trap });
  for (let count = 0; count < 2_000; count += 1) {
    page.announce(announcement({ uuid: `copy ${count}`, name: "A" }));
  }
  const names = wallets.list().map(({ name }) => name);
  assert.ok(names.length < 100 && names.includes("Fox"));
});

test("window.ethereum counts where none has announced itself", () => {
  const page = new Page();
  page.ethereum = provider(() => null);
  const wallets = walletsOf(page);
  assert.deepEqual(
    wallets.list().map(({ id }) => id),
    ["injected"],
  );
  page.announce(announcement());
  assert.deepEqual(
    wallets.list().map(({ id }) => id),
    ["1"],
  );
});

// --- what they are asked ------------------------------------------------------------------------

test("an account is asked for, and is one in lower case", async () => {
  /** @type {string[]} */
  const asked = [];
  const account = await askAccount(
    wallet((method) => {
      asked.push(method);
      return ["not one", ACCOUNT, `0x${"1".repeat(40)}`];
    }),
    WAITING,
  );
  assert.equal(account, ACCOUNT.toLowerCase());
  assert.deepEqual(asked, ["eth_requestAccounts"]);
});

test("no account is no account, whatever else is said", async () => {
  for (const said of [[], null, "0x", [7], [{}]]) {
    assert.equal(
      await faultOf(
        askAccount(
          wallet(() => said),
          WAITING,
        ),
      ),
      "no_account",
    );
  }
});

test("a text is signed as hexadecimal digits of its UTF-8, and the wallet told for whom", async () => {
  /** @type {unknown} */
  let asked = null;
  const signature = await signMessage(
    wallet((method, params) => {
      asked = [method, ...params];
      return SIGNATURE;
    }),
    "a\nü",
    ACCOUNT,
    WAITING,
  );
  assert.equal(signature, SIGNATURE);
  assert.deepEqual(asked, ["personal_sign", "0x610ac3bc", ACCOUNT]);
});

test("a signature that no single key has made is said to be odd", async () => {
  for (const said of [null, "", "0x12", `${SIGNATURE}00`, SIGNATURE.slice(2)]) {
    assert.equal(
      await faultOf(
        signMessage(
          wallet(() => said),
          "a",
          ACCOUNT,
          WAITING,
        ),
      ),
      "odd_signature",
    );
  }
});

test("why a wallet did not sign is told by its code, never by its text", async () => {
  /** @type {[unknown, string][]} */
  const said = [
    [{ code: 4001, message: "User rejected the request." }, "rejected"],
    [{ code: -32603, data: { originalError: { code: 4001 } } }, "rejected"],
    [{ code: -32002 }, "pending"],
    [{ code: 4900 }, "disconnected"],
    [{ code: 4901 }, "disconnected"],
    [new Error("<b>boom</b>"), "failed"],
    [null, "failed"],
  ];
  for (const [error, fault] of said) {
    const throws = wallet(() => {
      throw error;
    });
    assert.equal(await faultOf(askAccount(throws, WAITING)), fault);
  }
});

test("a provider that throws at once fails like one that rejects", async () => {
  const broken = wallet(() => null);
  broken.provider = {
    request: () => {
      throw { code: 4001 };
    },
  };
  assert.equal(await faultOf(askAccount(broken, WAITING)), "rejected");
});

test("a wallet that never answers is waited for no longer than the trader wants", async () => {
  const control = new AbortController();
  const asked = askAccount(
    wallet(() => new Promise(() => {})),
    control.signal,
  );
  control.abort(new WalletProblem("canceled"));
  assert.equal(await faultOf(asked), "canceled");
  const late = askAccount(
    wallet(() => new Promise(() => {})),
    control.signal,
  );
  assert.equal(await faultOf(late), "canceled");
});

test("a wallet that never answers is waited for a few minutes", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const asked = askAccount(
    wallet(() => new Promise(() => {})),
    WAITING,
  );
  t.mock.timers.tick(240_000);
  assert.equal(await faultOf(asked), "timeout");
});

test("which account a wallet shows is heard until nobody listens", () => {
  const { provider: plain } = wallet(() => null);
  /** @type {Set<(accounts: unknown) => void>} */
  const listeners = new Set();
  const found = {
    ...wallet(() => null),
    provider: {
      ...plain,
      on: (/** @type {string} */ _event, /** @type {any} */ listener) => listeners.add(listener),
      removeListener: (/** @type {string} */ _event, /** @type {any} */ listener) =>
        listeners.delete(listener),
    },
  };
  /** @type {unknown[]} */
  const heard = [];
  const end = watchAccounts(found, (accounts) => heard.push(accounts));
  for (const listener of listeners) {
    listener([ACCOUNT]);
    listener([]);
    listener("nonsense");
  }
  assert.deepEqual(heard, [[ACCOUNT.toLowerCase()], [], []]);
  end();
  assert.equal(listeners.size, 0);
});

test("a wallet that can't be listened to, or not let go of, is let be", () => {
  const refuses = () => {
    throw new Error("not supported");
  };
  const found = wallet(() => null);
  found.provider = { ...found.provider, on: refuses, removeListener: refuses };
  watchAccounts(found, () => assert.fail("it said nothing"))();
});

test("what a wallet throws is known by its code, even if it can't be looked at", async () => {
  const traps = { get: () => assert.fail("trap") };
  const found = wallet(() => {
    throw new Proxy({}, traps);
  });
  assert.equal(await faultOf(askAccount(found, WAITING)), "failed");
});
