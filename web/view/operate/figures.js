// Feed, breaker, money, storage and door as labelled figures: one table says what is shown.

import { exactUsdText } from "../../domain/amounts.js";
import { NOTHING, priceText, usdText } from "../../domain/numbers.js";
import {
  ageOfSeconds,
  ageText,
  bytesText,
  countText,
  msText,
  percentText,
  rateText,
  shareOf,
  tookText,
} from "../../domain/ops_words.js";
import { writtenPerS } from "../../state/operate.js";

/** @import { Sample } from "../../state/operate.js" */
/** @import { OpsStatus, RestoreStatus, Source, Thresholds } from "../../types/wire.js" */

/**
 * @typedef {object} Figure
 * @property {string} label
 * @property {string} where the field of the status, by which the venue says what it wants
 * @property {(status: OpsStatus, samples: readonly Sample[]) => string} text
 * @property {(status: OpsStatus) => {share: number, marks: readonly number[]}} [bar]
 */

/** @typedef {{title: string, figures: readonly Figure[]}} Section */

/** @type {readonly Section[]} */
export const SECTIONS = [
  {
    title: "Feed",
    figures: [
      {
        label: "Level",
        where: "feed.level",
        text: ({ feed, server_time_ms: nowMs }) =>
          `${feed.level} for ${ageText(nowMs - feed.since_ms)}`,
      },
      {
        label: "Newest price",
        where: "feed.feed_age_ms",
        text: ({ feed, quote }) =>
          feed.feed_age_ms === null
            ? "none yet"
            : `${quote === null ? "" : `${priceText(quote.price_cents)}, `}${ageText(feed.feed_age_ms)} old`,
      },
      {
        label: "Clocks apart",
        where: "feed.skew_ms",
        text: ({ feed }) => `${countText(Math.abs(feed.skew_ms))} ms`,
      },
      {
        label: "Sources",
        where: "sources",
        text: ({ sources }) => sources.map(sourceText).join("; ") || NOTHING,
      },
      {
        label: "Quote",
        where: "quote",
        text: ({ quote }) =>
          quote === null ? "none" : `number ${countText(quote.n)}, ${ageText(quote.age_ms)} old`,
      },
    ],
  },
  {
    title: "Betting",
    figures: [
      {
        label: "Breaker",
        where: "breaker.open",
        text: ({ breaker }) => (breaker.open ? "open: bets are refused" : "closed"),
      },
      {
        label: "Override",
        where: "breaker.override",
        text: ({ breaker: { override, by, why } }) =>
          override === "auto" ? "auto" : `${override}${whose(by, why)}`,
      },
      {
        label: "Hold",
        where: "hold.held",
        text: ({ hold: { held, by, why } }) => (held ? `on hold${whose(by, why)}` : "none"),
      },
      {
        label: "Store",
        where: "store.up",
        text: ({ store }) => (store.up ? "answers" : "does not answer"),
      },
    ],
  },
  {
    title: "House",
    figures: [
      {
        label: "At stake",
        where: "house.open_payout_micros",
        text: ({ house }) =>
          house === null
            ? NOTHING
            : `${percentText(house.open_payout_micros, house.balance_micros)}, ${usdText(house.open_payout_micros)} USD`,
        bar: ({ house, thresholds: at }) => ({
          share: house === null ? 0 : shareOf(house.open_payout_micros, house.balance_micros),
          marks: [at.exposure_look_percent / 100, at.exposure_act_percent / 100],
        }),
      },
      {
        label: "Bankroll",
        where: "house.balance_micros",
        text: ({ house }) =>
          house === null ? "can't be read" : `${exactUsdText(house.balance_micros)} USD`,
      },
      {
        label: "Open bets",
        where: "house.open_bets",
        text: ({ house }) => (house === null ? NOTHING : countText(house.open_bets)),
      },
    ],
  },
  {
    title: "Writer",
    figures: [
      {
        label: "Commands",
        where: "writer.commands",
        text: ({ writer }, samples) =>
          `${rateText(writtenPerS(samples).commands)} a second, ${countText(writer.commands)} in all`,
      },
      {
        label: "Batches",
        where: "writer.batches",
        text: ({ writer }, samples) =>
          `${rateText(writtenPerS(samples).batches)} a second, last of ${countText(writer.last_batch)}`,
      },
      {
        label: "Last commit",
        where: "writer.last_commit_ms",
        text: ({ writer }) => `${msText(writer.last_commit_ms)} ms${syncText(writer)}`,
      },
      {
        label: "Expired",
        where: "writer.expired",
        text: ({ writer }) => countText(writer.expired),
      },
      { label: "Clock", where: "writer.high_ms", text: clockText },
      {
        label: "Week",
        where: "writer.rotation_failure",
        text: ({ writer }) => `${writer.partition}${rotationText(writer)}`,
      },
    ],
  },
  {
    title: "Resolver",
    figures: [
      {
        label: "Waiting",
        where: "resolver.oldest_open_end_ms",
        text: ({ resolver: { open_columns: open, oldest_open_end_ms: endMs }, server_time_ms }) =>
          open === 0 || endMs === null
            ? "no column"
            : `${columns(open)}, the oldest ended ${ageText(server_time_ms - endMs)} ago`,
      },
      {
        label: "Settled",
        where: "resolver.columns_settled",
        text: ({ resolver }) => columns(resolver.columns_settled),
      },
      {
        label: "Bets",
        where: "resolver.bets_void",
        text: ({ resolver }) =>
          `${countText(resolver.bets_won)} won, ${countText(resolver.bets_lost)} lost, ${countText(resolver.bets_void)} void`,
      },
    ],
  },
  {
    title: "Money check",
    figures: [
      {
        label: "Drifts",
        where: "audit.drifts",
        text: ({ audit }) =>
          audit.drifts === 0 ? "0" : `${countText(audit.drifts)}: ${audit.first_drift}`,
      },
      {
        label: "Whole check",
        where: "audit",
        text: ({ audit, thresholds }) =>
          audit.age_s === null
            ? "none yet in this run"
            : `${agoText(audit.age_s, thresholds.check_age_max_s)}, took ${tookText(audit.took_ms)}`,
      },
      {
        label: "Adds up to",
        where: "audit.verified_rowid",
        text: ({ audit }) => `ledger row ${countText(audit.verified_rowid)}`,
      },
    ],
  },
  {
    title: "Backups",
    figures: [
      {
        label: "Newest",
        where: "backups",
        text: ({ backups, thresholds }) =>
          backups.age_s === null ? "none" : agoText(backups.age_s, thresholds.backup_age_max_s),
      },
      {
        label: "Size",
        where: "backups.bytes",
        text: ({ backups }) =>
          backups.age_s === null
            ? NOTHING
            : `${bytesText(backups.bytes)}, took ${tookText(backups.took_ms)}`,
      },
      {
        label: "Taken, failed",
        where: "backups.failures",
        text: ({ backups }) => `${countText(backups.taken)}, ${failuresText(backups)}`,
      },
    ],
  },
  {
    title: "Archive",
    figures: [
      {
        label: "Last success",
        where: "archive.age_s",
        text: ({ archive, thresholds }) => agoText(archive.age_s, thresholds.archive_age_max_s),
      },
      {
        label: "Weeks",
        where: "archive.waiting",
        text: ({ archive }) =>
          `${archive.waiting} waiting, ${archive.archived} archived${purgedText(archive)}`,
      },
      { label: "At work", where: "archive.now", text: ({ archive }) => workText(archive) },
      { label: "Failed", where: "archive.failures", text: ({ archive }) => failuresText(archive) },
      {
        label: "Brought back",
        where: "archive.restores",
        text: ({ archive: { restores } }) => restoresText(restores),
      },
    ],
  },
  {
    title: "Disk and door",
    figures: [
      {
        label: "Disk",
        where: "disk.level",
        text: ({ disk: { level, total_bytes: total, free_bytes: free }, thresholds }) =>
          total === null || free === null
            ? "not looked at yet"
            : `${percentText(total - free, total)} used, ${level}${level === "normal" ? ampleText(total - free, total, thresholds) : ""}`,
        bar: ({ disk: { total_bytes: total, free_bytes: free }, thresholds: at }) => ({
          share: total === null || free === null ? 0 : shareOf(total - free, total),
          marks: [at.disk_warning_percent, at.disk_full_percent, at.disk_emergency_percent].map(
            (percent) => percent / 100,
          ),
        }),
      },
      {
        label: "Free",
        where: "disk.free_bytes",
        text: ({ disk }) => `${bytesText(disk.free_bytes)} of ${bytesText(disk.total_bytes)}`,
      },
      {
        label: "Connections",
        where: "gateway.connections",
        text: ({ gateway }) =>
          `${countText(gateway.connections)} of ${countText(gateway.connections_max)}`,
      },
      {
        label: "WebSockets",
        where: "gateway.sockets",
        text: ({ gateway }) => countText(gateway.sockets),
      },
    ],
  },
];

/** @param {Source} source */
function sourceText({ name, connected, active, reconnects }) {
  const role = active ? "" : ", fallback";
  const again = reconnects === 0 ? "" : `, ${countText(reconnects)} reconnects`;
  return `${name} ${connected ? "connected" : "not connected"}${role}${again}`;
}

/**
 * @param {string} by
 * @param {string} why
 */
function whose(by, why) {
  return `${by === "" ? "" : ` by ${by}`}${why === "" ? "" : `: ${why}`}`;
}

/** @param {OpsStatus} status */
function clockText({ writer: { high_ms: highMs }, server_time_ms: nowMs }) {
  return highMs > nowMs ? `${ageText(highMs - nowMs)} behind the ledger` : "as the ledger's";
}

/** @param {OpsStatus["writer"]} writer */
function syncText({ synchronous }) {
  return synchronous >= 2 ? "" : `, synchronous ${synchronous}`;
}

/** @param {OpsStatus["writer"]} writer */
function rotationText({ rotations, last_rotation_ms: tookMs, rotation_failure: failure }) {
  if (failure !== "") {
    return `, can't be closed: ${failure}`;
  }
  return rotations === 0 ? "" : `, begun in ${msText(tookMs)} ms`;
}

/** @param {number} count */
function columns(count) {
  return count === 1 ? "1 column" : `${countText(count)} columns`;
}

/**
 * @param {number | null} ageS
 * @param {number} mostS from when on it is too old
 */
function agoText(ageS, mostS) {
  return ageS === null ? NOTHING : `${ageOfSeconds(ageS)} ago, limit ${ageOfSeconds(mostS)}`;
}

/** @param {{failures: number, last_failure: string}} of */
function failuresText({ failures, last_failure: why }) {
  return failures === 0 ? "0" : `${countText(failures)}, the last: ${why}`;
}

/** @param {{now: string, done_bytes: number, total_bytes: number}} work */
function workText({ now, done_bytes: done, total_bytes: total }) {
  if (now === "") {
    return "nothing";
  }
  return total > 0 ? `${now}, ${percentText(done, total)} of ${bytesText(total)}` : now;
}

/** @param {{purged: number}} archive */
function purgedText({ purged }) {
  return purged === 0 ? "" : `, ${countText(purged)} only there`;
}

/** @param {RestoreStatus} restores */
function restoresText(restores) {
  const { waiting, restored, last_restored: last, failures } = restores;
  const work = waiting > 0 ? [`${workText(restores)}, ${waiting} waiting`] : [];
  const done = restored > 0 ? [`${restored}, the last ${last}`] : [];
  const failed = failures > 0 ? [`failed ${failuresText(restores)}`] : [];
  return [...work, ...done, ...failed].join("; ") || "none";
}

/**
 * Why a disk above a threshold is at ease.
 *
 * @param {number} used
 * @param {number} total
 * @param {Thresholds} thresholds
 */
function ampleText(used, total, { disk_ample_free_bytes: ample, disk_warning_percent: percent }) {
  const isFull = used * 100 >= percent * total;
  return isFull && ample > 0 && total - used >= ample ? ", ample is free" : "";
}
