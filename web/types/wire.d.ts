// Made by `make docs` from the shapes in protocols/client_*.py. Edit those.
//
// What the venue answers over HTTP and sends over the WebSocket. Amounts, prices and rates are
// integers in the units that their names say.

/** Every reason that the venue refuses for. */
export type Code =
  | "bad_request"
  | "insufficient_funds"
  | "cell_unavailable"
  | "bad_stake"
  | "invalid_signature"
  | "signature_expired"
  | "unauthorized"
  | "forbidden"
  | "limit_reached"
  | "frozen"
  | "not_found"
  | "method_not_allowed"
  | "replay_detected"
  | "cell_taken"
  | "quote_expired"
  | "reference_conflict"
  | "archived"
  | "too_large"
  | "exposure_limit"
  | "rate_limited"
  | "internal"
  | "price_feed_stale"
  | "overloaded"
  | "draining"
  | "held"
  | "store_unavailable"
  | "disk_full"
  | "status_unknown";

/** Every frame but replies. */
export type Frame =
  | PriceFrame
  | GridFrame
  | NoGridFrame
  | StatusFrame
  | BetConfirmedFrame
  | BetFailedFrame
  | BetResolvedFrame
  | BalanceFrame
  | AccountFrame
  | ResyncRequiredFrame
  | SessionExpiredFrame
  | DrainFrame;

/** Where a trader stands. */
export interface Account {
  /** An address in lower case. */
  wallet: string;
  /** What can be staked, micros of a USD. */
  balance_micros: number;
  /** Staked on open bets, micros of a USD. */
  open_stake_micros: number;
  open_bets: number;
  /** The number of the last event of the trader's private stream. */
  seq: number;
  /** Ms since 1970, UTC; null before the first money. */
  created_at_ms: number | null;
  /** May he neither bet nor withdraw? */
  frozen: boolean;
  limits: Limits;
}

/** What changed about an account. */
export type AccountChange = "limits" | "frozen" | "unfrozen" | "withdrawal_paid";

/** Something about the account changed that is no money. */
export interface AccountFrame {
  type: "account";
  /** What changed. */
  what: AccountChange;
  /** A frozen account places no bets. */
  frozen: boolean;
  limits: Limits;
  /** The withdrawal's id, where it is about one. */
  reference: string;
  /** Of the wallet's events: each is one above the one before. */
  seq: number;
}

/** One row of the actor tree: an actor, or a supervisor, which stands before its children. */
export interface Actor {
  path: string;
  kind: "actor" | "supervisor";
  state: "starting" | "running" | "restarting" | "stopping" | "stopped" | "stuck" | "ignored";
  /** Since the venue started. */
  restarts: number;
  restarts_in_window: number;
  /** Since it was ready; null while it is not. */
  uptime_s: number | null;
  /** Until the next attempt to start it. */
  retry_in_s: number | null;
  last_failure: Failure | null;
  /** An actor's first channel; null of a supervisor. */
  mailbox: Channel | null;
  /** Where an actor's tasks stand; empty without a life. */
  waiting_on?: string;
  /** All that an actor reads. */
  channels?: Channel[];
  /** Of a supervisor: who restarts with whom. */
  strategy?: string;
  /** Of a supervisor: more within the period end it. */
  restarts_max?: number;
  /** Of a supervisor. */
  period_s?: number;
}

/** The actors. */
export interface ActorsCheck {
  status: "healthy" | "unhealthy";
  /** Those that do not run and should, by path. */
  down: string[];
}

/** An adjustment that is in the ledger. */
export interface Adjusted {
  user_id: number;
  /** A wallet in lower case, or an account of the house's own. */
  wallet: string;
  /** Micros of a USD; less than zero where money went out. */
  amount_micros: number;
  reference: string;
  /** The trader's, micros of a USD. */
  balance_micros: number;
  /** Had an earlier request done it? */
  repeated: boolean;
}

/** The archive is at work. */
export interface ArchiveBegun {
  /** Closed weeks that are not in the archive yet. */
  waiting: number;
}

/** The archive of closed weeks. */
export interface ArchiveStatus {
  /** Since a week was last archived, seconds. */
  age_s: number | null;
  /** Closed weeks that are not in the archive yet. */
  waiting: number;
  /** Weeks in the archive, verified. */
  archived: number;
  /** ... of these, those whose local file was deleted. */
  purged: number;
  /** What is being done; empty if nothing. */
  now: string;
  /** Bytes. */
  done_bytes: number;
  /** Bytes. */
  total_bytes: number;
  failures: number;
  last_failure: string;
  restores: RestoreStatus;
}

/** One line of the audit log. `action`: what an operator was about to have done. `outcome`: what became of it. `set_aside`: a crash had cut a line off. */
export interface AuditEntry {
  /** The number of the line, from 1 on. */
  n: number;
  /** Milliseconds since 1970, UTC. */
  at_ms: number;
  /** SHA-256 of the line before; zeros in the first. */
  prev: string;
  /** Of this line. */
  sha256: string;
  kind: "action" | "outcome" | "set_aside";
  /** The operator, or the tool and its user. */
  by?: string;
  /** The operation. */
  what?: string;
  /** Whom or what it concerned. */
  subject?: string;
  why?: string;
  /** As answer and log have it. */
  request_id?: string;
  /** The number of the action's line. */
  of?: number;
  /** `done`, or the error code. */
  code?: string;
  /** Of the answer; null where a tool did it. */
  status?: number | null;
  /** Amounts and references, with their units in their names. */
  figures?: Record<string, number | string | boolean | null>;
  /** Where what was left of the line is. */
  file?: string;
  /** Bytes. */
  bytes?: number;
  file_sha256?: string;
}

/** A page of the audit log, newest first. */
export interface AuditPage {
  entries: AuditEntry[];
  /** `cursor` of the next page; null on the last one. */
  next_cursor: string | null;
}

/** Whether the money adds up. */
export interface AuditStatus {
  /** Since the last full check, seconds. */
  age_s: number | null;
  /** What it found; 0 is as it must be. */
  drifts: number;
  first_drift: string;
  took_ms: number;
  /** Checks that could not be carried out. */
  failures: number;
  /** Ledger rows up to here add up. */
  verified_rowid: number;
}

/** A backup that was taken and verified. */
export interface Backup {
  /** Where it is. */
  key: string;
  /** Milliseconds since 1970, UTC. */
  taken_at_ms: number;
  /** As stored, compressed. */
  bytes: number;
}

/** The backups. */
export interface BackupStatus {
  /** Of the newest verified one, seconds. */
  age_s: number | null;
  /** Its key; empty if there is none. */
  last: string;
  /** Bytes. */
  bytes: number;
  took_ms: number;
  taken: number;
  failures: number;
  last_failure: string;
}

/** The balance changed, by no bet. */
export interface BalanceFrame {
  type: "balance";
  reason: "deposit" | "withdrawal" | "withdrawal_rejected" | "adjustment";
  /** Micros of a USD; less than zero where money went out. */
  amount_micros: number;
  /** The balance after this event, micros of a USD. */
  balance_micros: number;
  /** Of the deposit or adjustment, or the withdrawal's id. */
  reference: string;
  /** Of the wallet's events: each is one above the one before. */
  seq: number;
}

/** What was taken out of the bankroll. */
export interface BankrollWithdrawn {
  withdrawal: OpsWithdrawal;
  /** Of the house, micros of a USD. */
  balance_micros: number;
  /** Had an earlier request taken it? */
  repeated: boolean;
}

/** Open, high, low and close of one interval. */
export interface Bar {
  /** Milliseconds since 1970, UTC. */
  start_ms: number;
  /** A price of one BTC in cents of a USD. */
  open_cents: number;
  /** A price of one BTC in cents of a USD. */
  high_cents: number;
  /** A price of one BTC in cents of a USD. */
  low_cents: number;
  /** A price of one BTC in cents of a USD. */
  close_cents: number;
  ticks: number;
}

/** A stretch of bars, oldest first. An interval without a tick has none. */
export interface Bars {
  /** The length of a bar in ms. */
  interval_ms: number;
  bars: Bar[];
}

/** One of a trader's own bets. */
export interface Bet {
  /** A ULID in capitals. */
  bet_id: string;
  /** `{column_start_s}_{lo_cents}_{hi_cents}`. */
  cell_id: string;
  status: BetStatus;
  /** Micros of a USD. */
  stake_micros: number;
  /** Basis points: 18500 pays 1.85 times the stake. */
  reward_bps: number;
  /** What came back, micros of a USD; null while it is open. */
  payout_micros: number | null;
  /** Milliseconds since 1970, UTC. */
  placed_at_ms: number;
  /** Ms since 1970, UTC; null while it is open. */
  resolved_at_ms: number | null;
  /** The nonce that it was signed with. */
  nonce: string;
  /** The session key that signed it; null: the wallet did. */
  key_id: string | null;
  /** The number of the quote it was taken at. */
  quote: number | null;
  rule: Rule;
  /** Seconds since 1970, UTC. */
  column_start_s: number;
  /** How many seconds wide the column is. */
  column_s: number;
  /** A price of one BTC in cents of a USD. */
  lo_cents: number;
  /** A price of one BTC in cents of a USD. */
  hi_cents: number;
}

/** A bet is on disk, by whatever way it was placed; as its 202. */
export interface BetConfirmedFrame {
  /** A ULID in capitals. */
  bet_id: string;
  status: "confirmed";
  /** `{column_start_s}_{lo_cents}_{hi_cents}`. */
  cell_id: string;
  /** The rate it was taken at, basis points: at least what was signed. */
  reward_bps: number;
  /** Micros of a USD. */
  stake_micros: number;
  /** What is left, micros of a USD. */
  balance_micros: number;
  /** Milliseconds since 1970, UTC. */
  placed_at_ms: number;
  /** The number of the last event of the trader's private stream. */
  seq: number;
  type: "bet:confirmed";
}

/** A bet was refused and is on record: the balance did not cover the stake. */
export interface BetFailedFrame {
  type: "bet:failed";
  /** A ULID in capitals. */
  bet_id: string;
  /** `{column_start_s}_{lo_cents}_{hi_cents}`. */
  cell_id: string;
  error: "insufficient_funds";
  /** For people. */
  message: string;
  /** Of the wallet's events: each is one above the one before. */
  seq: number;
}

/** A bet has ended. */
export interface BetResolvedFrame {
  type: "bet:resolved";
  /** A ULID in capitals. */
  bet_id: string;
  /** `{column_start_s}_{lo_cents}_{hi_cents}`. */
  cell_id: string;
  status: "won" | "lost" | "void";
  /** Micros of a USD. */
  stake_micros: number;
  /** Micros of a USD that were credited: the payout, the stake, or 0. */
  payout_micros: number;
  /** The balance after this event, micros of a USD. */
  balance_micros: number;
  /** Milliseconds since 1970, UTC. */
  resolved_at_ms: number;
  /** Of the wallet's events: each is one above the one before. */
  seq: number;
}

/** Where a bet stands. `confirmed` is open; the others are ends. */
export type BetStatus = "confirmed" | "won" | "lost" | "void" | "insufficient_funds";

/** A page of a trader's bets, newest first. */
export interface Bets {
  bets: Bet[];
  /** `cursor` of the next page; null on the last one. */
  next_cursor: string | null;
  /** The weeks that this page lacks. */
  archived?: string[];
}

/** The circuit breaker. */
export interface Breaker {
  /** Is betting refused because of the feed? */
  open: boolean;
  override: Override;
  /** Who has overridden it. */
  by: string;
  why: string;
}

/** The circuit breaker. */
export interface BreakerCheck {
  status: "open" | "closed";
  override: Override;
}

/** One channel between actors. Times are 0 until something was measured. */
export interface Channel {
  name: string;
  kind: "mailbox" | "topic" | "subscription" | "watch";
  /** Messages that wait now. */
  depth: number;
  /** The most that ever waited. */
  peak: number;
  capacity: number;
  /** Messages let in. */
  accepted: number;
  /** Messages not let in: it was full or closed. */
  refused: number;
  /** Messages whose reader has finished them. */
  handled: number;
  /** Messages let in and lost to newer ones. */
  dropped: number;
  /** From being let in to being received. */
  waiting_p50_ms: number;
  waiting_p99_ms: number;
  /** From being received to being finished. */
  handling_p50_ms: number;
  handling_p99_ms: number;
}

/** One needed part. */
export interface Check {
  status: "healthy" | "unhealthy";
}

/** Each needed part. */
export interface Checks {
  database: Check;
  store: Check;
  price_feed: FeedCheck;
  circuit_breaker: BreakerCheck;
  actors: ActorsCheck;
}

/** A column that is given back: no more bets on it, and those that there are refunded. */
export interface ColumnVoid {
  /** Seconds since 1970, UTC. */
  start_s: number;
  /** Had an earlier request ordered it? */
  repeated: boolean;
}

/** A bet that is in the ledger, its stake taken. */
export interface Confirmed {
  /** A ULID in capitals. */
  bet_id: string;
  status: "confirmed";
  /** `{column_start_s}_{lo_cents}_{hi_cents}`. */
  cell_id: string;
  /** The rate it was taken at, basis points: at least what was signed. */
  reward_bps: number;
  /** Micros of a USD. */
  stake_micros: number;
  /** What is left, micros of a USD. */
  balance_micros: number;
  /** Milliseconds since 1970, UTC. */
  placed_at_ms: number;
  /** The number of the last event of the trader's private stream. */
  seq: number;
}

/** Paper money that was credited. */
export interface Credited {
  /** An address in lower case. */
  wallet: string;
  /** Micros of a USD. */
  amount_micros: number;
  /** Micros of a USD. */
  balance_micros: number;
}

/** A deposit that is in the ledger. */
export interface Deposited {
  /** Who was credited; `house`: the bankroll. */
  wallet: string;
  /** Micros of a USD. */
  amount_micros: number;
  reference: string;
  /** Micros of a USD. */
  balance_micros: number;
  /** Had an earlier request credited it? */
  repeated: boolean;
}

/** What the fullness of the disk calls for; the order is of severity. */
export type DiskLevel = "normal" | "warning" | "full" | "emergency";

/** The disk of the data folder. */
export interface DiskStatus {
  level: DiskLevel;
  /** Null until it was looked at. */
  total_bytes: number | null;
  free_bytes: number | null;
  failures: number;
}

/** Who is at the door. */
export interface Door {
  connections: number;
  /** More are turned away. */
  connections_max: number;
  /** WebSockets among them. */
  sockets: number;
}

/** The venue is about to close this socket. */
export interface DrainFrame {
  type: "drain";
  /** Come back after so many milliseconds. */
  reconnect_in_ms: number;
}

/** One way in which the money does not add up. */
export interface Drift {
  what: string;
  /** The account, transaction or scope concerned. */
  where: string;
  expected: number;
  found: number;
}

/** One line of a statement. */
export interface Entry {
  /** Of the line, a ULID. */
  id: string;
  /** Micros of a USD; less than zero where money went out. */
  amount_micros: number;
  /** Micros of a USD; of `external` it is less than zero. */
  balance_after_micros: number;
  /** What the money was for; CARRY: what there was when the week began. */
  ref_type: "BET" | "PAYOUT" | "REFUND" | "DEPOSIT" | "WITHDRAWAL" | "ADJUSTMENT" | "CARRY";
  /** Of the bet, deposit or withdrawal. */
  ref_id: string;
  /** Milliseconds since 1970, UTC. */
  created_at_ms: number;
}

/** The last failure of an actor. */
export interface Failure {
  /** Of the exception; or what it was without one. */
  type: string;
  message: string;
  /** How long ago. */
  ago_s: number | null;
}

/** Feed and breaker. */
export interface Feed {
  level: FeedLevel;
  /** When this level began: ms since 1970, UTC. */
  since_ms: number;
  /** How old the newest tick is, in ms; null without one. */
  feed_age_ms: number | null;
  /** Which exchange the prices are of. */
  source: string | null;
  /** Open: betting is refused because of the feed. */
  breaker: "open" | "closed";
  /** An operator's word over the breaker. */
  override: Override;
}

/** The price feed. */
export interface FeedCheck {
  status: "healthy" | "degraded" | "unhealthy";
  /** Which exchange. */
  source: string | null;
  /** How old the newest tick is. */
  stale_for_ms: number | null;
}

/** How far the price feed can be trusted. */
export type FeedLevel = "healthy" | "degraded" | "critical";

/** A figure that needs somebody's eye. */
export interface Finding {
  /** The field of this status; of an actor `actors.` and its path, of one of its channels then a dot and its name. */
  where: string;
  /** `act`: traders or their money are concerned, now or soon. `look`: it may come to that, or somebody has done it on purpose. */
  level: Urgency;
  /** For people. */
  text: string;
  /** Which one of docs/operating.md; empty if there is none. */
  runbook: string;
}

/** To `auth`: the account as of `seq`; the next event is the one after it. */
export interface Following {
  /** An address in lower case. */
  wallet: string;
  /** What can be staked, micros of a USD. */
  balance_micros: number;
  /** Staked on open bets, micros of a USD. */
  open_stake_micros: number;
  open_bets: number;
  /** The number of the last event of the trader's private stream. */
  seq: number;
  /** Ms since 1970, UTC; null before the first money. */
  created_at_ms: number | null;
  /** May he neither bet nor withdraw? */
  frozen: boolean;
  limits: Limits;
  /** End of the session, ms since 1970, UTC. */
  expires_at_ms: number;
}

/** To `auth` with `seq`, as to `resume`. */
export interface FollowingResumed {
  /** An address in lower case. */
  wallet: string;
  /** End of the session, ms since 1970, UTC. */
  expires_at_ms: number;
  /** False. */
  resync_required: boolean;
  /** The newest event that there was. */
  seq: number;
}

/** To `auth` with `seq`, as to `resume`. */
export interface FollowingResync {
  /** An address in lower case. */
  wallet: string;
  /** End of the session, ms since 1970, UTC. */
  expires_at_ms: number;
  /** True. */
  resync_required: boolean;
  snapshot: Snapshot;
}

/** An account that was frozen, or is free again. */
export interface Frozen {
  user_id: number;
  /** A wallet in lower case, or an account of the house's own. */
  wallet: string;
  frozen: boolean;
  /** The number of the last event of the trader's private stream. */
  seq: number;
}

/** A session key and its caps. */
export interface GrantedKey {
  /** What bets name a session key by. */
  key_id: string;
  /** The most it may stake on one bet, micros of a USD. */
  bet_max_micros: number;
  /** The most it may stake in one UTC day, micros of a USD. */
  day_max_micros: number;
  /** Milliseconds since 1970, UTC. */
  expires_at_ms: number;
}

/** The grid with the newest quote. */
export interface Grid {
  /** The venue's clock, ms since 1970, UTC; bets are signed in its time. */
  server_time_ms: number;
  /** What bets and sign-ins must name. */
  chain_id: number;
  /** How many seconds wide a column is. */
  column_s: number;
  /** How many cents of a USD high a row is. */
  row_cents: number;
  /** So many columns after the running one can't be tapped. */
  lockout_columns: number;
  /** So many columns can be tapped. */
  horizon_columns: number;
  /** The stakes there are, in micros of a USD. */
  presets_micros: number[];
  /** By which bets are judged. */
  rule: Rule;
  /** Null while nothing is offered. */
  quote: Quote | null;
}

/** The newest quote: `rates[column * rows + row]` is the rate of one cell. */
export interface GridFrame {
  type: "grid";
  /** The quote's number: `quote` of a bet of version 2. */
  n: number;
  /** Milliseconds since 1970, UTC. */
  published_at_ms: number;
  /** A price of one BTC in cents of a USD. */
  price_cents: number;
  /** Width of a column in seconds. */
  column_s: number;
  /** Height of a row in cents of a USD. */
  row_cents: number;
  /** Seconds since 1970, UTC. */
  first_column_s: number;
  /** A price of one BTC in cents of a USD. */
  lowest_row_cents: number;
  rows: number;
  /** Basis points, column by column; 0: the cell is not offered. */
  rates: number[];
}

/** Is the venue well? */
export interface Health {
  status: "healthy" | "unhealthy";
  /** RFC 3339. */
  timestamp: string;
  checks: Checks;
}

/** The hold as it is now. */
export interface Held {
  held: boolean;
}

/** The operators' hold on betting. */
export interface Hold {
  held: boolean;
  by: string;
  why: string;
}

/** What the house has, and what it may have to pay. */
export interface House {
  /** The bankroll, micros of a USD. */
  balance_micros: number;
  /** What it pays if every open bet wins, micros of a USD. */
  open_payout_micros: number;
  open_bets: number;
}

/** A stretch of time that could not be judged. */
export interface Impairment {
  kind: ImpairmentKind;
  /** Milliseconds since 1970, UTC. */
  from_ms: number;
  /** Ms since 1970, UTC, not included; null while it lasted. */
  until_ms: number | null;
}

/** Why a stretch of time can't be judged. */
export type ImpairmentKind = "critical" | "down";

/** What a check of all the money found. */
export interface Integrity {
  clean: boolean;
  accounts: number;
  ledger_rows: number;
  bets: number;
  drifts: Drift[];
}

/** The limits that a trader has set for himself. */
export interface Limits {
  /** Of one bet; null: no limit. */
  stake_max_micros: number | null;
  /** Of a UTC day; null: no limit. */
  loss_day_max_micros: number | null;
  /** No bets before this, ms since 1970, UTC. */
  paused_until_ms: number;
  next_stake_max: PendingMax | null;
  next_loss_day_max: PendingMax | null;
}

/** One of a trader's sessions. */
export interface ListedSession {
  /** Names the session, and opens nothing. */
  session_id: string;
  /** Milliseconds since 1970, UTC. */
  created_at_ms: number;
  /** Milliseconds since 1970, UTC. */
  expires_at_ms: number;
  /** Where it was signed in from, as a network; empty where not known. */
  network: string;
  /** Is it the one that asks? */
  current: boolean;
  /** False: its token opens nothing any more, since the venue forgot it; its key may bet until it expires or is revoked. */
  signed_in: boolean;
  /** Null where it has none that may bet now. */
  session_key: SessionKey | null;
}

/** The session is over. */
export interface LoggedOut {
  logged_out: true;
}

/** A bet whose answer did not come in time, found in the ledger. */
export interface LookedUpBet {
  /** A ULID in capitals. */
  bet_id: string;
  /** `{column_start_s}_{lo_cents}_{hi_cents}`. */
  cell_id: string;
  status: BetStatus;
  /** Micros of a USD. */
  stake_micros: number;
  /** Basis points: 18500 pays 1.85 times the stake. */
  reward_bps: number;
  /** What came back, micros of a USD; null while it is open. */
  payout_micros: number | null;
  /** Milliseconds since 1970, UTC. */
  placed_at_ms: number;
  /** Ms since 1970, UTC; null while it is open. */
  resolved_at_ms: number | null;
  /** The nonce that it was signed with. */
  nonce: string;
  /** The session key that signed it; null: the wallet did. */
  key_id: string | null;
  /** The number of the quote it was taken at. */
  quote: number | null;
  rule: Rule;
  /** Seconds since 1970, UTC. */
  column_start_s: number;
  /** How many seconds wide the column is. */
  column_s: number;
  /** A price of one BTC in cents of a USD. */
  lo_cents: number;
  /** A price of one BTC in cents of a USD. */
  hi_cents: number;
  /** The balance now, micros of a USD. */
  balance_micros: number;
}

/** The newest quote. */
export interface NewestQuote {
  n: number;
  /** How long ago it was published, ms. */
  age_ms: number;
  /** A price of one BTC in cents of a USD. */
  price_cents: number;
}

/** Nothing is offered now. */
export interface NoGridFrame {
  type: "grid";
  n: null;
}

/** What a sign-in message must hold. */
export interface Nonce {
  /** Serves one sign-in. */
  nonce: string;
  domain: string;
  uri: string;
  chain_id: number;
  /** Milliseconds since 1970, UTC. */
  issued_at_ms: number;
  /** Milliseconds since 1970, UTC. */
  expires_at_ms: number;
  /** The wallet that was named; null where none was. */
  address: string | null;
}

/** A cell that can be tapped, and at what rate. */
export interface OfferedCell {
  /** `{column_start_s}_{lo_cents}_{hi_cents}`. */
  cell_id: string;
  /** Basis points: 18500 pays 1.85 times the stake. */
  reward_bps: number;
  /** Micros of a USD. */
  max_stake_micros: number;
}

/** A line of a statement, with what only operators see. */
export interface OpsEntry {
  /** Of the line, a ULID. */
  id: string;
  /** Micros of a USD; less than zero where money went out. */
  amount_micros: number;
  /** Micros of a USD; of `external` it is less than zero. */
  balance_after_micros: number;
  /** What the money was for; CARRY: what there was when the week began. */
  ref_type: "BET" | "PAYOUT" | "REFUND" | "DEPOSIT" | "WITHDRAWAL" | "ADJUSTMENT" | "CARRY";
  /** Of the bet, deposit or withdrawal. */
  ref_id: string;
  /** Milliseconds since 1970, UTC. */
  created_at_ms: number;
  /** One number names one line for ever. */
  rowid: number;
  /** What was noted with it. */
  metadata: Record<string, unknown>;
}

/** Feed and breaker, with the clocks' difference. */
export interface OpsFeed {
  level: FeedLevel;
  /** When this level began: ms since 1970, UTC. */
  since_ms: number;
  /** How old the newest tick is, in ms; null without one. */
  feed_age_ms: number | null;
  /** Which exchange the prices are of. */
  source: string | null;
  /** Open: betting is refused because of the feed. */
  breaker: "open" | "closed";
  /** An operator's word over the breaker. */
  override: Override;
  /** Median of receive less exchange time over the last ticks, ms. */
  skew_ms: number;
}

/** A page of an account's ledger, newest first. */
export interface OpsStatement {
  /** A wallet in lower case, or an account of the house's own. */
  wallet: string;
  entries: OpsEntry[];
  /** `cursor` of the next page; null on the last one. */
  next_cursor: string | null;
  /** The weeks that this page lacks. */
  archived?: string[];
}

/** The venue, as operators see it. */
export interface OpsStatus {
  archive: ArchiveStatus;
  backups: BackupStatus;
  audit: AuditStatus;
  disk: DiskStatus;
  /** The state of its outermost supervisor. */
  venue: string;
  /** Milliseconds since 1970, UTC. */
  server_time_ms: number;
  version: string;
  /** Is the money paper? */
  demo: boolean;
  /** Whose token asked. */
  operator: string;
  draining: boolean;
  /** What needs somebody's eye, that which wants an act first. */
  attention: Finding[];
  thresholds: Thresholds;
  actors: Actor[];
  feed: OpsFeed;
  breaker: Breaker;
  hold: Hold;
  sources: Source[];
  /** Null while there is none. */
  quote: NewestQuote | null;
  /** Null where the ledger can't be read. */
  house: House | null;
  writer: Writer;
  resolver: Resolver;
  store: StoreStatus;
  gateway: Door;
}

/** One withdrawal, as operators see it. */
export interface OpsWithdrawal {
  /** A ULID. */
  id: string;
  user_id: number;
  /** A wallet in lower case, or an account of the house's own. */
  wallet: string;
  status: WithdrawalStatus;
  /** Micros of a USD. */
  amount_micros: number;
  /** Where it is to be paid; the bankroll's: text. */
  destination: string;
  /** Of the bankroll's: its reference. */
  nonce: string;
  /** Milliseconds since 1970, UTC. */
  requested_at_ms: number;
  /** Ms since 1970, UTC; null while it is pending. */
  decided_at_ms: number | null;
  /** The operator's name. */
  decided_by: string | null;
  /** Of the payment. */
  reference: string | null;
  reason: string | null;
}

/** A page of everybody's withdrawals, newest first. */
export interface OpsWithdrawals {
  withdrawals: OpsWithdrawal[];
  /** `cursor` of the next page; null on the last one. */
  next_cursor: string | null;
}

/** How a bet ends. */
export type Outcome = "won" | "lost" | "void";

/** An operator's word over the circuit breaker. */
export type Override = "auto" | "open" | "close";

/** What a maximum becomes at a time to come. */
export interface PendingMax {
  /** Micros of a USD; null: no limit any more. */
  micros: number | null;
  /** Milliseconds since 1970, UTC. */
  from_ms: number;
}

/** To `ping`. */
export interface Pong {
  /** Milliseconds since 1970, UTC. */
  server_time_ms: number;
}

/** The newest accepted price; at most ten a second. */
export interface PriceFrame {
  /** When, by the exchange: ms since 1970, UTC. */
  ts_ms: number;
  /** A price of one BTC in cents of a USD. */
  price_cents: number;
  /** The exchange's own number of the trade. */
  trade_id: number;
  /** Which exchange. */
  source: string;
  type: "price";
}

/** All that a bet's result rests on, and the result recomputed from it. Names no trader. */
export interface Proof {
  /** A ULID in capitals. */
  bet_id: string;
  /** `{column_start_s}_{lo_cents}_{hi_cents}`. */
  cell_id: string;
  rule: Rule;
  /** Which exchange; null without a tick. */
  source: string | null;
  /** Milliseconds since 1970, UTC. */
  window_start_ms: number;
  /** Ms since 1970, UTC; not included. */
  window_end_ms: number;
  /** The cell's lower bound in cents, included. */
  lo_cents: number;
  /** The cell's upper bound in cents, included. */
  hi_cents: number;
  /** Recomputed from the ticks below. */
  outcome: Outcome;
  /** What the ledger has. */
  status: BetStatus;
  /** Why the stake was given back; null if it was not. */
  void_reason: VoidReason | null;
  /** Where ledger and evidence differ; empty is as it must be. */
  faults: string[];
  /** The one that decided, if any. */
  deciding_tick: Tick | null;
  /** The last tick before the window, whose price was in force. */
  carry_in: Tick | null;
  /** The first tick after the window. */
  after: Tick | null;
  tick_count: number;
  /** The lowest price in the window, cents. */
  low_cents: number | null;
  /** The highest price in the window, cents. */
  high_cents: number | null;
  /** SHA-256 over lines `{source},{ts_ms},{price_cents},{trade_id}`, the carry-in first, each ended by a line feed, in order. */
  ticks_sha256: string;
  /** The record was whole up to here: ms since 1970, UTC. */
  watermark_ms: number;
  /** When it was read: ms since 1970, UTC. */
  read_at_ms: number;
  health_intervals: Impairment[];
  /** Those in the window, in order. */
  ticks: Tick[];
}

/** One quote with every offered cell. */
export interface Quote {
  /** The number of the quote; a bet of version 2 names it. */
  n: number;
  /** Milliseconds since 1970, UTC. */
  published_at_ms: number;
  /** A price of one BTC in cents of a USD. */
  price_cents: number;
  cells: OfferedCell[];
}

/** Traffic may be sent here. */
export interface Ready {
  ready: true;
}

/** A balance that was set to the sum of its ledger rows. */
export interface Rebuilt {
  wallet: string;
  /** Micros of a USD. */
  balance_before_micros: number;
  /** Micros of a USD. */
  balance_micros: number;
  /** The ledger row that says so; null if it was that already. */
  noted_in_row: number | null;
}

/** What was settled since the venue started, and what waits. */
export interface Resolver {
  columns_settled: number;
  bets_won: number;
  bets_lost: number;
  bets_void: number;
  open_columns: number;
  /** When the oldest of them ended: ms since 1970, UTC. */
  oldest_open_end_ms: number | null;
}

/** An actor that was restarted. */
export interface Restarted {
  path: string;
  /** `restarting`: it will be tried again by itself; `stuck`: its last life does not end, and it is started once it does; `start_failed`: it stays stopped. */
  became: "started" | "running" | "restarting" | "stopped" | "stuck" | "ignored" | "start_failed";
}

/** A week that is being brought back for reading; the status shows how it goes on. */
export interface RestoreBegun {
  /** The Sunday on which a week of the ledger began, in UTC. */
  week: string;
  /** Could it be read before? */
  already_here: boolean;
}

/** Archived weeks that are brought back for reading. */
export interface RestoreStatus {
  /** The Sunday of the week in hand; empty if none is. */
  now: string;
  /** Bytes. */
  done_bytes: number;
  /** Bytes. */
  total_bytes: number;
  /** Weeks asked for that are not here yet. */
  waiting: number;
  restored: number;
  last_restored: string;
  failures: number;
  last_failure: string;
}

/** To `resume`: what was missed has been sent before this reply. */
export interface Resumed {
  /** False. */
  resync_required: boolean;
  /** The newest event that there was. */
  seq: number;
}

/** To `resume`: what was missed is not known any more, or the named `seq` is none of ours. */
export interface Resync {
  /** True. */
  resync_required: boolean;
  snapshot: Snapshot;
}

/** Events may be missing: none is sent until `resume` is asked for. */
export interface ResyncRequiredFrame {
  type: "resync_required";
}

/** The session is over, and its key signs nothing any more. */
export interface Revoked {
  /** Names the session, and opens nothing. */
  session_id: string;
  revoked: true;
}

/** Rule versions. A new rule gets a new name; an old one keeps its meaning for ever. */
export type Rule = "touch" | "path";

/** Whose session it is. */
export interface Session {
  /** Names the session, and opens nothing. */
  session_id: string;
  /** An address in lower case. */
  wallet: string;
  /** Milliseconds since 1970, UTC. */
  created_at_ms: number;
  /** Milliseconds since 1970, UTC. */
  expires_at_ms: number;
  /** Null where it has none that may bet now. */
  session_key: SessionKey | null;
}

/** The session has ended, and the private stream with it. */
export interface SessionExpiredFrame {
  type: "session:expired";
}

/** A session key that may bet now, and how far it has used its day up. */
export interface SessionKey {
  /** What bets name a session key by. */
  key_id: string;
  /** The most it may stake on one bet, micros of a USD. */
  bet_max_micros: number;
  /** The most it may stake in one UTC day, micros of a USD. */
  day_max_micros: number;
  /** Milliseconds since 1970, UTC. */
  expires_at_ms: number;
  /** What it staked since 00:00 UTC, micros of a USD. */
  staked_today_micros: number;
}

/** All of a trader's sessions, newest first. */
export interface Sessions {
  sessions: ListedSession[];
}

/** A session that began. */
export interface SignedIn {
  /** The bearer token. It is shown here, and never again. */
  token: string;
  /** Names the session, and opens nothing. */
  session_id: string;
  /** Milliseconds since 1970, UTC. */
  expires_at_ms: number;
  user: SignedInUser;
  /** Null where the sign-in named none. */
  session_key: GrantedKey | null;
}

/** Who signed in. */
export interface SignedInUser {
  /** An address in lower case. */
  wallet: string;
  /** Micros of a USD. */
  balance_micros: number;
}

/** Where a trader stands as of `seq`: what replaces events that were missed. */
export interface Snapshot {
  /** An address in lower case. */
  wallet: string;
  /** What can be staked, micros of a USD. */
  balance_micros: number;
  /** Staked on open bets, micros of a USD. */
  open_stake_micros: number;
  open_bets: number;
  /** The number of the last event of the trader's private stream. */
  seq: number;
  /** Ms since 1970, UTC; null before the first money. */
  created_at_ms: number | null;
  /** May he neither bet nor withdraw? */
  frozen: boolean;
  limits: Limits;
  /** All open bets, newest first. */
  open: Bet[];
  /** The newest results, at most 20. */
  last: Bet[];
}

/** One source of prices. */
export interface Source {
  name: string;
  connected: boolean;
  /** Is it the one whose prices count? */
  active: boolean;
  reconnects: number;
  /** When a tick of it came last: ms since 1970, UTC. */
  last_recv_ms: number | null;
  last_error: string;
}

/** A page of the statement, newest first. */
export interface Statement {
  entries: Entry[];
  /** `cursor` of the next page; null on the last one. */
  next_cursor: string | null;
  /** The weeks that this page lacks. */
  archived?: string[];
}

/** The heartbeat: is betting open, and how old are the prices? Each second, and at once when something changes that opens or closes betting. */
export interface StatusFrame {
  level: FeedLevel;
  /** When this level began: ms since 1970, UTC. */
  since_ms: number;
  /** How old the newest tick is, in ms; null without one. */
  feed_age_ms: number | null;
  /** Which exchange the prices are of. */
  source: string | null;
  /** Open: betting is refused because of the feed. */
  breaker: "open" | "closed";
  /** An operator's word over the breaker. */
  override: Override;
  type: "system:status";
  /** Milliseconds since 1970, UTC. */
  server_time_ms: number;
  /** Has an operator put betting on hold? */
  held: boolean;
  /** For people; empty where nothing is held. */
  held_why: string;
  /** Are bets refused for want of room on disk? */
  disk_full: boolean;
  /** Is the venue stopping? */
  draining: boolean;
}

/** The key-value store. */
export interface StoreStatus {
  /** Does it answer? Without it bets are refused. */
  up: boolean;
}

/** To `subscribe`: what is sent from now on. */
export interface Subscribed {
  channels: Channel[];
}

/** Where figures begin to want somebody's eye, so that they can be drawn with it. */
export interface Thresholds {
  /** Open payout, of the bankroll. */
  exposure_look_percent: number;
  exposure_act_percent: number;
  /** Depth, of the capacity. */
  mailbox_look_percent: number;
  mailbox_act_percent: number;
  connections_look_percent: number;
  connections_act_percent: number;
  /** In use; the archive hurries. */
  disk_warning_percent: number;
  /** ... and no new bets are taken. */
  disk_full_percent: number;
  /** ... and the oldest weeks go. */
  disk_emergency_percent: number;
  /** While so much is free no percentage counts; 0: they always do. */
  disk_ample_free_bytes: number;
  archive_age_max_s: number;
  backup_age_max_s: number;
  /** Since the money was last added up. */
  check_age_max_s: number;
}

/** One trade of the exchange. */
export interface Tick {
  /** When, by the exchange: ms since 1970, UTC. */
  ts_ms: number;
  /** A price of one BTC in cents of a USD. */
  price_cents: number;
  /** The exchange's own number of the trade. */
  trade_id: number;
  /** Which exchange. */
  source: string;
}

/** A stretch of ticks, oldest first. */
export interface Ticks {
  ticks: Tick[];
}

/** How much a finding wants. */
export type Urgency = "look" | "act";

/** An account, with all that operators know of it. */
export interface User {
  user_id: number;
  /** A wallet in lower case, or an account of the house's own. */
  wallet: string;
  /** Micros of a USD; of `external` it is less than zero. */
  balance_micros: number;
  /** Staked on open bets, micros of a USD. */
  open_stake_micros: number;
  open_bets: number;
  /** The number of the last event of the trader's private stream. */
  seq: number;
  /** Milliseconds since 1970, UTC. */
  created_at_ms: number;
  /** May he neither bet nor withdraw? */
  frozen: boolean;
  limits: Limits;
  /** The newest 100. */
  keys: UserKey[];
  /** Those that are open, the newest 200. */
  bets: Bet[];
}

/** A session key of a trader's, and what it may still do. */
export interface UserKey {
  key_id: string;
  session_id: string;
  /** Of one bet, micros of a USD. */
  bet_max_micros: number;
  /** Of one UTC day, micros of a USD. */
  day_max_micros: number;
  /** Milliseconds since 1970, UTC. */
  created_at_ms: number;
  /** Milliseconds since 1970, UTC. */
  expires_at_ms: number;
  /** Ms since 1970, UTC; null: it is not. */
  revoked_at_ms: number | null;
}

/** What is running. */
export interface Version {
  version: string;
  /** Empty where it is not known. */
  commit: string;
  /** Is the money paper? */
  demo: boolean;
  chain_id: number;
}

/** Why a column was given back; the first that applies, in this order. */
export type VoidReason = "feed_critical" | "not_running" | "source_changed" | "tick_gap" | "no_price" | "not_judged_in_time" | "operator";

/** One withdrawal. */
export interface Withdrawal {
  /** A ULID. */
  id: string;
  /** A pending one waits for an operator to decide it. */
  status: WithdrawalStatus;
  /** Micros of a USD. */
  amount_micros: number;
  /** Where it is to be paid. */
  destination: string;
  /** The nonce that it was signed with. */
  nonce: string;
  /** Milliseconds since 1970, UTC. */
  requested_at_ms: number;
  /** Ms since 1970, UTC; null while it is pending. */
  decided_at_ms: number | null;
  /** Of the payment, e.g. a transaction hash, once it is paid. */
  reference: string | null;
  /** Why it was rejected. */
  reason: string | null;
}

/** A withdrawal that is decided, now or since an earlier request that said the same. */
export interface WithdrawalDecided {
  withdrawal: OpsWithdrawal;
}

/** A withdrawal that was taken: the money has left the balance. */
export interface WithdrawalRequested {
  withdrawal: Withdrawal;
  /** What is left, micros of a USD. */
  balance_micros: number;
}

/** Where a withdrawal stands. While it is pending the money is no longer the trader's to bet. */
export type WithdrawalStatus = "pending" | "paid" | "rejected";

/** A page of a trader's withdrawals, newest first. */
export interface Withdrawals {
  withdrawals: Withdrawal[];
  /** `cursor` of the next page; null on the last one. */
  next_cursor: string | null;
}

/** The writer of the ledger. */
export interface Writer {
  batches: number;
  commands: number;
  /** Commands of the last batch. */
  last_batch: number;
  /** How long the last transaction took, ms. */
  last_commit_ms: number;
  /** Commands dropped unwritten: nobody waited. */
  expired: number;
  /** The latest time that the ledger has seen: ms since 1970, UTC. */
  high_ms: number;
  /** SQLite's setting of that name; 2 is FULL. */
  synchronous: number;
  /** The file of the running week. */
  partition: string;
  rotations: number;
  /** How long the last one held up the commands behind it, ms. */
  last_rotation_ms: number;
  /** Why a week that is over still has the current file; else empty. */
  rotation_failure: string;
}
