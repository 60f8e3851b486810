-- What becomes of each table when a new week's file (main) is built beside the one before (old).
--
-- One part per table, each headed `-- table NAME: what is carried over`, in the order in which they
-- are carried out; a part without a statement begins empty. A test holds the list against the
-- schema, so that a table that comes with a later feature can't be forgotten here.
--
-- :old_name, :at_ms    the file that ends, and the time at which it ends and this one begins
-- :last_rowid          the newest ledger row of all files so far; row numbers go on from there
-- :ulid_time           ten characters of time: the head of the ids that are made here
-- :young_ms            whatever was signed after this may still be sent again

-- table schema_migrations: all; this file has that schema
INSERT INTO schema_migrations SELECT * FROM old.schema_migrations;

-- table users: all, as they are; a version goes on, because carrying is no event
-- `SELECT *` of one whole table into an empty one of the same schema copies rows without decoding
-- them (SQLite's transfer optimization): 40 ms for 100,000 accounts instead of 150.
INSERT INTO users SELECT * FROM old.users;

-- table transaction_ledger: one CARRY row per balance; their sum is zero, as all balances' is
-- The house and `external` have one in any case: so a file always says where its rows begin. The
-- digits of an account's number are valid in a ULID, and the rows stay in order of their ids.
INSERT INTO transaction_ledger
    (rowid, id, txn, user_id, amount, balance_after, ref_type, ref_id, created_at_ms)
SELECT iif(id = 1, :last_rowid + 1, NULL), :ulid_time || printf('%016d', id), :last_rowid + 1,
       id, balance, balance, 'CARRY', :old_name, :at_ms
FROM old.users WHERE balance <> 0 OR id <= 2 ORDER BY id;

-- table deposits: all, for ever: what makes a deposit happen once
INSERT INTO deposits SELECT * FROM old.deposits;

-- table session_keys: all, for ever: a key belongs to one session of one wallet
INSERT INTO session_keys SELECT * FROM old.session_keys;

-- table account_limits: all, with what was lost today; the week begins with a day, but not every file
INSERT INTO account_limits SELECT * FROM old.account_limits;

-- table withdrawals: all, for ever: what makes a withdrawal happen once
INSERT INTO withdrawals SELECT * FROM old.withdrawals;

-- table adjustments: all, for ever: what makes an adjustment happen once
INSERT INTO adjustments SELECT * FROM old.adjustments;

-- table column_voids: all; they are few, and one may be of a column that is yet to come
INSERT INTO column_voids SELECT * FROM old.column_voids;

-- table bets: the open ones, as they are; the old file's ledger has their stakes
-- In no order: for the order of rowid SQLite would read all bets of the week, 80 ms a million.
INSERT INTO bets
    (rowid, id, user_id, nonce, column_start_s, column_s, lo_cents, hi_cents, rule, stake_micros,
     reward_bps, quote_n, status, holds_cell, payout_micros, placed_at_ms, resolved_at_ms,
     carried_from, key_id)
SELECT rowid, id, user_id, nonce, column_start_s, column_s, lo_cents, hi_cents, rule, stake_micros,
       reward_bps, quote_n, status, holds_cell, payout_micros, placed_at_ms, resolved_at_ms,
       ifnull(carried_from, :old_name), key_id
FROM old.bets WHERE status = 'confirmed';

-- table carried_nonces: of bets that have ended and whose signatures may still live
-- Bets are placed in the order of time, so the search ends at the newest one that is too old. What
-- the old file was given is all as young as that, or none of it is worth asking.
INSERT INTO carried_nonces (user_id, nonce, bet_id, status)
SELECT user_id, nonce, id, status FROM old.bets
WHERE status <> 'confirmed' AND rowid > ifnull((
    SELECT rowid FROM old.bets WHERE placed_at_ms <= :young_ms ORDER BY rowid DESC LIMIT 1), 0)
UNION ALL
SELECT user_id, nonce, bet_id, status FROM old.carried_nonces
WHERE (SELECT opened_at_ms FROM old.meta) > :young_ms;

-- table columns: verdicts on windows that have not ended: one voided ahead stays untappable
-- The first condition is for the index: a week has 120,000 verdicts with all their evidence.
INSERT INTO columns SELECT * FROM old.columns
WHERE start_s > :at_ms / 1000 - (SELECT max(column_s) FROM old.columns)
  AND (start_s + column_s) * 1000 > :at_ms;

-- table exposure: all; it is of the open bets, and those are carried over
INSERT INTO exposure SELECT * FROM old.exposure;

-- table partitions: all, and the file that ends
INSERT INTO partitions (name, opened_at_ms, closed_at_ms, last_rowid)
SELECT name, opened_at_ms, closed_at_ms, last_rowid FROM old.partitions
UNION ALL SELECT :old_name, opened_at_ms, :at_ms, :last_rowid FROM old.meta;

-- table meta: all that the venue must remember; the CARRY rows were checked when they were made
INSERT INTO meta
    (only, high_ms, verified_rowid, next_quote_n, held, held_by, held_why, override, override_by,
     override_why, opened_at_ms, closed_at_ms)
SELECT only, max(high_ms, :at_ms), (SELECT max(rowid) FROM main.transaction_ledger), next_quote_n,
       held, held_by, held_why, override, override_by, override_why, :at_ms, NULL
FROM old.meta;
