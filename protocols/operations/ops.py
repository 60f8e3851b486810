"""What operators can see and do."""

from collections.abc import Mapping
from typing import Final

from domain.refusals import Code
from protocols.client_market import FeedJson
from protocols.client_ops import ADJUSTMENT, DEPOSIT, REASON
from protocols.client_ops import BANKROLL as BANKROLL_FORM
from protocols.client_ops import CIRCUIT as CIRCUIT_FORM
from protocols.client_ops import PAID as PAID_FORM
from protocols.client_ops import REBUILD as REBUILD_FORM
from protocols.client_ops import REJECTED as REJECTED_FORM
from protocols.client_orders import (
    ACTOR,
    COLUMN,
    WEEK,
    AdjustedJson,
    AuditPageJson,
    ColumnVoidJson,
    RestartedJson,
    RestoreBegunJson,
)
from protocols.client_orders import AUDIT as AUDIT_QUERY
from protocols.client_queries import STATEMENT
from protocols.client_status import (
    ArchiveBegunJson,
    BackupJson,
    DepositedJson,
    HeldJson,
    IntegrityJson,
    OpsStatusJson,
    RebuiltJson,
)
from protocols.client_users import USER as USER_FIELD
from protocols.client_users import FrozenJson, OpsStatementJson, UserJson
from protocols.client_withdrawals import (
    WITHDRAWAL_ID,
    BankrollWithdrawnJson,
    OpsWithdrawalsJson,
    WithdrawalDecidedJson,
)
from protocols.client_withdrawals import WITHDRAWALS as WITHDRAWALS_QUERY
from protocols.forms import Field, Form
from protocols.operations.operation import MONEY, Auth, Operation, Tag


def _order(
    path: str,
    summary: str,
    *,
    body: Form[object],
    answer: object,
    codes: tuple[Code, ...] = (),
    status: int = 200,
    parameters: tuple[Field[object], ...] = (),
    also: Mapping[int, object] | None = None,
    with_slashes: bool = False,
) -> Operation:
    """Something that an operator has done; it goes on record first, or is refused."""
    return Operation(
        method="POST",
        path=path,
        summary=summary,
        tag=Tag.OPERATORS,
        auth=Auth.OPERATOR,
        status=status,
        parameters=parameters,
        answer=answer,
        also=also or {},
        body=body,
        codes=(*MONEY, *codes),
        limited=False,
        with_slashes=with_slashes,
    )


def _look(
    path: str,
    summary: str,
    *,
    answer: object,
    codes: tuple[Code, ...] = (),
    query: Form[object] | None = None,
    parameters: tuple[Field[object], ...] = (),
) -> Operation:
    """Something that an operator sees."""
    return Operation(
        method="GET",
        path=path,
        summary=summary,
        tag=Tag.OPERATORS,
        auth=Auth.OPERATOR,
        parameters=parameters,
        query=query,
        answer=answer,
        codes=codes,
        limited=False,
    )


_WITHDRAWAL: Final = Field(
    "withdrawal_id", WITHDRAWAL_ID, "The withdrawal's id: a ULID in capitals."
)

STATUS: Final = _look(
    "/ops/status", "The actor tree, and everything that it drives.", answer=OpsStatusJson
)
AUDIT: Final = _look(
    "/ops/audit",
    "What operators did, and what became of it, newest first.",
    query=AUDIT_QUERY,
    answer=AuditPageJson,
)
CIRCUIT: Final = _order(
    "/ops/circuit", "Override the circuit breaker.", body=CIRCUIT_FORM, answer=FeedJson
)
DEPOSITS: Final = _order(
    "/ops/deposits",
    "Credit a wallet, once per reference.",
    body=DEPOSIT,
    answer=DepositedJson,
    codes=(Code.REFERENCE_CONFLICT,),
)
HOLD: Final = _order("/ops/hold", "Betting off.", body=REASON, answer=HeldJson)
RELEASE: Final = _order("/ops/release", "Betting on.", body=REASON, answer=HeldJson)
REBUILD: Final = _order(
    "/ops/integrity/rebuild",
    "Set a balance to the sum of its ledger rows.",
    body=REBUILD_FORM,
    answer=RebuiltJson,
    codes=(Code.NOT_FOUND,),
)
ARCHIVE: Final = _order(
    "/ops/archive", "Archive what waits, now.", body=REASON, answer=ArchiveBegunJson
)
BACKUP: Final = _order(
    "/ops/backup", "Take a backup, and wait for it.", body=REASON, answer=BackupJson
)
INTEGRITY: Final = _order(
    "/ops/integrity", "Add the money up, and wait for it.", body=REASON, answer=IntegrityJson
)

RESTORE: Final = _order(
    "/ops/restore/{week}",
    "Bring an archived week back for reading, in the background.",
    parameters=(WEEK,),
    body=REASON,
    answer=RestoreBegunJson,
    status=202,
    codes=(Code.NOT_FOUND,),
)
RESTART: Final = _order(
    "/ops/actors/{name}/restart",
    "Stop and start an actor, or a supervisor with all below it.",
    parameters=(ACTOR,),
    with_slashes=True,
    body=REASON,
    answer=RestartedJson,
    also={202: RestartedJson},
    codes=(Code.NOT_FOUND,),
)

USER: Final = _look(
    "/ops/users/{user}",
    "An account, its limits and keys, and its open bets.",
    parameters=(USER_FIELD,),
    answer=UserJson,
    codes=(Code.NOT_FOUND,),
)
USER_LEDGER: Final = _look(
    "/ops/users/{user}/ledger",
    "A page of an account's ledger, newest first.",
    parameters=(USER_FIELD,),
    query=STATEMENT,
    answer=OpsStatementJson,
    codes=(Code.NOT_FOUND,),
)
FREEZE: Final = _order(
    "/ops/users/{user}/freeze",
    "No bets and no withdrawals of this account any more; open bets go on.",
    parameters=(USER_FIELD,),
    body=REASON,
    answer=FrozenJson,
    codes=(Code.NOT_FOUND,),
)
UNFREEZE: Final = _order(
    "/ops/users/{user}/unfreeze",
    "The account is as free as before.",
    parameters=(USER_FIELD,),
    body=REASON,
    answer=FrozenJson,
    codes=(Code.NOT_FOUND,),
)
WITHDRAWALS: Final = _look(
    "/ops/withdrawals",
    "A page of everybody's withdrawals, newest first.",
    query=WITHDRAWALS_QUERY,
    answer=OpsWithdrawalsJson,
)
BANKROLL: Final = _order(
    "/ops/withdrawals",
    "Take money out of the bankroll, once per reference.",
    body=BANKROLL_FORM,
    answer=BankrollWithdrawnJson,
    codes=(Code.EXPOSURE_LIMIT, Code.REFERENCE_CONFLICT),
)
PAID: Final = _order(
    "/ops/withdrawals/{withdrawal_id}/paid",
    "The withdrawal was paid outside.",
    parameters=(_WITHDRAWAL,),
    body=PAID_FORM,
    answer=WithdrawalDecidedJson,
    codes=(Code.NOT_FOUND, Code.REFERENCE_CONFLICT),
)
REJECTED: Final = _order(
    "/ops/withdrawals/{withdrawal_id}/rejected",
    "Give the withdrawal's money back to the trader.",
    parameters=(_WITHDRAWAL,),
    body=REJECTED_FORM,
    answer=WithdrawalDecidedJson,
    codes=(Code.NOT_FOUND, Code.REFERENCE_CONFLICT),
)
ADJUSTMENTS: Final = _order(
    "/ops/adjustments",
    "Move money between the house and a trader, once per reference.",
    body=ADJUSTMENT,
    answer=AdjustedJson,
    codes=(
        *(Code.NOT_FOUND, Code.REFERENCE_CONFLICT),
        *(Code.INSUFFICIENT_FUNDS, Code.EXPOSURE_LIMIT),
    ),
)
VOID_COLUMN: Final = _order(
    "/ops/columns/{start}/void",
    "Give a column back before its verdict.",
    parameters=(COLUMN,),
    body=REASON,
    answer=ColumnVoidJson,
    codes=(Code.REFERENCE_CONFLICT,),
)

ALL: Final = (
    *(STATUS, AUDIT, CIRCUIT, HOLD, RELEASE, DEPOSITS, REBUILD),
    *(ARCHIVE, BACKUP, INTEGRITY, RESTORE, RESTART),
    *(USER, USER_LEDGER, FREEZE, UNFREEZE),
    *(WITHDRAWALS, BANKROLL, PAID, REJECTED, ADJUSTMENTS, VOID_COLUMN),
)
