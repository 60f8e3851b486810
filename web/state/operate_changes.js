// Which changes of the figures are told, and how: one table. Pure.

import { bytesText, countText, tookText } from "../domain/ops_words.js";

/** @import { OpsStatus, Source } from "../types/wire.js" */
/** @import { Wants } from "./operate_events.js" */

/**
 * With a count the text is what is counted.
 *
 * @typedef {{level: Wants, what: string, text: string, count?: number}} Change
 */

/**
 * One figure that is watched. What it says is told when it is another than before; `rises`: only
 * when it is more.
 *
 * @typedef {object} Watched
 * @property {string} what the part of the venue
 * @property {(status: OpsStatus) => number | string | boolean | null} of
 * @property {boolean} [rises]
 * @property {(now: OpsStatus, was: OpsStatus) => boolean} [when] in place of that comparison
 * @property {boolean} [counted] it may rise each second: what is told is by how much
 * @property {(now: OpsStatus, was: OpsStatus) => [Wants, string]} says
 */

/** @type {readonly Watched[]} */
const WATCHED = [
  {
    what: "feed",
    of: ({ feed }) => feed.level,
    says: ({ feed }, was) => [
      feed.level === "healthy" ? "" : feed.level === "degraded" ? "look" : "act",
      `${was.feed.level} → ${feed.level}`,
    ],
  },
  {
    what: "feed",
    of: ({ feed }) => feed.source,
    says: ({ feed }) => ["look", `The source is ${feed.source ?? "none"} now`],
  },
  {
    what: "breaker",
    of: ({ breaker }) => breaker.open,
    says: ({ breaker }) =>
      breaker.open ? ["act", "Opened: bets are refused"] : ["", "Closed: bets are taken"],
  },
  {
    what: "breaker",
    of: ({ breaker }) => breaker.override,
    says: ({ breaker }, was) => [
      breaker.override === "auto" ? "" : "look",
      `Override ${was.breaker.override} → ${breaker.override}`,
    ],
  },
  {
    what: "hold",
    of: ({ hold }) => hold.held,
    says: ({ hold }) =>
      hold.held
        ? ["look", `Betting is on hold${hold.by === "" ? "" : ` by ${hold.by}`}`]
        : ["", "The hold is released"],
  },
  {
    what: "venue",
    of: ({ draining }) => draining,
    says: ({ draining }) =>
      draining ? ["look", "The venue is stopping"] : ["", "The venue goes on"],
  },
  {
    what: "store",
    of: ({ store }) => store.up,
    says: ({ store }) =>
      store.up ? ["", "Answers again"] : ["act", "Does not answer: bets are refused"],
  },
  {
    what: "house",
    of: ({ house }) => house === null,
    says: ({ house }) =>
      house === null ? ["act", "The ledger can't be read"] : ["", "The ledger can be read again"],
  },
  {
    what: "writer",
    of: ({ writer }) => writer.partition,
    says: ({ writer }) => ["", `A new week: ${writer.partition}`],
  },
  {
    what: "writer",
    of: ({ writer }) => writer.rotation_failure !== "",
    says: ({ writer }) =>
      writer.rotation_failure === ""
        ? ["", "The week could be closed"]
        : ["act", `The week can't be closed: ${writer.rotation_failure}`],
  },
  {
    what: "writer",
    of: ({ writer }) => writer.expired,
    rises: true,
    counted: true,
    says: () => ["look", "commands expired unwritten"],
  },
  {
    what: "resolver",
    of: ({ resolver }) => resolver.bets_void,
    rises: true,
    counted: true,
    says: () => ["look", "bets void and given back"],
  },
  {
    what: "money check",
    of: ({ audit }) => audit.drifts,
    // A check has no number: it is another one if it is younger, whatever it has found.
    when: ({ audit }, { audit: was }) =>
      audit.drifts !== was.drifts ||
      (audit.age_s ?? Number.POSITIVE_INFINITY) < (was.age_s ?? Number.POSITIVE_INFINITY),
    says: ({ audit }) =>
      audit.drifts === 0
        ? ["", "Zero drift"]
        : ["act", `${countText(audit.drifts)} drifts: ${audit.first_drift}`],
  },
  {
    what: "money check",
    of: ({ audit }) => audit.failures,
    rises: true,
    says: () => ["look", "Could not be carried out; the venue's log has why"],
  },
  {
    what: "archive",
    of: ({ archive }) => archive.archived,
    rises: true,
    says: () => ["", "A week was archived and verified"],
  },
  {
    what: "archive",
    of: ({ archive }) => archive.purged,
    rises: true,
    says: () => ["", "A week that is archived was deleted here"],
  },
  {
    what: "archive",
    of: ({ archive }) => archive.failures,
    rises: true,
    says: ({ archive }) => ["look", `Failed: ${archive.last_failure}`],
  },
  {
    what: "archive",
    of: ({ archive }) => archive.restores.restored,
    rises: true,
    says: ({ archive }) => ["", `${archive.restores.last_restored} can be read again`],
  },
  {
    what: "archive",
    of: ({ archive }) => archive.restores.failures,
    rises: true,
    says: ({ archive }) => ["look", `Not brought back: ${archive.restores.last_failure}`],
  },
  {
    what: "backups",
    of: ({ backups }) => backups.taken,
    rises: true,
    says: ({ backups }) => [
      "",
      `Taken and verified: ${bytesText(backups.bytes)} in ${tookText(backups.took_ms)}`,
    ],
  },
  {
    what: "backups",
    of: ({ backups }) => backups.failures,
    rises: true,
    says: ({ backups }) => ["look", `Failed: ${backups.last_failure}`],
  },
  {
    what: "disk",
    of: ({ disk }) => disk.level,
    says: ({ disk }, was) => [
      disk.level === "normal" ? "" : disk.level === "warning" ? "look" : "act",
      `${was.disk.level} → ${disk.level}`,
    ],
  },
];

/**
 * @param {OpsStatus} was
 * @param {OpsStatus} now
 * @returns {Change[]}
 */
export function changesBetween(was, now) {
  const told = WATCHED.filter((watched) => isTold(watched, was, now));
  const changed = told.map(({ what, of, counted, says }) => {
    const [level, text] = says(now, was);
    return { level, what, text, count: counted === true ? Number(of(now)) - Number(of(was)) : 0 };
  });
  return [...changed, ...now.sources.flatMap((source) => ofSource(was.sources, source))];
}

/**
 * @param {Watched} watched
 * @param {OpsStatus} was
 * @param {OpsStatus} now
 */
function isTold({ of, rises, when }, was, now) {
  if (when !== undefined) {
    return when(now, was);
  }
  return rises === true ? Number(of(now)) > Number(of(was)) : of(now) !== of(was);
}

/**
 * @param {readonly Source[]} known
 * @param {Source} source
 * @returns {Change[]}
 */
function ofSource(known, source) {
  const was = known.find(({ name }) => name === source.name);
  if (was === undefined) {
    return [];
  }
  if (was.connected && !source.connected) {
    const why = source.last_error === "" ? "" : `: ${source.last_error}`;
    return [{ level: "look", what: "feed", text: `${source.name} is not connected${why}` }];
  }
  const isBack = source.connected && (!was.connected || source.reconnects > was.reconnects);
  return isBack ? [{ level: "", what: "feed", text: `${source.name} is connected again` }] : [];
}
