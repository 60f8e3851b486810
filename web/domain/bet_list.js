// A trader's bets as a list, newest first: pages that were asked for, kept up to date by what the
// venue says meanwhile. Pure.

import { parseCellId } from "./grid.js";
import { signedUsdText } from "./numbers.js";

/** @import { Bet, BetConfirmedFrame, BetResolvedFrame, Bets, BetStatus } from "../types/wire.js" */

/** @typedef {"all" | "open" | "won" | "lost" | "void"} Filter */

/**
 * What the list shows of a bet.
 *
 * @typedef {Pick<Bet, "bet_id" | "status" | "stake_micros" | "reward_bps" | "payout_micros"
 *   | "placed_at_ms" | "lo_cents" | "hi_cents">} Row
 */

/**
 * @typedef {object} BetList
 * @property {Filter} filter
 * @property {readonly Row[] | null} rows null: not asked for yet
 * @property {string | null} cursor of the next page; null: there is none
 * @property {readonly string[]} archived weeks that are missing
 */

/** @type {readonly {filter: Filter, text: string}[]} */
export const FILTERS = [
  { filter: "all", text: "All" },
  { filter: "open", text: "Open" },
  { filter: "won", text: "Won" },
  { filter: "lost", text: "Lost" },
  { filter: "void", text: "Refunded" },
];
export const PAGE_ROWS = 50;

/** @type {Readonly<Record<Filter, BetStatus | null>>} */
const STATUS_OF = { all: null, open: "confirmed", won: "won", lost: "lost", void: "void" };

/**
 * @param {Filter} filter
 * @returns {BetList}
 */
export function emptyList(filter) {
  return { filter, rows: null, cursor: null, archived: [] };
}

/**
 * What to ask the venue for.
 *
 * @param {Filter} filter
 * @param {string | null} cursor of the page before; null: the first one
 */
export function queryOf(filter, cursor) {
  const status = STATUS_OF[filter];
  const query = new URLSearchParams({ limit: String(PAGE_ROWS) });
  if (status !== null) {
    query.set("status", status);
  }
  if (cursor !== null) {
    query.set("cursor", cursor);
  }
  return `/api/bets?${query}`;
}

/**
 * The list with its next page.
 *
 * @param {BetList} list
 * @param {Bets} page
 * @returns {BetList}
 */
export function withNext(list, page) {
  const known = new Set((list.rows ?? []).map((row) => row.bet_id));
  const added = page.bets.filter((bet) => !known.has(bet.bet_id));
  return {
    ...list,
    rows: [...(list.rows ?? []), ...added],
    cursor: page.next_cursor,
    archived: united(list.archived, page.archived),
  };
}

/**
 * The list with its first page asked for again. What lies behind it stays, if the two meet.
 *
 * @param {BetList} list
 * @param {Bets} page
 * @returns {BetList}
 */
export function withFirst(list, page) {
  const fresh = new Set(page.bets.map((bet) => bet.bet_id));
  const before = list.rows ?? [];
  const meetsAt = before.findLastIndex((row) => fresh.has(row.bet_id));
  const behind = meetsAt === -1 || page.next_cursor === null ? [] : before.slice(meetsAt + 1);
  const isLonger = behind.length > 0;
  return {
    ...list,
    rows: [...page.bets, ...behind],
    cursor: isLonger ? list.cursor : page.next_cursor,
    archived: isLonger ? united(list.archived, page.archived) : (page.archived ?? []),
  };
}

/**
 * A bet has been placed, here or elsewhere.
 *
 * @param {BetList} list
 * @param {BetConfirmedFrame} frame
 * @returns {BetList} the same where nothing changes
 */
export function withConfirmed(list, frame) {
  const cell = parseCellId(frame.cell_id);
  const isShown = list.filter === "all" || list.filter === "open";
  const rows = list.rows ?? [];
  const isKnown = rows.some((row) => row.bet_id === frame.bet_id);
  if (cell === null || list.rows === null || !isShown || isKnown) {
    return list;
  }
  const row = {
    bet_id: frame.bet_id,
    status: frame.status,
    stake_micros: frame.stake_micros,
    reward_bps: frame.reward_bps,
    payout_micros: null,
    placed_at_ms: frame.placed_at_ms,
    lo_cents: cell.loCents,
    hi_cents: cell.hiCents,
  };
  return { ...list, rows: [row, ...rows] };
}

/**
 * A bet has ended. Where only open ones are shown, it goes.
 *
 * @param {BetList} list
 * @param {BetResolvedFrame} frame
 * @returns {BetList} the same where nothing changes
 */
export function withResolved(list, frame) {
  const rows = list.rows ?? [];
  const found = rows.find((row) => row.bet_id === frame.bet_id);
  if (found === undefined || found.status === frame.status) {
    return list;
  }
  if (list.filter === "open") {
    return { ...list, rows: rows.filter((row) => row !== found) };
  }
  const ended = { ...found, status: frame.status, payout_micros: frame.payout_micros };
  return { ...list, rows: rows.map((row) => (row === found ? ended : row)) };
}

/**
 * What came of a bet: `+4.25`, `−5.00`, `0.00`; empty while it is open.
 *
 * @param {Pick<Row, "status" | "stake_micros" | "payout_micros">} row
 */
export function resultText({ status, stake_micros: stakeMicros, payout_micros: payoutMicros }) {
  switch (status) {
    case "won":
    case "lost":
      return signedUsdText((payoutMicros ?? 0) - stakeMicros);
    case "void":
      return signedUsdText(0);
    default:
      return "";
  }
}

/**
 * @param {readonly string[]} weeks
 * @param {readonly string[] | undefined} more
 */
function united(weeks, more) {
  return [...new Set([...weeks, ...(more ?? [])])].sort();
}
