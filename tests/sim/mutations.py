"""Deliberate defects of the venue, each of which the simulation has to catch.

A mutation breaks one rule in the one place where the product keeps it. What another layer would
still hold is left to it: where a defect can only be seen with two layers broken, both are.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import attrs

from db.sqlite_ledger import SqliteLedger
from protocols.money import BetConfirmed
from tests.sim.rewording import Patch, refile, resql, reword

Break = Callable[[Patch], None]


@attrs.frozen(kw_only=True)
class Mutation:
    """One defect."""

    name: str
    shown_by: frozenset[str]
    """The violations that are to the point: any of them counts, no other does. Where a rule that
    comes first is passed over, a refusal for a later one is without reason."""
    first_seed: int
    """Where it was found when last looked; the others are tried after it."""
    apply: Sequence[Break]


def _lazy_commit(patch: Patch) -> None:
    """A batch with bets is committed by the next call: what is answered is not on disk yet."""

    def commit(ledger: Any) -> None:
        if ledger._connection.in_transaction:
            ledger._connection.execute("COMMIT")

    @contextmanager
    def transaction(connection: Any) -> Iterator[None]:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    def between(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(ledger: Any, *given: Any, **named: Any) -> Any:
            commit(ledger)
            done = real(ledger, *given, **named)
            bets = isinstance(done, list) and any(isinstance(one, BetConfirmed) for one in done)
            if real.__name__ not in CLOSING and not bets:
                commit(ledger)
            return done

        return call

    patch.setattr("db.sqlite_ledger.transaction", transaction)
    for name in ("apply", "recover", "begin", "newest_ms", "file_before", *CLOSING):
        patch.setattr(SqliteLedger, name, between(getattr(SqliteLedger, name)))


CLOSING = ("close", "let_go")


def mutation(name: str, shown_by: str, *apply: Break, seed: int = 1) -> Mutation:
    return Mutation(name=name, shown_by=frozenset(shown_by.split()), first_seed=seed, apply=apply)


def code(where: str, old: str, new: str) -> Break:
    return partial(_reword, where=where, old=old, new=new)


def _reword(patch: Patch, *, where: str, old: str, new: str) -> None:
    reword(patch, where, old, new)


def sql(where: str, old: str, new: str) -> Break:
    return partial(_resql, where=where, old=old, new=new)


def _resql(patch: Patch, *, where: str, old: str, new: str) -> None:
    resql(patch, where, old, new)


def file(name: str, *changes: tuple[str, str]) -> Break:
    return partial(_refile, name=name, changes=changes)


def _refile(patch: Patch, *, name: str, changes: tuple[tuple[str, str], ...]) -> None:
    refile(patch, name, *changes)


NO_UNIQUE_NONCE = file(
    "migrations/0002_partitions.sql",
    ("CREATE UNIQUE INDEX bets_nonce", "CREATE INDEX bets_nonce"),
)
NO_UNIQUE_CELL = file(
    "migrations/0002_partitions.sql",
    ("CREATE UNIQUE INDEX bets_cell", "CREATE INDEX bets_cell"),
)
CARRY_NOT_CHECKED = code("db.rotation:_build", "if drifts:", "if False:")

MUTATIONS: Sequence[Mutation] = (
    # --- bets ---------------------------------------------------------------------------------
    mutation(
        "nonce_not_checked",
        "nonce_forgotten nonce_used_twice one_nonce_two_bets one_nonce_taken_twice",
        NO_UNIQUE_NONCE,
        file(
            "intake.sql",
            (
                "WHEN used.id IS NOT NULL OR ended.bet_id IS NOT NULL THEN 'replay_detected'",
                "WHEN 0 THEN 'replay_detected'",
            ),
        ),
        code(
            "actors.gateway.bets:BetDesk._enter",
            "first_id = await self._use_up(bet, bet_id)",
            "first_id = None",
        ),
    ),
    mutation(
        "cell_taken_twice",
        "cell_taken_twice one_cell_taken_twice",
        NO_UNIQUE_CELL,
        file("intake.sql", ("WHEN holder.id IS NOT NULL THEN", "WHEN 0 THEN")),
    ),
    mutation(
        "answered_before_commit",
        "answered_but_not_on_disk acknowledged_but_not_on_disk event_not_on_disk",
        _lazy_commit,
    ),
    mutation(
        "column_begun_is_open",
        "placed_against_cell_unavailable column_had_begun",
        code(
            "domain.grid:Grid.placeable_starts_s",
            "(self.lockout_columns + 1) * self.column_s",
            "0",
        ),
    ),
    mutation(
        "clock_may_go_back",
        "judged_by_old_time time_went_back",
        code(
            "domain.grid:current_ms",
            "max(now_ms, newest_tick_ms, high_ms)",
            "now_ms",
        ),
    ),
    mutation(
        "hold_ignored",
        "placed_against_held refused_otherwise a_bet_while_held",
        code("domain.placement:Gate.refusal", "if self.held:", "if False:"),
    ),
    mutation(
        "critical_ignored",
        "placed_against_price_feed_stale refused_otherwise",
        code("domain.placement:Gate.refusal", "if self.feed_critical:", "if False:"),
        code(
            "actors.quoter:_Quoter.feed_allows",
            "if self.status.value.level is not FeedLevel.CRITICAL:",
            "if True:",
        ),
    ),
    mutation(
        "draining_ignored",
        "entered_while_draining",
        code(
            "actors.gateway.bets:BetDesk._ask",
            "if self._ports.draining.value:",
            "if False:",
        ),
        code(
            "actors.gateway.signed_requests:refused_unsigned",
            "ports.draining.value",
            "False",
        ),
        code(
            "supervisor.inbox:Inbox.is_closed",
            "(refusing and self._is_stopping())",
            "False",
        ),
        seed=2,
    ),
    mutation(
        "least_rate_ignored",
        "paid_less_than_signed a_bet_is_not_what_was_signed placed_against_quote_expired",
        code("domain.quotes:rate_of_bet", "if current_bps >= least:", "if True:"),
    ),
    mutation(
        "stale_quote_paid",
        "rate_wrong placed_against_quote_expired",
        code(
            "domain.quotes:QuoteBook.live",
            "return quote if fresh and not replaced_long else None",
            "return quote",
        ),
        code("domain.quotes:rate_of_bet", "and in_grace", ""),
    ),
    mutation(
        "frozen_may_bet",
        "placed_against_frozen a_frozen_account_bets refused_without_reason",
        file("intake.sql", ("WHEN account.frozen THEN", "WHEN 0 THEN")),
    ),
    mutation(
        "revoked_key_may_bet",
        "placed_against_key_ended a_revoked_key_bets refused_without_reason",
        file("intake.sql", ("OR key.revoked_at_ms IS NOT NULL", "")),
        code(
            "actors.gateway.signers:Signers._look_up",
            "is_revoked=found.revoked_at_ms is not None",
            "is_revoked=False",
        ),
    ),
    mutation(
        "key_caps_ignored",
        "placed_against_key_day",
        file("intake.sql", ("< NEW.stake_micros THEN 'key_day'", "< 0 THEN 'key_day'")),
    ),
    mutation(
        "own_limits_ignored",
        "placed_against_own_stake a_limit_does_not_hold",
        file(
            "intake.sql",
            ("WHEN own.stake_max_micros < NEW.stake_micros THEN", "WHEN 0 THEN"),
        ),
    ),
    mutation(
        "key_of_another_may_bet",
        "placed_against_key_unknown a_bad_request_was_taken",
        code(
            "actors.gateway.signers:Signers.has_signed",
            "if key is None or key.wallet != bet.wallet:",
            "if key is None:",
        ),
        file(
            "intake.sql",
            ("ON key.id = NEW.key_id AND key.user_id = account.id", "ON key.id = NEW.key_id"),
        ),
        seed=5,
    ),
    mutation(
        "late_bet_written",
        "late_bet_written",
        code("actors.batcher:_Batcher.flush", "if not asked.expired()", "if True"),
        seed=12,
    ),
    mutation(
        "override_ignored",
        "placed_against_held refused_otherwise",
        code("protocols.market:betting_gate", " or status.override is Override.OPEN", ""),
    ),
    mutation(
        "quote_numbers_given_anew",
        "quote_number_twice",
        code(
            "db.ledger_commands:reserve_quote_numbers",
            "next_quote_n = next_quote_n + ?",
            "next_quote_n = next_quote_n + 0 * ?",
        ),
    ),
    # --- quotes -------------------------------------------------------------------------------
    mutation(
        "rates_of_an_old_tick",
        "rates_of_an_old_tick",
        code(
            "actors.quoter:_Quoter._put_in_force",
            "if self.priced is not self.view.newest and newest is not None:",
            "if False:",
        ),
    ),
    mutation(
        "source_pause_dropped",
        "quoted_after_source_change",
        code(
            "actors.quoter:_Quoter._may_quote",
            "pause_ms = self.settings.source_pause_s * 1000",
            "pause_ms = 0",
        ),
    ),
    mutation(
        "edge_not_taken",
        "rate_out_of_bounds",
        code(
            "domain.rates:rewards_bps",
            "fair = (BPS - settings.edge_bps) / np.maximum(",
            "fair = BPS / np.maximum(",
        ),
        seed=3,
    ),
    # --- money --------------------------------------------------------------------------------
    mutation(
        "exposure_not_counted",
        "exposure_wrong house_cannot_pay",
        file(
            "intake.sql",
            (
                "payout_micros = payout_micros + excluded.payout_micros",
                "payout_micros = payout_micros",
            ),
        ),
    ),
    mutation(
        "exposure_not_checked",
        "house_cannot_pay",
        file(
            "intake.sql", ("< NEW.payout_micros\n", "< 0 * NEW.payout_micros - 9000000000000000\n")
        ),
        seed=2,
    ),
    mutation(
        "house_row_short",
        "transaction_not_zero",
        file(
            "intake.sql",
            (
                "NEW.house_ledger_id, NEW.txn, 1, sum(stake_micros),",
                "NEW.house_ledger_id, NEW.txn, 1, sum(stake_micros) - 1,",
            ),
        ),
    ),
    # Rounded up it would be the same: what may be staked leaves no remainder.
    mutation(
        "paid_a_micro_more",
        "payout_wrong wrong_payout credit_wrong",
        sql(
            "db.settlement:_TAKE_UP",
            "WHEN 'won' THEN b.payout_if_won_micros\n",
            "WHEN 'won' THEN b.payout_if_won_micros + 1\n",
        ),
    ),
    mutation(
        "deposit_not_idempotent",
        "deposit_twice a_deposit_twice one_reference_two_amounts",
        file("migrations/0001_ledger.sql", ("reference TEXT PRIMARY KEY", "reference TEXT")),
        code(
            "db.ledger_commands:deposit",
            "    if first is not None and not _is_the_same",
            "    first = None\n    if first is not None and not _is_the_same",
        ),
    ),
    mutation(
        "withdrawal_given_back_twice",
        "withdrawal_not_posted withdrawal_changed",
        code(
            "db.withdrawals:decide_withdrawal",
            "if found.status is not WithdrawalStatus.PENDING:",
            "if False:",
        ),
        sql("db.withdrawals:_DECIDE", " AND status = 'pending'", ""),
    ),
    mutation(
        "adjustment_twice",
        "adjustment_twice adjustment_without_reference",
        file(
            "migrations/0003_accounts.sql",
            (
                "CREATE TABLE adjustments (\n    reference TEXT PRIMARY KEY",
                "CREATE TABLE adjustments (\n    reference TEXT",
            ),
        ),
        code("db.operator_commands:adjust", "if first is not None:", "if False:"),
    ),
    # --- settlement ---------------------------------------------------------------------------
    mutation(
        "settled_twice",
        "credited_twice verdict_twice credit_without_end",
        sql(
            "db.settlement:_TAKE_UP",
            "AND b.status = 'confirmed'",
            "AND b.status <> 'insufficient_funds'",
        ),
        sql("db.settlement:_END_BETS", " AND bets.status = 'confirmed'", ""),
        sql(
            "db.settlement:_WRITE_VERDICT", "INSERT INTO columns", "INSERT OR REPLACE INTO columns"
        ),
        code("db.settlement:settle", "if judged and still_open:", "if False:"),
        code("db.settlement:settle", "if judged:", "if False:"),
        code("db.settlement:settle", "taken != still_open or ", ""),
        code(
            "db.settlement:settle",
            "    _release_exposure(connection, wanted)",
            "    if not judged:\n        _release_exposure(connection, wanted)",
        ),
        seed=12,
    ),
    mutation(
        "refund_forgotten",
        "payout_wrong wrong_payout credit_wrong",
        sql("db.settlement:_TAKE_UP", "WHEN 'void' THEN b.stake_micros", "WHEN 'void' THEN 0"),
    ),
    mutation(
        "void_rule_dropped",
        "void_rule_broken",
        code(
            "domain.resolution:void_reason",
            "    if ImpairmentKind.CRITICAL in kinds:",
            "    return None\n    if ImpairmentKind.CRITICAL in kinds:",
        ),
    ),
    mutation(
        "gap_is_no_reason",
        "void_rule_broken",
        code(
            "domain.resolution:void_reason",
            "if any(tick.ts_ms - before.ts_ms > FEED_CRITICAL_AFTER_MS for before, tick in steps):",
            "if False:",
        ),
        code(
            "domain.resolution:void_reason",
            "if record.after is None and silent_ms > FEED_CRITICAL_AFTER_MS:",
            "if False:",
        ),
        seed=8,
    ),
    mutation(
        "down_is_no_reason",
        "void_rule_broken",
        code("domain.resolution:void_reason", "if ImpairmentKind.DOWN in kinds:", "if False:"),
        seed=4,
    ),
    mutation(
        "critical_is_no_reason",
        "void_rule_broken",
        code("domain.resolution:void_reason", "if ImpairmentKind.CRITICAL in kinds:", "if False:"),
    ),
    mutation(
        "source_change_is_no_reason",
        "void_rule_broken",
        code(
            "domain.resolution:void_reason",
            "if any(before.source != tick.source for before, tick in steps):",
            "if False:",
        ),
    ),
    mutation(
        "critical_delays_a_refund",
        "settled_late",
        code("domain.resolution:may_judge", " or (feed_critical and reason is not None)", ""),
        seed=6,
    ),
    mutation(
        "upper_edge_loses",
        "wrong_outcome",
        code(
            "domain.resolution:judge_cell",
            "<= tick.price_cents <= hi_cents",
            "<= tick.price_cents < hi_cents",
        ),
    ),
    mutation(
        "carry_in_forgotten",
        "wrong_outcome",
        code("domain.resolution:_in_force", "if record.carry_in is not None:", "if False:"),
    ),
    mutation(
        "window_end_included",
        "evidence_differs_from_record ticks_of_window_wrong",
        code(
            "db.sqlite_prices:SqlitePriceReader.record",
            "self._files.between(start_ms, end_ms)",
            "self._files.between(start_ms, end_ms + 1)",
        ),
    ),
    mutation(
        "judged_too_early",
        "judged_too_early",
        code("domain.resolution:may_judge", "record.end_ms + settle_delay_ms", "record.end_ms"),
        code("actors.resolver:_may_be_due", "end_ms + ports.settle_delay_ms", "end_ms"),
    ),
    # A watermark told before its ticks are on disk does no harm: a verdict goes by what it reads.
    mutation(
        "tick_left_out",
        "ticks_of_window_wrong",
        code(
            "actors.price_recorder:_Recorder._commit",
            "await self._append(ticks, levels)",
            "await self._append(ticks[1:] if len(ticks) > 1 else ticks, levels)",
        ),
    ),
    mutation(
        "down_not_opened",
        "void_rule_broken ticks_of_window_wrong",
        code("db.sqlite_prices:SqlitePriceRecord.begin_down", "if self._is_down:", "if True:"),
        seed=4,
    ),
    # --- weeks --------------------------------------------------------------------------------
    mutation(
        "carry_lost",
        "carry_wrong",
        file(
            "rotation.sql",
            ("FROM old.users WHERE balance <> 0 OR id <= 2", "FROM old.users WHERE id <= 2"),
        ),
        CARRY_NOT_CHECKED,
        seed=2,
    ),
    mutation(
        "open_bets_not_carried",
        "open_bets_not_carried",
        file(
            "rotation.sql", ("FROM old.bets WHERE status = 'confirmed';", "FROM old.bets WHERE 0;")
        ),
        CARRY_NOT_CHECKED,
        seed=2,
    ),
    mutation(
        "young_nonces_not_carried",
        "nonce_forgotten nonce_used_twice one_nonce_two_bets",
        file(
            "rotation.sql",
            ("WHERE status <> 'confirmed' AND rowid > ifnull((", "WHERE 0 AND rowid > ifnull(("),
        ),
        code(
            "actors.gateway.bets:BetDesk._enter",
            "first_id = await self._use_up(bet, bet_id)",
            "first_id = None",
        ),
        seed=13,
    ),
    # --- supervision --------------------------------------------------------------------------
    mutation(
        "given_up_at_once",
        "gave_up_early",
        code("supervisor.intensity:is_exceeded", "len(times) > restarts_max", "len(times) > 0"),
    ),
    # --- beside the money ---------------------------------------------------------------------
    mutation(
        "paid_from_outside",
        "wrong_other_side",
        sql("db.settlement:_DEBIT_HOUSE", "WHERE id = 1", "WHERE id = 2"),
        sql("db.settlement:_HOUSE_LEDGER", "->> 0, :txn, 1,", "->> 0, :txn, 2,"),
        sql(
            "db.settlement:_HOUSE_LEDGER",
            "(SELECT balance FROM users WHERE id = 1)",
            "(SELECT balance FROM users WHERE id = 2)",
        ),
    ),
    mutation(
        "rejected_for_paid",
        "done_otherwise_than_asked",
        code(
            "db.withdrawals:_wanted",
            "return WithdrawalStatus.PAID if command.paid else WithdrawalStatus.REJECTED",
            "return WithdrawalStatus.REJECTED if command.paid else WithdrawalStatus.PAID",
        ),
    ),
    mutation(
        "rule_of_the_settings_ignored",
        "confirmed_otherwise",
        code("db.intake:_row", "order.rule.value,", '"touch",'),
    ),
    mutation(
        "frozen_may_withdraw",
        "a_frozen_account_withdraws",
        code("db.withdrawals:_refusal", "if trader.frozen:", "if False:"),
    ),
    mutation(
        "loss_limit_dropped",
        "limit_raised_early limits_otherwise_than_asked",
        code(
            "domain.self_limits:after",
            "now.loss_day_max_micros, now.next_loss_day_max, asked",
            "None, now.next_loss_day_max, asked",
        ),
        seed=7,
    ),
    mutation(
        "pause_cut_short",
        "pause_cut_short limits_otherwise_than_asked",
        code(
            "domain.self_limits:_paused_until_ms",
            "max(asked_ms, min(until_ms, now_ms + RAISED_AFTER_MS))",
            "asked_ms",
        ),
    ),
    mutation(
        "raised_after_an_hour",
        "limit_raised_early",
        code("domain.self_limits:_asked", "now_ms + RAISED_AFTER_MS", "now_ms + 3_600_000"),
        seed=7,
    ),
    mutation(
        "revoked_key_carried_whole",
        "revocation_changed",
        file(
            "rotation.sql",
            (
                "INSERT INTO session_keys SELECT * FROM old.session_keys;",
                "INSERT INTO session_keys SELECT id, user_id, session_id, public_key,"
                " bet_max_micros, day_max_micros, created_at_ms, expires_at_ms, NULL, day,"
                " day_stake_micros FROM old.session_keys;",
            ),
        ),
        CARRY_NOT_CHECKED,
        seed=12,
    ),
    mutation(
        "own_limits_not_carried",
        "limits_lost",
        file("rotation.sql", ("INSERT INTO account_limits SELECT * FROM old.account_limits;", "")),
        CARRY_NOT_CHECKED,
        seed=2,
    ),
    mutation(
        "orders_not_carried",
        "held_otherwise_than_ordered override_otherwise_than_ordered",
        file(
            "rotation.sql",
            (
                "held, held_by, held_why, override, override_by, override_why, :at_ms",
                "0, '', '', 'auto', '', '', :at_ms",
            ),
        ),
        seed=4,
    ),
    mutation(
        "override_forgotten",
        "a_bet_against_the_override",
        code(
            "actors.health_monitor:run",
            "    monitor.put_in_force(await operator_state())\n",
            "",
        ),
        seed=3,
    ),
    # --- what traders are told ----------------------------------------------------------------
    mutation(
        "event_left_out",
        "an_event_is_missing",
        code(
            "actors.gateway.private_streams:PrivateStreams._tell",
            "            stream.outbox.put(frame)\n",
            "            if seq % 7:\n                stream.outbox.put(frame)\n",
        ),
    ),
    mutation(
        "lost_events_untold",
        "event_gap the_stream_does_not_catch_up",
        code("actors.batcher:run", "await ports.events.publish(EventsLost())", "pass"),
        seed=12,
    ),
    mutation(
        "sign_in_always_refused",
        "people_never_done",
        code(
            "actors.session_manager.actor:_Desk._spend_nonce",
            "if await self._ports.store.take(_nonce_key(nonce)) is not None:",
            "if await self._ports.store.take(_nonce_key(nonce)) is None:",
        ),
    ),
    mutation(
        "in_hand_carried_out_anew",
        "answered_and_carried_out_anew",
        code("actors.batcher:_Batcher.flush", "if not asked.answered()", "if True"),
        seed=9,
    ),
    # --- what people may do -------------------------------------------------------------------
    mutation(
        "withdrawal_signature_ignored",
        "a_bad_request_was_taken a_withdrawal_that_he_does_not_have",
        code(
            "actors.gateway.account_routes:_refused_by_signature",
            "return None if signer == asked.wallet else Refusal(Code.INVALID_SIGNATURE)",
            "return None",
        ),
    ),
    mutation(
        "withdrawal_sent_elsewhere",
        "a_withdrawal_that_he_does_not_have",
        code(
            "actors.gateway.account_routes:AccountRoutes._request",
            "destination=asked.destination",
            "destination=asked.wallet",
        ),
        seed=2,
    ),
    mutation(
        "anybody_gives_orders",
        "a_bad_request_was_taken",
        code(
            "actors.gateway.operators:Operators.who",
            "names[0] if names else await self._turned_away()",
            "names[0] if names else 'somebody'",
        ),
    ),
    mutation(
        "sign_in_replayed",
        "a_bad_request_was_taken",
        code(
            "actors.session_manager.actor:_Desk._spend_nonce",
            "await self._ports.store.take(_nonce_key(nonce)) is not None",
            "True",
        ),
        seed=2,
    ),
    mutation(
        "session_outlives_its_end",
        "a_bad_request_was_taken",
        code(
            "actors.session_manager.sessions:Sessions._forget",
            "await self.store.put(_session_key(ended.session_id), _ENDED, ttl_s=ENDED_MARK_TTL_S)",
            "pass",
        ),
    ),
    mutation(
        "key_outlives_its_end",
        "a_key_outlives_its_end",
        code(
            "actors.session_manager.sessions:_grant",
            "expires_at_ms=key.end_ms(session_end_ms)",
            "expires_at_ms=session_end_ms",
        ),
        seed=3,
    ),
    mutation(
        "ended_key_may_bet",
        "a_key_outlives_its_end placed_against_key_ended",
        file("intake.sql", ("OR key.expires_at_ms <= NEW.at_ms", "")),
        code(
            "actors.gateway.signers:Signers.has_ended",
            "key.is_revoked or key.expires_at_ms <= self._ports.clock.now_ms()",
            "key.is_revoked",
        ),
        seed=3,
    ),
    mutation(
        "proof_of_another_rule",
        "judged_by_another_rule",
        code("protocols.client_answers:proof_json", '"rule": evidence.rule', '"rule": "path"'),
        seed=3,
    ),
    # --- what operators order ---------------------------------------------------------------------
    mutation(
        "deposit_of_ten_times_as_much",
        "money_is_not_as_was_told",
        code(
            "actors.gateway.ops_routes:OpsRoutes._deposit",
            "amount_micros=asked.amount_micros",
            "amount_micros=asked.amount_micros * 10",
        ),
    ),
    mutation(
        "adjustment_without_its_sign",
        "money_is_not_as_was_told",
        code(
            "actors.gateway.account_ops:AccountOps._adjust",
            "amount_micros=asked.amount_micros",
            "amount_micros=abs(asked.amount_micros)",
        ),
    ),
    mutation(
        "payment_reference_not_compared",
        "one_withdrawal_paid_twice done_otherwise_than_asked",
        code("db.withdrawals:_decided_before", "and is_same_payment", ""),
    ),
    mutation(
        "order_recorded_otherwise",
        "audit_log_wrong",
        code(
            "actors.gateway.account_ops:_adjustment_told",
            '"amount_micros": asked.amount_micros',
            '"amount_micros": 0',
        ),
    ),
    mutation(
        "backups_end_with_the_first",
        "not_safe_in_the_store",
        code(
            "actors.backup_keeper:_Keeper._succeeded",
            "self._wait_after(record.taken_at_ms)",
            "self.next_at = math.inf",
        ),
        seed=5,
    ),
)
