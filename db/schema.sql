-- The whole schema of a money ledger file, as the migrations make it (a test compares them).
CREATE TABLE "schema_migrations" (
   "number" INTEGER PRIMARY KEY,
   "name" TEXT,
   "sha256" TEXT
) STRICT;
CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    wallet_address TEXT NOT NULL UNIQUE
        CHECK (wallet_address IN ('house', 'external')
               OR (wallet_address GLOB '0x*' AND wallet_address = lower(wallet_address))),
    -- SUM(amount) of the account's ledger rows, kept so that a bet need not add them up.
    -- `external` is where deposits come from: all that it lacks is in the other accounts.
    balance INTEGER NOT NULL DEFAULT 0 CHECK (balance >= 0 OR wallet_address = 'external'),
    -- Raised by one with each event of the user: it numbers his events without a gap.
    version INTEGER NOT NULL DEFAULT 0 CHECK (version >= 0),
    frozen INTEGER NOT NULL DEFAULT 0 CHECK (frozen IN (0, 1)),
    created_at_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE columns (
    start_s INTEGER NOT NULL,
    column_s INTEGER NOT NULL CHECK (column_s > 0),
    rule TEXT NOT NULL CHECK (rule <> ''),
    void_reason TEXT CHECK (void_reason <> ''),
    source TEXT,
    record TEXT NOT NULL CHECK (json_valid(record)),
    ticks_sha256 TEXT NOT NULL CHECK (length(ticks_sha256) = 64),
    judged_at_ms INTEGER NOT NULL,
    PRIMARY KEY (start_s, column_s, rule)
) STRICT;
CREATE TABLE transaction_ledger (
    rowid INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE CHECK (id <> ''),
    txn INTEGER NOT NULL CHECK (txn <= rowid),
    user_id INTEGER NOT NULL REFERENCES users (id),
    amount INTEGER NOT NULL,
    balance_after INTEGER NOT NULL,
    ref_type TEXT NOT NULL
        CHECK (ref_type IN
               ('BET', 'PAYOUT', 'REFUND', 'DEPOSIT', 'WITHDRAWAL', 'ADJUSTMENT', 'CARRY')),
    ref_id TEXT NOT NULL CHECK (ref_id <> ''),
    metadata TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(metadata)),
    created_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX ledger_account ON transaction_ledger (user_id);
CREATE TRIGGER ledger_is_never_changed BEFORE UPDATE ON transaction_ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_is_never_shortened BEFORE DELETE ON transaction_ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TABLE deposits (
    reference TEXT PRIMARY KEY CHECK (reference <> ''),
    user_id INTEGER NOT NULL REFERENCES users (id),
    amount_micros INTEGER NOT NULL CHECK (amount_micros > 0),
    by_whom TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE exposure (
    scope TEXT NOT NULL CHECK (scope IN ('total', 'user', 'cell', 'column')),
    key TEXT NOT NULL,
    bets INTEGER NOT NULL CHECK (bets >= 0),
    stake_micros INTEGER NOT NULL CHECK (stake_micros >= 0),
    payout_micros INTEGER NOT NULL CHECK (payout_micros >= 0),
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE meta (
    only INTEGER PRIMARY KEY DEFAULT 1 CHECK (only = 1),
    high_ms INTEGER NOT NULL DEFAULT 0,         -- the highest time by which a bet was judged
    verified_rowid INTEGER NOT NULL DEFAULT 0,  -- ledger rows up to here were found to add up
    next_quote_n INTEGER NOT NULL DEFAULT 1,    -- the first quote number not yet given out
    held INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1)),
    held_by TEXT NOT NULL DEFAULT '',
    held_why TEXT NOT NULL DEFAULT '',
    override TEXT NOT NULL DEFAULT 'auto' CHECK (override IN ('auto', 'open', 'close')),
    override_by TEXT NOT NULL DEFAULT '',
    override_why TEXT NOT NULL DEFAULT ''
, opened_at_ms INTEGER NOT NULL DEFAULT 0, closed_at_ms INTEGER CHECK (closed_at_ms >= opened_at_ms)) STRICT;
CREATE TABLE partitions (
    name TEXT PRIMARY KEY CHECK (name GLOB '????-??-??.db'),
    opened_at_ms INTEGER NOT NULL,
    closed_at_ms INTEGER NOT NULL CHECK (closed_at_ms >= opened_at_ms),
    -- Of its ledger. Row numbers go on in the next file, so that one number names one row for ever.
    last_rowid INTEGER NOT NULL CHECK (last_rowid >= 0)
) STRICT;
CREATE TABLE carried_nonces (
    user_id INTEGER NOT NULL REFERENCES users (id),
    nonce TEXT NOT NULL CHECK (nonce <> ''),
    bet_id TEXT NOT NULL,
    status TEXT NOT NULL,
    PRIMARY KEY (user_id, nonce)
) STRICT, WITHOUT ROWID;
CREATE TABLE "bets" (
    rowid INTEGER PRIMARY KEY,  -- named, so that VACUUM keeps it
    id TEXT NOT NULL UNIQUE CHECK (id <> ''),
    user_id INTEGER NOT NULL REFERENCES users (id) CHECK (user_id > 2),
    nonce TEXT NOT NULL CHECK (nonce <> ''),
    column_start_s INTEGER NOT NULL,
    column_s INTEGER NOT NULL CHECK (column_s > 0),
    lo_cents INTEGER NOT NULL CHECK (lo_cents >= 0),
    hi_cents INTEGER NOT NULL CHECK (hi_cents > lo_cents),
    cell_id TEXT NOT NULL
        GENERATED ALWAYS AS (column_start_s || '_' || lo_cents || '_' || hi_cents) VIRTUAL,
    rule TEXT NOT NULL CHECK (rule <> ''),
    stake_micros INTEGER NOT NULL CHECK (stake_micros > 0),
    reward_bps INTEGER NOT NULL CHECK (reward_bps >= 0),
    quote_n INTEGER NOT NULL,
    -- What the house must hold ready while the bet is open; the remainder stays with the house.
    payout_if_won_micros INTEGER NOT NULL
        GENERATED ALWAYS AS (stake_micros * reward_bps / 10000) VIRTUAL,
    status TEXT NOT NULL
        CHECK (status IN ('confirmed', 'won', 'lost', 'void', 'insufficient_funds', 'carried')),
    -- Never changes, so that settling a bet leaves the index below alone: a quarter of the time
    -- that it takes to end the bets of a column.
    holds_cell INTEGER NOT NULL CHECK (holds_cell = (status <> 'insufficient_funds')),
    payout_micros INTEGER CHECK (payout_micros >= 0),
    placed_at_ms INTEGER NOT NULL,
    resolved_at_ms INTEGER,
    -- The file whose ledger took the stake, if that is not this one.
    carried_from TEXT CHECK (carried_from GLOB '????-??-??.db'), key_id TEXT,
    CHECK ((status IN ('won', 'lost', 'void')) = (resolved_at_ms IS NOT NULL)),
    CHECK ((resolved_at_ms IS NULL) = (payout_micros IS NULL))
) STRICT;
CREATE UNIQUE INDEX bets_nonce ON bets (user_id, nonce);
CREATE UNIQUE INDEX bets_cell ON bets (user_id, cell_id) WHERE holds_cell = 1;
CREATE INDEX bets_open ON bets (column_start_s, column_s, rule, lo_cents, hi_cents)
    WHERE status = 'confirmed';
CREATE INDEX bets_placed ON bets (user_id, placed_at_ms);
CREATE TABLE session_keys (
    id TEXT PRIMARY KEY CHECK (length(id) = 32),        -- of the SHA-256 of the public key
    user_id INTEGER NOT NULL REFERENCES users (id) CHECK (user_id > 2),
    session_id TEXT NOT NULL CHECK (session_id <> ''),
    public_key BLOB NOT NULL CHECK (length(public_key) = 65),
    bet_max_micros INTEGER NOT NULL CHECK (bet_max_micros > 0),
    day_max_micros INTEGER NOT NULL CHECK (day_max_micros > 0),
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    revoked_at_ms INTEGER,
    -- What it staked on the UTC day (counted from the epoch) on which it was used last.
    day INTEGER NOT NULL DEFAULT 0,
    day_stake_micros INTEGER NOT NULL DEFAULT 0 CHECK (day_stake_micros >= 0)
) STRICT;
CREATE INDEX session_keys_owner ON session_keys (user_id, session_id);
CREATE TABLE account_limits (
    user_id INTEGER PRIMARY KEY REFERENCES users (id) CHECK (user_id > 2),
    stake_max_micros INTEGER CHECK (stake_max_micros >= 0),             -- NULL: no limit
    loss_day_max_micros INTEGER CHECK (loss_day_max_micros >= 0),
    paused_until_ms INTEGER NOT NULL DEFAULT 0,
    -- What holds instead from its time on, when more was asked for; no time: nothing was.
    next_stake_max_micros INTEGER CHECK (next_stake_max_micros >= 0),
    next_stake_at_ms INTEGER,
    next_loss_day_max_micros INTEGER CHECK (next_loss_day_max_micros >= 0),
    next_loss_day_at_ms INTEGER,
    -- Stakes less what came back, on the UTC day (counted from the epoch) of the newest of them.
    day INTEGER NOT NULL DEFAULT 0,
    day_lost_micros INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE withdrawals (
    id TEXT PRIMARY KEY CHECK (id <> ''),
    user_id INTEGER NOT NULL REFERENCES users (id) CHECK (user_id <> 2),
    nonce TEXT NOT NULL CHECK (nonce <> ''),            -- the bankroll's: the operator's reference
    amount_micros INTEGER NOT NULL CHECK (amount_micros > 0),
    destination TEXT NOT NULL,
    -- What the wallet signed besides, and its signature: evidence of who wanted it.
    signed_at_s INTEGER,
    signature TEXT,
    status TEXT NOT NULL CHECK (status IN ('pending', 'paid', 'rejected')),
    requested_at_ms INTEGER NOT NULL,
    decided_at_ms INTEGER,
    decided_by TEXT,
    reference TEXT,                                     -- of the payment outside
    reason TEXT,
    CHECK ((status = 'pending') = (decided_at_ms IS NULL)),
    CHECK ((decided_at_ms IS NULL) = (decided_by IS NULL)),
    CHECK ((user_id = 1) = (signature IS NULL))
) STRICT;
CREATE UNIQUE INDEX withdrawals_nonce ON withdrawals (user_id, nonce);
CREATE INDEX withdrawals_pending ON withdrawals (id) WHERE status = 'pending';
CREATE TABLE adjustments (
    reference TEXT PRIMARY KEY CHECK (reference <> ''),
    user_id INTEGER NOT NULL REFERENCES users (id) CHECK (user_id > 2),
    amount_micros INTEGER NOT NULL CHECK (amount_micros <> 0),
    bet_id TEXT,
    by_whom TEXT NOT NULL,
    why TEXT NOT NULL CHECK (why <> ''),
    created_at_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE column_voids (
    start_s INTEGER PRIMARY KEY,
    by_whom TEXT NOT NULL,
    why TEXT NOT NULL CHECK (why <> ''),
    created_at_ms INTEGER NOT NULL
) STRICT;
