-- Weekly partitions: what a file knows of the ones before it, and what it was given by them.

-- Each file is opened once and closed once; one that is closed is never written again.
ALTER TABLE meta ADD COLUMN opened_at_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE meta ADD COLUMN closed_at_ms INTEGER CHECK (closed_at_ms >= opened_at_ms);

-- The closed files before this one, so that the current file alone says which there must be.
CREATE TABLE partitions (
    name TEXT PRIMARY KEY CHECK (name GLOB '????-??-??.db'),
    opened_at_ms INTEGER NOT NULL,
    closed_at_ms INTEGER NOT NULL CHECK (closed_at_ms >= opened_at_ms),
    -- Of its ledger. Row numbers go on in the next file, so that one number names one row for ever.
    last_rowid INTEGER NOT NULL CHECK (last_rowid >= 0)
) STRICT;

-- Nonces of bets that had ended when the file was opened and whose signatures may still live.
CREATE TABLE carried_nonces (
    user_id INTEGER NOT NULL REFERENCES users (id),
    nonce TEXT NOT NULL CHECK (nonce <> ''),
    bet_id TEXT NOT NULL,
    status TEXT NOT NULL,
    PRIMARY KEY (user_id, nonce)
) STRICT, WITHOUT ROWID;

-- A bet that is open when its file is closed is `carried` there, and goes on in the next one.
CREATE TABLE bets_with_carried (
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
    carried_from TEXT CHECK (carried_from GLOB '????-??-??.db'),
    CHECK ((status IN ('won', 'lost', 'void')) = (resolved_at_ms IS NOT NULL)),
    CHECK ((resolved_at_ms IS NULL) = (payout_micros IS NULL))
) STRICT;
INSERT INTO bets_with_carried
    (rowid, id, user_id, nonce, column_start_s, column_s, lo_cents, hi_cents, rule, stake_micros,
     reward_bps, quote_n, status, holds_cell, payout_micros, placed_at_ms, resolved_at_ms)
SELECT rowid, id, user_id, nonce, column_start_s, column_s, lo_cents, hi_cents, rule, stake_micros,
       reward_bps, quote_n, status, holds_cell, payout_micros, placed_at_ms, resolved_at_ms
FROM bets;
DROP TABLE bets;
ALTER TABLE bets_with_carried RENAME TO bets;
CREATE UNIQUE INDEX bets_nonce ON bets (user_id, nonce);
CREATE UNIQUE INDEX bets_cell ON bets (user_id, cell_id) WHERE holds_cell = 1;
CREATE INDEX bets_open ON bets (column_start_s, column_s, rule, lo_cents, hi_cents)
    WHERE status = 'confirmed';
CREATE INDEX bets_placed ON bets (user_id, placed_at_ms);
