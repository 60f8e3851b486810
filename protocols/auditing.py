"""Whether the money adds up: the port that looks, and what the Auditor is asked."""

from typing import Protocol

import attrs

from protocols.accounts import Audit, IntegrityReport
from protocols.ports import Work


class LedgerUncheckable(Exception):
    """The check could not be carried out: the file is gone, damaged or locked. Says which and why.

    Not raised for money that does not add up: that is what a check finds.
    """


class LedgerChecks(Protocol):
    """Checks the current file of the ledger, of one moment each, while the writer goes on.

    Both may take seconds; `work` is asked every few milliseconds whether to go on. Both may raise
    LedgerUncheckable and WorkStopped.
    """

    def full(self, *, work: Work) -> IntegrityReport:
        """Every row is looked at again."""
        ...

    def partial(self, *, work: Work) -> Audit:
        """What was written since the last verified row, and what each start asks of the whole."""
        ...


@attrs.frozen(kw_only=True)
class CheckIntegrity:
    """Carry out a full check now. Answered with an IntegrityReport, or a Refusal: `draining`, or
    `store_unavailable` where the ledger could not be checked."""
