"""A trader's own money."""

from typing import Final

from domain.refusals import Code
from protocols.client_account import FAUCET as FAUCET_FORM
from protocols.client_answers import AccountJson, CreditedJson, StatementJson
from protocols.client_limits import LIMITS as LIMITS_FORM
from protocols.client_queries import STATEMENT as STATEMENT_QUERY
from protocols.client_withdrawals import WITHDRAWAL as WITHDRAWAL_FORM
from protocols.client_withdrawals import (
    WITHDRAWAL_ID,
    WithdrawalJson,
    WithdrawalRequestedJson,
    WithdrawalsJson,
)
from protocols.client_withdrawals import WITHDRAWALS as WITHDRAWALS_QUERY
from protocols.forms import Field
from protocols.operations.operation import MONEY, Auth, Operation, Tag

ACCOUNT: Final = Operation(
    method="GET",
    path="/api/account",
    summary="Balance, open stakes and bets.",
    tag=Tag.ACCOUNT,
    auth=Auth.SESSION,
    answer=AccountJson,
)
STATEMENT: Final = Operation(
    method="GET",
    path="/api/ledger",
    summary="Where the money went: a page of the statement, newest first.",
    tag=Tag.ACCOUNT,
    auth=Auth.SESSION,
    answer=StatementJson,
    query=STATEMENT_QUERY,
)
FAUCET: Final = Operation(
    method="POST",
    path="/api/faucet",
    summary="Paper money for the body's wallet or the token's; in demo mode only.",
    tag=Tag.ACCOUNT,
    auth=Auth.OPTIONAL,
    answer=CreditedJson,
    body=FAUCET_FORM,
    codes=(Code.FORBIDDEN, Code.LIMIT_REACHED, *MONEY),
)

LIMITS: Final = Operation(
    method="POST",
    path="/api/account/limits",
    summary="Limits of one's own: lowering holds at once, raising after a day.",
    tag=Tag.ACCOUNT,
    auth=Auth.SESSION,
    answer=AccountJson,
    body=LIMITS_FORM,
    codes=(Code.NOT_FOUND, *MONEY),
)
WITHDRAW: Final = Operation(
    method="POST",
    path="/api/withdrawals",
    summary="Take money out, on the wallet's own signature; an operator pays it.",
    description="The money leaves the balance at once. A retry is the same request, and is answered"
    " `replay_detected` with the withdrawal.",
    tag=Tag.ACCOUNT,
    answer=WithdrawalRequestedJson,
    status=202,
    body=WITHDRAWAL_FORM,
    counts_itself=True,
    codes=(
        *(Code.INVALID_SIGNATURE, Code.SIGNATURE_EXPIRED, Code.REPLAY_DETECTED),
        *(Code.INSUFFICIENT_FUNDS, Code.FROZEN, *MONEY),
    ),
)
WITHDRAWALS: Final = Operation(
    method="GET",
    path="/api/withdrawals",
    summary="A page of the trader's withdrawals, newest first.",
    tag=Tag.ACCOUNT,
    auth=Auth.SESSION,
    answer=WithdrawalsJson,
    query=WITHDRAWALS_QUERY,
)
WITHDRAWAL: Final = Operation(
    method="GET",
    path="/api/withdrawals/{withdrawal_id}",
    summary="One of the trader's withdrawals; another's is not found, like one that never was.",
    tag=Tag.ACCOUNT,
    auth=Auth.SESSION,
    answer=WithdrawalJson,
    parameters=(Field("withdrawal_id", WITHDRAWAL_ID, "The id that the venue gave it: a ULID."),),
    codes=(Code.NOT_FOUND,),
)

ALL: Final = (ACCOUNT, STATEMENT, FAUCET, LIMITS, WITHDRAW, WITHDRAWALS, WITHDRAWAL)
