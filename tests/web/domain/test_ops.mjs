import assert from "node:assert/strict";
import { test } from "node:test";
import { ACTIONS, actionGroups, actionOf, afterNoAnswer } from "../../../web/domain/ops_actions.js";
import {
  attentionKey,
  attentionText,
  figureWants,
  wantsOf,
} from "../../../web/domain/ops_attention.js";
import * as fields from "../../../web/domain/ops_fields.js";
import {
  ageText,
  bytesText,
  countText,
  msText,
  percentText,
  rateText,
  shareOf,
  shortCountText,
  tookText,
  uptimeText,
  utcText,
} from "../../../web/domain/ops_words.js";

/** @import { Kind } from "../../../web/domain/ops_fields.js" */

const WALLET = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf";
const ID = "01M7WVDTV747RADES80YN85Z0X";

// --- fields -------------------------------------------------------------------------------------

/** @type {[string, Kind, string, string | number | null][]} */
const TAKEN = [
  ["an amount, to the micro", fields.USD, " 1,000.000001 ", 1_000_000_001],
  ["the largest there is", fields.USD, "1,000,000,000", 10 ** 15],
  ["an amount to a trader", fields.SIGNED_USD, "1.85", 1_850_000],
  ["with a plus", fields.SIGNED_USD, "+ 1.85", 1_850_000],
  ["from him", fields.SIGNED_USD, "-1.85", -1_850_000],
  ["from him, with a minus as printed", fields.SIGNED_USD, "−1.85", -1_850_000],
  ["a wallet", fields.WALLET_FIELD, WALLET, WALLET],
  ["the bankroll", fields.CREDITED, "house", "house"],
  ["an account of the house's own", fields.OWNER, "external", "external"],
  ["an account's number", fields.ACCOUNT, "17", "17"],
  ["a reference", fields.REFERENCE_FIELD, "wire-17", "wire-17"],
  ["no destination", fields.MAY_SAY, "", null],
  ["no bet", fields.MAY_BE_ID, "", null],
  ["a bet", fields.MAY_BE_ID, ID, ID],
  ["a Sunday", fields.WEEK_FIELD, "2026-11-15", "2026-11-15"],
  ["a column", fields.COLUMN_FIELD, "1795191595", 1_795_191_595],
  ["a column by a cell in it", fields.COLUMN_FIELD, "1795191595_6492000_6493000", 1_795_191_595],
  ["a reason", fields.REASON, " drill ", "drill"],
];

for (const [name, kind, text, value] of TAKEN) {
  test(`${name} is read`, () => assert.deepEqual(kind.read(text), { value, problem: "" }));
}

/** @type {[string, Kind, string][]} */
const NOT_TAKEN = [
  ["nothing", fields.USD, ""],
  ["a minus where none may be", fields.USD, "-5"],
  ["an amount of nothing", fields.SIGNED_USD, "-0.00"],
  ["more decimals than there are micros", fields.USD, "0.0000001"],
  ["a comma in place of a point", fields.USD, "1,5"],
  ["a power of ten", fields.USD, "1e3"],
  ["more than the venue can count", fields.USD, "1,000,000,000.01"],
  ["two signs", fields.SIGNED_USD, "--5"],
  ["half a wallet", fields.WALLET_FIELD, "0x7e5f"],
  ["the house as a trader", fields.WALLET_FIELD, "house"],
  ["a number with a sign", fields.ACCOUNT, "+17"],
  ["a reference with a space", fields.REFERENCE_FIELD, "wire 17"],
  ["a reference that is too long", fields.REFERENCE_FIELD, "x".repeat(129)],
  ["an id in small letters", fields.ID, ID.toLowerCase()],
  ["a Monday", fields.WEEK_FIELD, "2026-11-16"],
  ["a day that there is not", fields.WEEK_FIELD, "2026-02-30"],
  ["no day at all", fields.WEEK_FIELD, "2026-99-99"],
  ["a column in words", fields.COLUMN_FIELD, "the last"],
  ["no reason", fields.REASON, "  "],
  ["a reason that is too long", fields.REASON, "x".repeat(501)],
  ["no actor", fields.ACTOR, ""],
];

for (const [name, kind, text] of NOT_TAKEN) {
  test(`${name} is not taken, and it is said why`, () => {
    const { value, problem } = kind.read(text);
    assert.equal(value, null);
    assert.match(problem, /^[A-Z0-9].*\.$/);
  });
}

// --- actions ------------------------------------------------------------------------------------

test("each action has a name of its own, and is in one group", () => {
  const names = ACTIONS.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  const grouped = actionGroups().flatMap(({ actions }) => actions.map(({ name }) => name));
  assert.deepEqual(grouped.toSorted(), names.toSorted());
  assert.throws(() => actionOf("nothing"), /no action/);
});

test("what must be typed is the target where there is one", () => {
  assert.equal(actionOf("restart").confirm({ name: "venue/market/quoter" }), "quoter");
  assert.equal(actionOf("void").confirm({ start: 1_795_191_595 }), "1795191595");
  assert.equal(actionOf("restore").confirm({ week: "2026-11-15" }), "2026-11-15");
  for (const action of ACTIONS) {
    const nothing = Object.fromEntries(action.fields.map(({ name }) => [name, null]));
    assert.match(action.confirm(nothing), /^[a-z]+$/, action.name);
  }
});

test("only what counts once may be sent again without a look", () => {
  assert.match(afterNoAnswer(actionOf("deposit")), /same reference: it is done once/);
  assert.match(afterNoAnswer(actionOf("hold")), /Look at the log/);
  const once = ACTIONS.filter(({ once: is }) => is).map(({ name }) => name);
  assert.deepEqual(once, ["deposit", "bankroll", "adjust", "paid"]);
});

test("answers read as what was done", () => {
  const deposited = {
    wallet: WALLET,
    amount_micros: 5_000_000,
    balance_micros: 7_500_001,
    reference: "wire-17",
    repeated: false,
  };
  const { done } = actionOf("deposit");
  assert.equal(done(deposited), `5.00 USD credited to ${WALLET}. The balance is 7.500001 USD.`);
  assert.match(done({ ...deposited, repeated: true }), /before; nothing was added/);
  assert.equal(
    actionOf("restart").done({ path: "venue/market/quoter", became: "stuck" }),
    "quoter: its last life does not end. It is started once that does.",
  );
  const drift = { what: "balance", where: WALLET, expected: 1, found: 2 };
  const report = { clean: false, accounts: 3, ledger_rows: 1_100, bets: 35, drifts: [drift] };
  assert.match(actionOf("integrity").done(report), /^1 drifts in 1,100 ledger rows, 35 bets/);
  assert.equal(
    actionOf("integrity").done({ ...report, clean: true, drifts: [] }),
    "Zero drift in 1,100 ledger rows, 35 bets.",
  );
});

// --- attention ----------------------------------------------------------------------------------

/** @param {"look" | "act"} level @param {string} where */
const finding = (level, where) => ({ level, where, text: where, runbook: "" });
const FOUND = [
  finding("act", "sources.coinbase"),
  finding("look", "sources.binance"),
  finding("look", "actors.venue/batcher.money"),
];

test("a figure wants what is most urgent in it, and its neighbours nothing", () => {
  assert.equal(wantsOf(FOUND, "sources"), "act");
  assert.equal(wantsOf(FOUND, "sources.binance"), "look");
  assert.equal(wantsOf(FOUND, "source"), "");
  assert.equal(wantsOf(FOUND, "actors.venue"), "");
  assert.equal(wantsOf(FOUND, "actors.venue/batcher"), "look");
});

test("what a whole section wants, each of its figures does", () => {
  const gone = [finding("act", "house")];
  assert.equal(figureWants(gone, "house.open_bets"), "act");
  assert.equal(figureWants([finding("look", "house.open_bets")], "house.balance_micros"), "");
  assert.equal(figureWants(FOUND, "sources"), "act");
});

test("how much there is to see", () => {
  assert.equal(attentionText([]), "Nothing needs your eye");
  assert.equal(attentionText(FOUND), "1 to act on, 2 to look at");
  assert.equal(attentionText(FOUND.slice(1)), "2 to look at");
});

test("what is found is the same while only its figures change", () => {
  const later = FOUND.map((found) => ({ ...found, text: "another" }));
  assert.equal(attentionKey(later), attentionKey(FOUND));
  assert.notEqual(attentionKey(FOUND.slice(1)), attentionKey(FOUND));
});

// --- words --------------------------------------------------------------------------------------

test("ages are rounded down", () => {
  const ages = [-5, 0, 399, 9_999, 10_000, 119_999, 120_000, 7_199_999, 7_200_000, 172_800_000];
  assert.deepEqual(
    ages.map((ms) => ageText(ms)),
    ["0.0 s", "0.0 s", "0.3 s", "9.9 s", "10 s", "119 s", "2 min", "119 min", "2 h", "2 days"],
  );
  assert.equal(ageText(null), "–");
});

test("how long something runs or took", () => {
  assert.deepEqual(
    [null, 45.9, 725, 11_040, 183_600].map((s) => uptimeText(s)),
    ["", "45s", "12m05s", "3h04m", "2d03h"],
  );
  assert.deepEqual([12, 3_400].map(tookText), ["12 ms", "3.4 s"]);
});

test("bytes, counts, milliseconds and what is a second", () => {
  assert.deepEqual(
    [0, 512, 4_262, 80_637_000_000, null].map((count) => bytesText(count)),
    ["0 B", "512 B", "4.2 KiB", "75.1 GiB", "–"],
  );
  assert.deepEqual([0, 999, 10_000].map(countText), ["0", "999", "10,000"]);
  assert.deepEqual([0.05, 99.94, 1_204.4].map(msText), ["0.1", "99.9", "1,204"]);
  assert.deepEqual([null, 0, 0.31, 840.2].map(rateText), ["–", "0", "0.3", "840"]);
});

test("a count in a narrow column", () => {
  assert.deepEqual(
    [0, 9_999, 10_000, 12_399, 99_999, 991_231, 1_250_000, 12_000_000].map(shortCountText),
    ["0", "9,999", "10k", "12.3k", "99.9k", "991k", "1.2M", "12M"],
  );
});

test("a share is never rounded up to a threshold", () => {
  const whole = 10 ** 15;
  assert.deepEqual(
    [0, 1, whole / 250, (whole / 10) * 8 - 1, whole].map((part) => percentText(part, whole)),
    ["0 %", "0 %", "0.4 %", "79 %", "100 %"],
  );
  assert.equal(percentText(1, 0), "–");
  assert.deepEqual([shareOf(1, 4), shareOf(9, 4), shareOf(1, 0)], [0.25, 1, 0]);
});

test("a time of another day has its day", () => {
  const atMs = Date.UTC(2026, 10, 20, 18, 51, 3);
  assert.equal(utcText(atMs, atMs + 60_000), "18:51:03");
  assert.equal(utcText(atMs, atMs + 86_400_000), "2026-11-20 18:51:03");
});
