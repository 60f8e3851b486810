-- The open bets of the column in hand, each with its end. TEMP, as the intake is.
CREATE TEMP TABLE settling (
    n INTEGER PRIMARY KEY,      -- from 1, by user and then in the order of placing
    bet_rowid INTEGER NOT NULL,
    bet_id TEXT NOT NULL,
    user_id INTEGER NOT NULL,
    wallet TEXT NOT NULL,
    cell_id TEXT NOT NULL,
    stake_micros INTEGER NOT NULL,
    payout_if_won_micros INTEGER NOT NULL,
    status TEXT NOT NULL,
    credit_micros INTEGER NOT NULL,
    seq INTEGER NOT NULL,       -- the user's version with this bet's event
    balance INTEGER NOT NULL    -- the user's balance with this bet's credit
) STRICT;

-- What leaves the running totals with them.
CREATE TEMP TABLE released (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    bets INTEGER NOT NULL,
    stake_micros INTEGER NOT NULL,
    payout_micros INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;
