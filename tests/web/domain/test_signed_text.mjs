// The texts that are signed are the venue's, byte for byte.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { betText, withdrawalText } from "../../../web/domain/signed_text.js";

const file = new URL("../../vectors/session_key_bets.json", import.meta.url);
/** @type {{keys: {public_key: string, bets: any[]}[]}} */
const vectors = JSON.parse(readFileSync(file, "utf-8"));

/** @param {any} bet */
function textOf(bet) {
  return betText({
    cellId: bet.cell_id,
    stakeMicros: bet.amount,
    nonce: bet.nonce,
    timestampS: bet.timestamp,
    chainId: bet.chain_id,
    ...(bet.version === 2 ? { odds: { leastBps: bet.rate, quoteN: bet.quote } } : {}),
  });
}

test("the text of a bet is that of the vectors, in both versions", () => {
  const bets = vectors.keys.flatMap((key) => key.bets);
  assert.deepEqual([...new Set(bets.map(({ version }) => version))], [1, 2]);
  for (const bet of bets) {
    assert.equal(textOf(bet), bet.text);
  }
});

test("the vectors' signatures are of the text that we render", async () => {
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  const how = { name: "ECDSA", hash: "SHA-256" };
  for (const { public_key, bets } of vectors.keys) {
    const point = Buffer.from(public_key, "hex");
    const key = await crypto.subtle.importKey("raw", point, curve, false, ["verify"]);
    for (const bet of bets) {
      const text = new TextEncoder().encode(textOf(bet));
      const other = new TextEncoder().encode(textOf({ ...bet, amount: bet.amount + 1 }));
      for (const half of ["low_s", "high_s"]) {
        const signature = Buffer.from(bet.signatures[half].slice(2), "hex");
        assert.ok(await crypto.subtle.verify(how, key, signature, text));
        assert.ok(!(await crypto.subtle.verify(how, key, signature, other)));
      }
    }
  }
});

test("a withdrawal has a heading and an action of its own", () => {
  const text = withdrawalText({
    amountMicros: 7_000_000,
    destination: "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf",
    nonce: "6f1c0f4e-2a7b-4c1d-9e8f-0123456789ab",
    timestampS: 1_770_100_003,
    chainId: 31_337,
  });
  assert.equal(
    text,
    "Tap Trading Withdrawal\nAction: withdraw\nAmount: 7000000\n" +
      "Destination: 0x7e5f4552091a69125d5dfcb7b8c2659029395bdf\n" +
      "Nonce: 6f1c0f4e-2a7b-4c1d-9e8f-0123456789ab\nTimestamp: 1770100003\n" +
      "Chain: 31337\nVersion: 1",
  );
});
