"""What operators see of traders' accounts, and what they do to them and to columns."""

from collections.abc import Awaitable
from functools import partial
from typing import Final, TypeVar

from actors.gateway.asking import ask_money
from actors.gateway.operators import Operators, Told
from actors.gateway.ports import GatewayPorts
from actors.gateway.reads import read_account, read_rows
from actors.gateway.routes import Route, read_body, read_query
from domain.refusals import Code, Refusal, bad_request
from domain.units import EpochS
from protocols.account_commands import (
    AccountChanged,
    Adjust,
    Adjusted,
    BankrollWithdrawn,
    ColumnVoidOrdered,
    DecideWithdrawal,
    SetFrozen,
    VoidColumn,
    Withdrawal,
    WithdrawalDecided,
    WithdrawBankroll,
)
from protocols.audit_log import Figure
from protocols.client_ops import (
    ADJUSTMENT,
    BANKROLL,
    HOUSE,
    PAID,
    REASON,
    REJECTED,
    AdjustmentRequest,
    BankrollRequest,
    PaymentRequest,
)
from protocols.client_orders import (
    COLUMN_START,
    AdjustedJson,
    ColumnVoidJson,
    adjusted_json,
    column_void_json,
)
from protocols.client_queries import PAGE_ROWS_MAX, STATEMENT
from protocols.client_users import (
    USER_REF,
    FrozenJson,
    OpsStatementJson,
    UserJson,
    frozen_json,
    ops_statement_json,
    user_json,
)
from protocols.client_withdrawals import (
    WITHDRAWAL_ID,
    WITHDRAWALS,
    BankrollWithdrawnJson,
    OpsWithdrawalsJson,
    WithdrawalDecidedJson,
    ops_withdrawal_json,
    ops_withdrawals_json,
)
from protocols.forms import Form
from protocols.money import BetStatus
from protocols.operations import ops

A = TypeVar("A")
B = TypeVar("B")

_NOBODY: Final = Refusal(Code.NOT_FOUND, "There is no such account.")


class AccountOps:
    """The views below `/ops/users`, and those of withdrawals, adjustments and columns."""

    def __init__(self, ports: GatewayPorts, operators: Operators) -> None:
        self._ports = ports
        self._operators = operators

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            (ops.USER, self.user),
            (ops.USER_LEDGER, self.user_ledger),
            (ops.FREEZE, self.freeze),
            (ops.UNFREEZE, self.unfreeze),
            (ops.WITHDRAWALS, self.withdrawals),
            (ops.BANKROLL, self.withdraw_bankroll),
            (ops.PAID, self.paid),
            (ops.REJECTED, self.rejected),
            (ops.ADJUSTMENTS, self.adjust),
            (ops.VOID_COLUMN, self.void_column),
        ]

    # Accounts

    async def user(self, user: str) -> UserJson | Refusal:
        """An account, its limits and keys, and its open bets."""
        wallet = await self._seen(user)
        if isinstance(wallet, Refusal):
            return wallet
        account = await read_account(self._ports, wallet)
        if account is None:
            return _NOBODY
        ledger = self._ports.ledger
        keys, bets = await self._ports.ledger_worker.run(
            lambda: (
                ledger.session_keys(wallet),
                ledger.bets(wallet, statuses=(BetStatus.CONFIRMED,), limit=PAGE_ROWS_MAX),
            )
        )
        return user_json(account, keys, bets)

    async def user_ledger(self, user: str) -> OpsStatementJson | Refusal:
        """A page of an account's ledger, with what was noted in it."""
        wallet, asked = await self._seen(user), read_query(self._ports, STATEMENT)
        if isinstance(wallet, Refusal):
            return wallet
        if isinstance(asked, Refusal):
            return asked
        rows, archived = await read_rows(self._ports, wallet, asked)
        return ops_statement_json(wallet, rows, asked.limit, archived)

    async def freeze(self, user: str) -> FrozenJson | Refusal:
        """No bets and no withdrawals of this account any more."""
        return await self._set_frozen(user, frozen=True)

    async def unfreeze(self, user: str) -> FrozenJson | Refusal:
        """The account is as free as before."""
        return await self._set_frozen(user, frozen=False)

    async def _set_frozen(self, user: str, *, frozen: bool) -> FrozenJson | Refusal:
        async def set_it(who: str, asked: tuple[str, str]) -> FrozenJson | Refusal:
            wallet, why = asked
            command = SetFrozen(wallet=wallet, frozen=frozen, reason=why, by=who)
            done = await ask_money(self._ports, command, AccountChanged)
            return done if isinstance(done, Refusal) else frozen_json(done)

        return await self._operators.order(
            lambda: self._found_and_read(self._wallet_of(user), REASON),
            lambda asked: Told("freeze" if frozen else "unfreeze", *asked),
            set_it,
        )

    async def _seen(self, user: str) -> str | Refusal:
        """The wallet of that part of the path, for an operator only."""
        who = await self._operators.who()
        return who if isinstance(who, Refusal) else await self._wallet_of(user)

    async def _wallet_of(self, user: str) -> str | Refusal:
        named = USER_REF.parse({"user": user}, keccak=self._ports.keccak)
        if isinstance(named, Refusal | str):
            return named
        ports = self._ports
        return await ports.ledger_worker.run(lambda: ports.ledger.wallet_of(named)) or _NOBODY

    # Withdrawals

    async def withdrawals(self) -> OpsWithdrawalsJson | Refusal:
        """A page of everybody's withdrawals, newest first."""
        who, asked = await self._operators.who(), read_query(self._ports, WITHDRAWALS)
        if isinstance(who, Refusal):
            return who
        if isinstance(asked, Refusal):
            return asked
        found = await self._ports.ledger_worker.run(
            lambda: self._ports.ledger.withdrawals(
                status=asked.status, before=asked.before, limit=asked.limit
            )
        )
        return ops_withdrawals_json(found, asked.limit)

    async def paid(self, withdrawal_id: str) -> WithdrawalDecidedJson | Refusal:
        """The withdrawal was paid outside."""

        async def decide(
            who: str, asked: tuple[Withdrawal, PaymentRequest]
        ) -> WithdrawalDecidedJson | Refusal:
            of, payment = asked
            return await self._decide(
                DecideWithdrawal(
                    withdrawal_id=of.id,
                    paid=True,
                    reference=payment.reference,
                    reason=payment.reason,
                    by=who,
                )
            )

        return await self._operators.order(
            lambda: self._found_and_read(self._withdrawal(withdrawal_id), PAID),
            lambda asked: _decision_told(
                "withdrawal_paid", asked[0], asked[1].reason, reference=asked[1].reference
            ),
            decide,
        )

    async def rejected(self, withdrawal_id: str) -> WithdrawalDecidedJson | Refusal:
        """Give the withdrawal's money back to the trader."""

        async def decide(
            who: str, asked: tuple[Withdrawal, str]
        ) -> WithdrawalDecidedJson | Refusal:
            of, why = asked
            return await self._decide(
                DecideWithdrawal(withdrawal_id=of.id, paid=False, reference="", reason=why, by=who)
            )

        return await self._operators.order(
            lambda: self._found_and_read(self._withdrawal(withdrawal_id), REJECTED),
            lambda asked: _decision_told("withdrawal_rejected", *asked),
            decide,
        )

    async def _decide(self, command: DecideWithdrawal) -> WithdrawalDecidedJson | Refusal:
        done = await ask_money(self._ports, command, WithdrawalDecided)
        if isinstance(done, Refusal):
            return done
        return {"withdrawal": ops_withdrawal_json(done.withdrawal)}

    async def _withdrawal(self, withdrawal_id: str) -> Withdrawal | Refusal:
        ports, found = self._ports, None
        if WITHDRAWAL_ID.holds(withdrawal_id):
            found = await ports.ledger_worker.run(lambda: ports.ledger.withdrawal(withdrawal_id))
        return found or Refusal(Code.NOT_FOUND, "There is no withdrawal of this id.")

    async def withdraw_bankroll(self) -> BankrollWithdrawnJson | Refusal:
        """Take money out of the bankroll, once per reference."""
        return await self._operators.order(
            partial(read_body, self._ports, BANKROLL), _bankroll_told, self._withdraw_bankroll
        )

    async def _withdraw_bankroll(
        self, who: str, asked: BankrollRequest
    ) -> BankrollWithdrawnJson | Refusal:
        command = WithdrawBankroll(
            amount_micros=asked.amount_micros,
            destination=asked.destination,
            reference=asked.reference,
            reason=asked.reason,
            by=who,
        )
        done = await ask_money(self._ports, command, BankrollWithdrawn)
        if isinstance(done, Refusal):
            return done
        return {
            "withdrawal": ops_withdrawal_json(done.withdrawal),
            "balance_micros": done.balance_micros,
            "repeated": done.repeated,
        }

    # Adjustments and columns

    async def adjust(self) -> AdjustedJson | Refusal:
        """Move money between the house and a trader, once per reference."""
        return await self._operators.order(
            partial(read_body, self._ports, ADJUSTMENT), _adjustment_told, self._adjust
        )

    async def _adjust(self, who: str, asked: AdjustmentRequest) -> AdjustedJson | Refusal:
        command = Adjust(
            wallet=asked.wallet,
            amount_micros=asked.amount_micros,
            reference=asked.reference,
            bet_id=asked.bet_id,
            reason=asked.reason,
            by=who,
        )
        done = await ask_money(self._ports, command, Adjusted)
        return done if isinstance(done, Refusal) else adjusted_json(done)

    async def void_column(self, start: str) -> ColumnVoidJson | Refusal:
        """Give a column back before its verdict."""

        async def order(who: str, asked: tuple[EpochS, str]) -> ColumnVoidJson | Refusal:
            start_s, why = asked
            command = VoidColumn(start_s=start_s, reason=why, by=who)
            done = await ask_money(self._ports, command, ColumnVoidOrdered)
            return done if isinstance(done, Refusal) else column_void_json(done)

        return await self._operators.order(
            lambda: self._found_and_read(self._column(start), REASON),
            lambda asked: Told("void_column", str(asked[0]), asked[1]),
            order,
        )

    async def _column(self, start: str) -> EpochS | Refusal:
        """The beginning of a column of the grid, or of one from before its width was changed."""
        ports = self._ports
        start_s = COLUMN_START.parse({"start": start}, keccak=ports.keccak)
        if isinstance(start_s, Refusal) or start_s % ports.rules.grid.column_s == 0:
            return start_s
        columns = await ports.ledger_worker.run(
            lambda: ports.ledger.open_columns(before_s=start_s + 1)
        )
        if start_s in [column.key.start_s for column in columns]:
            return start_s
        width_s = ports.rules.grid.column_s
        return bad_request("start", f"no column begins there: they do at multiples of {width_s}")

    async def _found_and_read(
        self, find: Awaitable[A | Refusal], form: Form[B]
    ) -> tuple[A, B] | Refusal:
        """What the path names, and what the body says of it."""
        found = await find
        if isinstance(found, Refusal):
            return found
        said = await read_body(self._ports, form)
        return said if isinstance(said, Refusal) else (found, said)


def _decision_told(what: str, of: Withdrawal, why: str, **more: Figure) -> Told:
    figures: dict[str, Figure] = {
        "wallet": of.wallet,
        "amount_micros": of.amount_micros,
        "destination": of.destination,
    }
    return Told(what, of.id, why, figures={**figures, **more})


def _bankroll_told(asked: BankrollRequest) -> Told:
    figures: dict[str, Figure] = {
        "amount_micros": asked.amount_micros,
        "reference": asked.reference,
        "destination": asked.destination,
    }
    return Told("withdraw_bankroll", HOUSE, asked.reason, figures=figures)


def _adjustment_told(asked: AdjustmentRequest) -> Told:
    figures: dict[str, Figure] = {
        "amount_micros": asked.amount_micros,
        "reference": asked.reference,
        "bet_id": asked.bet_id,
    }
    return Told("adjust", asked.wallet, asked.reason, figures=figures)
