import assert from "node:assert/strict";
import { test } from "node:test";
import { auditLines, wholeLog } from "../../../web/state/operate_log.js";

/** @import { AuditEntry } from "../../../web/types/wire.js" */

const AT_MS = 1_795_200_000_000;

/** @param {number} n @param {Partial<AuditEntry>} fields @returns {AuditEntry} */
const entry = (n, fields) => ({
  n,
  at_ms: AT_MS + n,
  prev: "",
  sha256: "",
  kind: "action",
  ...fields,
});

/** @param {readonly AuditEntry[]} audit @param {number} [laterMs] */
const texts = (audit, laterMs = 0) =>
  auditLines(audit, AT_MS + laterMs).map(({ level, what, text }) => [level, what, text]);

test("an action and its outcome are one line, under the operator's name", () => {
  const figures = { amount_micros: 5_500_000, reference: "wire-17", bet_id: null };
  assert.deepEqual(
    texts([
      entry(2, { kind: "outcome", of: 1, code: "done", status: 200 }),
      entry(1, { by: "ann", what: "deposit", subject: "0x7e", why: "wire", figures }),
    ]),
    [["", "ann", "deposit 0x7e 5.50 USD reference wire-17 (wire) → done"]],
  );
});

test("what was refused says so, and what is in doubt wants a look", () => {
  const audit = [
    entry(4, { kind: "outcome", of: 3, code: "status_unknown" }),
    entry(3, { by: "ann", what: "backup" }),
    entry(2, { kind: "outcome", of: 1, code: "not_found" }),
    entry(1, { by: "bob", what: "restore", subject: "2020-02-02" }),
  ];
  assert.deepEqual(texts(audit), [
    ["look", "ann", "backup → status_unknown"],
    ["", "bob", "restore 2020-02-02 → not_found"],
  ]);
});

test("an action without an outcome is on its way, and after two minutes cut off", () => {
  const audit = [entry(1, { by: "ann", what: "hold" })];
  assert.deepEqual(texts(audit, 1_000), [["", "ann", "hold → …"]]);
  assert.deepEqual(texts(audit, 130_000), [["look", "ann", "hold → no outcome: it was cut off"]]);
});

test("money from a trader has its sign", () => {
  const [line] = texts([
    entry(1, { by: "ann", what: "adjust", figures: { amount_micros: -1_850_000 } }),
  ]);
  assert.match(String(line?.[2]), /adjust −1\.85 USD/);
});

test("a line that a crash cut off is told", () => {
  assert.deepEqual(texts([entry(5, { kind: "set_aside", file: "audit.jsonl.torn-1" })]), [
    ["look", "audit log", "A line was cut off: see audit.jsonl.torn-1"],
  ]);
});

test("both logs are one, newest first", () => {
  const seen = [{ atMs: AT_MS + 5, level: /** @type {const} */ (""), what: "feed", text: "a" }];
  const audit = [entry(9, { by: "ann", what: "hold" }), entry(1, { by: "ann", what: "release" })];
  assert.deepEqual(
    wholeLog(seen, audit, AT_MS).map(({ atMs }) => atMs - AT_MS),
    [9, 5, 1],
  );
});
