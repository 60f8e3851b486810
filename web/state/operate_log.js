// The log as it is shown: what the page saw and what operators did, newest first. Pure.

import { exactSignedUsdText, exactUsdText } from "../domain/amounts.js";

/** @import { AuditEntry } from "../types/wire.js" */
/** @import { LogLine } from "./operate.js" */

/** Orders are answered within two minutes; an action without an outcome by then was cut off. */
const CUT_OFF_AFTER_MS = 120_000;

/**
 * @param {readonly LogLine[]} log
 * @param {readonly AuditEntry[]} audit
 * @param {number} nowMs by the venue's clock
 * @returns {LogLine[]} newest first
 */
export function wholeLog(log, audit, nowMs) {
  return [...log, ...auditLines(audit, nowMs)].sort((a, b) => b.atMs - a.atMs);
}

/**
 * One line an action, with its outcome.
 *
 * @param {readonly AuditEntry[]} audit
 * @param {number} nowMs
 * @returns {LogLine[]}
 */
export function auditLines(audit, nowMs) {
  const outcomes = new Map(
    audit.filter(({ kind }) => kind === "outcome").map((entry) => [entry.of, entry]),
  );
  return audit.flatMap((entry) => {
    switch (entry.kind) {
      case "action":
        return [actionLine(entry, outcomes.get(entry.n), nowMs)];
      case "set_aside":
        return [line(entry.at_ms, "look", "audit log", `A line was cut off: see ${entry.file}`)];
      default:
        return [];
    }
  });
}

/**
 * @param {AuditEntry} entry
 * @param {AuditEntry | undefined} outcome
 * @param {number} nowMs
 * @returns {LogLine}
 */
function actionLine({ at_ms: atMs, by = "?", what = "?", subject, why, figures }, outcome, nowMs) {
  const order = [what, subject, figuresText(figures ?? {})].filter(Boolean).join(" ");
  const reason = why ? ` (${why})` : "";
  const [level, end] = endOf(outcome, nowMs - atMs);
  return line(atMs, level, by, `${order}${reason} ${end}`);
}

/**
 * @param {AuditEntry | undefined} outcome
 * @param {number} agoMs
 * @returns {["" | "look", string]}
 */
function endOf(outcome, agoMs) {
  if (outcome === undefined) {
    return agoMs > CUT_OFF_AFTER_MS ? ["look", "→ no outcome: it was cut off"] : ["", "→ …"];
  }
  const { code } = outcome;
  return [code === "status_unknown" || code === "internal" ? "look" : "", `→ ${code}`];
}

/** @param {Readonly<Record<string, number | string | boolean | null>>} figures */
function figuresText(figures) {
  return Object.entries(figures)
    .filter(([, value]) => value !== null && value !== "")
    .map(([name, value]) => figureText(name, value))
    .join(" ");
}

/**
 * @param {string} name
 * @param {number | string | boolean | null} value
 */
function figureText(name, value) {
  if (typeof value === "number" && name.endsWith("_micros")) {
    return `${value < 0 ? exactSignedUsdText(value) : exactUsdText(value)} USD`;
  }
  return `${name} ${value}`;
}

/**
 * @param {number} atMs
 * @param {"" | "look" | "act"} level
 * @param {string} what
 * @param {string} text
 * @returns {LogLine}
 */
function line(atMs, level, what, text) {
  return { atMs, level, what, text };
}
