import assert from "node:assert/strict";
import { test } from "node:test";
import { clockText } from "../../../web/domain/numbers.js";
import {
  accountText,
  retryAfterMs,
  signedOutHereText,
  signInRefusalText,
  walletFaultText,
} from "../../../web/domain/sign_in_words.js";

const NOW_MS = Date.UTC(2026, 10, 20, 14, 3, 5);
const WALLET = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf";
const OTHER = "0x1111111111111111111111111111111111111111";

test("who signs in too often is told until when to wait", () => {
  const text = signInRefusalText("rate_limited", { retry_after: 30 }, NOW_MS);
  const until = clockText(NOW_MS + 30_000);
  assert.equal(text, `Too many sign-ins from your network. Try again at ${until}.`);
  const soon = signInRefusalText("rate_limited", { retry_after: 2 }, NOW_MS);
  assert.equal(soon, "Too many sign-ins from your network. Try again in a moment.");
});

test("how long to wait is the venue's to say", () => {
  const said = [{ retry_after: 30 }, { retry_after: 0.2 }, {}, { retry_after: "9" }];
  assert.deepEqual(said.map(retryAfterMs), [30_000, 1_000, 0, 0]);
});

test("every refusal has words of its own or plain ones, and none shows what the venue sent", () => {
  const secret = { message: "0xdeadbeef", field: "nonce" };
  for (const code of /** @type {const} */ ([
    "unauthorized",
    "signature_expired",
    "invalid_signature",
    "forbidden",
    "bad_request",
    "status_unknown",
    "overloaded",
    "store_unavailable",
    "draining",
    "internal",
    "not_found",
  ])) {
    const text = signInRefusalText(code, secret, NOW_MS);
    assert.match(text, /^[A-Z].+\.$/, code);
    assert.ok(!text.includes("deadbeef") && !text.includes("_"), code);
  }
});

test("a wallet that was told to wait no longer is no problem", () => {
  assert.equal(walletFaultText("canceled"), "");
  assert.equal(walletFaultText("rejected"), "You declined in your wallet. Nothing was signed.");
});

test("another account in the wallet is told of, and that the session goes on", () => {
  assert.equal(accountText(WALLET, WALLET), "");
  assert.equal(
    accountText(OTHER, WALLET),
    "Your wallet now shows 0x1111…1111. You are still signed in as 0x7e5f…5bdf.",
  );
  assert.match(accountText(undefined, WALLET), /locked .* still signed in as 0x7e5f…5bdf\.$/);
});

test("a sign-out that the venue did not hear says when the session ends by itself", () => {
  assert.ok(signedOutHereText(NOW_MS).endsWith(`ends at ${clockText(NOW_MS)}.`));
});
