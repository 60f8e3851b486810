"""What operators can see and do."""

from typing import Final

from domain.refusals import Code
from protocols.client_market import FeedJson
from protocols.client_ops import CIRCUIT as CIRCUIT_FORM
from protocols.client_ops import DEPOSIT, REASON
from protocols.client_ops import REBUILD as REBUILD_FORM
from protocols.client_status import (
    ArchiveBegunJson,
    BackupJson,
    DepositedJson,
    HeldJson,
    IntegrityJson,
    OpsStatusJson,
    RebuiltJson,
)
from protocols.forms import Form
from protocols.operations.operation import MONEY, Auth, Operation, Tag


def _order(
    path: str, summary: str, *, body: Form[object], answer: object, codes: tuple[Code, ...] = ()
) -> Operation:
    """Something that an operator has done."""
    return Operation(
        method="POST",
        path=path,
        summary=summary,
        tag=Tag.OPERATORS,
        auth=Auth.OPERATOR,
        answer=answer,
        body=body,
        codes=(*MONEY, *codes),
        limited=False,
    )


STATUS: Final = Operation(
    method="GET",
    path="/ops/status",
    summary="The actor tree, and everything that it drives.",
    tag=Tag.OPERATORS,
    auth=Auth.OPERATOR,
    answer=OpsStatusJson,
    limited=False,
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

ALL: Final = (STATUS, CIRCUIT, DEPOSITS, HOLD, RELEASE, REBUILD, ARCHIVE, BACKUP, INTEGRITY)
