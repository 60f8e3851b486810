"""What operators can see and do, with a token of their own. Each action says why, for the log."""

import ssl
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

from client.answers import (
    Adjusted,
    BankrollWithdrawn,
    Deposited,
    Json,
    LedgerPage,
    WithdrawalDecided,
    WithdrawalsPage,
)
from client.venue import Venue
from domain.units import BetId, EpochS, Micros

T = TypeVar("T")


class Operator:
    """An operator of the venue at that origin. Close it, or use it in `async with`."""

    def __init__(self, url: str, token: str, *, ssl_context: ssl.SSLContext | None = None) -> None:
        self._venue = Venue(url, ssl_context=ssl_context)
        self._token = token

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the kept connections."""
        await self._venue.aclose()

    # The venue

    async def status(self) -> Json:
        """The actor tree and all that it drives."""
        return await self._get("/ops/status", dict[str, Any])

    async def hold(self, reason: str) -> Json:
        """Betting off. What is open goes on."""
        return await self._post("/ops/hold", dict[str, Any], reason=reason)

    async def release(self, reason: str) -> Json:
        """Betting on."""
        return await self._post("/ops/release", dict[str, Any], reason=reason)

    async def circuit(self, state: str, reason: str) -> Json:
        """Override the circuit breaker: `open`, `close` or `auto`."""
        return await self._post("/ops/circuit", dict[str, Any], state=state, reason=reason)

    async def restart(self, actor: str, reason: str) -> Json:
        """Restart one actor, by its name or whole path; its mailbox waits."""
        return await self._post(
            f"/ops/actors/{quote(actor)}/restart", dict[str, Any], reason=reason
        )

    async def start_archive(self, reason: str) -> Json:
        """Have the archive done now."""
        return await self._post("/ops/archive", dict[str, Any], reason=reason)

    async def start_backup(self, reason: str) -> Json:
        """Have a backup made now."""
        return await self._post("/ops/backup", dict[str, Any], reason=reason)

    async def check_integrity(self, reason: str) -> Json:
        """Have every ledger row added up now."""
        return await self._post("/ops/integrity", dict[str, Any], reason=reason)

    async def rebuild_balance(self, wallet: str, reason: str) -> Json:
        """Set a balance to the sum of its ledger rows."""
        return await self._post(
            "/ops/integrity/rebuild", dict[str, Any], wallet=wallet, reason=reason
        )

    async def restore_week(self, week: str, reason: str) -> Json:
        """Bring a closed week back from the archive, for reading."""
        return await self._post(f"/ops/restore/{_part(week)}", dict[str, Any], reason=reason)

    async def void_column(self, start_s: EpochS, reason: str) -> Json:
        """Give a column back before its verdict: its bets are refunded, and no more are taken."""
        return await self._post(f"/ops/columns/{start_s}/void", dict[str, Any], reason=reason)

    async def audit(self, *, cursor: str | None = None, limit: int | None = None) -> Json:
        """What operators have done, newest first."""
        return await self._get("/ops/audit", dict[str, Any], cursor=cursor, limit=limit)

    # Money

    async def deposit(
        self, wallet: str, amount_micros: Micros, *, reference: str, reason: str = ""
    ) -> Deposited:
        """Credit a wallet, or the bankroll (`house`), once per reference."""
        body = {"wallet": wallet, "amount_micros": amount_micros, "reference": reference}
        given = {"reason": reason} if reason else {}
        return await self._post("/ops/deposits", Deposited, **body, **given)

    async def adjust(
        self,
        wallet: str,
        amount_micros: Micros,
        *,
        reference: str,
        reason: str,
        bet_id: BetId | None = None,
    ) -> Adjusted:
        """Make a wrong result good: to the trader, or with a minus from him, once per reference."""
        named = {"bet_id": bet_id} if bet_id is not None else {}
        return await self._post(
            "/ops/adjustments",
            Adjusted,
            wallet=wallet,
            amount_micros=amount_micros,
            reference=reference,
            reason=reason,
            **named,
        )

    async def withdrawals(
        self, *, status: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> WithdrawalsPage:
        """All traders' withdrawals, newest first; `pending` ones wait for a decision."""
        return await self._get(
            "/ops/withdrawals", WithdrawalsPage, status=status, cursor=cursor, limit=limit
        )

    async def mark_paid(
        self, withdrawal_id: str, *, reference: str, reason: str = ""
    ) -> WithdrawalDecided:
        """It was paid outside; `reference` says how, e.g. by which transaction."""
        given = {"reason": reason} if reason else {}
        path = f"/ops/withdrawals/{_part(withdrawal_id)}/paid"
        return await self._post(path, WithdrawalDecided, reference=reference, **given)

    async def reject(self, withdrawal_id: str, *, reason: str) -> WithdrawalDecided:
        """Give it back to the trader."""
        path = f"/ops/withdrawals/{_part(withdrawal_id)}/rejected"
        return await self._post(path, WithdrawalDecided, reason=reason)

    async def withdraw_bankroll(
        self,
        amount_micros: Micros,
        *,
        reference: str,
        reason: str,
        destination: str | None = None,
    ) -> BankrollWithdrawn:
        """Take money out of the bankroll, once per reference. What is left must pay all bets."""
        named = {"destination": destination} if destination is not None else {}
        return await self._post(
            "/ops/withdrawals",
            BankrollWithdrawn,
            wallet="house",
            amount_micros=amount_micros,
            reference=reference,
            reason=reason,
            **named,
        )

    # Users: by wallet or number

    async def user(self, user: str | int) -> Json:
        """One trader's account, with all that an operator may know."""
        return await self._get(f"/ops/users/{_part(user)}", dict[str, Any])

    async def user_ledger(
        self, user: str | int, *, cursor: str | None = None, limit: int | None = None
    ) -> LedgerPage:
        """A page of a trader's statement, newest first."""
        path = f"/ops/users/{_part(user)}/ledger"
        return await self._get(path, LedgerPage, cursor=cursor, limit=limit)

    async def freeze(self, user: str | int, reason: str) -> Json:
        """No bets and no withdrawals; open bets go on."""
        return await self._post(f"/ops/users/{_part(user)}/freeze", dict[str, Any], reason=reason)

    async def unfreeze(self, user: str | int, reason: str) -> Json:
        """The account is as free as before."""
        return await self._post(f"/ops/users/{_part(user)}/unfreeze", dict[str, Any], reason=reason)

    # Calls

    async def _get(self, path: str, kind: type[T], **query: object) -> T:
        return await self._venue.get(path, kind, query=query, token=self._token)

    async def _post(self, path: str, kind: type[T], **body: object) -> T:
        return await self._venue.post(path, kind, body, token=self._token)


def _part(name: str | int) -> str:
    """One part of a path, whatever is in it."""
    return quote(str(name), safe="")
