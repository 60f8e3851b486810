-- How a batch of bets enters the ledger: one INSERT into `bet_batch`, one SELECT of the results.
--
-- A statement that is run from a Python thread beside a busy event loop may wait for the
-- interpreter lock (5 ms at a time) whenever it returns. A loop of statements per bet costs as much
-- CPU as this and is as fast alone, but beside a busy loop its batches of 100 mostly had the longer
-- tail: 120-780 ms at p99 against 19-137 in four runs (bench/RESULTS.md). So the whole batch is JSON in one statement, and
-- triggers do per bet what the loop would.
--
-- All of it is TEMP: it belongs to the write connection, leaves nothing in the file and costs no
-- write-ahead log. A statement that fails (a CHECK, a unique index) undoes all of its batch.

CREATE TEMP TABLE house_caps (
    per_user_micros INTEGER NOT NULL,
    per_cell_micros INTEGER NOT NULL,
    per_column_micros INTEGER NOT NULL
) STRICT;

-- What became of each bet of the batch in hand. To insert a row here is to carry it out.
CREATE TEMP TABLE bet_decision (
    n INTEGER PRIMARY KEY,
    verdict TEXT NOT NULL,
    user_id INTEGER,
    seq INTEGER,                -- the user's version with this bet's event
    balance INTEGER,            -- the user's balance with this bet's stake taken
    first_bet_id TEXT,          -- the bet that used the nonce, or holds the cell, before
    first_status TEXT,
    -- What limits the bet, for whoever is told that it is above: the key's caps, the trader's own.
    key_bet_max_micros INTEGER, key_day_max_micros INTEGER,
    paused_until_ms INTEGER, stake_max_micros INTEGER,
    loss_day_max_micros INTEGER, lost_micros INTEGER,
    has_limits INTEGER NOT NULL,    -- has the trader ever set any?
    today INTEGER NOT NULL,
    at_ms INTEGER NOT NULL, txn INTEGER NOT NULL, ledger_id TEXT NOT NULL,
    bet_id TEXT NOT NULL, nonce TEXT NOT NULL,
    column_start_s INTEGER NOT NULL, column_s INTEGER NOT NULL,
    lo_cents INTEGER NOT NULL, hi_cents INTEGER NOT NULL, cell_id TEXT NOT NULL,
    rule TEXT NOT NULL, stake_micros INTEGER NOT NULL, reward_bps INTEGER NOT NULL,
    quote_n INTEGER NOT NULL, payout_micros INTEGER NOT NULL,
    key_id TEXT                 -- of the session key that signed it; NULL: the wallet did
) STRICT;

CREATE TEMP VIEW bet_batch AS
SELECT NULL AS orders, NULL AS at_ms, NULL AS txn, NULL AS house_ledger_id;

CREATE TEMP VIEW bet_order AS
SELECT NULL AS n, NULL AS at_ms, NULL AS today, NULL AS txn, NULL AS ledger_id,
       NULL AS bet_id, NULL AS wallet, NULL AS nonce,
       NULL AS column_start_s, NULL AS column_s, NULL AS lo_cents, NULL AS hi_cents,
       NULL AS cell_id, NULL AS rule, NULL AS stake_micros, NULL AS reward_bps, NULL AS quote_n,
       NULL AS payout_micros, NULL AS refused, NULL AS key_id;

CREATE TEMP TRIGGER take_batch INSTEAD OF INSERT ON bet_batch
BEGIN
    DELETE FROM bet_decision;
    INSERT INTO bet_order
    -- The UTC day, counted from the epoch: stakes of a key and losses are added up by it.
    SELECT key, NEW.at_ms, NEW.at_ms / 86400000, NEW.txn, value ->> 0,
           value ->> 1, value ->> 2, value ->> 3,
           value ->> 4, value ->> 5, value ->> 6, value ->> 7,
           value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12,
           value ->> 13, value ->> 14, value ->> 15
    FROM json_each(NEW.orders) ORDER BY key;
    -- The other side of all stakes, in one row.
    INSERT INTO transaction_ledger
        (id, txn, user_id, amount, balance_after, ref_type, ref_id, metadata, created_at_ms)
    SELECT NEW.house_ledger_id, NEW.txn, 1, sum(stake_micros),
           (SELECT balance FROM users WHERE id = 1),
           'BET', 'txn:' || NEW.txn, json_object('bets', count(*)), NEW.at_ms
    FROM bet_decision WHERE verdict = 'confirmed' HAVING count(*) > 0;
    UPDATE meta SET high_ms = NEW.at_ms WHERE high_ms < NEW.at_ms;
END;

-- The order of refusal. Nonce before all else: a retry is told of its first bet, whatever has
-- become of the cell, the column or the feed since.
CREATE TEMP TRIGGER take_order INSTEAD OF INSERT ON bet_order
BEGIN
    INSERT INTO bet_decision
    SELECT NEW.n,
           CASE
               WHEN used.id IS NOT NULL OR ended.bet_id IS NOT NULL THEN 'replay_detected'
               WHEN NEW.refused THEN 'refused'
               WHEN account.id IS NULL THEN 'unknown_wallet'
               WHEN holder.id IS NOT NULL THEN 'cell_taken'
               WHEN EXISTS (SELECT 1 FROM columns WHERE start_s = NEW.column_start_s
                            AND column_s = NEW.column_s) THEN 'cell_unavailable'
               WHEN EXISTS (SELECT 1 FROM column_voids WHERE start_s = NEW.column_start_s)
                   THEN 'column_void'
               WHEN account.frozen THEN 'frozen'
               WHEN NEW.key_id IS NOT NULL
                    AND (key.id IS NULL OR key.revoked_at_ms IS NOT NULL
                         OR key.expires_at_ms <= NEW.at_ms) THEN 'unauthorized'
               WHEN key.bet_max_micros < NEW.stake_micros THEN 'key_bet'
               -- Subtracted, because a sum could pass 2**63. So with the loss of the day.
               WHEN key.day_max_micros - iif(key.day = NEW.today, key.day_stake_micros, 0)
                    < NEW.stake_micros THEN 'key_day'
               WHEN own.paused_until_ms > NEW.at_ms THEN 'paused'
               WHEN own.stake_max_micros < NEW.stake_micros THEN 'stake'
               WHEN own.loss_day_max_micros - own.lost_micros < NEW.stake_micros THEN 'loss_day'
               WHEN account.balance < NEW.stake_micros THEN 'insufficient_funds'
               WHEN (SELECT balance FROM users WHERE id = 1) + NEW.stake_micros
                    < NEW.payout_micros
                    + (SELECT payout_micros FROM exposure WHERE scope = 'total' AND key = '')
                   THEN 'exposure_limit'
               WHEN ifnull((SELECT payout_micros FROM exposure
                            WHERE scope = 'user' AND key = CAST(account.id AS TEXT)), 0)
                    + NEW.payout_micros > caps.per_user_micros THEN 'exposure_limit'
               WHEN ifnull((SELECT payout_micros FROM exposure
                            WHERE scope = 'cell' AND key = NEW.cell_id), 0)
                    + NEW.payout_micros > caps.per_cell_micros THEN 'exposure_limit'
               WHEN ifnull((SELECT payout_micros FROM exposure
                            WHERE scope = 'column'
                            AND key = NEW.column_start_s || '_' || NEW.column_s), 0)
                    + NEW.payout_micros > caps.per_column_micros THEN 'exposure_limit'
               ELSE 'confirmed'
           END,
           account.id, account.version + 1, account.balance - NEW.stake_micros,
           coalesce(used.id, ended.bet_id, holder.id),
           coalesce(used.status, ended.status, holder.status),
           key.bet_max_micros, key.day_max_micros, own.paused_until_ms, own.stake_max_micros,
           own.loss_day_max_micros, own.lost_micros, own.user_id IS NOT NULL, NEW.today,
           NEW.at_ms, NEW.txn, NEW.ledger_id, NEW.bet_id, NEW.nonce,
           NEW.column_start_s, NEW.column_s, NEW.lo_cents, NEW.hi_cents, NEW.cell_id,
           NEW.rule, NEW.stake_micros, NEW.reward_bps, NEW.quote_n, NEW.payout_micros,
           NEW.key_id
    FROM house_caps AS caps
    LEFT JOIN users AS account ON account.wallet_address = NEW.wallet AND account.id > 2
    LEFT JOIN bets AS used ON used.user_id = account.id AND used.nonce = NEW.nonce
    -- Of a bet that had ended when this file was begun: it is in the file before.
    LEFT JOIN carried_nonces AS ended ON ended.user_id = account.id AND ended.nonce = NEW.nonce
    LEFT JOIN bets AS holder ON holder.user_id = account.id AND holder.cell_id = NEW.cell_id
                            AND holder.holds_cell = 1
    LEFT JOIN session_keys AS key ON key.id = NEW.key_id AND key.user_id = account.id
    -- As they are in force: what was waited for holds from its time on, whoever has written it.
    LEFT JOIN (SELECT user_id, paused_until_ms,
                      iif(next_stake_at_ms <= NEW.at_ms, next_stake_max_micros, stake_max_micros)
                          AS stake_max_micros,
                      iif(next_loss_day_at_ms <= NEW.at_ms, next_loss_day_max_micros,
                          loss_day_max_micros) AS loss_day_max_micros,
                      iif(day = NEW.today, day_lost_micros, 0) AS lost_micros
               FROM account_limits) AS own ON own.user_id = account.id;
END;

CREATE TEMP TRIGGER take_stake AFTER INSERT ON bet_decision WHEN NEW.verdict = 'confirmed'
BEGIN
    UPDATE users SET balance = balance - NEW.stake_micros, version = NEW.seq
    WHERE id = NEW.user_id AND balance >= NEW.stake_micros;
    UPDATE users SET balance = balance + NEW.stake_micros WHERE id = 1;
    INSERT INTO transaction_ledger
        (id, txn, user_id, amount, balance_after, ref_type, ref_id, metadata, created_at_ms)
    VALUES (NEW.ledger_id, NEW.txn, NEW.user_id, -NEW.stake_micros, NEW.balance,
            'BET', NEW.bet_id, json_object('cell_id', NEW.cell_id), NEW.at_ms);
    INSERT INTO exposure (scope, key, bets, stake_micros, payout_micros)
    VALUES ('total', '', 1, NEW.stake_micros, NEW.payout_micros),
           ('user', CAST(NEW.user_id AS TEXT), 1, NEW.stake_micros, NEW.payout_micros),
           ('cell', NEW.cell_id, 1, NEW.stake_micros, NEW.payout_micros),
           ('column', NEW.column_start_s || '_' || NEW.column_s, 1,
            NEW.stake_micros, NEW.payout_micros)
    ON CONFLICT (scope, key) DO UPDATE
    SET bets = bets + 1,
        stake_micros = stake_micros + excluded.stake_micros,
        payout_micros = payout_micros + excluded.payout_micros;
END;

-- A stake counts for its day whether or not it comes back.
CREATE TEMP TRIGGER count_for_key AFTER INSERT ON bet_decision
WHEN NEW.verdict = 'confirmed' AND NEW.key_id IS NOT NULL
BEGIN
    UPDATE session_keys
    SET day_stake_micros = iif(day = NEW.today, day_stake_micros, 0) + NEW.stake_micros,
        day = NEW.today
    WHERE id = NEW.key_id;
END;

-- ... and for his loss until it does (settlement takes off what comes back).
CREATE TEMP TRIGGER count_for_limits AFTER INSERT ON bet_decision
WHEN NEW.verdict = 'confirmed' AND NEW.has_limits
BEGIN
    UPDATE account_limits
    SET day_lost_micros = iif(day = NEW.today, day_lost_micros, 0) + NEW.stake_micros,
        day = NEW.today
    WHERE user_id = NEW.user_id;
END;

-- A refusal for want of money is an event of the user and uses up the nonce, but holds no cell.
CREATE TEMP TRIGGER note_broke AFTER INSERT ON bet_decision
WHEN NEW.verdict = 'insufficient_funds'
BEGIN
    UPDATE users SET version = NEW.seq WHERE id = NEW.user_id;
END;

CREATE TEMP TRIGGER keep_bet AFTER INSERT ON bet_decision
WHEN NEW.verdict IN ('confirmed', 'insufficient_funds')
BEGIN
    INSERT INTO bets
        (id, user_id, nonce, column_start_s, column_s, lo_cents, hi_cents, rule,
         stake_micros, reward_bps, quote_n, status, holds_cell, placed_at_ms, key_id)
    VALUES (NEW.bet_id, NEW.user_id, NEW.nonce, NEW.column_start_s, NEW.column_s,
            NEW.lo_cents, NEW.hi_cents, NEW.rule,
            NEW.stake_micros, NEW.reward_bps, NEW.quote_n, NEW.verdict,
            NEW.verdict = 'confirmed', NEW.at_ms, NEW.key_id);
END;
