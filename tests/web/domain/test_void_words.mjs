import assert from "node:assert/strict";
import { test } from "node:test";
import { refundedWords } from "../../../web/domain/void_words.js";

test("a refund says why, in a few words, and that it is one where that is all that is known", () => {
  assert.equal(refundedWords("tick_gap"), "refunded: feed gap");
  assert.equal(refundedWords("operator"), "refunded: given back by an operator");
  assert.equal(refundedWords(null), "refunded");
});
