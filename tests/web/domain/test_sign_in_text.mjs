import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { keyResource, signInText } from "../../../web/domain/sign_in_text.js";

const VECTORS = new URL("../../vectors/sign_in_texts.json", import.meta.url);
const { texts } = JSON.parse(readFileSync(VECTORS, "utf8"));

test("a wallet is asked to sign the texts that the venue's parser is held to", () => {
  for (const { message, key, text } of texts) {
    assert.equal(signInText(message, key), text);
  }
});

test("the text says in words what the key's resource says", () => {
  const [{ text, key }] = texts;
  const statement = text.split("\n")[3];
  assert.match(statement, /at most 25 USD a bet and 500 USD a day, until 2026-11-21 00:08 UTC/);
  assert.match(statement, /It can't withdraw\.$/);
  assert.ok(text.endsWith(`\nResources:\n- ${keyResource(key)}`));
});

test("it has only characters that EIP-4361 allows in a statement", () => {
  for (const { text } of texts) {
    assert.match(text.split("\n")[3], /^[A-Za-z0-9 \-._~:/?#[\]@!$&'()*+,;=]+$/);
  }
});
