// What the operators' page knows, and what each event changes. Pure.
//
// The status is what the venue has said, as it came; samples, log and what is derived from them are
// the page's own, and begin when it is opened.

import { ageText, countText } from "../domain/ops_words.js";
import { eventsBetween, firstEvents, isSameLife } from "./operate_events.js";

/** @import { AuditEntry, Finding, OpsStatement, OpsStatus, OpsWithdrawal, User } from "../types/wire.js" */

/**
 * One thing that has happened, as the page has seen it.
 *
 * @typedef {object} LogLine
 * @property {number} atMs by the venue's clock
 * @property {"" | "look" | "act"} level
 * @property {string} what the part of the venue
 * @property {string} text
 * @property {Counted} [counted] how many of the same are in this line
 */

/**
 * What may happen each second is one line a minute.
 *
 * @typedef {object} Counted
 * @property {number} count
 * @property {string} of what is counted
 * @property {number} sinceMs when the line began, by the venue's clock
 */

/**
 * What is kept of a status, for sparklines and rates.
 *
 * @typedef {object} Sample
 * @property {number} atMs by the venue's clock
 * @property {number} batches
 * @property {number} commands
 * @property {Readonly<Record<string, number>>} p99Ms handling time, by path and channel
 */

/**
 * The operator's token is io/ops.js's alone.
 *
 * @typedef {object} Entry
 * @property {"out" | "asking" | "in"} phase
 * @property {string} problem why he is not in, for people; empty if nothing is wrong
 */

/**
 * @typedef {object} Order
 * @property {number} id of its own: two may be of the same action
 * @property {"asked" | "done" | "refused" | "unknown"} phase
 * @property {string} action
 * @property {string} text what was answered, for people
 */

/**
 * What is looked up: withdrawals, an account.
 *
 * @template T
 * @typedef {object} Lookup
 * @property {"none" | "loading" | "here"} phase
 * @property {T | null} found
 * @property {string} problem
 */

/**
 * @typedef {object} AccountPage
 * @property {User} user
 * @property {OpsStatement} ledger its pages so far, as one
 */

/**
 * What is shown beside the log; a form is one of an action, with what is filled in already.
 *
 * @typedef {object} Desk
 * @property {"actions" | "withdrawals" | "account"} page
 * @property {{action: string, given: Readonly<Record<string, string>>} | null} form
 */

/**
 * @typedef {object} OperateState
 * @property {Entry} entry
 * @property {OpsStatus | null} status the newest
 * @property {number} statusAtMs when it came, by the page's clock
 * @property {string} lost why no newer one came; empty while all is well
 * @property {number} nowMs by the page's clock
 * @property {readonly Sample[]} samples oldest first
 * @property {readonly LogLine[]} log newest first
 * @property {readonly AuditEntry[]} audit newest first
 * @property {string} auditProblem
 * @property {Desk} desk
 * @property {Order | null} order the last one of the form that is open
 * @property {string | null} opened path of the actor whose details are shown
 * @property {Lookup<readonly OpsWithdrawal[]>} withdrawals those that are pending
 * @property {Lookup<AccountPage>} account
 */

/**
 * @typedef {(
 *   | {type: "ops:entering"}
 *   | {type: "ops:turned_away", problem: string}
 *   | {type: "ops:status", status: OpsStatus, atMs: number}
 *   | {type: "ops:lost", problem: string, atMs: number}
 *   | {type: "ops:tick", atMs: number}
 *   | {type: "ops:audit", entries: readonly AuditEntry[]}
 *   | {type: "ops:audit_lost", problem: string}
 *   | {type: "ops:desk", desk: Partial<Desk>}
 *   | {type: "ops:opened", path: string | null}
 *   | {type: "ops:order", order: Order}
 *   | {type: "ops:withdrawals", lookup: Lookup<readonly OpsWithdrawal[]>}
 *   | {type: "ops:account", lookup: Lookup<AccountPage>}
 * )} OperateEvent
 */

/** Two minutes of polls. */
export const SAMPLES_MAX = 120;
export const LOG_MAX = 200;
/** A status that is older is no longer what is: three polls were missed. */
export const STALE_MS = 3_500;
const COUNTED_MS = 60_000;
/** What is a second is counted over so many samples. */
const RATE_SAMPLES = 10;

/** @type {Lookup<never>} */
const NOT_ASKED = { phase: "none", found: null, problem: "" };

/** @returns {OperateState} before anybody was let in */
export function initialOperate() {
  return {
    entry: { phase: "out", problem: "" },
    status: null,
    statusAtMs: 0,
    lost: "",
    nowMs: 0,
    samples: [],
    log: [],
    audit: [],
    auditProblem: "",
    desk: { page: "actions", form: null },
    order: null,
    opened: null,
    withdrawals: NOT_ASKED,
    account: NOT_ASKED,
  };
}

/**
 * @param {OperateState} state
 * @param {OperateEvent} event
 * @returns {OperateState} the same object where nothing changes
 */
export function reduceOperate(state, event) {
  switch (event.type) {
    case "ops:entering":
      return { ...state, entry: { phase: "asking", problem: "" } };
    case "ops:turned_away":
      // Nothing that was shown stays: whoever comes next is not the one who was let in.
      return { ...initialOperate(), entry: { phase: "out", problem: event.problem } };
    case "ops:status":
      return withStatus(state, event.status, event.atMs);
    case "ops:lost":
      return withLoss(state, event.problem, event.atMs);
    case "ops:tick":
      return { ...state, nowMs: event.atMs };
    case "ops:audit":
      return withAudit(state, event.entries);
    case "ops:audit_lost":
      return { ...state, auditProblem: event.problem };
    case "ops:desk":
      return withDesk(state, event.desk);
    case "ops:opened":
      return { ...state, opened: event.path };
    case "ops:order":
      return withOrder(state, event.order);
    case "ops:withdrawals":
      return { ...state, withdrawals: event.lookup };
    case "ops:account":
      return { ...state, account: event.lookup };
  }
}

/**
 * Is what is shown older than it should be?
 *
 * @param {Pick<OperateState, "status" | "statusAtMs" | "nowMs" | "lost">} state
 */
export function isStale({ status, statusAtMs, nowMs, lost }) {
  return status !== null && (lost !== "" || nowMs - statusAtMs > STALE_MS);
}

/**
 * What needs somebody's eye: what the venue has said, after what it can't say itself.
 *
 * @param {Pick<OperateState, "status" | "statusAtMs" | "nowMs" | "lost">} state
 * @returns {Finding[]}
 */
export function findingsOf(state) {
  const { status, statusAtMs, nowMs, lost } = state;
  const said = status?.attention ?? [];
  if (!isStale(state)) {
    return said;
  }
  const age = ageText(nowMs - statusAtMs);
  const text = `${lost || "The venue has not answered"}. What is shown below is ${age} old`;
  return [{ where: "page", level: "act", text, runbook: "" }, ...said];
}

/**
 * How many batches and commands a second, of late; null until there are two samples.
 *
 * @param {readonly Sample[]} samples
 * @returns {{batches: number | null, commands: number | null}}
 */
export function writtenPerS(samples) {
  const last = samples.at(-1);
  const first = samples.at(-RATE_SAMPLES) ?? samples[0];
  if (last === undefined || first === undefined || last.atMs <= first.atMs) {
    return { batches: null, commands: null };
  }
  const s = (last.atMs - first.atMs) / 1000;
  return {
    batches: (last.batches - first.batches) / s,
    commands: (last.commands - first.commands) / s,
  };
}

/**
 * The handling time of a channel, oldest first.
 *
 * @param {readonly Sample[]} samples
 * @param {string} key as channelKey gives it
 * @returns {number[]}
 */
export function handlingMs(samples, key) {
  return samples.flatMap(({ p99Ms }) => p99Ms[key] ?? []);
}

/**
 * @param {string} path of the actor
 * @param {string} channel
 */
export function channelKey(path, channel) {
  return `${path} ${channel}`;
}

/**
 * @param {OperateState} state
 * @param {OpsStatus} status
 * @param {number} atMs
 * @returns {OperateState}
 */
function withStatus(state, status, atMs) {
  const before = state.status;
  const goesOn = before !== null && isSameLife(before, status);
  const happened = before === null ? firstEvents(status) : eventsBetween(before, status);
  const back = state.lost === "" ? [] : [answersAgain(status)];
  return {
    ...state,
    entry: { phase: "in", problem: "" },
    status,
    statusAtMs: atMs,
    nowMs: atMs,
    lost: "",
    samples: [...(goesOn ? state.samples : []), sampleOf(status)].slice(-SAMPLES_MAX),
    log: logged(state.log, [...back, ...happened]),
  };
}

/**
 * @param {OperateState} state
 * @param {string} problem
 * @param {number} atMs
 * @returns {OperateState}
 */
function withLoss(state, problem, atMs) {
  const { status } = state;
  const isNew = state.lost === "" && status !== null;
  // Its time by the venue's clock, as far as it is known: the lines stand in one order.
  const venueMs = status === null ? 0 : status.server_time_ms + (atMs - state.statusAtMs);
  /** @type {LogLine} */
  const line = { atMs: venueMs, level: "act", what: "page", text: problem };
  return {
    ...state,
    lost: problem,
    nowMs: atMs,
    log: isNew ? logged(state.log, [line]) : state.log,
  };
}

/**
 * @param {OpsStatus} status
 * @returns {LogLine}
 */
function answersAgain(status) {
  return { atMs: status.server_time_ms, level: "", what: "page", text: "The venue answers again" };
}

/**
 * @param {OperateState} state
 * @param {readonly AuditEntry[]} entries
 * @returns {OperateState}
 */
function withAudit(state, entries) {
  const isSame = entries[0]?.n === state.audit[0]?.n && entries.length === state.audit.length;
  return isSame && state.auditProblem === ""
    ? state
    : { ...state, audit: entries, auditProblem: "" };
}

/**
 * An answer belongs to the form that asked. Whoever has left it meanwhile is told in the log: below
 * another form it would be read as the answer to that one.
 *
 * @param {OperateState} state
 * @param {Order} order
 * @returns {OperateState}
 */
function withOrder(state, order) {
  const { id, phase, action, text } = order;
  if (phase === "asked" || state.order?.id === id) {
    return { ...state, order };
  }
  const { status, statusAtMs, nowMs } = state;
  const atMs = status === null ? 0 : status.server_time_ms + (nowMs - statusAtMs);
  const level = phase === "done" ? "" : "look";
  return { ...state, log: logged(state.log, [{ atMs, level, what: action, text }]) };
}

/**
 * Another page of the desk has no form open, and what was answered belongs to the form before.
 *
 * @param {OperateState} state
 * @param {Partial<Desk>} desk
 * @returns {OperateState}
 */
function withDesk(state, desk) {
  const form = desk.form ?? null;
  return { ...state, desk: { ...state.desk, ...desk, form }, order: null };
}

/**
 * @param {OpsStatus} status
 * @returns {Sample}
 */
function sampleOf({ server_time_ms: atMs, writer, actors }) {
  const timed = actors.flatMap(({ path, channels = [] }) =>
    channels.map((channel) => [channelKey(path, channel.name), channel.handling_p99_ms]),
  );
  const { batches, commands } = writer;
  return { atMs, batches, commands, p99Ms: Object.fromEntries(timed) };
}

/**
 * @param {readonly LogLine[]} log newest first
 * @param {readonly LogLine[]} lines in any order
 * @returns {readonly LogLine[]}
 */
function logged(log, lines) {
  return lines.length === 0
    ? log
    : lines
        .reduceRight(withLine, log)
        .toSorted((a, b) => b.atMs - a.atMs)
        .slice(0, LOG_MAX);
}

/**
 * The log with one line more, or with a line that counts more.
 *
 * @param {readonly LogLine[]} log
 * @param {LogLine} line
 * @returns {readonly LogLine[]}
 */
function withLine(log, line) {
  const { counted, what } = line;
  const of = counted === undefined ? -1 : log.findIndex((before) => goesOn(before, what, counted));
  const before = log[of]?.counted;
  if (counted === undefined || before === undefined) {
    return [line, ...log];
  }
  const count = before.count + counted.count;
  const sum = { ...line, text: `${countText(count)} ${counted.of}`, counted: { ...before, count } };
  return log.with(of, sum);
}

/**
 * @param {LogLine} before
 * @param {string} what
 * @param {Counted} counted
 */
function goesOn(before, what, { of, sinceMs }) {
  const { counted } = before;
  return before.what === what && counted?.of === of && sinceMs - counted.sinceMs < COUNTED_MS;
}
