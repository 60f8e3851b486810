"""A trader's own money."""

from typing import Final

from domain.refusals import Code
from protocols.client_account import FAUCET as FAUCET_FORM
from protocols.client_answers import AccountJson, CreditedJson, StatementJson
from protocols.client_queries import STATEMENT as STATEMENT_QUERY
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

ALL: Final = (ACCOUNT, STATEMENT, FAUCET)
