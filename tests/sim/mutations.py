"""Deliberate defects of the venue, each of which the simulation has to catch.

A mutation breaks one rule in the one place where the product keeps it. What another layer would
still hold is left to it: where a defect can only be seen with two layers broken, both are.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import attrs

from tests.sim.rewording import Patch, refile, resql, reword

Break = Callable[[Patch], None]


@attrs.frozen(kw_only=True)
class Mutation:
    """One defect."""

    name: str
    apply: Sequence[Break]


def _lazy_commit(patch: Patch) -> None:
    """Each transaction is committed by the next one: what is answered is not on disk yet."""

    @contextmanager
    def transaction(connection: Any) -> Iterator[None]:
        if connection.in_transaction:
            connection.execute("COMMIT")
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    patch.setattr("db.sqlite_ledger.transaction", transaction)


def mutation(name: str, *apply: Break) -> Mutation:
    return Mutation(name=name, apply=apply)


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

MUTATIONS: Sequence[Mutation] = (
    # --- bets ---------------------------------------------------------------------------------
    mutation(
        "nonce_not_checked",
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
        NO_UNIQUE_CELL,
        file("intake.sql", ("WHEN holder.id IS NOT NULL THEN", "WHEN 0 THEN")),
    ),
    mutation("answered_before_commit", _lazy_commit),
    mutation(
        "column_begun_is_open",
        code(
            "domain.grid:Grid.placeable_starts_s",
            "(self.lockout_columns + 1) * self.column_s",
            "0",
        ),
    ),
    mutation(
        "clock_may_go_back",
        code(
            "domain.grid:current_ms",
            "max(now_ms, newest_tick_ms, high_ms)",
            "now_ms",
        ),
    ),
    mutation("hold_ignored", code("domain.placement:Gate.refusal", "if self.held:", "if False:")),
    mutation(
        "critical_ignored",
        code("domain.placement:Gate.refusal", "if self.feed_critical:", "if False:"),
    ),
    mutation(
        "draining_ignored",
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
    ),
    mutation(
        "least_rate_ignored",
        code("domain.quotes:rate_of_bet", "if current_bps >= least:", "if True:"),
    ),
    mutation(
        "stale_quote_paid",
        code(
            "domain.quotes:QuoteBook.live",
            "return quote if fresh and not replaced_long else None",
            "return quote",
        ),
        code("domain.quotes:rate_of_bet", "and in_grace", ""),
    ),
    mutation("frozen_may_bet", file("intake.sql", ("WHEN account.frozen THEN", "WHEN 0 THEN"))),
    mutation(
        "revoked_key_may_bet",
        file("intake.sql", ("OR key.revoked_at_ms IS NOT NULL", "")),
        code(
            "actors.gateway.signers:Signers._look_up",
            "is_revoked=found.revoked_at_ms is not None",
            "is_revoked=False",
        ),
    ),
    mutation(
        "key_caps_ignored",
        file("intake.sql", ("< NEW.stake_micros THEN 'key_day'", "< 0 THEN 'key_day'")),
    ),
    mutation(
        "own_limits_ignored",
        file(
            "intake.sql",
            ("WHEN own.stake_max_micros < NEW.stake_micros THEN", "WHEN 0 THEN"),
        ),
    ),
    # --- money --------------------------------------------------------------------------------
    mutation(
        "exposure_not_counted",
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
        file(
            "intake.sql", ("< NEW.payout_micros\n", "< 0 * NEW.payout_micros - 9000000000000000\n")
        ),
    ),
    mutation(
        "house_row_short",
        file(
            "intake.sql",
            (
                "NEW.house_ledger_id, NEW.txn, 1, sum(stake_micros),",
                "NEW.house_ledger_id, NEW.txn, 1, sum(stake_micros) - 1,",
            ),
        ),
    ),
    mutation(
        "payout_rounded_up",
        file(
            "migrations/0002_partitions.sql",
            (
                "(stake_micros * reward_bps / 10000) VIRTUAL",
                "(stake_micros * reward_bps / 10000 + 1) VIRTUAL",
            ),
        ),
    ),
    mutation(
        "deposit_not_idempotent",
        file("migrations/0001_ledger.sql", ("reference TEXT PRIMARY KEY", "reference TEXT")),
        code(
            "db.ledger_commands:deposit",
            "    if first is not None and not _is_the_same",
            "    first = None\n    if first is not None and not _is_the_same",
        ),
    ),
    # --- settlement ---------------------------------------------------------------------------
    mutation(
        "settled_twice",
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
    ),
    mutation(
        "refund_forgotten",
        sql("db.settlement:_TAKE_UP", "WHEN 'void' THEN b.stake_micros", "WHEN 'void' THEN 0"),
    ),
    mutation(
        "void_rule_dropped",
        code(
            "domain.resolution:void_reason",
            "    if ImpairmentKind.CRITICAL in kinds:",
            "    return None\n    if ImpairmentKind.CRITICAL in kinds:",
        ),
    ),
    mutation(
        "gap_is_no_reason",
        code(
            "domain.resolution:void_reason",
            "if any(tick.ts_ms - before.ts_ms > FEED_CRITICAL_AFTER_MS for before, tick in steps):",
            "if False:",
        ),
    ),
    mutation(
        "down_is_no_reason",
        code("domain.resolution:void_reason", "if ImpairmentKind.DOWN in kinds:", "if False:"),
    ),
    mutation(
        "critical_is_no_reason",
        code("domain.resolution:void_reason", "if ImpairmentKind.CRITICAL in kinds:", "if False:"),
    ),
    mutation(
        "source_change_is_no_reason",
        code(
            "domain.resolution:void_reason",
            "if any(before.source != tick.source for before, tick in steps):",
            "if False:",
        ),
    ),
    mutation(
        "upper_edge_loses",
        code(
            "domain.resolution:judge_cell",
            "<= tick.price_cents <= hi_cents",
            "<= tick.price_cents < hi_cents",
        ),
    ),
    mutation(
        "carry_in_forgotten",
        code("domain.resolution:_in_force", "if record.carry_in is not None:", "if False:"),
    ),
    mutation(
        "window_end_included",
        code(
            "db.sqlite_prices:SqlitePriceReader.record",
            "self._files.between(start_ms, end_ms)",
            "self._files.between(start_ms, end_ms + 1)",
        ),
    ),
    mutation(
        "judged_too_early",
        code("domain.resolution:may_judge", "record.end_ms + settle_delay_ms", "record.end_ms"),
        code("actors.resolver:_may_be_due", "end_ms + ports.settle_delay_ms", "end_ms"),
    ),
    # --- weeks --------------------------------------------------------------------------------
    mutation(
        "carry_lost",
        file(
            "rotation.sql",
            ("FROM old.users WHERE balance <> 0 OR id <= 2", "FROM old.users WHERE id <= 2"),
        ),
    ),
    mutation(
        "open_bets_not_carried",
        file(
            "rotation.sql", ("FROM old.bets WHERE status = 'confirmed';", "FROM old.bets WHERE 0;")
        ),
    ),
    mutation(
        "young_nonces_not_carried",
        file(
            "rotation.sql",
            ("WHERE status <> 'confirmed' AND rowid > ifnull((", "WHERE 0 AND rowid > ifnull(("),
        ),
        code(
            "actors.gateway.bets:BetDesk._enter",
            "first_id = await self._use_up(bet, bet_id)",
            "first_id = None",
        ),
    ),
    # --- what traders are told ----------------------------------------------------------------
    mutation(
        "event_left_out",
        code(
            "actors.gateway.private_streams:PrivateStreams._tell",
            "            stream.outbox.put(frame)\n",
            "            if seq % 7:\n                stream.outbox.put(frame)\n",
        ),
    ),
    mutation(
        "lost_events_untold",
        code("actors.batcher:run", "await ports.events.publish(EventsLost())", "pass"),
    ),
    mutation(
        "in_hand_carried_out_anew",
        code("actors.batcher:_Batcher.flush", "if not asked.answered()", "if True"),
    ),
)
