"""Each outcome against its command and against the disk: what is about to be answered was asked
for, and is what is on disk now."""

from collections.abc import Callable
from typing import Any, Final

import attrs

from domain.refusals import Code, Refusal
from protocols.account_commands import (
    Adjust,
    Adjusted,
    BankrollWithdrawn,
    DecideWithdrawal,
    KeyGrant,
    RequestWithdrawal,
    RevokeKeys,
    VoidColumn,
    Withdrawal,
    WithdrawalDecided,
    WithdrawalRequested,
    WithdrawBankroll,
)
from protocols.money import (
    BetConfirmed,
    BetOrder,
    BetRefused,
    BetResolved,
    ColumnSettled,
    CommandFailed,
    Deposit,
    Deposited,
    LedgerCommand,
    MoneyOutcome,
    OpenAccount,
)
from simulation.oracle.books import NONCE_LIVES_MS, Books
from simulation.oracle.ledger_file import BROKE, HOUSE, Bet


@attrs.frozen(kw_only=True)
class Terms:
    """What the settings say of every bet."""

    rule: str
    column_s: int


def check_answer(
    books: Books, terms: Terms, command: LedgerCommand, outcome: MoneyOutcome, at_ms: int
) -> None:
    """What is about to be answered must be what was asked for, and on disk."""
    match outcome:
        case BetConfirmed() if isinstance(command, BetOrder):
            _bet_is(books, terms, command, outcome, at_ms)
        case BetRefused():
            _bet_is_not(books, command, outcome, at_ms)
        case ColumnSettled():
            for end in outcome.resolved:
                _end_is(books, end)
        case Deposited() | Adjusted():
            _given_is(books, command, outcome)
        case WithdrawalRequested() | WithdrawalDecided() | BankrollWithdrawn():
            _withdrawal_is(books, command, outcome.withdrawal)
        case Refusal() | CommandFailed():
            pass
        case _:
            _is_done(books, command)


# --- bets -----------------------------------------------------------------------------------


def _bet_is(books: Books, terms: Terms, order: BetOrder, outcome: BetConfirmed, at_ms: int) -> None:
    asked, bet = order.bet, books.bets.get(outcome.bet_id)
    if bet is None or bet.status == BROKE:
        books.found("answered_but_not_on_disk", f"{outcome}: {bet}")
        return
    wanted = (
        *(asked.bet_id, books.ids.get(asked.wallet), asked.nonce, asked.cell.column_start_s),
        *(asked.cell.lo_cents, asked.cell.hi_cents, asked.stake_micros, asked.key_id),
        *(outcome.reward_bps, outcome.placed_at_ms, at_ms),
        *(terms.rule, terms.column_s, order.quote_n),
    )
    there = (
        *(bet.id, bet.user_id, bet.nonce, bet.column_start_s),
        *(bet.lo_cents, bet.hi_cents, bet.stake_micros, bet.key_id),
        *(bet.reward_bps, bet.placed_at_ms, bet.placed_at_ms),
        *(bet.rule, bet.column_s, bet.quote_n),
    )
    stake = books.stake_of(bet.id)
    if there != wanted or stake is None or stake.balance_after != outcome.balance_micros:
        books.found("confirmed_otherwise", f"{order} {outcome}: {bet} {stake}")


def _bet_is_not(books: Books, command: LedgerCommand, outcome: BetRefused, at_ms: int) -> None:
    bet = books.bets.get(outcome.bet_id)
    is_replay = outcome.refusal.code is Code.REPLAY_DETECTED
    if bet is not None and bet.status != BROKE and not is_replay:
        books.found("refused_but_charged", f"{outcome}: {bet}")
    if is_replay and isinstance(command, BetOrder):
        _replays(books, command, outcome)
    elif isinstance(command, BetOrder) and outcome.refusal.code is not Code.DISK_FULL:
        _is_no_replay(books, command, at_ms)


def _replays(books: Books, order: BetOrder, outcome: BetRefused) -> None:
    """What is called a replay must be one."""
    first = outcome.refusal.details.get("bet")
    bet = books.bets.get(str(first.get("bet_id"))) if isinstance(first, dict) else None
    asked = order.bet
    if bet is None or (bet.user_id, bet.nonce) != (books.ids.get(asked.wallet), asked.nonce):
        books.found("replay_of_nothing", f"{outcome}: {bet}")


def _is_no_replay(books: Books, order: BetOrder, at_ms: int) -> None:
    """A nonce goes before all other reasons: a retry is told of its first bet."""
    asked = order.bet
    first = books.by_nonce(books.ids.get(asked.wallet, 0), asked.nonce)
    if first is not None and first.id != asked.bet_id and _is_remembered(first, at_ms):
        books.found("nonce_forgotten", f"{asked}: {first}")


def _is_remembered(first: Bet, at_ms: int) -> bool:
    """Of the same batch it may have come after."""
    return 0 < at_ms - first.placed_at_ms < NONCE_LIVES_MS


def _end_is(books: Books, end: BetResolved) -> None:
    bet = books.bets.get(end.bet_id)
    wanted = (end.status.value, end.payout_micros, end.resolved_at_ms)
    if bet is None or (bet.status, bet.payout_micros, bet.resolved_at_ms) != wanted:
        books.found("resolved_otherwise", f"{end}: {bet}")


# --- money in and out -----------------------------------------------------------------------


def _given_is(books: Books, command: LedgerCommand, outcome: Deposited | Adjusted) -> None:
    """A deposit may be cut to what the balance may be raised to."""
    kinds = books.references
    known = kinds.deposits if isinstance(outcome, Deposited) else kinds.adjustments
    given = known.get(outcome.reference)
    if given is None or given[2:] != (outcome.user_id, outcome.amount_micros):
        books.found("answered_but_not_on_disk", f"{outcome}: {given}")
        return
    assert isinstance(command, Deposit | Adjust)
    is_cut = isinstance(command, Deposit) and command.balance_max_micros is not None
    amount = min(given.amount_micros, command.amount_micros) if is_cut else command.amount_micros
    if given[1:] != (command.reference, books.ids.get(command.wallet), amount):
        books.found("done_otherwise_than_asked", f"{command}: {given}")


def _withdrawal_is(books: Books, command: LedgerCommand, told: Withdrawal) -> None:
    there = books.references.withdrawals.get(told.id)
    wanted = (told.id, told.user_id, told.nonce, told.amount_micros, told.destination)
    if there is None or (*there[:5], there.status) != (*wanted, told.status.value):
        books.found("answered_but_not_on_disk", f"{told}: {there}")
        return
    match command:
        case RequestWithdrawal():
            asked = (
                *(books.ids.get(command.wallet), command.nonce, command.amount_micros),
                *(command.destination, command.signed_at_s, command.signature),
            )
            is_so = asked == there[1:7]
        case WithdrawBankroll():
            house = (HOUSE, command.reference, command.amount_micros, command.destination)
            is_so = (*house, "paid") == (*there[1:5], there.status)
        case DecideWithdrawal(paid=True):
            paid = (command.withdrawal_id, "paid", command.reference or None)
            is_so = paid == (there.id, there.status, there.reference)
        case DecideWithdrawal():
            is_so = (command.withdrawal_id, "rejected") == (there.id, there.status)
        case _:
            is_so = False
    if not is_so:
        books.found("done_otherwise_than_asked", f"{command}: {there}")


# --- keys and columns -----------------------------------------------------------------------


def _is_done(books: Books, command: LedgerCommand) -> None:
    done = DONE.get(type(command))
    if done is not None and not done(books, command):
        books.found("answered_but_not_on_disk", command)


def _is_open(books: Books, command: OpenAccount) -> bool:
    """It has an account, and the key is its own with the caps that were authorised."""
    user_id = books.ids.get(command.wallet)
    if user_id is None or command.key is None:
        return user_id is not None
    key = books.keys.get(command.key.key_id)
    return key is not None and key[:-1] == granted(user_id, command.key)


def _are_revoked(books: Books, command: RevokeKeys) -> bool:
    mine = (books.ids.get(command.wallet), command.session_id)
    of_session = [key for key in books.keys.values() if key[1:3] == mine]
    return all(key.revoked_at_ms is not None for key in of_session)


def _is_void(books: Books, command: VoidColumn) -> bool:
    return command.start_s in books.voids


DONE: Final[dict[type, Callable[[Books, Any], bool]]] = {
    OpenAccount: _is_open,
    RevokeKeys: _are_revoked,
    VoidColumn: _is_void,
}
"""How the disk shows that a command is carried out. What others may undo within a batch is looked
at for the batch as a whole (`simulation.observers.orders`)."""


def granted(user_id: int, key: KeyGrant) -> tuple[object, ...]:
    """The key as the books must have it, but for its end."""
    return (
        *(key.key_id, user_id, key.session_id),
        *(key.bet_max_micros, key.day_max_micros, key.expires_at_ms),
    )
