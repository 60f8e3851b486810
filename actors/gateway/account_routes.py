"""What traders do to their accounts over HTTP: money out, and limits of their own."""

from typing import Final

import structlog

from actors.gateway.asgi import Answer, json_answer, refusal_answer
from actors.gateway.asking import ask_money, session_of
from actors.gateway.limits import limit_headers, take_request, take_withdrawal
from actors.gateway.ports import GatewayPorts
from actors.gateway.reads import read_account
from actors.gateway.routes import Route, client, read_body, read_query
from actors.gateway.signed_requests import refused_unsigned
from domain.refusals import Code, Refusal
from protocols.account_commands import (
    AccountChanged,
    RequestWithdrawal,
    SetLimits,
    WithdrawalRequested,
)
from protocols.client_answers import AccountJson, account_json
from protocols.client_limits import LIMITS
from protocols.client_withdrawals import (
    WITHDRAWAL,
    WITHDRAWAL_ID,
    WITHDRAWALS,
    WithdrawalJson,
    WithdrawalRequest,
    WithdrawalRequestedJson,
    WithdrawalsJson,
    withdrawal_json,
    withdrawals_json,
)
from protocols.operations import account

log = structlog.get_logger("gateway")

_UNKNOWN: Final = Refusal(
    Code.STATUS_UNKNOWN, "Send the same request again: it is taken once, and you are told."
)


class AccountRoutes:
    """The views below `/api/withdrawals` and `/api/account/limits`."""

    def __init__(self, ports: GatewayPorts) -> None:
        self._ports = ports

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            (account.WITHDRAW, self.withdraw),
            (account.WITHDRAWALS, self.withdrawals),
            (account.WITHDRAWAL, self.withdrawal),
            (account.LIMITS, self.set_limits),
        ]

    # Withdrawals

    async def withdraw(self) -> Answer | Refusal:
        """Take money out, on the wallet's own signature. No token is needed, and none is enough.

        The checks stand in the order of a bet's: nothing is counted against a wallet before its
        signature holds.
        """
        ports, asked = self._ports, await read_body(self._ports, WITHDRAWAL)
        if isinstance(asked, Refusal):
            return asked
        counted, refused = await take_request(ports, client())
        refused = refused or _refused_by_signature(ports, asked)
        if refused is None:
            counted, refused = await take_withdrawal(ports, asked.wallet)
        result = refused or await self._request(asked)
        headers = limit_headers(counted)
        if isinstance(result, Refusal):
            code = result.code.value
            log.info("withdrawal_refused", wallet=asked.wallet, nonce=asked.nonce, code=code)
            return refusal_answer(result, headers=headers)
        return json_answer(result, status=202, headers=headers)

    async def _request(self, asked: WithdrawalRequest) -> WithdrawalRequestedJson | Refusal:
        command = RequestWithdrawal(
            wallet=asked.wallet,
            nonce=asked.nonce,
            amount_micros=asked.amount_micros,
            destination=asked.destination,
            signed_at_s=asked.timestamp_s,
            signature=asked.signature,
        )
        done = await ask_money(self._ports, command, WithdrawalRequested)
        if isinstance(done, Refusal):
            return _UNKNOWN if done.code is Code.STATUS_UNKNOWN else done
        return {
            "withdrawal": withdrawal_json(done.withdrawal),
            "balance_micros": done.event.balance_micros,
        }

    async def withdrawals(self) -> WithdrawalsJson | Refusal:
        """A page of the trader's own, newest first."""
        session, asked = await session_of(self._ports), read_query(self._ports, WITHDRAWALS)
        if isinstance(session, Refusal):
            return session
        if isinstance(asked, Refusal):
            return asked
        found = await self._ports.ledger_worker.run(
            lambda: self._ports.ledger.withdrawals(
                wallet=session.wallet, status=asked.status, before=asked.before, limit=asked.limit
            )
        )
        return withdrawals_json(found, asked.limit)

    async def withdrawal(self, withdrawal_id: str) -> WithdrawalJson | Refusal:
        """One of the trader's own. Another's is not found, like one that never was."""
        session = await session_of(self._ports)
        if isinstance(session, Refusal):
            return session
        if not WITHDRAWAL_ID.holds(withdrawal_id):
            return Refusal(Code.NOT_FOUND)
        found = await self._ports.ledger_worker.run(
            lambda: self._ports.ledger.withdrawal(withdrawal_id)
        )
        if found is None or found.wallet != session.wallet:
            return Refusal(Code.NOT_FOUND)
        return withdrawal_json(found)

    # Limits

    async def set_limits(self) -> AccountJson | Refusal:
        """Change the limits that the trader sets for himself; the account as it is then."""
        session = await session_of(self._ports)
        if isinstance(session, Refusal):
            return session
        asked = await read_body(self._ports, LIMITS)
        if isinstance(asked, Refusal):
            return asked
        command = SetLimits(wallet=session.wallet, asked=asked)
        done = await ask_money(self._ports, command, AccountChanged)
        if isinstance(done, Refusal):
            return done
        return account_json(session.wallet, await read_account(self._ports, session.wallet))


def _refused_by_signature(ports: GatewayPorts, asked: WithdrawalRequest) -> Refusal | None:
    refused = refused_unsigned(ports, timestamp_s=asked.timestamp_s, chain_id=asked.chain_id)
    if refused is not None:
        return refused
    signer = ports.verify_wallet(asked.text().render(), bytes.fromhex(asked.signature[2:]))
    return None if signer == asked.wallet else Refusal(Code.INVALID_SIGNATURE)
