// A status of a venue that is well, for tests to change.

/** @import { Actor, Channel, OpsStatus } from "../../../web/types/wire.js" */

export const NOW_MS = 1_795_200_000_000;

/**
 * @param {Partial<Channel>} [changed]
 * @returns {Channel}
 */
export function channel(changed = {}) {
  return {
    name: "money",
    kind: "mailbox",
    depth: 0,
    peak: 3,
    capacity: 10_000,
    accepted: 40,
    refused: 0,
    handled: 40,
    dropped: 0,
    waiting_p50_ms: 0.1,
    waiting_p99_ms: 1.2,
    handling_p50_ms: 0.5,
    handling_p99_ms: 4,
    ...changed,
  };
}

/**
 * @param {Partial<Actor>} [changed]
 * @returns {Actor}
 */
export function actor(changed = {}) {
  const channels = changed.channels ?? [channel()];
  return {
    path: "venue/batcher",
    kind: "actor",
    state: "running",
    restarts: 0,
    restarts_in_window: 0,
    uptime_s: 60,
    retry_in_s: null,
    last_failure: null,
    mailbox: channels[0] ?? null,
    waiting_on: "receive inbox.py:323",
    channels,
    ...changed,
  };
}

/** @param {number} uptimeS @returns {Actor} */
export function root(uptimeS) {
  return {
    path: "venue",
    kind: "supervisor",
    state: "running",
    restarts: 0,
    restarts_in_window: 0,
    uptime_s: uptimeS,
    retry_in_s: null,
    last_failure: null,
    mailbox: null,
    strategy: "one_for_one",
    restarts_max: 5,
    period_s: 30,
  };
}

/**
 * A status `s` seconds after the first.
 *
 * @param {number} s
 * @param {Partial<OpsStatus>} [changed]
 * @returns {OpsStatus}
 */
export function statusAt(s, changed = {}) {
  return {
    venue: "running",
    server_time_ms: NOW_MS + s * 1000,
    version: "0.1.0",
    demo: true,
    operator: "ann",
    draining: false,
    attention: [],
    thresholds: {
      exposure_look_percent: 80,
      exposure_act_percent: 95,
      mailbox_look_percent: 50,
      mailbox_act_percent: 90,
      connections_look_percent: 80,
      connections_act_percent: 95,
      disk_warning_percent: 70,
      disk_full_percent: 85,
      disk_emergency_percent: 95,
      disk_ample_free_bytes: 0,
      archive_age_max_s: 691_200,
      backup_age_max_s: 10_800,
      check_age_max_s: 172_800,
    },
    actors: [root(60 + s), actor({ uptime_s: 60 + s })],
    feed: {
      level: "healthy",
      since_ms: NOW_MS - 60_000,
      feed_age_ms: 200,
      source: "binance",
      breaker: "closed",
      override: "auto",
      skew_ms: 3,
    },
    breaker: { open: false, override: "auto", by: "", why: "" },
    hold: { held: false, by: "", why: "" },
    sources: [
      {
        name: "binance",
        connected: true,
        active: true,
        reconnects: 0,
        last_recv_ms: NOW_MS,
        last_error: "",
      },
    ],
    quote: { n: 812, age_ms: 120, price_cents: 6_500_012 },
    house: { balance_micros: 10 ** 12, open_payout_micros: 0, open_bets: 0 },
    writer: {
      batches: 10,
      commands: 40,
      last_batch: 4,
      last_commit_ms: 12.5,
      expired: 0,
      high_ms: NOW_MS,
      synchronous: 2,
      partition: "2026-11-15.db",
      rotations: 0,
      last_rotation_ms: 0,
      rotation_failure: "",
    },
    resolver: {
      columns_settled: 0,
      bets_won: 0,
      bets_lost: 0,
      bets_void: 0,
      open_columns: 0,
      oldest_open_end_ms: null,
    },
    archive: {
      age_s: 60,
      waiting: 0,
      archived: 0,
      purged: 0,
      now: "",
      done_bytes: 0,
      total_bytes: 0,
      failures: 0,
      last_failure: "",
      restores: {
        now: "",
        done_bytes: 0,
        total_bytes: 0,
        waiting: 0,
        restored: 0,
        last_restored: "",
        failures: 0,
        last_failure: "",
      },
    },
    backups: {
      age_s: 60,
      last: "",
      bytes: 4_262,
      took_ms: 12,
      taken: 1,
      failures: 0,
      last_failure: "",
    },
    audit: { age_s: null, drifts: 0, first_drift: "", took_ms: 0, failures: 0, verified_rowid: 0 },
    disk: { level: "normal", total_bytes: 100, free_bytes: 60, failures: 0 },
    store: { up: true },
    gateway: { connections: 2, connections_max: 10_000, sockets: 1 },
    ...changed,
  };
}
