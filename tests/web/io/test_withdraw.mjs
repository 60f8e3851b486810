// A withdrawal is signed once and taken once, whatever becomes of its answers.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { withdrawalText } from "../../../web/domain/signed_text.js";
import { Api, Refused, Unreachable } from "../../../web/io/api.js";
import { VenueClock } from "../../../web/io/clock.js";
import { WalletProblem } from "../../../web/io/wallets.js";
import {
  OtherAccount,
  sendWithdrawal,
  signWithdrawal,
  Unsettled,
} from "../../../web/io/withdraw.js";

/** @import { AddressInfo } from "node:net" */
/** @import { SignedWithdrawal } from "../../../web/io/withdraw.js" */

const ACCOUNT = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf";
const SIGNATURE = `0x${"ab".repeat(65)}`;

/**
 * A venue that takes each nonce once, as the ledger does. `answers` says, request by request, what
 * becomes of it: `taken`, `lost` (taken, and the line is cut), or the code of a refusal.
 *
 * @param {import("node:test").TestContext} t
 * @param {string[]} answers
 */
async function venue(t, answers) {
  /** @type {Map<string, object>} */
  const taken = new Map();
  const server = createServer(async (request, response) => {
    const say = (/** @type {number} */ status, /** @type {object} */ body) =>
      response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    if (request.method === "GET") {
      say(200, { withdrawals: [...taken.values()], next_cursor: null });
      return;
    }
    const asked = JSON.parse(await new Response(/** @type {any} */ (request)).text());
    const answer = answers.shift() ?? "taken";
    if (answer !== "taken" && answer !== "lost") {
      say(400, { error: answer, message: answer });
      return;
    }
    const first = taken.get(asked.nonce);
    taken.set(asked.nonce, first ?? asked);
    if (answer === "lost") {
      request.socket.destroy();
    } else if (first !== undefined) {
      say(409, {
        error: "replay_detected",
        message: "",
        withdrawal: { id: "W", status: "pending" },
      });
    } else {
      say(202, { withdrawal: {}, balance_micros: 0 });
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  const { port } = /** @type {AddressInfo} */ (server.address());
  return { api: new Api(() => "token", { origin: `http://127.0.0.1:${port}` }), taken };
}

/**
 * A wallet whose owner answers so.
 *
 * @param {Record<string, (params: readonly any[]) => unknown>} answers
 */
function walletThat(answers) {
  const request = async (/** @type {{method: string, params?: readonly any[]}} */ asked) =>
    answers[asked.method]?.(asked.params ?? []);
  return { id: "w", name: "Wallet", iconUrl: null, rdns: null, provider: { request } };
}

/** @param {number} [agoS] */
function signed(agoS = 0) {
  /** @type {SignedWithdrawal} */
  const one = {
    wallet: ACCOUNT,
    amount: "5000000",
    destination: ACCOUNT,
    nonce: crypto.randomUUID(),
    timestamp: Math.floor(new VenueClock().nowMs() / 1000) - agoS,
    chain_id: 31337,
    version: 1,
    signature: SIGNATURE,
  };
  return one;
}

const asked = { account: ACCOUNT, amountMicros: 5_000_000, destination: ACCOUNT, chainId: 31337 };
const never = new AbortController().signal;

test("the wallet is shown the very text that the venue checks", async () => {
  /** @type {string[]} */
  const shown = [];
  const wallet = walletThat({
    eth_requestAccounts: () => [ACCOUNT],
    personal_sign: ([text, account]) => {
      shown.push(Buffer.from(text.slice(2), "hex").toString(), account);
      return SIGNATURE;
    },
  });
  const destination = ACCOUNT.toUpperCase().replace("0X", "0x");
  const made = await signWithdrawal(wallet, { ...asked, destination }, new VenueClock(), never);
  assert.equal(made.destination, ACCOUNT, "addresses are signed and sent in lower case");
  assert.deepEqual(shown, [
    withdrawalText({
      amountMicros: Number(made.amount),
      destination: made.destination,
      nonce: made.nonce,
      timestampS: made.timestamp,
      chainId: made.chain_id,
    }),
    ACCOUNT,
  ]);
});

test("another account than the one signed in here signs nothing", async () => {
  const other = "0x2b5ad5c4795c026514f8317c7a215e218dccd6cf";
  const wallet = walletThat({
    eth_requestAccounts: () => [other],
    personal_sign: () => assert.fail("it was asked to sign"),
  });
  const failure = await signWithdrawal(wallet, asked, new VenueClock(), never).catch((e) => e);
  assert.ok(failure instanceof OtherAccount);
  assert.equal(failure.account, other);
});

test("whoever declines in his wallet has signed nothing", async () => {
  const wallet = walletThat({
    eth_requestAccounts: () => [ACCOUNT],
    personal_sign: () => Promise.reject(Object.assign(new Error(), { code: 4001 })),
  });
  const failure = await signWithdrawal(wallet, asked, new VenueClock(), never).catch((e) => e);
  assert.ok(failure instanceof WalletProblem);
  assert.equal(failure.fault, "rejected");
});

test("what the venue takes is taken", async (t) => {
  const { api, taken } = await venue(t, ["taken"]);
  await sendWithdrawal(api, new VenueClock(), signed(), false);
  assert.equal(taken.size, 1);
});

test("a first refusal is the answer", async (t) => {
  const { api } = await venue(t, ["insufficient_funds"]);
  const sent = sendWithdrawal(api, new VenueClock(), signed(), false);
  await assert.rejects(
    sent,
    (error) => error instanceof Refused && error.code === "insufficient_funds",
  );
});

test("where the answer is lost the same request tells that it was taken, and takes nothing anew", async (t) => {
  const { api, taken } = await venue(t, ["lost", "taken"]);
  const one = signed();
  await assert.rejects(sendWithdrawal(api, new VenueClock(), one, false), Unreachable);
  await sendWithdrawal(api, new VenueClock(), one, true);
  assert.equal(taken.size, 1);
});

test("of a request that was sent twice underway one was taken", async (t) => {
  const { api, taken } = await venue(t, ["taken", "taken"]);
  const one = signed();
  await sendWithdrawal(api, new VenueClock(), one, false);
  await sendWithdrawal(api, new VenueClock(), one, false);
  assert.equal(taken.size, 1);
});

test("a signature too old to be sent again is looked for among what was taken", async (t) => {
  const { api } = await venue(t, ["lost", "signature_expired"]);
  const one = signed();
  await assert.rejects(sendWithdrawal(api, new VenueClock(), one, false), Unreachable);
  await sendWithdrawal(api, new VenueClock(), one, true);
});

test("one that is not found may still come, until it can't any more", async (t) => {
  const { api } = await venue(t, ["signature_expired", "signature_expired"]);
  const clock = new VenueClock();
  await assert.rejects(sendWithdrawal(api, clock, signed(40), true), Unsettled);
  await assert.rejects(sendWithdrawal(api, clock, signed(80), true), Refused);
});

test("what the venue does not know yet is not settled", async (t) => {
  const { api } = await venue(t, ["status_unknown", "status_unknown"]);
  const clock = new VenueClock();
  await assert.rejects(sendWithdrawal(api, clock, signed(), false), Unsettled);
  await assert.rejects(sendWithdrawal(api, clock, signed(80), true), Unsettled);
});
