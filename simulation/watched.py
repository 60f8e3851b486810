"""The ledger with an observer behind it: each commit is looked at before anybody hears of it."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import attrs

from protocols.money import LedgerCommand, MoneyOutcome
from protocols.ports import Ledger, Recovered

Committed: TypeAlias = Callable[[Sequence[LedgerCommand], Sequence[MoneyOutcome], int], None]
"""Told the commands, their outcomes, and the time by which they were judged."""


@attrs.frozen(kw_only=True)
class WatchedLedger:
    """A Ledger whose commits are told at once."""

    ledger: Ledger
    committed: Committed

    def recover(self) -> Recovered:
        return self.ledger.recover()

    def apply(self, commands: Sequence[LedgerCommand], *, at_ms: int) -> Sequence[MoneyOutcome]:
        """As the ledger's own."""
        outcomes = self.ledger.apply(commands, at_ms=at_ms)
        self.committed(commands, outcomes, at_ms)
        return outcomes

    def partition(self) -> str:
        return self.ledger.partition()

    def rotation_failure(self) -> str:
        return self.ledger.rotation_failure()
