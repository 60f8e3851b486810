"""What a batch changed beside the money, against what its commands ordered: no more and no less.

Frozen accounts, holds, overrides, columns given back, session keys, limits of one's own. Also where
the week turned with the batch: what nobody ordered otherwise is in the new file as it was.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import attrs

from domain.refusals import Refusal
from domain.self_limits import MaxAsked
from protocols.account_commands import (
    RequestWithdrawal,
    RevokeKeys,
    SetFrozen,
    SetLimits,
    VoidColumn,
    WithdrawalRequested,
)
from protocols.money import (
    CommandFailed,
    KeepOverride,
    LedgerCommand,
    MoneyOutcome,
    OpenAccount,
    SetHold,
)
from simulation.observers.answers import granted
from simulation.oracle.books import Books
from simulation.oracle.ledger_file import Key, Limits
from simulation.oracle.standing import DAY_MS, in_force, is_above

T = TypeVar("T")

NO_LIMITS: Final = Limits(0, None, None, 0, None, None, None, None)


@attrs.frozen(kw_only=True)
class Standing:
    """As the books had it before a batch."""

    frozen: Mapping[int, bool]
    keys: Mapping[str, Key]
    limits: Mapping[int, Limits]
    voids: frozenset[int]
    held: bool
    override: str


def standing(books: Books) -> Standing:
    """As the books have it now."""
    return Standing(
        frozen={one.id: bool(one.frozen) for one in books.accounts.values()},
        keys=books.keys,
        limits=books.limits,
        voids=books.voids,
        held=books.held,
        override=books.override,
    )


def check_orders(
    books: Books,
    before: Standing,
    commands: Sequence[LedgerCommand],
    outcomes: Sequence[MoneyOutcome],
) -> None:
    """Hold what stands now against what stood before and what was carried out since."""
    done = [
        command
        for command, outcome in zip(commands, outcomes, strict=True)
        if not isinstance(outcome, Refusal | CommandFailed)
    ]
    _are_frozen(books, before, _all(done, SetFrozen))
    _is_held(books, before, done)
    ordered = frozenset(command.start_s for command in _all(done, VoidColumn))
    if books.voids != before.voids | ordered:
        books.found(
            "voids_otherwise_than_ordered",
            f"{sorted(before.voids)} and {sorted(ordered)}: {sorted(books.voids)}",
        )
    _keys_are(books, before, done)
    _limits_are(books, before, _all(done, SetLimits))
    _none_frozen_withdraws(books, before, commands, outcomes)


def _all(commands: Iterable[LedgerCommand], kind: type[T]) -> list[T]:
    return [command for command in commands if isinstance(command, kind)]


def _are_frozen(books: Books, before: Standing, ordered: Sequence[SetFrozen]) -> None:
    wanted = dict(before.frozen)
    for command in ordered:
        wanted[books.ids.get(command.wallet, 0)] = command.frozen
    for account in books.accounts.values():
        if bool(account.frozen) != wanted.get(account.id, False):
            books.found("frozen_otherwise_than_ordered", f"{account} {ordered}")


def _is_held(books: Books, before: Standing, done: Sequence[LedgerCommand]) -> None:
    held = [before.held, *(command.held for command in _all(done, SetHold))]
    if books.held != held[-1]:
        books.found("held_otherwise_than_ordered", f"{held}, but {books.held}")
    kept = [command.override.value for command in _all(done, KeepOverride)]
    if books.override != [before.override, *kept][-1]:
        books.found("override_otherwise_than_ordered", f"{before} {kept}, but {books.override}")


def _none_frozen_withdraws(
    books: Books,
    before: Standing,
    commands: Sequence[LedgerCommand],
    outcomes: Sequence[MoneyOutcome],
) -> None:
    touched = [command.wallet for command in _all(commands, SetFrozen)]
    for command, outcome in zip(commands, outcomes, strict=True):
        if not isinstance(command, RequestWithdrawal) or command.wallet in touched:
            continue
        is_taken = isinstance(outcome, WithdrawalRequested)
        if is_taken and before.frozen.get(books.ids.get(command.wallet, 0), False):
            books.found("a_frozen_account_withdraws", f"{command} {outcome}")


# --- keys -----------------------------------------------------------------------------------


def _keys_are(books: Books, before: Standing, done: Sequence[LedgerCommand]) -> None:
    """Each new one was granted, each that is newly revoked was to be."""
    grants = [command for command in _all(done, OpenAccount) if command.key is not None]
    revoked = [
        (books.ids.get(command.wallet), command.session_id) for command in _all(done, RevokeKeys)
    ]
    for key in books.keys.values():
        was = before.keys.get(key.id)
        if was is None and not any(_is_of(books, key, grant) for grant in grants):
            books.found("key_never_granted", f"{key} {grants}")
        was_revoked = was is not None and was.revoked_at_ms is not None
        is_revoked = key.revoked_at_ms is not None
        if is_revoked != was_revoked and (key.user_id, key.session_id) not in revoked:
            books.found("key_never_revoked", f"{was} -> {key}")


def _is_of(books: Books, key: Key, command: OpenAccount) -> bool:
    user_id = books.ids.get(command.wallet)
    if command.key is None or user_id is None:
        return False
    return key[:-1] == granted(user_id, command.key)


# --- limits ---------------------------------------------------------------------------------


def _limits_are(books: Books, before: Standing, asked: Sequence[SetLimits]) -> None:
    at_ms = books.high_ms  # a batch that changes anything moves it on to then
    by_user: dict[int, list[SetLimits]] = {}
    for command in asked:
        by_user.setdefault(books.ids.get(command.wallet, 0), []).append(command)
    for user_id, now in books.limits.items():
        was, changes = before.limits.get(user_id, NO_LIMITS), by_user.get(user_id, [])
        if not changes and now != was:
            books.found("limits_changed_by_nobody", f"{was} -> {now}")
        # Of several only the last can be told from the first's outcome: rare, and left alone.
        if len(changes) == 1 and not _is_as_asked(was, now, changes[0], at_ms):
            books.found("limits_otherwise_than_asked", f"{changes[0]}: {was} -> {now} at {at_ms}")


def _is_as_asked(was: Limits, now: Limits, command: SetLimits, at_ms: int) -> bool:
    asked = command.asked
    stake, loss = zip(in_force(was, at_ms), in_force(now, at_ms), strict=True)
    later_stake = _later(was.next_stake_max, was.next_stake_at_ms, at_ms)
    later_loss = _later(was.next_loss_day_max, was.next_loss_day_at_ms, at_ms)
    until_ms = was.paused_until_ms
    if asked.paused_until_ms is not None:
        until_ms = max(asked.paused_until_ms, min(until_ms, at_ms + DAY_MS))
    return (
        _is_max(stake, later_stake, (now.next_stake_max, now.next_stake_at_ms), asked.stake_max)
        and _is_max(
            loss, later_loss, (now.next_loss_day_max, now.next_loss_day_at_ms), asked.loss_day_max
        )
        and now.paused_until_ms == until_ms
    )


def _later(micros: int | None, from_ms: int | None, at_ms: int) -> tuple[Any, ...]:
    """What was waited for; nothing, if its time has come."""
    return (None, None) if from_ms is None or from_ms <= at_ms else (micros, from_ms)


def _is_max(
    in_force: tuple[int | None, int | None],
    was_later: tuple[Any, ...],
    later: tuple[int | None, int | None],
    asked: MaxAsked | None,
) -> bool:
    """Lower, it holds at once. Higher, it is waited for, and not for longer than a day."""
    was, now = in_force
    if asked is None:
        return (now, later) == (was, was_later)
    if not is_above(asked.micros, was):
        return (now, later) == (asked.micros, (None, None))
    return now == was and later[0] == asked.micros and later[1] is not None
