-- What traders and operators set and ask for beside bets: session keys, limits of one's own,
-- withdrawals, adjustments, and columns given back before their verdict.

-- Browsers' keys that may sign bets. Kept for ever: a key belongs to one session of one wallet.
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

ALTER TABLE bets ADD COLUMN key_id TEXT;    -- the session key that signed it; NULL: the wallet did

-- Limits that traders have set for themselves. No row: none was ever set.
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

-- Kept for ever, so that a withdrawal happens once. One from `house` is the bankroll's.
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

-- Wrong results made good. Kept for ever, so that each is made good once.
CREATE TABLE adjustments (
    reference TEXT PRIMARY KEY CHECK (reference <> ''),
    user_id INTEGER NOT NULL REFERENCES users (id) CHECK (user_id > 2),
    amount_micros INTEGER NOT NULL CHECK (amount_micros <> 0),
    bet_id TEXT,
    by_whom TEXT NOT NULL,
    why TEXT NOT NULL CHECK (why <> ''),
    created_at_ms INTEGER NOT NULL
) STRICT;

-- Columns that an operator gives back: no bets any more, and no verdict but void.
CREATE TABLE column_voids (
    start_s INTEGER PRIMARY KEY,
    by_whom TEXT NOT NULL,
    why TEXT NOT NULL CHECK (why <> ''),
    created_at_ms INTEGER NOT NULL
) STRICT;
