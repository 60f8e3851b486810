import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { base64url, canMakeKeys, keyIdOf, makeKey, signText } from "../../../web/io/keys.js";

const VECTORS = new URL("../../vectors/session_key_bets.json", import.meta.url);
const { keys } = JSON.parse(readFileSync(VECTORS, "utf8"));
const ECDSA = { name: "ECDSA", hash: "SHA-256" };

test("a key is named and spelled as the venue does", async () => {
  for (const key of keys) {
    const point = Uint8Array.from(Buffer.from(key.public_key, "hex"));
    assert.equal(await keyIdOf(point), key.key_id);
    assert.equal(base64url(point), key.public_key_base64url);
  }
});

test("the private half can't be read, by whatever way", async () => {
  const { privateKey } = await makeKey();
  assert.equal(privateKey.extractable, false);
  assert.deepEqual(privateKey.usages, ["sign"]);
  for (const format of /** @type {const} */ (["jwk", "pkcs8", "raw"])) {
    await assert.rejects(crypto.subtle.exportKey(/** @type {any} */ (format), privateKey));
  }
  assert.equal(JSON.stringify(privateKey), "{}");
});

test("what it signs holds by its point", async () => {
  const { privateKey, point, keyId } = await makeKey();
  const text = "Tap Trading Bet\nVersion: 2 ü";
  const signature = await signText(privateKey, text);
  assert.match(signature, /^0x[0-9a-f]{128}$/);
  const bytes = Buffer.from(point, "base64url");
  assert.equal(await keyIdOf(Uint8Array.from(bytes)), keyId);
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  const publicKey = await crypto.subtle.importKey("raw", bytes, curve, false, ["verify"]);
  const signed = Buffer.from(signature.slice(2), "hex");
  assert.ok(await crypto.subtle.verify(ECDSA, publicKey, signed, Buffer.from(text)));
});

test("no two keys are the same", async () => {
  assert.ok(canMakeKeys());
  const [one, other] = await Promise.all([makeKey(), makeKey()]);
  assert.notEqual(one.keyId, other.keyId);
});
