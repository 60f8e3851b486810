// The game, exactly and in short. Numbers are those of the venue's rules.

import { chipText, NOTHING, usdText } from "../domain/numbers.js";
import { playedWord } from "../domain/price_line.js";
import { make } from "./dom.js";

/** @import { Page } from "../page.js" */
/** @import { Rules } from "../state/state.js" */

/** Ten thousand micros are a cent. */
const MICROS_PER_CENT = 10_000;

/**
 * @param {HTMLElement} place
 * @param {Page} page
 */
export function mountHelp(place, page) {
  page.store.show(
    (state) => [state.market.rules, state.market.demo, playedWord(state.market.status?.source)],
    (rules, demo, played) => place.replaceChildren(...parts(rules, demo, played)),
  );
}

/**
 * @param {Rules | null} rules
 * @param {boolean} demo
 * @param {string} played what the price is that no market makes
 */
function parts(rules, demo, played) {
  return [
    part("The grid", ...gridWords(rules, demo, played)),
    part("When a cell can be tapped", ...tapWords(rules)),
    part("What becomes of a bet", stateList()),
    part(
      "Void",
      "A bet whose time can't be judged is given back in full: prices did not come, they came from another exchange in between, or the venue was not running.",
    ),
    part(
      "Checking a result",
      "Tap a bet or a result for its evidence: the trades of its time, the one that decided, and their hash. Check it yourself judges it again in your browser, from the trades alone. Its link works for anybody.",
    ),
    part("Keys", keyList(rules)),
  ];
}

/**
 * @param {Rules | null} rules
 * @param {boolean} demo
 * @param {string} played
 */
function gridWords(rules, demo, played) {
  const columnS = rules?.column_s ?? NOTHING;
  const row = rules === null ? NOTHING : chipText(rules.row_cents * MICROS_PER_CENT);
  const leap =
    rules?.rule === "path" ? " It is also won if the price leaps over it between two trades." : "";
  return [
    `Time runs to the right, in columns of ${columnS} s. Rows are price ranges of ${row} USD. A cell is one of each.`,
    `Tap a cell to stake on it. It is won if the BTC price is in its range, edges included, at any moment of its time.${leap} Then it pays the stake times the rate on the cell; otherwise the stake is lost.`,
    `A stake of ${usdText(1_000_000)} at 1.85x comes back as ${usdText(1_850_000)}.`,
    "Rates move with the price. Your bet has the rate you tapped or, if that moved on the way, the newer one: a better rate always, a lower one only within what your account allows. Otherwise the tap is refused and costs nothing.",
    ...(demo ? [`This is a demo: the money is paper${played && `, the price is ${played}`}.`] : []),
  ];
}

/** @param {Rules | null} rules */
function tapWords(rules) {
  if (rules === null) {
    return [NOTHING];
  }
  const { lockout_columns: locked, horizon_columns: open } = rules;
  const next = locked === 1 ? "the next one" : `the next ${locked}`;
  const closed =
    locked === 0 ? "The running column is closed" : `The running column and ${next} are closed`;
  return [
    `${closed}, and dimmed. The ${open} columns after can be tapped, one bet a cell.`,
    "While prices do not come reliably, or the venue stops, no bet is taken; a line across the page says why.",
  ];
}

/** As view/grid/held.js draws them. */
const STATES = [
  ["Pending", "A dashed frame: sent, and not answered yet."],
  ["Confirmed", "A solid frame with the stake: taken, and on the venue's disk."],
  ["Touching", "Lit: the line is seen in the cell. It is won once the venue says so."],
  [
    "Unknown",
    "Hatched: the connection was lost before the answer. The page asks, and places nothing late.",
  ],
  ["Won", "Green, with a check mark: the payout is in your balance."],
  ["Lost", "Empty: the price was never in the range."],
  ["Void", "A dotted frame: the stake is back in your balance."],
];

function stateList() {
  const rows = STATES.flatMap(([name, words]) => [
    make("dt", {}, name ?? ""),
    make("dd", {}, words ?? ""),
  ]);
  return make("dl", { class: "help-list" }, ...rows);
}

/** @param {Rules | null} rules */
function keyList(rules) {
  const stakes = rules?.presets_micros.length ?? 0;
  const keys = [
    [`1 to ${stakes}`, "Choose the stake"],
    ["Arrows", "Move over the cells"],
    ["Enter", "Tap the cell"],
    ["+ and −", "Show fewer cells, or more"],
    ["Esc", "Close the panel"],
  ].slice(stakes > 1 ? 0 : 1);
  const rows = keys.flatMap(([key, does]) => [
    make("dt", {}, make("kbd", {}, key ?? "")),
    make("dd", {}, does ?? ""),
  ]);
  return make("dl", { class: "help-list" }, ...rows);
}

/**
 * @param {string} title
 * @param {...(string | HTMLElement)} words
 */
function part(title, ...words) {
  const all = words.map((one) => (typeof one === "string" ? make("p", {}, one) : one));
  return make("section", { class: "help-part" }, make("h3", {}, title), ...all);
}
