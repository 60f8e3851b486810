"""The table of operations: all that is served over HTTP but the web client's files.

One module per topic. The routes bind each operation to a view, requests are parsed by the forms
that it names, and `protocols.openapi` makes the API's document from it.
"""

from typing import Final

from protocols.operations import account, bets, health, market, ops, sign_in
from protocols.operations.operation import Auth, Method, Operation, Tag

OPERATIONS: Final[tuple[Operation, ...]] = (
    *market.ALL,
    *sign_in.ALL,
    *bets.ALL,
    *account.ALL,
    *ops.ALL,
    *health.ALL,
)

__all__ = ["OPERATIONS", "Auth", "Method", "Operation", "Tag"]
