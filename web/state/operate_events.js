// What has happened between two statuses of the venue, in words. Pure.
//
// The status says what is; what became of it in between is told from what has changed. What
// operators did stands in the audit log, so it is not told twice.

import { countText } from "../domain/ops_words.js";
import { changesBetween } from "./operate_changes.js";

/** @import { Actor, Channel, OpsStatus } from "../types/wire.js" */
/** @import { LogLine } from "./operate.js" */

/** @typedef {"" | "look" | "act"} Wants */
/** @typedef {(level: Wants, what: string, text: string, agoS?: number) => LogLine} Write */
/** @typedef {(level: Wants, what: string, count: number, of: string) => LogLine} Count */

/**
 * Is the second status of the same run of the venue as the first?
 *
 * @param {OpsStatus} before
 * @param {OpsStatus} after
 */
export function isSameLife(before, after) {
  const was = before.actors[0]?.uptime_s ?? 0;
  return (after.actors[0]?.uptime_s ?? was) >= was && after.writer.batches >= before.writer.batches;
}

/**
 * What can be told of the time before the page was opened: the last failure of each actor.
 *
 * @param {OpsStatus} status
 * @returns {LogLine[]}
 */
export function firstEvents(status) {
  const write = writer(status);
  return [
    write("", "page", "Opened; what follows was seen from here on"),
    ...status.actors.flatMap((actor) => failureOf(actor, write)),
  ];
}

/**
 * @param {OpsStatus} before
 * @param {OpsStatus} after
 * @returns {LogLine[]}
 */
export function eventsBetween(before, after) {
  const write = writer(after);
  if (!isSameLife(before, after)) {
    const upS = after.actors[0]?.uptime_s ?? 0;
    return [write("look", "venue", "The venue was started anew", upS)];
  }
  return [
    ...ofActors(before, after, write),
    ...changesBetween(before, after).map(({ level, what, text, count = 0 }) =>
      count > 0 ? counter(after)(level, what, count, text) : write(level, what, text),
    ),
  ];
}

// --- actors -------------------------------------------------------------------------------------

/**
 * @param {OpsStatus} before
 * @param {OpsStatus} after
 * @param {Write} write
 * @returns {LogLine[]}
 */
function ofActors(before, after, write) {
  const known = new Map(before.actors.map((actor) => [actor.path, actor]));
  const spentS = (after.server_time_ms - before.server_time_ms) / 1000;
  return after.actors.flatMap((actor) => {
    const was = known.get(actor.path);
    return was === undefined
      ? []
      : [...channelLines(was, actor, counter(after)), ...ofActor(was, actor, spentS, write)];
  });
}

/**
 * @param {Actor} was
 * @param {Actor} actor
 * @param {number} spentS between the two
 * @param {Write} write
 * @returns {LogLine[]}
 */
function ofActor(was, actor, spentS, write) {
  const name = nameOf(actor.path);
  const lines = [];
  if (hasFailed(was, actor, spentS)) {
    lines.push(...failureOf(actor, write));
  }
  if (actor.restarts > was.restarts) {
    const times = actor.restarts === 1 ? "once" : `${actor.restarts} times`;
    lines.push(write("", name, `Restarted; ${times} since the venue started`));
  }
  if (actor.state !== was.state && !(actor.state === "running" && was.state === "starting")) {
    lines.push(write(isDown(actor) ? "act" : "", name, `${was.state} → ${actor.state}`));
  }
  return lines;
}

/**
 * @param {Actor} was
 * @param {Actor} actor
 * @param {number} spentS
 */
function hasFailed(was, { last_failure: failure }, spentS) {
  if (failure === null) {
    return false;
  }
  const isAnother = was.last_failure === null || failure.message !== was.last_failure.message;
  const ago = failure.ago_s ?? Number.POSITIVE_INFINITY;
  return isAnother || ago < spentS;
}

/**
 * @param {Actor} actor
 * @param {Write} write
 * @returns {LogLine[]}
 */
function failureOf({ path, last_failure: failure }, write) {
  if (failure === null) {
    return [];
  }
  const text = `Failed: ${failure.type}${failure.message === "" ? "" : `: ${failure.message}`}`;
  return [write("look", nameOf(path), text, failure.ago_s ?? 0)];
}

/**
 * Messages that were turned away or lost.
 *
 * @param {Actor} was
 * @param {Actor} actor
 * @param {Count} count
 * @returns {LogLine[]}
 */
function channelLines(was, actor, count) {
  const known = new Map((was.channels ?? []).map((channel) => [channel.name, channel]));
  return (actor.channels ?? []).flatMap((channel) => {
    const before = known.get(channel.name);
    return before === undefined ? [] : lossesOf(before, channel, nameOf(actor.path), count);
  });
}

/**
 * @param {Channel} was
 * @param {Channel} channel
 * @param {string} name of its actor
 * @param {Count} count
 * @returns {LogLine[]}
 */
function lossesOf(was, channel, name, count) {
  const refused = channel.refused - was.refused;
  const dropped = channel.dropped - was.dropped;
  return [
    ...(refused > 0 ? [count("look", name, refused, `refused by ${channel.name}`)] : []),
    ...(dropped > 0 ? [count("look", name, dropped, `dropped by ${channel.name}`)] : []),
  ];
}

/** @param {Actor} actor */
function isDown({ state }) {
  return state === "restarting" || state === "stuck" || state === "stopped";
}

/** @param {string} path */
function nameOf(path) {
  return path.slice(path.lastIndexOf("/") + 1);
}

/**
 * @param {OpsStatus} status
 * @returns {Write}
 */
function writer({ server_time_ms: nowMs }) {
  return (level, what, text, agoS = 0) => ({ atMs: nowMs - agoS * 1000, level, what, text });
}

/**
 * @param {OpsStatus} status
 * @returns {Count}
 */
function counter({ server_time_ms: nowMs }) {
  return (level, what, count, of) => ({
    atMs: nowMs,
    level,
    what,
    text: `${countText(count)} ${of}`,
    counted: { count, of, sinceMs: nowMs },
  });
}
